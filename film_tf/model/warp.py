"""Backward bilinear warping."""

import contextlib
import contextvars

import tensorflow as tf

from film_tf.model.blocks import dynamic_shape

_compiled = contextvars.ContextVar('compiled', default=False)


@contextlib.contextmanager
def compiled(wanted: bool = True):
  """Lets XLA compile every warp of a graph that is traced within, where `wanted`.

  It makes one pass over memory where TensorFlow makes a dozen: a pair of 448x256 takes film_mini 0.70 of the time, and
  the published network 0.93 (AMD EPYC, two cores). What else there is stays with oneDNN, which is the faster one there.
  """
  token = _compiled.set(wanted)
  try:
    yield
  finally:
    _compiled.reset(token)


def warp(image: tf.Tensor, flow: tf.Tensor, top: tf.Tensor | int = 0, image_top: tf.Tensor | int = 0) -> tf.Tensor:
  """Reads every output pixel where the flow points: `out[y, x] = image[y + dy, x + dx]`.

  Bilinear between pixels, the border's value outside. The same function as `tfa.image.dense_image_warp` with the flow
  negated and in (dy, dx) order, which is what the original calls.

  Args:
    image: `[B, H, W, C]`, any float type.
    flow: `[B, h, W, 2]` float32, (dx, dy) in pixels. Coordinates are always float32: bfloat16 cannot count past 256.
    top: the row that the flow's first row belongs to, where it is a band of rows.
    image_top: likewise of the image; what is read outside of it is its border's.

  Returns:
    `[B, h, W, C]` of the image's type.
  """
  return (_compiled_warp if _compiled.get() else _warp)(image, flow, top, image_top)


def _warp(image, flow, top, image_top):
  batch, height, width, channels = dynamic_shape(image)
  dx, dy = tf.unstack(flow, axis=-1)
  x, right, x_weight = _neighbours(tf.range(width), dx, width)
  rows = top + tf.range(dynamic_shape(flow)[1])[:, tf.newaxis]
  y, below, y_weight = _neighbours(rows, dy, height, image_top)
  x_weight, y_weight = (tf.cast(w, image.dtype)[..., tf.newaxis] for w in (x_weight, y_weight))

  first_of_image = tf.range(batch)[:, tf.newaxis, tf.newaxis] * (height * width)

  def row(y):
    # All images' pixels in one list, anew for each read: a step of the published network is then a graph of 14,500
    # operations, which is traced in two thirds of the time that gathers with batch_dims=1 take with their 24,400.
    start = first_of_image + y * width
    left_pixel, right_pixel = (tf.gather(tf.reshape(image, (-1, channels)), start + column) for column in (x, right))
    return left_pixel + x_weight * (right_pixel - left_pixel)

  top, bottom = row(y), row(below)
  return top + y_weight * (bottom - top)


_compiled_warp = tf.function(_warp, jit_compile=True, autograph=False)


def first_rows(flow: tf.Tensor, height: tf.Tensor | int, top: tf.Tensor | int = 0) -> tf.Tensor:
  """Returns the upper of the two rows that `warp` reads of an image of `height` rows: `[B, h, W]` int32."""
  rows = top + tf.range(dynamic_shape(flow)[1])[:, tf.newaxis]
  return _neighbours(rows, flow[..., 1], height)[0]


def inside(flow: tf.Tensor, height: tf.Tensor | int, width: tf.Tensor | int, top: tf.Tensor | int = 0) -> tf.Tensor:
  """Returns where `warp` reads within the first `height` x `width` pixels: `[B, h, W, 1]`, 1 there and 0 elsewhere."""
  _, rows, columns, _ = dynamic_shape(flow)
  x = tf.range(columns, dtype=tf.float32) + flow[..., 0]
  y = tf.cast(top + tf.range(rows), tf.float32)[:, tf.newaxis] + flow[..., 1]
  right, bottom = (tf.cast(size, tf.float32) - 0.5 for size in (width, height))
  return tf.cast((x > -0.5) & (x < right) & (y > -0.5) & (y < bottom), tf.float32)[..., tf.newaxis]


def _neighbours(position, displacement, size, origin=0):
  """Returns the two indices around `position + displacement - origin` within [0, size), and the second's weight."""
  query = tf.cast(position, tf.float32) + tf.cast(displacement, tf.float32)
  last, origin = tf.cast(tf.maximum(size - 2, 0), tf.float32), tf.cast(origin, tf.float32)
  first = tf.clip_by_value(tf.floor(tf.stop_gradient(query)) - origin, 0.0, last)
  weight = tf.clip_by_value(query - (first + origin), 0.0, 1.0)
  # Again, for flow that is no number. The minimum comes last, or TFLite takes a size of 8 for a Relu6 of integers.
  first = tf.minimum(tf.maximum(tf.cast(first, tf.int32), 0), tf.maximum(size - 2, 0))
  return first, tf.minimum(first + 1, size - 1), weight
