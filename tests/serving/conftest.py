"""A real server for the tests of a folder, with a tiny network."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from film_tf.model import weights
from tests.conftest import ROOT

SAMPLES = [ROOT / 'eval' / 'samples' / f'cat_{i}.png' for i in range(2)]
QUEUE, MAX_BYTES, MAX_PIXELS = 2, 3_000_000, 13_000_000


class Server:
  """`python -m film_tf.serve` at a free port."""

  def __init__(self, folder: pathlib.Path, *words: str):
    self.temporary = folder / 'temporary'
    self.temporary.mkdir(parents=True, exist_ok=True)
    self.log = folder / 'log'
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'TMPDIR': str(self.temporary)}
    command = [sys.executable, '-m', 'film_tf.serve', '--port=0', *words]
    with open(self.log, 'w') as log:
      self.process = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
      )
    self.url = self.process.stdout.readline().strip()
    assert self.url.startswith('http://127.0.0.1:'), self.log.read_text()

  def memory(self, kind='VmRSS') -> float:
    """MB that the process has, or VmHWM had at most."""
    lines = pathlib.Path(f'/proc/{self.process.pid}/status').read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(kind))

  def end(self, number=signal.SIGTERM) -> int:
    """Asks the server to end, and returns its exit code."""
    self.process.send_signal(number)
    return self.process.wait(20)


@pytest.fixture(scope='session')
def network(tmp_path_factory, tiny) -> pathlib.Path:
  """A weights file of the tiny network."""
  path = tmp_path_factory.mktemp('network') / 'tiny.npz'
  weights.save(tiny, path)
  return path


@pytest.fixture(scope='session')
def server(tmp_path_factory, network):
  """The server that all tests share; at its end it has said nothing, and left no files."""
  words = [
    f'--model={network}',
    '--precision=float32',
    '--allow_hosts=film.test',
    f'--queue={QUEUE}',
    f'--max_bytes={MAX_BYTES}',
    f'--max_pixels={MAX_PIXELS}',
  ]
  server = Server(tmp_path_factory.mktemp('server'), *words)
  yield server
  begin = time.monotonic()
  assert server.end() == 0
  assert time.monotonic() - begin < 10
  assert server.log.read_text() == ''
  assert not list(server.temporary.iterdir())
