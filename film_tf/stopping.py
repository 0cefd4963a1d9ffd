"""Listens to SIGTERM, which ends jobs that run out of time, and to Ctrl-C."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
  """Says whether somebody has asked to stop, and how long it takes.

  Attributes:
    asked: None, SIGTERM or SIGINT.
    within: seconds until it is looked at again, if that is known.
  """

  asked: signal.Signals | None = None
  within: float | None = None


@contextlib.contextmanager
def listening() -> Iterator[Stop]:
  """Notes and answers the first SIGTERM or Ctrl-C, so that a run can save; a second one ends the process at once.

  Signals are read by a thread from a pipe: Python's own handlers wait while TensorFlow takes many steps in one call.
  """
  stop = Stop()
  reading, writing = os.pipe()
  os.set_blocking(writing, False)

  def watch():
    while received := os.read(reading, 1):
      if received[0] not in _SIGNALS:
        continue
      if stop.asked:
        os._exit(128 + received[0])
      stop.asked = signal.Signals(received[0])
      within = stop.within  # read once: the loop may set it to None meanwhile
      when = 'when what runs now is done' if within is None else f'in about {max(1, round(within))} s'
      print(f'\n{stop.asked.name}: saving and ending {when}; again to end at once', file=sys.stderr, flush=True)
    os.close(reading)

  before = {number: signal.signal(number, lambda number, frame: None) for number in _SIGNALS}
  before_writing = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
  threading.Thread(target=watch, daemon=True).start()
  try:
    yield stop
  finally:
    signal.set_wakeup_fd(before_writing)
    for number, handler in before.items():
      signal.signal(number, handler)
    os.close(writing)
