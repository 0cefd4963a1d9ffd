"""Puts any command under faults: killed at some moment, a damaged file, a full disk (`SmallDisk`)."""

import pathlib
import random
import time
from collections.abc import Callable, Iterator

from tests.forked import Process


def wait_until(condition: Callable[[], object], *processes: Process, seconds: float = 300.0):
  """Waits for a condition, which comes true before any of the processes ends."""
  deadline = time.monotonic() + seconds
  while not condition():
    for process in processes:
      assert process.poll() is None, process.told()
    assert time.monotonic() < deadline, 'it took too long'
    time.sleep(0.005)


def kill(process: Process, number: int) -> str:
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
