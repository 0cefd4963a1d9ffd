"""Motion between two nearly aligned feature maps by least squares (Lucas and Kanade, IJCAI 1981)."""

import numpy as np
import tensorflow as tf

_WINDOW = np.outer(*2 * [np.exp(-0.5 * (np.arange(-4, 5) / 3.0) ** 2)])  # a Gaussian on 9x9 pixels
_DAMPING = 1e-5  # added to the mean squared slope: where there is no texture, nothing moves
_FARTHEST = 1.5  # pixels; slopes tell nothing of what lies farther off


def displacement(a: tf.Tensor, b: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
  """Estimates how far what is in `a` has moved in `b`, where that is a pixel or so.

  The v that minimises the sum of (b + v grad - a)^2 over a window around each pixel and all channels: one Gauss-Newton
  step. The slope grad is that of the mean of both, so that swapping them turns v about.

  Args:
    a: `[B, H, W, C]` float32.
    b: the same shape.
    weight: `[B, H, W, 1]`, of each pixel in the sum.

  Returns:
    `[B, H, W, 2]` float32, (dx, dy) in pixels, each within 1.5.
  """
  mean, difference = (a + b) / 2.0, b - a
  x, y = _slope(mean, axis=2), _slope(mean, axis=1)
  products = [tf.reduce_mean(p, -1, True) for p in (x * x, x * y, y * y, x * difference, y * difference)]
  kernel = tf.constant(_WINDOW / _WINDOW.sum(), tf.float32)[:, :, tf.newaxis, tf.newaxis] * tf.eye(len(products))
  sums = tf.nn.conv2d(weight * tf.concat(products, -1), kernel, 1, 'SAME')
  xx, xy, yy, xd, yd = tf.unstack(sums, axis=-1)
  xx, yy = xx + _DAMPING, yy + _DAMPING
  v = tf.stack([xy * yd - yy * xd, xy * xd - xx * yd], -1) / (xx * yy - xy * xy)[..., tf.newaxis]
  return tf.clip_by_value(v, -_FARTHEST, _FARTHEST)


def _slope(x, axis):
  """Returns central differences along an axis of height or width; images continue mirrored beyond the border."""
  x = tf.pad(x, [[0, 0], [int(axis == 1)] * 2, [int(axis == 2)] * 2, [0, 0]], 'SYMMETRIC')
  if axis == 1:
    return (x[:, 2:] - x[:, :-2]) / 2.0
  return (x[:, :, 2:] - x[:, :, :-2]) / 2.0
