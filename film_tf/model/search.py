"""Looks for motion that coarser levels have missed, such as of small fast things; not in the paper."""

import numpy as np
import tensorflow as tf

from film_tf.model.blocks import dynamic_shape

_WINDOW = np.outer(*2 * [np.exp(-0.5 * (np.arange(-4, 5) / 2.0) ** 2)])  # a Gaussian on 9x9 pixels
_SIDES = [(0, 0)] + [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
_NOISE = 2e-3  # added to differences: less says nothing
_SHARPNESS = 6.0  # a motion counts by this power of the inverse of its difference
_STAY = 2.0  # logit by which no motion counts more than the others
_ENOUGH = 0.3  # share of its window that both images must have seen for a motion to count


def displacement(a: tf.Tensor, b: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
  """Mixes nine motions by how alike they make two feature maps: none, and 2 pixels to each of the eight sides.

  Both maps are at the frame between, so either moves by 1 pixel. Least squares, as of `lucas_kanade`, see no farther
  than slopes do. No gradient comes back from here.

  Args:
    a: of the first image, warped to the frame between, `[B, H, W, C]` float32.
    b: of the second, the same shape.
    seen: `[B, H, W, 1]`, 1 where both images are seen and 0 where not.

  Returns:
    `[B, H, W, 2]` float32, (dx, dy) in pixels, each within 2.
  """
  _, height, width, _ = dynamic_shape(a)
  a, b, seen = (tf.pad(tf.stop_gradient(x), [[0, 0], [1, 1], [1, 1], [0, 0]]) for x in (a, b, seen))

  def at(x, dy, dx):
    return x[:, 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

  weights = [at(seen, -dy, -dx) * at(seen, dy, dx) for dy, dx in _SIDES]
  unlike = [tf.reduce_mean(tf.abs(at(a, -dy, -dx) - at(b, dy, dx)), -1, keepdims=True) for dy, dx in _SIDES]
  sums, total = (_around(tf.concat(x, -1)) for x in ([u * w for u, w in zip(unlike, weights, strict=True)], weights))
  logits = tf.where(total > _ENOUGH, -_SHARPNESS * tf.math.log(sums / tf.maximum(total, _ENOUGH) + _NOISE), -100.0)
  shares = tf.nn.softmax(logits + tf.constant([_STAY] + [0.0] * (len(_SIDES) - 1)))
  return tf.tensordot(shares, tf.constant([[2.0 * dx, 2.0 * dy] for dy, dx in _SIDES]), 1)


def _around(x):
  """Returns the mean of a window around each pixel, channel by channel."""
  kernel = tf.constant(_WINDOW / _WINDOW.sum(), tf.float32)[:, :, tf.newaxis, tf.newaxis]
  return tf.nn.conv2d(x, kernel * tf.eye(len(_SIDES)), 1, 'SAME')
