"""Puts any command under faults: killed at some moment, a damaged file, a full disk (`conftest.on_small_disk`)."""

import os
import pathlib
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from tests.conftest import ROOT


def start(module: str, *words: str, cwd, **environment: str) -> subprocess.Popen:
  """Starts `python -m module ...` as a process that can be sent signals."""
  environment = {**os.environ, 'PYTHONPATH': str(ROOT), **environment}
  arguments = [sys.executable, '-m', module, *map(str, words)]
  return subprocess.Popen(
    arguments, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
  )


def wait_until(condition: Callable[[], object], *processes: subprocess.Popen, seconds: float = 300.0):
  """Waits for a condition, which comes true before any of the processes ends."""
  deadline = time.monotonic() + seconds
  while not condition():
    for process in processes:
      assert process.poll() is None, process.stderr.read()
    assert time.monotonic() < deadline, 'it took too long'
    time.sleep(0.005)


def kill(process: subprocess.Popen, number: int) -> str:
  """Sends a signal, waits for the end, and returns what the process has told on stderr."""
  process.send_signal(number)
  return process.communicate(timeout=300)[1]


def damages(path: pathlib.Path, seed: int = 0) -> Iterator[str]:
  """Damages a file in one way after another, and puts it back at the end; yields what was done."""
  whole, random_ = path.read_bytes(), random.Random(seed)
  place = random_.randrange(len(whole))
  ways = {
    'empty': b'',
    'truncated': whole[: len(whole) // 2],
    'last bytes missing': whole[:-7],
    'a byte flipped': whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :],
    'zeros': bytes(len(whole)),
    'noise': random_.randbytes(len(whole)),
  }
  try:
    for way, data in ways.items():
      path.write_bytes(data)
      yield way
  finally:
    path.write_bytes(whole)


def snapshot(root: pathlib.Path) -> dict[str, bytes]:
  """Returns the content of all files below a folder, by their names."""
  return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob('*')) if path.is_file()}
