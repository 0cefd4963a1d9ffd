"""Whole files or none: what is written appears under its name only when it is complete."""

import contextlib
import os
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
  refuse_existing(path, overwrite)
  folder, name = os.path.split(path.rstrip('/'))
  temporary = os.path.join(folder, f'.{os.getpid()}.{name}')
  try:
    if folder:
      tf.io.gfile.makedirs(folder)
    yield temporary
    if tf.io.gfile.isdir(path):  # a folder cannot be renamed over another
      tf.io.gfile.rename(path, temporary + '.old')
    tf.io.gfile.rename(temporary, path, overwrite=True)
  except (OSError, tf.errors.OpError) as error:
    raise UserError(f'cannot write {path}: {reason(error)}') from error
  finally:
    for left in (temporary, temporary + '.old'):
      if tf.io.gfile.exists(left):
        (tf.io.gfile.rmtree if tf.io.gfile.isdir(left) else tf.io.gfile.remove)(left)


def refuse_existing(path: str | os.PathLike, overwrite: bool):
  """Raises UserError where `path` exists and may not be replaced; for use before long work."""
  if not overwrite and tf.io.gfile.exists(os.fspath(path)):
    raise UserError(f'{os.fspath(path)} exists already; choose another name, or add --overwrite')


def reason(error: Exception) -> str:
  """What the system said, in a few words."""
  return getattr(error, 'strerror', None) or getattr(error, 'message', None) or str(error)
