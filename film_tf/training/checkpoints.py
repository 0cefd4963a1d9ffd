"""Saves and restores a run.

The files themselves say which checkpoints there are; TensorFlow's state file `checkpoint` beside them is a hint, from
which only is taken what may be deleted.
"""

import glob
import math
import os
import re
import sys

import tensorflow as tf

from film_tf import files
from film_tf.errors import UserError
from film_tf.importers import network, sources, tensorflow_file
from film_tf.model import weights
from film_tf.model.film_net import FilmNet

FOLDER = 'checkpoints'  # in that of a run

_VALUE = '.ATTRIBUTES/VARIABLE_VALUE'  # how TensorFlow ends the names in a checkpoint


class Checkpoints:
  """Keeps the checkpoints of one run in `folder`, named by step.

  Written whole: a run that is killed while saving has the checkpoint before.

  Args:
    checkpoint: what to save.
    folder: where.
    keep: so many are kept, the newest.
    keep_every_hours: besides, one in so many hours is kept for good; 0 is none.
  """

  def __init__(self, checkpoint: tf.train.Checkpoint, folder: str, keep: int = 3, keep_every_hours: float = 0.0):
    self._checkpoint, self._folder, self._keep, self._hours = checkpoint, folder, keep, keep_every_hours
    self._manager = None  # who only reads needs none
    self._whole = None  # the newest path that is known to be

  def newest(self, before: float = math.inf) -> str | None:
    """Returns the path of the newest checkpoint, of those of a step less than `before`, if there is one."""
    return next((path for path in found(self._folder) if step_of(path) < before), None)

  def restore(self, path: str):
    """Restores a checkpoint.

    Raises:
      UserError: it is not one of this network.
    """
    try:
      self._checkpoint.restore(path).assert_consumed()
    except (AssertionError, ValueError, tf.errors.InvalidArgumentError) as error:
      raise UserError(
        f'checkpoint {path} does not fit this run ({files.reason(error)}); use the configuration that wrote it, or '
        'another base_dir'
      ) from error
    self._whole = path

  def save(self, step: int):
    """Saves the present state as that of `step`.

    Raises:
      UserError: it cannot be written.
    """
    if self._whole and step_of(self._whole) == step:
      return
    try:
      self._clean()
      self._manager = self._manager or self._made()
      self._whole = self._manager.save(checkpoint_number=step)
    except (OSError, tf.errors.OpError) as error:
      self._clean()
      raise UserError(f'cannot save a checkpoint at step {step}: {files.reason(error)}') from error

  def _made(self):
    """Returns TensorFlow's manager, which trusts the state file; so that is written anew where it says nothing."""
    state, there = _state(self._folder), found(self._folder)[::-1]
    if not state and there:
      known = there[-self._keep :] if self._hours else there  # those kept for good are not to be deleted
      times = [tf.io.gfile.stat(f'{path}.index').mtime_nsec / 1e9 for path in known]
      tf.compat.v1.train.update_checkpoint_state(
        self._folder,
        known[-1],
        known,
        all_model_checkpoint_timestamps=times,
        last_preserved_timestamp=min(times) - 1.0,
      )
    elif not state and tf.io.gfile.exists(os.path.join(self._folder, 'checkpoint')):
      tf.io.gfile.remove(os.path.join(self._folder, 'checkpoint'))
    return tf.train.CheckpointManager(
      self._checkpoint,
      self._folder,
      max_to_keep=self._keep,
      keep_checkpoint_every_n_hours=self._hours or None,
      checkpoint_name='step',
    )

  def _clean(self):
    """Removes what was left of checkpoints that were not written to their end."""
    for left in tf.io.gfile.glob(os.path.join(self._folder, 'step-*_temp')):
      tf.io.gfile.rmtree(left)


def _state(folder):
  """Returns the checkpoints that the state file names, if it can be read."""
  try:
    state = tf.train.get_checkpoint_state(folder)
  except (ValueError, tf.errors.OpError):  # what is not even text
    return []
  return list(state.all_model_checkpoint_paths) if state else []


def found(folder: str) -> list[str]:
  """Returns the paths of all checkpoints in a folder, newest first, whether they can be read or not."""
  far = '://' in folder
  pattern = os.path.join(folder if far else glob.escape(folder), 'step-*.index')
  paths = [path.removesuffix('.index') for path in (tf.io.gfile if far else glob).glob(pattern)]
  return sorted(filter(step_of, paths), key=step_of, reverse=True)


def step_of(path: str) -> int:
  """Returns the step of a checkpoint, by its name; 0 where that has none."""
  match = re.search(r'step-(\d+)$', path)
  return int(match[1]) if match else 0


def newest_whole(folder: str) -> str | None:
  """Returns the path of the newest checkpoint that is whole, or None; tells of damaged ones.

  Raises:
    UserError: there are checkpoints and none can be read.
  """
  damaged = []
  for path in found(folder):
    problem = _problem(path)
    if problem is None:
      return path
    print(f'checkpoint {path} is damaged ({problem}); trying the one before', file=sys.stderr)
    damaged.append(path)
  if damaged:
    raise UserError(f'no checkpoint can be read, of {", ".join(damaged)}; start again with another base_dir')
  return None


def _problem(path):
  """Returns why a checkpoint cannot be read to its end, or is not what its name says; every tensor has a checksum."""
  try:
    with tensorflow_file.reader(path) as file:
      for name in file.get_variable_to_shape_map():
        value = file.get_tensor(name)
        if name == f'taken/{_VALUE}' and value != step_of(path):
          return f'its name is of another step: it is of step {value}'
  except (IndexError, RuntimeError, ValueError, tf.errors.OpError) as error:  # whatever the reader makes of it
    return files.reason(error)
  return None


def initialise(net: FilmNet, path: str):
  """Gives a network the weights of a model or of a checkpoint, averaged where that has averages.

  Whole parts that a model lacks, as `second_look`, stay as they are.

  Args:
    net: the network.
    path: a model that `network.load` takes (`film_mini`, `film.npz`, FILM's released weights), a checkpoint of film_tf
      (`runs/l1/checkpoints/step-1000`), or a run's folder, which stands for its newest that can be read.

  Raises:
    UserError: there is none, it cannot be read, or its weights do not fit.
  """
  names, own = weights.named(net), None
  path = re.sub(r'\.(index|data-\d{5}-of-\d{5})$', '', path)  # as a shell completes the name of a checkpoint
  if path not in sources.NAMES:
    try:
      path = newest_whole(os.path.join(path, FOLDER)) or path
    except tf.errors.OpError as error:
      raise UserError(f'cannot read {path}: {files.reason(error)}') from error
    own = _weights(path)
  if own is None:
    arrays = {name: variable.numpy() for name, variable in weights.named(network.load(path)).items()}
    new = sorted({name.split('/')[0] for name in names} - {name.split('/')[0] for name in arrays})
    if new:  # parts of which the model knows nothing
      print(f'{path} has no {", ".join(new)}, which starts untrained', file=sys.stderr)
      arrays |= {name: value.numpy() for name, value in names.items() if name.split('/')[0] in new}
  elif len(own) != len(names):
    raise UserError(f'checkpoint {path} has {len(own)} weights, this network has {len(names)}')
  else:
    arrays = dict(zip(names, own, strict=True))
  weights.assign(net, arrays, path)


def _weights(path):
  """Returns the weights in a checkpoint of film_tf, or None of what is none."""
  try:
    with tensorflow_file.reader(path) as file:
      saved = file.get_variable_to_shape_map()
      kind = next(kind for kind in ('averages', 'weights') if f'{kind}/0/{_VALUE}' in saved)
      count = sum(name.startswith(f'{kind}/') for name in saved)
      return [file.get_tensor(f'{kind}/{i}/{_VALUE}') for i in range(count)]
  except (StopIteration, IndexError, RuntimeError, ValueError, tf.errors.OpError):
    return None
