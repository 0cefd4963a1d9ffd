"""Saves and restores a run."""

import os
import sys

import tensorflow as tf

from film_tf import files
from film_tf.errors import UserError
from film_tf.model import pretrained, weights
from film_tf.model.film_net import FilmNet

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
    self._manager = tf.train.CheckpointManager(
      checkpoint,
      folder,
      max_to_keep=keep,
      keep_checkpoint_every_n_hours=keep_every_hours or None,
      checkpoint_name='step',
    )
    self._whole = None  # the newest path that is known to be

  def newest(self) -> str | None:
    """Returns the path of the newest checkpoint, if there is one."""
    return self._manager.latest_checkpoint

  def restore(self) -> str | None:
    """Restores the newest checkpoint that can be read, if there is one, and returns its path.

    Raises:
      UserError: it is not a checkpoint of this network, or none can be read.
    """
    damaged = []
    for path in reversed(self._manager.checkpoints):
      problem = _problem(path)
      if problem is None:
        self._restore(path)
        self._whole = path
        return path
      print(f'checkpoint {path} is damaged ({problem}); trying the one before', file=sys.stderr)
      damaged.append(path)
    if damaged:
      raise UserError(f'no checkpoint can be read, of {", ".join(damaged)}; start again with another base_dir')
    return None

  def _restore(self, path):
    try:
      self._manager.checkpoint.restore(path).assert_consumed()
    except (AssertionError, ValueError, tf.errors.InvalidArgumentError) as error:
      cause = str(error).strip().splitlines()[0]
      raise UserError(
        f'checkpoint {path} does not fit this run ({cause}); use the configuration that wrote it, or another base_dir'
      ) from error

  def save(self, step: int):
    """Saves the present state as that of `step`.

    Raises:
      UserError: it cannot be written.
    """
    if self._whole and self._whole.endswith(f'step-{step}'):
      return
    self._clean()
    try:
      self._whole = self._manager.save(checkpoint_number=step)
    except (OSError, tf.errors.OpError) as error:
      self._clean()
      raise UserError(f'cannot save a checkpoint at step {step}: {files.reason(error)}') from error

  def _clean(self):
    """Removes what was left of checkpoints that were not written to their end."""
    for left in tf.io.gfile.glob(os.path.join(self._manager.directory, 'step-*_temp')):
      tf.io.gfile.rmtree(left)


def initialise(net: FilmNet, path: str):
  """Gives a network the weights of a weights file or of a checkpoint, averaged where that has averages.

  Args:
    net: the network.
    path: the file (.npz), a network that comes with film_tf (`film_mini`), a checkpoint
      (`runs/l1/checkpoints/step-1000`), or a run's folder, which stands for its newest.

  Raises:
    UserError: there is none, it cannot be read, or its weights do not fit.
  """
  names = weights.named(net)
  if path in pretrained.SHA256 or path.endswith('.npz'):
    _, arrays = weights.read(path)
  else:
    path = tf.train.latest_checkpoint(os.path.join(path, 'checkpoints')) or path
    found = _weights(path)
    if len(found) != len(names):
      raise UserError(f'checkpoint {path} has {len(found)} weights, this network has {len(names)}')
    arrays = dict(zip(names, found, strict=True))
  weights.assign(net, arrays, path)


def _weights(path):
  try:
    reader = tf.train.load_checkpoint(path)
    saved = reader.get_variable_to_shape_map()
    kind = next(kind for kind in ('averages', 'weights') if f'{kind}/0/{_VALUE}' in saved)
    count = sum(name.startswith(f'{kind}/') for name in saved)
    return [reader.get_tensor(f'{kind}/{i}/{_VALUE}') for i in range(count)]
  except (StopIteration, IndexError, RuntimeError, ValueError, tf.errors.OpError) as error:
    raise UserError(f'{path} is no weights file (.npz), and no checkpoint or run of film_tf') from error


def _problem(path):
  """Returns why a checkpoint cannot be read to its end, or None; every tensor has a checksum."""
  try:
    reader = tf.train.load_checkpoint(path)
    for name in reader.get_variable_to_shape_map():
      reader.get_tensor(name)
  except (IndexError, RuntimeError, ValueError, tf.errors.OpError) as error:  # whatever the reader makes of it
    return files.reason(error)
  return None
