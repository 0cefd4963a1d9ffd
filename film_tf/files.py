"""Writes files whole or not at all: a result appears under its name only when it is complete.

Local paths are handled by Python alone. Remote ones (`gs://`) go through TensorFlow, which is loaded for them only.
"""

import contextlib
import importlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator

from film_tf.errors import UserError


class _Local:
  """The functions of `tf.io.gfile` that are used here, for local paths."""

  exists = staticmethod(os.path.lexists)
  isdir = staticmethod(os.path.isdir)
  remove = staticmethod(os.remove)
  rmtree = staticmethod(shutil.rmtree)
  GFile = staticmethod(open)

  @staticmethod
  def makedirs(path):
    os.makedirs(path, exist_ok=True)

  @staticmethod
  def rename(path, new, overwrite=False):
    os.replace(path, new)


def file_system(path: str | os.PathLike):
  """Returns what reads and writes `path`: an object with `tf.io.gfile`'s functions."""
  return importlib.import_module('tensorflow').io.gfile if '://' in os.fspath(path) else _Local


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike, overwrite: bool = False) -> Iterator[str]:
  """Yields a temporary path beside `path`, for a file or a folder, and renames it to `path` at the end.

  An exception removes what was written.

  Args:
    path: where the result goes; its folder is made if it is missing.
    overwrite: replace a file or folder that is there.

  Raises:
    UserError: `path` exists and `overwrite` is false, or cannot be written.
  """
  path = os.fspath(path)
  check(path, overwrite)
  system = file_system(path)
  folder, name = os.path.split(path.rstrip('/'))
  temporary = os.path.join(folder, f'.{os.getpid()}.{name}')
  try:
    if folder:
      system.makedirs(folder)
    yield temporary
    if system.isdir(path):  # a folder cannot be renamed over another
      system.rename(path, temporary + '.old')
    system.rename(temporary, path, overwrite=True)
  except UserError:
    raise
  except system_errors() as error:
    raise UserError(f'cannot write {path}: {reason(error)}') from error
  finally:
    for left in (temporary, temporary + '.old'):
      if system.exists(left):
        (system.rmtree if system.isdir(left) else system.remove)(left)


def check(path: str | os.PathLike, overwrite: bool = False):
  """Raises what `atomic_write` would raise, before the long work that makes the file.

  Raises:
    UserError: as said.
  """
  path = os.fspath(path)
  if not overwrite and file_system(path).exists(path):
    raise UserError(f'{path} exists already; choose another name, or add --overwrite')
  folder = os.path.dirname(os.path.abspath(path))
  while not os.path.exists(folder):
    folder = os.path.dirname(folder)
  try:
    if '://' not in path:
      tempfile.TemporaryFile(dir=folder).close()
  except OSError as error:
    raise UserError(f'cannot write {path}: {reason(error)}') from error


def write_text(path: str | os.PathLike, text: str):
  """Writes a text file whole, replacing one that exists.

  Raises:
    UserError: it cannot be written.
  """
  with atomic_write(path, overwrite=True) as temporary, file_system(path).GFile(temporary, 'w') as file:
    file.write(text)


def system_errors() -> tuple[type[Exception], ...]:
  """Returns what a failing read or write raises: ValueError is a format that cannot hold what is written."""
  tensorflow = sys.modules.get('tensorflow')  # it raises its own only where it is loaded
  return (OSError, ValueError, *((tensorflow.errors.OpError,) if tensorflow else ()))


def reason(error: Exception) -> str:
  """Returns what the system said, in a few words."""
  said = getattr(error, 'strerror', None) or getattr(error, 'message', None) or str(error)
  return re.sub(r'\{\{.*?\}\} | \[Op:\w+\]', '', said)  # TensorFlow adds where in a graph
