"""Backward bilinear warping."""

import tensorflow as tf

from film_tf.model.blocks import dynamic_shape


def warp(image: tf.Tensor, flow: tf.Tensor) -> tf.Tensor:
  """Reads every output pixel where the flow points: `out[y, x] = image[y + dy, x + dx]`.

  Bilinear between pixels, the border's value outside. The same function as `tfa.image.dense_image_warp` with the flow
  negated and in (dy, dx) order, which is what the original calls.

  Args:
    image: `[B, H, W, C]`, any float type.
    flow: `[B, H, W, 2]` float32, (dx, dy) in pixels. Coordinates are always float32: bfloat16 cannot count past 256.

  Returns:
    `[B, H, W, C]` of the image's type.
  """
  batch, height, width, channels = dynamic_shape(image)
  x, right, x_weight = _neighbours(tf.range(width), flow[..., 0], width)
  y, below, y_weight = _neighbours(tf.range(height)[:, tf.newaxis], flow[..., 1], height)
  x_weight, y_weight = (tf.cast(w, image.dtype)[..., tf.newaxis] for w in (x_weight, y_weight))

  pixels = tf.reshape(image, (batch, height * width, channels))

  def row(y):
    left_pixel = tf.gather(pixels, y * width + x, batch_dims=1)
    right_pixel = tf.gather(pixels, y * width + right, batch_dims=1)
    return left_pixel + x_weight * (right_pixel - left_pixel)

  top, bottom = row(y), row(below)
  return top + y_weight * (bottom - top)


def inside(flow: tf.Tensor, height: tf.Tensor | int, width: tf.Tensor | int) -> tf.Tensor:
  """Returns where `warp` reads within the first `height` x `width` pixels: `[B, H, W, 1]`, 1 there and 0 elsewhere."""
  _, rows, columns, _ = dynamic_shape(flow)
  x = tf.range(columns, dtype=tf.float32) + flow[..., 0]
  y = tf.range(rows, dtype=tf.float32)[:, tf.newaxis] + flow[..., 1]
  right, bottom = (tf.cast(size, tf.float32) - 0.5 for size in (width, height))
  return tf.cast((x > -0.5) & (x < right) & (y > -0.5) & (y < bottom), tf.float32)[..., tf.newaxis]


def _neighbours(position, displacement, size):
  """Returns the two indices around `position + displacement` within [0, size), and the weight of the second."""
  query = tf.cast(position, tf.float32) + tf.cast(displacement, tf.float32)
  last = tf.cast(tf.maximum(size - 2, 0), tf.float32)
  first = tf.clip_by_value(tf.floor(query), 0.0, last)
  weight = tf.clip_by_value(query - first, 0.0, 1.0)
  first = tf.clip_by_value(tf.cast(first, tf.int32), 0, tf.maximum(size - 2, 0))  # again, for flow that is no number
  return first, tf.minimum(first + 1, size - 1), weight
