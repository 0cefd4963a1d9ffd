"""Guards the folder of a run: one trainer at a time, nothing started over unasked, no other network."""

import ast
import contextlib
import dataclasses
import os
import pathlib
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from film_tf import files, locks
from film_tf.errors import UserError
from film_tf.training import checkpoints

RESULTS = ('film.npz', 'saved_model', 'evaluation.csv', 'best.npz', 'best_saved_model')

_NOTES, _LOCK = ('config.gin', 'commands.txt'), '.lock'
_FREE = ('model.use_aux_outputs',)  # which changes no weight


def check(base_dir: str):
  """Raises where the folder cannot be written, before there is anything in it; buckets are tried when it is claimed.

  Raises:
    UserError: as said; or its name has characters for which TensorFlow would not find the checkpoints again.
  """
  odd = sorted({*base_dir} & {*'*?[]\\'})
  if odd and odd != [']']:
    raise UserError(f'base_dir {base_dir} has {" and ".join(odd)}, which is a pattern to TensorFlow; rename it')
  if '://' not in base_dir:
    files.check(os.path.join(base_dir, 'config.gin'), overwrite=True)
    saved = pathlib.Path(base_dir, checkpoints.FOLDER)
    read = [os.path.join(base_dir, name) for name in (*RESULTS, *_NOTES, _LOCK)]
    for path in [*read, saved / 'checkpoint', *saved.glob('step-*')]:
      files.check_no_pipe(path)


@contextlib.contextmanager
def claimed(base_dir: str, chief: bool) -> Iterator[None]:
  """Makes the folder and keeps other trainers out of it; workers that are not the chief leave both to it.

  Raises:
    UserError: it cannot be written, or another process trains in it.
  """
  if not chief:
    yield
    return
  try:
    tf.io.gfile.makedirs(base_dir)
  except tf.errors.OpError as error:
    raise UserError(f'cannot write base_dir {base_dir}: {files.reason(error)}') from error
  if '://' in base_dir:
    print(f'base_dir {base_dir} is in a bucket, which has no locks: let no other run use it', file=sys.stderr)
  with locks.held(os.path.join(base_dir, _LOCK), f'base_dir {base_dir}'):
    yield


def prepare(base_dir: str):
  """Makes the folders in it and tries whether they can be written; removes what a killed run left half-written.

  Raises:
    UserError: they cannot, or what has the name of a result is none, which would not be replaced at the end.
  """
  for folder in (os.path.join(base_dir, name) for name in ('', checkpoints.FOLDER, 'events')):
    try:
      tf.io.gfile.makedirs(folder)
      if '://' not in folder:
        tempfile.TemporaryFile(dir=folder).close()
    except (OSError, tf.errors.OpError) as error:
      raise UserError(f'cannot write {folder}: {files.reason(error)}') from error
  for name in (*RESULTS, *_NOTES):
    files.mend(os.path.join(base_dir, name))
  for name in (*RESULTS, *_NOTES):
    files.check(os.path.join(base_dir, name), True, files.SAVED_MODEL if 'saved_model' in name else None)


def check_not_started_over(base_dir: str):
  """Raises where there are results, and so no checkpoints to go on from.

  Raises:
    UserError: as said.
  """
  there = [name for name in RESULTS if tf.io.gfile.exists(os.path.join(base_dir, name))]
  if there:
    raise UserError(
      f'base_dir {base_dir} has {" and ".join(there)} of a run, but no checkpoint to go on from; choose another '
      'base_dir, or move these away to start over'
    )


def changes(base_dir: str, path: str, options: Mapping[str, Any]) -> list[str]:
  """Returns what of the configuration has changed since the folder's `config.gin`, a phrase each.

  Args:
    base_dir: the folder.
    path: the checkpoint to go on from, for messages.
    options: dataclasses by their names in gin.

  Raises:
    UserError: the network is another, or there are averaged weights only before or only now; both values are told.
  """
  before, found = _noted(base_dir), []
  for name, now in options.items():
    for field in dataclasses.fields(now):
      key = f'{name}.{field.name}'
      old, new = _plain(before.get(key)), _plain(getattr(now, field.name))
      if key not in before or old == new:
        continue
      if _is_fixed(key, old, new):
        raise UserError(
          f'checkpoint {path} was written with {key} = {old!r}, and now it is {new!r}; use the configuration that '
          'wrote it, or another base_dir (with --init_from to start from its weights)'
        )
      found.append(f'{key} = {new!r} (was {old!r})')
  return found


def _is_fixed(key, old, new):
  """Returns whether a change gives the state other variables, so that the checkpoint does not fit."""
  if key == 'optimizer.average':
    return not (old and new)  # averages are only there where it is not 0
  return key.startswith('model.') and key not in _FREE


def _noted(base_dir):
  """Returns the values in `config.gin` by their names, as far as it is there and they are plain ones."""
  path = os.path.join(base_dir, 'config.gin')
  try:
    with tf.io.gfile.GFile(path) as file:
      text = file.read()
  except (tf.errors.OpError, UnicodeDecodeError):
    print(f'{path} cannot be read, so that nobody knows what it was before', file=sys.stderr)
    return {}
  values = {}
  for name, value in re.findall(r'^(\w+\.\w+) = (?:\\\n)?(.+(?:\n +.+)*)', text, re.MULTILINE):
    with contextlib.suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # as Python names them
      values[name] = ast.literal_eval(value.strip())
  return values


def _plain(value):
  return list(value) if isinstance(value, tuple) else value
