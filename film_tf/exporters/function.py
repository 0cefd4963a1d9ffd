"""The network as one function of three tensors, which is what converters take."""

import numpy as np
import tensorflow as tf

from film_tf import keys
from film_tf.errors import UserError
from film_tf.model import weights
from film_tf.model.film_net import FilmNet


def image_function(net: FilmNet, batch: int | None = None, height: int | None = None, width: int | None = None):
  """Returns a concrete function of `x0`, `x1`, `time`, as `FilmNet` takes them, whose one output is `image`.

  Sizes that are None are open.
  """
  image = [batch, height, width, 3]
  signature = [
    tf.TensorSpec(image, name=keys.X0), tf.TensorSpec(image, name=keys.X1), tf.TensorSpec([batch, 1], name=keys.TIME)
  ]  # fmt: skip

  @tf.function(input_signature=signature, autograph=False)
  def between(x0, x1, time):
    return {keys.IMAGE: net({keys.X0: x0, keys.X1: x1, keys.TIME: time})[keys.IMAGE]}

  return between.get_concrete_function()


def check_weights(net: FilmNet, dtype: str):
  """Raises where a weight is infinite or NaN, or becomes so in a smaller type.

  Raises:
    UserError: as said.
  """
  weights.check_finite(net, 'the network')
  largest = np.finfo(dtype).max
  for name, variable in weights.named(net).items():
    if np.abs(variable.numpy()).max() > largest:
      raise UserError(f'the weights {name} are too large for {dtype}, which ends at {largest:g}; take float32')
