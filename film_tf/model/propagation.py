"""Lets pixels borrow flow; not in the paper. Like the densification of DIS optical flow (Kroeger et al., ECCV 2016)."""

import numpy as np
import tensorflow as tf

from film_tf.model.blocks import dynamic_shape
from film_tf.model.warp import warp

_REACH = 4  # pixels between those who lend and borrow: about what the windows of Lucas and Kanade smear
_WINDOW = np.outer(*2 * [np.exp(-0.5 * np.arange(-2.0, 3.0) ** 2)])  # a Gaussian on 5x5 pixels
_NOISE = 2.0 / 255.0  # added to errors: less says nothing
_SHARPNESS = 3.0  # flow counts by this power of the inverse of its error


def propagate(
  flow: tf.Tensor, image0: tf.Tensor, image1: tf.Tensor, time: tf.Tensor, top: tf.Tensor | int = 0
) -> tf.Tensor:
  """Mixes each pixel's flow with those `_REACH` pixels to its four sides, by how alike either makes both images.

  So the flow of what moves ends at its edge, and not where windows around it end, in which coarse flow is estimated.

  Args:
    flow: `[B, h, W, 2]` float32, at the frame between, from the first image to the second, in pixels.
    image0: the first, `[B, H, W, 3]` float32.
    image1: the second.
    time: `[B, 1, 1, 1]` float32, where between them.
    top: the row that the flow's first row belongs to, where it is a band of rows.

  Returns:
    `[B, h, W, 2]` float32.
  """
  sides = [(0, 0), (-_REACH, 0), (_REACH, 0), (0, -_REACH), (0, _REACH)]
  flows = [_from(flow, *side) for side in sides]
  errors = []
  for v in flows:
    with tf.control_dependencies(errors[-1:]):  # one after the other, for each takes memory
      errors.append(unlikeness(*_warped(tf.stop_gradient(v), image0, image1, time, top)))
  shares = tf.nn.softmax(-_SHARPNESS * tf.math.log(tf.concat(errors, axis=-1) + _NOISE))
  return tf.add_n([share * v for share, v in zip(tf.split(shares, len(flows), axis=-1), flows, strict=True)])


def _from(flow, dy, dx):
  """Returns the flow so many pixels away; beyond the border is the border's."""
  _, height, width, _ = dynamic_shape(flow)
  if dy:
    flow = tf.gather(flow, tf.clip_by_value(tf.range(height) + dy, 0, height - 1), axis=1)
  if dx:
    flow = tf.gather(flow, tf.clip_by_value(tf.range(width) + dx, 0, width - 1), axis=2)
  return flow


def _warped(flow, image0, image1, time, top):
  return warp(image0, -time * flow, top), warp(image1, (1.0 - time) * flow, top)


def unlikeness(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
  """Returns how unlike two images are around each pixel, the mean absolute difference: `[B, H, W, 1]`."""
  unlike = tf.abs(a - b)
  kernel = tf.constant(_WINDOW / _WINDOW.sum(), tf.float32)[:, :, tf.newaxis, tf.newaxis]
  return tf.nn.conv2d(tf.reduce_mean(unlike, axis=-1, keepdims=True), kernel, 1, 'SAME')
