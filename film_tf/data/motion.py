"""Estimates how far things move between two images: block matching on a small copy of them."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

_SMALL = 64  # pixels, about the shorter side of the copy
_WINDOW = 16  # pixels of the copy, height and width of what is matched
_MARGIN = 8  # pixels of the copy without windows, which would leave the image at the least motion
_NOISE = 1.0 / 255.0  # differences as small as this are nothing to be seen
_NEARER = 1.0 / 255.0  # how much worse a match may be, in RMS, to be preferred for being a pixel of the copy nearer
_FOUND = 0.25  # a window is found again where no more of its texture is lost

MIN_SIDE = 2 * _MARGIN + _WINDOW  # pixels, height and width of an image
CUT = 0.85  # share of a frame's texture lost in the next, above which that is another scene; of 64 clips cuts have 0.92
DUPLICATE = 0.5  # mean difference of 255 below which a frame shows the one before again


class Motion(NamedTuple):
  """What moves between two images: scalars."""

  mean: tf.Tensor  # pixels, of what is found again in the second image
  largest: tf.Tensor  # pixels
  lost: tf.Tensor  # share of the texture that is not found again, 0 to 1; above `CUT` the second is another scene


def measure(x0: tf.Tensor, x1: tf.Tensor) -> Motion:
  """Measures motion from x0 to x1, as `match` finds it."""
  moved, lost = match(x0, x1)
  length = tf.where(lost <= _FOUND, tf.norm(moved, axis=-1), 0.0)
  found = tf.reduce_sum(tf.cast(lost <= _FOUND, tf.float32))
  return Motion(tf.math.divide_no_nan(tf.reduce_sum(length), found), tf.reduce_max(length), tf.reduce_mean(lost))


def is_cut(a: np.ndarray, b: np.ndarray, threshold: float = CUT) -> bool:
  """Returns whether `b` is the first frame of another scene; frames are `[H, W, 3 or 4]`, uint8 or uint16."""
  return min(a.shape[:2]) >= MIN_SIDE and float(measure(a[..., :3], b[..., :3]).lost) > threshold


def is_duplicate(a: np.ndarray, b: np.ndarray, threshold: float = DUPLICATE) -> bool:
  """Returns whether `b` shows `a` again, but for what a codec does to it; frames are uint8 or uint16."""
  difference = np.mean(np.abs(a.astype(np.int32) - b))
  return bool(difference * 255.0 / np.iinfo(a.dtype).max < threshold)


def match(x0: tf.Tensor, x1: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
  """Finds windows of x0 again, anywhere in x1.

  Args:
    x0: `[H, W, 3]`, uint8 or float in [0, 1], `MIN_SIDE` pixels high and wide or more.
    x1: as x0.

  Returns:
    `[N, 2]` float32, how far each window has moved, (dx, dy) in pixels; a window is about a quarter of the shorter
    side, and one without texture stays where it is. `[N]` float32 in [0, 1], the share of its texture that is not found
    again.
  """
  x0, x1, scale = _small(x0, x1)
  n = _WINDOW * _WINDOW
  size = [1, _WINDOW, _WINDOW, 1]
  windows = tf.image.extract_patches(x0[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN], size, size, [1, 1, 1, 1], 'VALID')
  rows, columns = tf.shape(windows)[1], tf.shape(windows)[2]
  windows = tf.reshape(windows, (-1, n))

  def correlate(image, filters):
    return tf.nn.conv2d(image, tf.reshape(tf.transpose(filters), (_WINDOW, _WINDOW, 1, -1)), 1, 'VALID')[0]

  # |a - b|^2 of each window a and each place b
  texture = n * tf.math.reduce_variance(windows, axis=1)
  there = correlate(x1**2, tf.ones((1, n)))
  difference = tf.maximum(tf.reduce_sum(windows**2, axis=1) + there - 2.0 * correlate(x1, windows), 0.0)
  difference = tf.transpose(difference, (2, 0, 1))  # [N, h, w]

  y0 = _MARGIN + tf.repeat(tf.range(rows) * _WINDOW, columns)  # where each window comes from
  x0 = _MARGIN + tf.tile(tf.range(columns) * _WINDOW, (rows,))
  height, width = tf.shape(difference)[1], tf.shape(difference)[2]
  dy = tf.cast(tf.range(height) - y0[:, tf.newaxis], tf.float32)
  dx = tf.cast(tf.range(width) - x0[:, tf.newaxis], tf.float32)
  distance = tf.sqrt(dy[:, :, tf.newaxis] ** 2 + dx[:, tf.newaxis] ** 2)
  cost = tf.sqrt(difference / n) + _NEARER * distance
  best = tf.argmin(tf.reshape(cost, (-1, height * width)), axis=1, output_type=tf.int32)
  y, x = best // width, best % width

  def at(y, x):
    window = tf.range(rows * columns)
    index = tf.stack([window, tf.clip_by_value(y, 0, height - 1), tf.clip_by_value(x, 0, width - 1)], axis=-1)
    return tf.gather_nd(difference, index)

  def between(before, after, i, size):  # the vertex of a parabola, no more than half a pixel away
    bend = tf.maximum(before + after - 2.0 * here, n * _NOISE**2)
    vertex = tf.clip_by_value(0.5 * (before - after) / bend, -0.5, 0.5)
    return tf.where((i > 0) & (i < size - 1), vertex, 0.0)

  here = at(y, x)
  dx = tf.cast(x - x0, tf.float32) + between(at(y, x - 1), at(y, x + 1), x, width)
  dy = tf.cast(y - y0, tf.float32) + between(at(y - 1, x), at(y + 1, x), y, height)
  lost = here / (texture + n * _NOISE**2)
  return tf.stack([dx, dy], axis=-1) * scale, tf.minimum(lost, 1.0)


def _small(*images):
  """Returns grey copies `[1, h, w, 1]` with a shorter side of 64 to 127 pixels, or as they are, and the scale."""
  grey = [tf.image.rgb_to_grayscale(tf.image.convert_image_dtype(image, tf.float32)) for image in images]
  shape = tf.shape(grey[0])
  scale = tf.maximum(tf.minimum(shape[0], shape[1]) // _SMALL, 1)
  height, width = shape[0] // scale, shape[1] // scale

  def shrink(image):
    image = tf.reshape(image[: height * scale, : width * scale], (height, scale, width, scale))
    return tf.reduce_mean(image, axis=(1, 3))[tf.newaxis, ..., tf.newaxis]

  return *map(shrink, grey), tf.cast(scale, tf.float32)
