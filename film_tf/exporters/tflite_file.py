"""Writes TFLite files, for phones and small computers: LiteRT, formerly TensorFlow Lite."""

import os

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from film_tf import files, keys
from film_tf.exporters.function import check_weights, image_function
from film_tf.model.film_net import FilmNet


def export(
  net: FilmNet, path: str | os.PathLike, overwrite: bool = False, *, size: tuple[int, int], dtype: str = 'float32'
):
  """Writes the network for pairs of images of one size, of built-in operations only.

  Its signature `serving_default` takes `x0`, `x1` `[1, H, W, 3]` and `time` `[1, 1]`, all float32, and returns `image`.

  Args:
    net: the network.
    path: a name that ends in .tflite.
    overwrite: replace an existing file.
    size: width and height of the images, in pixels.
    dtype: of the weights in the file: float32, or float16 for half the size. It computes in float32 with either.

  Raises:
    UserError: `path` exists or cannot be written, or a weight is not finite in `dtype`.
  """
  files.check(path, overwrite)
  check_weights(net, dtype)
  width, height = size
  # The converter leaves variables of a Keras model without their values, in silence; constants it takes.
  frozen = convert_variables_to_constants_v2(image_function(net, 1, height, width))
  signature = [tf.TensorSpec(tensor.shape, name=tensor.name.split(':')[0]) for tensor in frozen.inputs]

  @tf.function(input_signature=signature, autograph=False)
  def named(*tensors):
    return {keys.IMAGE: frozen(*tensors)[0]}

  converter = tf.lite.TFLiteConverter.from_concrete_functions([named.get_concrete_function()], tf.Module())
  if dtype == 'float16':
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
  data = converter.convert()
  with files.atomic_write(path, overwrite) as temporary, files.file_system(path).GFile(temporary, 'wb') as file:
    file.write(data)
