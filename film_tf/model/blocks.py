"""Builds what all parts of the network share."""

import tensorflow as tf


def conv(
  filters: int, size: int, inputs: int, name: str, dtype=None, initializer: str = 'glorot_uniform'
) -> tf.keras.layers.Conv2D:
  """Makes a linear 'same' convolution that has its weights before it has seen an image."""
  layer = tf.keras.layers.Conv2D(filters, size, padding='same', name=name, dtype=dtype, kernel_initializer=initializer)
  layer.build((None, None, None, inputs))
  return layer


def leaky_relu(x: tf.Tensor) -> tf.Tensor:
  """Applies a leaky ReLU of slope 0.2, the published activation (Keras' own default slope is 0.3)."""
  return tf.nn.leaky_relu(x, 0.2)


def upsample_nearest(x: tf.Tensor) -> tf.Tensor:
  """Repeats every pixel 2x2: `[B, H, W, C]` to `[B, 2H, 2W, C]`.

  Equal to nearest-neighbour `tf.image.resize`, whose gradient XLA (hence a TPU) cannot compile.
  """
  batch, height, width, channels = dynamic_shape(x)
  x = tf.broadcast_to(x[:, :, tf.newaxis, :, tf.newaxis, :], (batch, height, 2, width, 2, channels))
  return tf.reshape(x, (batch, 2 * height, 2 * width, channels))


def dynamic_shape(x: tf.Tensor) -> list:
  """Returns the shape of x: Python ints where they are known, scalar tensors where they are not."""
  known = tf.TensorShape(x.shape).as_list()
  if None not in known:
    return known
  return [actual if size is None else size for size, actual in zip(known, tf.unstack(tf.shape(x)), strict=True)]
