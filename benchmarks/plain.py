"""Makes the network compute as one would write it first: for comparisons."""

import tensorflow as tf

from film_tf.model import bilateral_flow_pyramid, blocks, film_net, flow_pyramid, second_look


def use():
  """Replaces warps by gather_nd of four corners, and upsampling by tf.image.resize, in networks built later."""
  for module in (bilateral_flow_pyramid, film_net, flow_pyramid, second_look):
    module.warp = warp
  blocks.upsample_nearest = lambda x: tf.image.resize(x, 2 * tf.shape(x)[1:3], 'nearest')


def warp(image, flow, top=0):
  size = tf.cast(tf.shape(image)[1:3], tf.float32)
  grid = tf.stack(tf.meshgrid(tf.range(tf.shape(flow)[2]), top + tf.range(tf.shape(flow)[1])), axis=-1)
  x, y = tf.unstack(tf.cast(grid, tf.float32) + flow, axis=-1)
  x0, y0 = (tf.clip_by_value(tf.floor(v), 0.0, n - 2.0) for v, n in ((x, size[1]), (y, size[0])))
  dx, dy = (tf.clip_by_value(v - v0, 0.0, 1.0)[..., tf.newaxis] for v, v0 in ((x, x0), (y, y0)))

  def corner(i, j):
    return tf.gather_nd(image, tf.cast(tf.stack([y0 + i, x0 + j], axis=-1), tf.int32), batch_dims=1)

  top, bottom = (corner(i, 0) * (1 - dx) + corner(i, 1) * dx for i in (0, 1))
  return top * (1 - dy) + bottom * dy
