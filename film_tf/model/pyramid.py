"""Pyramids are Python lists, finest level first; and the padding that lets every size have one."""

from collections.abc import Sequence

import tensorflow as tf

from film_tf.model.blocks import dynamic_shape


def average_pool(x: tf.Tensor) -> tf.Tensor:
  """Averages 2x2 pixels: `[B, H, W, C]` to `[B, H/2, W/2, C]`, an odd last row or column dropped."""
  return tf.nn.avg_pool2d(x, 2, 2, 'VALID')


def image_pyramid(image: tf.Tensor, levels: int) -> list[tf.Tensor]:
  """Returns `levels` images, each half the one before: level i is `[B, H/2^i, W/2^i, C]`."""
  pyramid = [image]
  while len(pyramid) < levels:
    pyramid.append(average_pool(pyramid[-1]))
  return pyramid


def upsample_flow(flow: tf.Tensor) -> tf.Tensor:
  """Bilinearly doubles a flow in size and, since it counts pixels, in value."""
  _, height, width, _ = dynamic_shape(flow)
  return 2.0 * tf.image.resize(flow, (2 * height, 2 * width))


def pad_to_multiple(image: tf.Tensor, multiple: int) -> tf.Tensor:
  """Repeats the last row and column until height and width are multiples of `multiple`.

  All padding is below and to the right, so that pixel (x, y) keeps its place on every level.
  """
  for axis in (1, 2):
    size = dynamic_shape(image)[axis]
    padded = _divided_up(size, multiple) * multiple
    if not (isinstance(size, int) and size == padded):
      image = tf.gather(image, tf.minimum(tf.range(padded), size - 1), axis=axis)
  return image


def crop(pyramid: Sequence[tf.Tensor], image: tf.Tensor) -> list[tf.Tensor]:
  """Cuts the padding off: level i to the ceil(H / 2^i) x ceil(W / 2^i) pixels that show `image`, `[B, H, W, C]`."""
  _, height, width, _ = dynamic_shape(image)
  return [x[:, : _divided_up(height, 2**i), : _divided_up(width, 2**i)] for i, x in enumerate(pyramid)]


def _divided_up(size, by):
  """Returns ceil(size / by) without negative numbers, which ONNX divides towards zero."""
  return (size + by - 1) // by
