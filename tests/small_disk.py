"""A file system of few KiB that commands fill."""

import ctypes
import multiprocessing
import os
import pathlib
import subprocess
import tempfile

import pytest

from tests import forked

_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000  # flags of unshare(2)


class SmallDisk:
  """Mounts a file system of its own as `disk` in a folder; only the commands that are started here see it.

  Args:
    folder: where commands run.
    size: such as `160k`.
  """

  def __init__(self, folder: pathlib.Path, size: str):
    (folder / 'disk').mkdir()
    self._folder = folder
    self._connection, theirs = multiprocessing.Pipe()
    self._process = forked.processes.Process(target=_serve, args=(theirs, str(folder / 'disk')))
    self._process.start()
    theirs.close()
    self.path = pathlib.Path(f'/proc/{self._process.pid}/root{folder}/disk')  # as it is for the commands
    if message := self._ask(_mount, f'size={size}'):
      self.__exit__()
      pytest.skip(f'a small file system cannot be mounted: {message}')

  def __enter__(self):
    return self

  def __exit__(self, *_):
    self._process.kill()
    self._process.join()

  def grow(self, size: str):
    """Makes room."""
    assert not self._ask(_mount, f'remount,size={size}')

  def command(self, module: str, *words: str) -> subprocess.CompletedProcess:
    """Runs `python -m module ...` in the folder."""
    with tempfile.TemporaryDirectory() as folder:
      told = [pathlib.Path(folder) / name for name in ('stdout', 'stderr')]
      environment = {**os.environ, 'PYTHONPATH': str(forked.ROOT)}
      code = self._ask(_command, module, list(map(str, words)), str(self._folder), environment, told)
      return subprocess.CompletedProcess([module, *words], code, *(path.read_text() for path in told))

  def _ask(self, *request):
    self._connection.send(request)
    return self._connection.recv()


def _serve(connection, disk):
  """Does what is asked where only this process and its children see what is mounted."""
  try:
    _unshare_mounts()
  except OSError as error:
    connection.recv()
    connection.send(str(error))
    return
  while True:
    function, *arguments = connection.recv()
    connection.send(function(disk, *arguments))


def _unshare_mounts():
  """Gives this process mounts of its own, and the right to mount."""
  user, group = os.getuid(), os.getgid()
  if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_MOUNTS):
    raise OSError(ctypes.get_errno(), 'unshare')
  for name, content in [('uid_map', f'0 {user} 1'), ('setgroups', 'deny'), ('gid_map', f'0 {group} 1')]:
    pathlib.Path(f'/proc/self/{name}').write_text(content)


def _mount(disk, options):
  """Returns why it cannot be mounted, or nothing."""
  words = ['mount', '-t', 'tmpfs', '-o', options, 'tmpfs', disk]
  try:
    subprocess.run(words, capture_output=True, text=True, check=True)
  except FileNotFoundError as error:
    return str(error)
  except subprocess.CalledProcessError as error:
    return f'{error}: {error.stderr}'
  return ''


def _command(_, *arguments):
  process = multiprocessing.get_context('fork').Process(target=forked.become, args=arguments)
  process.start()
  process.join()
  return process.exitcode
