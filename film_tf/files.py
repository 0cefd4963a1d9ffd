"""Whole files or none: what is written appears under its name only when it is complete."""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator

import tensorflow as tf

from film_tf.errors import UserError


@contextlib.contextmanager
def whole(path: str | os.PathLike, overwrite: bool = False) -> Iterator[str]:
  """Yields a temporary path beside `path`, a file's or a folder's, and renames it to `path` at the end.

  An exception removes what was written. Paths on remote file systems (`gs://`) work where TensorFlow knows them.

  Args:
    path: where the result goes; its folder is made if it is missing.
    overwrite: replace a file or folder that is there.

  Raises:
    UserError: `path` exists and `overwrite` is false, or cannot be written.
  """
  path = os.fspath(path)
  check(path, overwrite)
  folder, name = os.path.split(path.rstrip('/'))
  temporary = os.path.join(folder, f'.{os.getpid()}.{name}')
  try:
    if folder:
      tf.io.gfile.makedirs(folder)
    yield temporary
    if tf.io.gfile.isdir(path):  # a folder cannot be renamed over another
      tf.io.gfile.rename(path, temporary + '.old')
    tf.io.gfile.rename(temporary, path, overwrite=True)
  except UserError:
    raise
  except (OSError, ValueError, tf.errors.OpError) as error:  # ValueError: what a format cannot hold
    raise UserError(f'cannot write {path}: {reason(error)}') from error
  finally:
    for left in (temporary, temporary + '.old'):
      if tf.io.gfile.exists(left):
        (tf.io.gfile.rmtree if tf.io.gfile.isdir(left) else tf.io.gfile.remove)(left)


def check(path: str | os.PathLike, overwrite: bool = False):
  """Raises what `whole` would raise, but before the long work that makes the file."""
  path = os.fspath(path)
  if not overwrite and tf.io.gfile.exists(path):
    raise UserError(f'{path} exists already; choose another name, or add --overwrite')
  folder = os.path.dirname(os.path.abspath(path))
  while not os.path.exists(folder):
    folder = os.path.dirname(folder)
  try:
    if '://' not in path:
      tempfile.TemporaryFile(dir=folder).close()
  except OSError as error:
    raise UserError(f'cannot write {path}: {reason(error)}') from error


def reason(error: Exception) -> str:
  """What the system said, in a few words."""
  said = getattr(error, 'strerror', None) or getattr(error, 'message', None) or str(error)
  return re.sub(r'\{\{.*?\}\} | \[Op:\w+\]', '', said)  # TensorFlow adds where in a graph
