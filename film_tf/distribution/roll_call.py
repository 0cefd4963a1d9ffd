"""Says which workers cannot be reached while TensorFlow waits for them, and ends the wait after a while.

It does so in a process of its own, which runs this file: TensorFlow holds Python's lock while it waits, so that no
thread of that process could.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

_TELL_AFTER = 5.0  # seconds between words


@contextlib.contextmanager
def calling(workers: Sequence[str], patience: float) -> Iterator[None]:
  """Tells on stderr every five seconds who is missing, and ends this process by SIGKILL after `patience` seconds.

  Meanwhile Ctrl-C ends it at once, for no Python code would hear of it. Nothing is written yet that could be lost.

  Args:
    workers: addresses, host:port.
    patience: seconds.
  """
  arguments = [sys.executable, __file__, str(patience), *workers]
  before = signal.signal(signal.SIGINT, signal.SIG_DFL)
  caller = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
  try:
    yield
  finally:
    caller.kill()
    caller.wait()
    signal.signal(signal.SIGINT, before)


def missing(workers: Sequence[str]) -> list[str]:
  """Returns the workers to whom nothing can be connected."""
  return [worker for worker in workers if not _answers(worker)]


def _answers(worker):
  host, _, port = worker.rpartition(':')
  try:
    socket.create_connection((host, int(port)), timeout=2.0).close()
  except (OSError, ValueError, OverflowError):
    return False
  return True


def _call(parent, patience, workers):
  """Calls until the parent process has ended, or ends it."""
  deadline = time.monotonic() + patience
  tell = time.monotonic() + _TELL_AFTER
  while os.getppid() == parent:
    time.sleep(0.5)
    now = time.monotonic()
    if now < min(tell, deadline):
      continue
    names = ', '.join(missing(workers))
    if names and now >= deadline:
      advice = 'start all workers, or wait longer with --wait_for_workers'
      print(f'{names} cannot be reached in {patience:g} s; {advice}', file=sys.stderr, flush=True)
      os.kill(parent, signal.SIGKILL)  # TensorFlow catches SIGTERM by then
      return
    if names:
      print(f'waiting for {names}, which cannot be reached', file=sys.stderr, flush=True)
    tell = now + _TELL_AFTER


if __name__ == '__main__':
  _call(os.getppid(), float(sys.argv[1]), sys.argv[2:])
