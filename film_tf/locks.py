"""Locks what only one process may write: the second is told so and ends.

They bind only those who ask for them. The system releases the lock of a process that ends in whatever way, also across
machines where their file system passes locks on (NFS 4, Lustre, GPFS ...). Buckets (`gs://`) have none.
"""

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator

from film_tf import files
from film_tf.errors import UserError

_ours = set()  # paths of the locks that this process holds
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)  # of file systems without


@contextlib.contextmanager
def held(path: str | os.PathLike, what: str) -> Iterator[None]:
  """Holds the lock file `path`, which says by whom and since when, and is gone afterwards.

  Args:
    path: of the lock file; its folder exists.
    what: is locked, for the message.

  Raises:
    UserError: another process holds it, or the file cannot be written.
  """
  path = os.fspath(path)
  if '://' in path:
    yield
    return
  with files.being_written(path):
    try:
      descriptor = _taken(path)
    except OSError as error:
      raise UserError(f'cannot write {path}: {files.reason(error)}') from error
    if descriptor is None:
      advice = f'wait for its end, or stop it (if that is gone, remove {path})'
      raise UserError(f'{what} is in use by {_holder(path)}; {advice}')
    try:
      note = f'process {os.getpid()} on {socket.gethostname()} since {time.strftime("%Y-%m-%d %H:%M:%S %Z")}\n'
      with contextlib.suppress(OSError):  # a full disk is no reason not to lock
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(), 0)
      _ours.add(os.path.abspath(path))
      yield
    finally:
      _ours.discard(os.path.abspath(path))
      with contextlib.suppress(FileNotFoundError):
        os.remove(path)
      os.close(descriptor)


def _taken(path):
  """Returns the descriptor of the locked file, or None where another process has it."""
  while True:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
      fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
      os.close(descriptor)
      if error.errno in _NO_LOCKS:
        return _created(path)
      if isinstance(error, BlockingIOError):
        return None
      raise
    with contextlib.suppress(FileNotFoundError):
      if os.path.samestat(os.fstat(descriptor), os.stat(path)):
        return descriptor
    os.close(descriptor)  # its holder has just removed it


def _created(path):
  """Returns the descriptor of a new file, which is all the lock there is on some file systems; None as above.

  One whose process has ended is taken over, if that was on this machine.
  """
  holder = _holder(path)
  if holder == 'somebody' or _has_ended(path, holder.split()):
    with contextlib.suppress(FileNotFoundError):
      os.remove(path)
  try:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
  except FileExistsError:
    return None


def _has_ended(path, words):
  """Returns whether the process that a note tells of is of this machine and runs no more."""
  if words[3:4] != [socket.gethostname()] or not words[1].isdecimal():
    return False
  pid = int(words[1])
  if pid == os.getpid():  # a container that starts again has the name and the process of the one that was killed
    return os.path.abspath(path) not in _ours
  return not files.is_alive(pid)


def _holder(path):
  try:
    with open(path) as file:
      return file.read().strip() or 'somebody'
  except (OSError, UnicodeDecodeError):
    return 'somebody'
