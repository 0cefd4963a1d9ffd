"""Listens to SIGTERM, which ends jobs that run out of time, and to Ctrl-C."""

import contextlib
import signal
from collections.abc import Iterator


class Stop:
  """Whether somebody has asked to stop, and how: None, SIGTERM or SIGINT."""

  asked: signal.Signals | None = None


@contextlib.contextmanager
def listening() -> Iterator[Stop]:
  """Notes the first SIGTERM or Ctrl-C, so that a run can save and end; a second one ends the process at once."""
  stop = Stop()
  before = {}

  def note(number, frame):
    stop.asked = signal.Signals(number)
    for other, handler in before.items():
      signal.signal(other, handler)

  for number in (signal.SIGTERM, signal.SIGINT):
    before[number] = signal.signal(number, note)
  try:
    yield stop
  finally:
    for number, handler in before.items():
      signal.signal(number, handler)
