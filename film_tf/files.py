"""Writes files whole or not at all: a result appears under its name only when it is complete.

Local paths are handled by Python alone. Remote ones (`gs://`) go through TensorFlow, which is loaded for them only.
"""

import contextlib
import dataclasses
import fnmatch
import glob
import importlib
import json
import os
import re
import shutil
import struct
import sys
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from film_tf.errors import UserError


@dataclasses.dataclass(frozen=True)
class FolderKind:
  """Describes a kind of folder that film_tf writes; `--overwrite` replaces one only if all in it is of its kind."""

  name: str  # for messages
  mark: str  # a file that every one has
  holds: tuple[str, ...]  # patterns of what else may be in it

  def stranger(self, path: str) -> str | None:
    """Returns what in the folder `path` is not of this kind, if anything; an empty folder is of every kind."""
    names = sorted(name.rstrip('/') for name in file_system(path).listdir(path))  # buckets end folders with /
    others = [name for name in names if not any(fnmatch.fnmatch(name, known) for known in (self.mark, *self.holds))]
    if others:
      return others[0]
    return names[0] if names and self.mark not in names else None


SAVED_MODEL = FolderKind(
  'a SavedModel', 'saved_model.pb', ('variables', 'assets', 'assets.extra', 'fingerprint.pb', 'keras_metadata.pb')
)
DATA_SET = FolderKind('a built data set', 'dataset_info.json', ('features.json', 'left_out.txt', '*.tfrecord*'))
DAMAGED_ARCHIVE = (  # what reading one raises beside OSError; MemoryError where it claims more than any memory
  EOFError, MemoryError, NotImplementedError, OverflowError, RuntimeError, ValueError, struct.error,
  tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
unfinished: list[str] = []  # paths of what this process is writing, and of locks that it holds: not to be left as it is
_NOTE = 'user.film_tf'  # an attribute of files
_OLD = '.old'  # ends the name of a folder for the moment in which another takes its place


class _Local:
  """The functions of `tf.io.gfile` that are used here, for local paths."""

  exists = staticmethod(os.path.lexists)
  isdir = staticmethod(os.path.isdir)
  listdir = staticmethod(os.listdir)
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
def atomic_write(path: str | os.PathLike, overwrite: bool = False, replaces: FolderKind | None = None) -> Iterator[str]:
  """Yields a temporary path beside `path`, for a file or a folder, and renames it to `path` at the end.

  An exception removes what was written; `mend` what a killed process leaves.

  Args:
    path: where the result goes; its folder is made if it is missing.
    overwrite: replace what is there, as `check` allows it.
    replaces: the kind of folder that the result is; None is a file.

  Raises:
    UserError: `path` exists, at first or at the end, and `overwrite` is false; or it is nothing to replace, or
      cannot be written.
  """
  path = os.fspath(path)
  _check(path, overwrite, replaces, mends=replaces is not None)
  system = file_system(path)
  folder, name = os.path.split(path.rstrip('/'))
  temporary = os.path.join(folder, f'.{os.getpid()}.{name}')
  with being_written(temporary):
    try:
      if folder:
        system.makedirs(folder)
      yield temporary
      _check(path, overwrite, replaces, mends=replaces is not None)  # again, for somebody may have put something there
      if system.isdir(path):  # a folder cannot be renamed over another
        system.rename(path, temporary + _OLD)
      system.rename(temporary, path, overwrite=True)
    except UserError:
      raise
    except system_errors() as error:
      raise UserError(f'cannot write {path}: {reason(error)}') from error
    finally:
      if system.exists(temporary + _OLD) and not system.exists(path):
        system.rename(temporary + _OLD, path)
      for left in (temporary, temporary + _OLD):
        if system.exists(left):
          _remove(left)


@contextlib.contextmanager
def being_written(path: str) -> Iterator[None]:
  """Notes in `unfinished` that something is half-written, so that a signal does not leave it so."""
  unfinished.append(path)
  try:
    yield
  finally:
    unfinished.remove(path)


def check(path: str | os.PathLike, overwrite: bool = False, replaces: FolderKind | None = None):
  """Raises what `atomic_write` would raise, before the long work that makes the result; mends what a kill left of it.

  A file never replaces a folder, nor a folder a file; a folder is replaced only where all in it is of the kind
  `replaces`.

  Raises:
    UserError: as said.
  """
  _check(os.fspath(path), overwrite, replaces, mends=True)


def _check(path, overwrite, replaces, mends):
  if not path:
    raise UserError('the name of what is to be written is empty; give one')
  try:
    if mends:  # it lists the folder, which is much for every one of many files
      mend(path)
    _check_replaces(path, overwrite, replaces)
  except UserError:
    raise
  except system_errors() as error:
    raise UserError(f'cannot write {path}: {reason(error)}') from error


def _check_replaces(path, overwrite, replaces):
  system = file_system(path)
  if system.exists(path):
    if not overwrite:
      raise UserError(f'{path} exists already; choose another name, or add --overwrite')
    is_folder = system.isdir(path)
    if is_folder and replaces is None:
      names = system.listdir(path)
      raise UserError(
        f'{path} is a folder, with {len(names)} files in it, which a file does not replace; choose another name'
      )
    if not is_folder and replaces is not None:
      raise UserError(f'{path} is a file, which {replaces.name} does not replace; choose another name')
    if is_folder and (stranger := replaces.stranger(path)) is not None:
      raise UserError(
        f'{path} is not {replaces.name}: --overwrite would delete {os.path.join(path, stranger)}; choose another name'
      )
  if '://' in path:
    return
  folder = os.path.dirname(os.path.abspath(path))
  while not os.path.exists(folder):
    folder = os.path.dirname(folder)
  tempfile.TemporaryFile(dir=folder).close()


def mend(path: str | os.PathLike):
  """Puts back a folder that a killed process was about to replace, and removes what else such processes left.

  `check` does this.

  Raises:
    OSError: it cannot.
  """
  path = os.fspath(path)
  if '://' in path:
    return
  folder, name = os.path.split(path.rstrip('/'))
  for left in sorted(glob.glob(os.path.join(glob.escape(folder), f'.*.{glob.escape(name)}*'))):
    own = re.fullmatch(rf'\.(\d+)\.{re.escape(name)}({re.escape(_OLD)})?', os.path.basename(left))
    if not own or is_alive(int(own[1])):
      continue
    if own[2] and not os.path.lexists(path):
      os.rename(left, path)
    else:
      _remove(left)


def is_alive(pid: int) -> bool:
  """Returns whether a process of this machine runs."""
  try:
    os.kill(pid, 0)
  except PermissionError:  # it is somebody else's
    return True
  except (ProcessLookupError, OverflowError):
    return False
  return True


def _remove(path):
  system = file_system(path)
  (system.rmtree if system.isdir(path) and not os.path.islink(path) else system.remove)(path)


def check_no_pipe(path: str | os.PathLike):
  """Raises where a path is a pipe or a device, whose reading may never end, or can be done but once.

  Raises:
    UserError: as said.
  """
  if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
    raise UserError(f'{os.fspath(path)} is a pipe or a device; expected a file or a folder')


def write_text(path: str | os.PathLike, text: str):
  """Writes a text file whole, replacing one that exists.

  Raises:
    UserError: it cannot be written.
  """
  with atomic_write(path, overwrite=True) as temporary, file_system(path).GFile(temporary, 'w') as file:
    file.write(text)


def note(path: str | os.PathLike, values: Mapping[str, str]):
  """Notes of a local file or folder what it was made with, as an attribute, where its file system has such."""
  with contextlib.suppress(OSError, AttributeError):
    os.setxattr(path, _NOTE, json.dumps(dict(values)).encode())


def noted(path: str | os.PathLike) -> dict[str, str]:
  """Returns what `note` noted of a file or folder; nothing where it did not."""
  try:
    return json.loads(os.getxattr(path, _NOTE))
  except (OSError, AttributeError, ValueError):
    return {}


def system_errors() -> tuple[type[Exception], ...]:
  """Returns what a failing read or write raises: ValueError is a format that cannot hold what is written."""
  tensorflow = sys.modules.get('tensorflow')  # it raises its own only where it is loaded
  return (OSError, ValueError, *((tensorflow.errors.OpError,) if tensorflow else ()))


def reason(error: Exception) -> str:
  """Returns what the system said, in a few words."""
  said = getattr(error, 'strerror', None) or getattr(error, 'message', None) or str(error)
  said = re.sub(r'\{\{.*?\}\} | \[Op:\w+\]( name:.*)?', '', said)  # TensorFlow adds where in a graph
  return shortened(said.strip() or type(error).__name__)


def shortened(text: str, most: int = 400) -> str:
  """Returns text as one line of no more than so many characters."""
  line = ' '.join(text.split())
  return line if len(line) <= most else f'{line[: most - 4]} ...'


def legible(name: str | os.PathLike) -> str:
  """Returns a file's name as text that can be written, where its bytes are not UTF-8."""
  return os.fsencode(name).decode('utf-8', 'backslashreplace')
