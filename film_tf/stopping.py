"""Being asked to stop: SIGTERM, as machines are taken away or jobs run out of time, and Ctrl-C."""

import contextlib
import signal
from collections.abc import Iterator


class Stop:
  """Whether somebody has asked to stop, and how: None, SIGTERM or SIGINT."""

  asked: signal.Signals | None = None


@contextlib.contextmanager
def listening() -> Iterator[Stop]:
  """Within it the first SIGTERM or Ctrl-C is noted, so that a run can save and end; a second one does as ever."""
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
