"""A network in one portable file: its sizes and its weights, as a NumPy .npz."""

import dataclasses
import io
import json
import os
import zipfile
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from film_tf import files
from film_tf.errors import UserError
from film_tf.model import pretrained
from film_tf.model.film_net import FilmNet
from film_tf.model.options import Options

DAMAGED = (AttributeError, KeyError, TypeError, *files.DAMAGED_ARCHIVE)  # what NumPy raises of an archive, or of none
_TOLD = 3  # differences that a message names
_NO_REALS = 'cSUOMm'  # NumPy's letters for complex numbers, text, objects and times
_OPTIONS = 'options'  # the entry beside the weights: `Options` as JSON


def named(net: FilmNet) -> dict:
  """Returns variables by name: `feature_pyramid/conv_0/kernel` `[3, 3, 3, filters]`, `.../bias` ..."""
  return {
    f'{name}/{kind}': getattr(conv, kind) for name, conv in net.convs.items() for kind in ('kernel', 'bias')
  }  # fmt: skip


def variables(net: FilmNet) -> dict[str, tf.Variable]:
  """Returns what `named` does, TensorFlow's variables behind those of Keras 3; Keras 2 has nothing else."""
  return {name: weight if isinstance(weight, tf.Variable) else weight.value for name, weight in named(net).items()}


def save(net: FilmNet, path: str | os.PathLike, dtype: str = 'float32', overwrite: bool = False, note: str = ''):
  """Writes `net` to `path`.

  Args:
    net: the network.
    path: a name that ends in .npz.
    dtype: float32, or float16 for half the size (11 bits of precision).
    overwrite: replace an existing file.
    note: goes into the file, for `noted`.

  Raises:
    UserError: `path` exists or cannot be written, or a weight is too large for `dtype`.
  """
  with np.errstate(over='ignore'):  # looked for below
    arrays = {name: variable.numpy().astype(dtype, copy=False) for name, variable in named(net).items()}
  if bad := _not_finite(arrays):
    raise UserError(f'{len(bad)} weights are not finite as {dtype}, among them {bad[0]}; nothing was written')
  options = json.dumps(dataclasses.asdict(net.options))
  archive = io.BytesIO()  # zip files are written to and fro, which buckets cannot
  np.savez(archive, **{_OPTIONS: np.array(options)}, **arrays)
  with zipfile.ZipFile(archive, 'a') as file:
    file.comment = note.encode()
  with files.atomic_write(path, overwrite) as temporary, files.file_system(temporary).GFile(temporary, 'wb') as file:
    file.write(archive.getvalue())


def read(path: str | os.PathLike) -> tuple[dict, dict]:
  """Reads a file, or a network of `pretrained`: `Options` as a dict, and arrays by the names of `named`.

  Raises:
    UserError: the file is missing, or is not a weights file.
  """
  path = pretrained.find(path)
  try:
    with (
      files.file_system(path).GFile(path, 'rb') as file,
      np.load(io.BytesIO(file.read()), allow_pickle=False) as archive,
    ):
      arrays = dict(archive)
    options = json.loads(str(arrays.pop(_OPTIONS)))
  except (OSError, tf.errors.OpError) as error:
    raise UserError(f'cannot read weights {path}: {files.reason(error)}') from error
  except DAMAGED as error:
    raise UserError(f'{path} is not a film_tf weights file (.npz as film_tf.save_weights writes it)') from error
  return options, arrays


def noted(path: str | os.PathLike) -> str:
  """Returns the note that `save` put into a file; an empty one where there is none, or no such file."""
  try:
    with files.file_system(path).GFile(path, 'rb') as file, zipfile.ZipFile(io.BytesIO(file.read())) as archive:
      return archive.comment.decode()
  except (OSError, tf.errors.OpError, *DAMAGED):
    return ''


def check_finite(net: FilmNet, source: str):
  """Raises where a weight is infinite or NaN, of which no image can come.

  Raises:
    UserError: as said.
  """
  _check_finite({name: variable.numpy() for name, variable in named(net).items()}, source)


def _check_finite(arrays, source):
  if bad := _not_finite(arrays):
    raise UserError(f'{len(bad)} weights of {source} are not finite, among them {bad[0]}; take another network')


def _not_finite(arrays):
  return [name for name, array in arrays.items() if not np.isfinite(np.asarray(array, np.float64)).all()]


def load(path: str | os.PathLike, **kwargs) -> FilmNet:
  """Reads a network from `path`, or one that comes with film_tf by its name; `kwargs` (dtype, name) go to `FilmNet`.

  Raises:
    UserError: the file is missing, is not a weights file, or its weights do not fit its sizes.
  """
  options, arrays = read(path)
  sizes = sizes_of(options, path)
  count = sum(np.size(array) for array in arrays.values())
  if sizes.least_weights > count:
    raise UserError(
      f'{path} has {count:,} weights; a network of its sizes has {sizes.least_weights:,} or more: {sizes}'
    )
  net = FilmNet(sizes, **kwargs)
  assign(net, arrays, str(path))
  return net


def sizes_of(options: Mapping, path: str | os.PathLike) -> Options:
  """Returns `Options` that a file holds as a dict.

  Raises:
    UserError: they are none; `path` is for the message.
  """
  try:
    return Options(**options)
  except UserError as error:
    raise UserError(f'{path} has sizes that no network has: {error.message}') from error
  except TypeError as error:
    raise UserError(f'{path} has model options that this version of film_tf does not know: {error}') from error


def assign(net: FilmNet, arrays: Mapping[str, np.ndarray], source: str):
  """Gives `net` the weights `arrays`, all of them or none.

  Args:
    net: the network.
    arrays: arrays by the names of `named`, of any float type.
    source: where they come from, for the message.

  Raises:
    UserError: names or shapes disagree, of which the message has the first few; or a weight is not finite.
  """
  variables = named(net)
  report = [f'{name} is missing' for name in variables if name not in arrays]
  report += [f'{name} is not in this network' for name in arrays if name not in variables]
  for name, variable in variables.items():
    given, expected = arrays.get(name), tuple(variable.shape)
    if given is not None and np.shape(given) != expected:
      report.append(f'{name} is {list(np.shape(given))}, in this network {list(expected)}')
    elif given is not None and given.dtype.kind in _NO_REALS:
      report.append(f'{name} is of {given.dtype}, which are no real numbers')
  if report:
    more = f' and {len(report) - _TOLD} more' if len(report) > _TOLD else ''
    raise UserError(f'weights in {source} do not fit the network: {"; ".join(report[:_TOLD])}{more}')
  with np.errstate(over='ignore'):  # looked for below
    arrays = {name: arrays[name].astype(np.float32) for name in variables}
  _check_finite(arrays, source)
  for name, variable in variables.items():
    variable.assign(arrays[name])
