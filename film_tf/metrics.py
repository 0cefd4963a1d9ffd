"""How good an image is."""

import tensorflow as tf


def psnr(image: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
  """Peak signal-to-noise ratio in dB, of images clipped to [0, 1] and not rounded to 8 bits, as FILM reports it.

  Args:
    image: `[B, H, W, C]`.
    reference: the same shape.

  Returns:
    `[B]`, one value an image, so that a mean over images is the mean of ratios; infinite where they are equal.
  """
  return tf.image.psnr(tf.clip_by_value(image, 0.0, 1.0), reference, max_val=1.0)
