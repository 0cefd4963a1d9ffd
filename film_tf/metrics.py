"""Measures how good an image is."""

import tensorflow as tf

SMALLEST = 11  # pixels that an image must have either way to be measured


def psnr(image: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
  """Returns the peak signal-to-noise ratio in dB of images clipped to [0, 1] and not rounded, as FILM reports it.

  Args:
    image: `[B, H, W, C]`.
    reference: the same shape.

  Returns:
    `[B]`, one value an image, so that a mean over images is the mean of ratios; infinite where they are equal.
  """
  return tf.image.psnr(tf.clip_by_value(image, 0.0, 1.0), reference, max_val=1.0)


def ssim(image: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
  """Returns the structural similarity (Wang et al., 2004), 1 for equal images; clipped, not rounded, as FILM has it.

  Gaussian windows of 11x11 pixels, sigma 1.5; images have no fewer pixels either way (`SMALLEST`).

  Args:
    image: `[B, H, W, C]`.
    reference: the same shape.

  Returns:
    `[B]`.
  """
  return tf.image.ssim(tf.clip_by_value(image, 0.0, 1.0), reference, max_val=1.0)
