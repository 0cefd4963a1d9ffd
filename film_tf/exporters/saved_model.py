"""Writes and reads SavedModels: the network for a server or another program, without this package."""

import dataclasses
import json
import os
from collections.abc import Mapping

import tensorflow as tf
from tensorflow.python.saved_model import save_context

from film_tf import files, keys
from film_tf.errors import UserError
from film_tf.importers import sources
from film_tf.model import weights
from film_tf.model.film_net import FilmNet

_IMAGES = tf.TensorSpec([None, None, None, 3], tf.float32)
_FLOW = tf.TensorSpec([None, None, None, 2], tf.float32)
_TIME = tf.TensorSpec([None, 1], tf.float32)
_INPUTS = {keys.X0: _IMAGES, keys.X1: _IMAGES, keys.TIME: _TIME}


class Served(tf.Module):
  """Offers the network as functions of any batch and size, each traced once.

  A SavedModel holds them as signatures `serving_default`, and, for Python, as attributes of what
  `tf.saved_model.load` returns.
  """

  def __init__(self, net: FilmNet):
    super().__init__(name='film_tf')
    # The variables alone, not the network: Keras 2 would trace each of its layers too, and only once it was called.
    self.weights = list(weights.variables(net).values())
    levels = [net.options.feature_channels(i) for i in range(net.options.pyramid_levels)]
    dtype = tf.as_dtype(net.compute_dtype)
    features = {
      keys.IMAGE: _IMAGES,
      keys.FEATURES: [tf.TensorSpec([None, None, None, channels], dtype) for channels in levels],
    }
    self.features = _graph(net.features, _IMAGES)
    self.flows = _graph(net.flows, features, features, _TIME)
    levels = {key: len(levels) * [_FLOW] for key in keys.FLOW_PYRAMIDS}
    self.fuse = _graph(net.fuse, features, features, levels, _TIME)
    self.between = _graph(self._between, features, features, _TIME)
    self.predict = _graph(self._predict, _INPUTS)

  def _between(self, features0, features1, time):  # of the two graphs that are there already
    return self.fuse(features0, features1, self.flows(features0, features1, time), time)

  def _predict(self, batch):  # likewise
    return self.between(self.features(batch[keys.X0]), self.features(batch[keys.X1]), batch[keys.TIME])

  @tf.function(autograph=False)
  def __call__(self, inputs: Mapping, training: bool = False) -> dict:
    """Is `predict`, under the name and with the arguments of the models that FILM's authors released."""
    return self.predict(inputs)


def export(net: FilmNet, path: str | os.PathLike, overwrite: bool = False):
  """Writes a SavedModel.

  What `tf.saved_model.load` makes of it is called as FILM's released models are, with tensors or NumPy arrays of
  float32: `model({'x0': x0, 'x1': x1, 'time': time}, training=False)['image']`. It returns what `FilmNet` does.

  Its signature `serving_default` takes `x0`, `x1` `[B, H, W, 3]` float32 in [0, 1] and `time` `[B, 1]`, and returns
  `image` `[B, H, W, 3]`, not clipped, and with `use_aux_outputs` what else `FilmNet` returns, pyramid level i as
  `forward_flow_pyramid/i`.

  Raises:
    UserError: `path` exists or cannot be written, or the network has weights that are not finite.
  """
  files.check(path, overwrite, files.SAVED_MODEL)
  weights.check_finite(net, 'the network')
  served = Served(net)
  with save_context.save_context(tf.saved_model.SaveOptions()):  # or saving traces everything anew, in as much time
    for training in (False, True):
      served.__call__.get_concrete_function(_INPUTS, training=training)

  def serving(x0, x1, time):
    return _flat(served.predict({keys.X0: x0, keys.X1: x1, keys.TIME: time}))

  named = {keys.X0: _IMAGES, keys.X1: _IMAGES, keys.TIME: _TIME}
  signature = _graph(serving, *(tf.TensorSpec(spec.shape, name=name) for name, spec in named.items()))
  with files.atomic_write(path, overwrite, files.SAVED_MODEL) as temporary:
    tf.saved_model.save(served, temporary, signatures=signature)
    sizes, system = os.path.join(temporary, sources.SIZES), files.file_system(temporary)
    system.makedirs(os.path.dirname(sizes))
    with system.GFile(sizes, 'w') as file:
      file.write(json.dumps(dataclasses.asdict(net.options)))


def load(path: str | os.PathLike):
  """Reads a SavedModel that `export` wrote: an object with the functions of `Served`.

  Raises:
    UserError: there is none at `path`.
  """
  path = os.fspath(path)
  try:
    model = tf.saved_model.load(path)
  except (OSError, ValueError, IndexError, RuntimeError, tf.errors.OpError) as error:  # whatever its files raise
    raise UserError(f'cannot read a SavedModel from {path}: {files.reason(error)}') from error
  if not hasattr(model, 'between'):
    raise UserError(f'{path} is a SavedModel, but not one that film_tf exported')
  return model


def _graph(function, *signature):
  return tf.function(function, input_signature=signature, autograph=False)


def _flat(outputs):
  """Returns pyramids as one entry a level, since a signature returns only tensors."""
  flat = {}
  for key, value in outputs.items():
    flat |= {f'{key}/{i}': level for i, level in enumerate(value)} if isinstance(value, list) else {key: value}
  return flat
