"""Writes StableHLO, for XLA, JAX and IREE: programs for images of one size."""

import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from film_tf import files, keys
from film_tf.errors import UserError
from film_tf.exporters import formats
from film_tf.exporters.function import check_weights
from film_tf.model import weights
from film_tf.model.film_net import FilmNet


def export(net: FilmNet, path: str | os.PathLike, overwrite: bool = False, *, size: tuple[int, int]):
  """Writes a folder with `network.mlir` and `weights.npz`.

  The program takes all arrays of `weights.npz` in their order, then `x0`, `x1` `[1, H, W, 3]` and `time` `[1, 1]`, and
  returns `image` `[1, H, W, 3]`, all float32.

  Args:
    net: the network.
    path: the folder.
    overwrite: replace an existing one.
    size: width and height of the images, in pixels.

  Raises:
    UserError: `path` exists or cannot be written, a weight is not finite, or this TensorFlow is too old.
  """
  files.check(path, overwrite, formats.STABLEHLO)
  check_weights(net, 'float32')
  variables, (width, height) = weights.named(net), size
  inputs = {keys.X0: (1, height, width, 3), keys.X1: (1, height, width, 3), keys.TIME: (1, 1)}
  held = {name: tf.Variable(tf.zeros(shape)) for name, shape in inputs.items()}

  @tf.function(jit_compile=True, autograph=False)
  def between():
    # What a function captures become arguments of the program, in the order in which they are first read.
    for variable in variables.values():
      tf.convert_to_tensor(variable)
    return net({name: variable.read_value() for name, variable in held.items()})[keys.IMAGE]

  text = program(between)
  with files.atomic_write(path, overwrite, formats.STABLEHLO) as temporary:
    os.makedirs(temporary)
    with open(os.path.join(temporary, 'network.mlir'), 'w') as file:
      file.write(text)
    np.savez(os.path.join(temporary, 'weights.npz'), **{name: variable.numpy() for name, variable in variables.items()})


def program(function: Callable) -> str:
  """Returns the StableHLO of a compiled `tf.function` without arguments.

  Raises:
    UserError: this TensorFlow is too old.
  """
  try:
    return function.experimental_get_compiler_ir()(stage='stablehlo')
  except ValueError as error:
    if 'Invalid stage' not in str(error):
      raise
    raise UserError(f'TensorFlow {tf.__version__} cannot write StableHLO; 2.21 can') from error
