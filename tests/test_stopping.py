"""Signals are answered whatever the loop does meanwhile."""

import os
import signal
import time

import pytest

from film_tf import stopping


@pytest.mark.parametrize(('within', 'told'), [([2.6], 'in about 3 s'), ([None], 'when what runs now is done')])
def test_a_signal_is_answered_though_the_loop_changes_what_is_known(within, told, monkeypatch, capfd):
  class Changing(stopping.Stop):
    """Is reset by the loop right after it has been read."""

    @property
    def within(self):
      return within.pop() if within else None

  monkeypatch.setattr(stopping, 'Stop', Changing)
  with stopping.listening() as stop:
    os.kill(os.getpid(), signal.SIGTERM)
    written, deadline = '', time.monotonic() + 10
    while 'ending' not in written and time.monotonic() < deadline:
      time.sleep(0.01)
      written += capfd.readouterr().err
  assert stop.asked == signal.SIGTERM
  assert told in written
