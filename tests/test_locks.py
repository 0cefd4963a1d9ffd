"""Locks between real processes."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys

import pytest

from film_tf import locks
from film_tf.errors import UserError
from tests.conftest import ROOT

SCRIPT = """
import sys, time
from film_tf import locks
with locks.held(sys.argv[1], 'it'):
  print(1, flush=True)
  time.sleep(99)
"""


@pytest.fixture
def holder(tmp_path):
  """Another process that holds the lock."""
  words = [sys.executable, '-c', SCRIPT, str(tmp_path / 'lock')]
  with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
    process.stdout.readline()
    yield process
    process.kill()


def test_the_second_is_told_who_the_first_is(holder, tmp_path):
  with (
    pytest.raises(UserError, match=f'the run is in use by process {holder.pid} on .* since 2'),
    locks.held(tmp_path / 'lock', 'the run'),
  ):
    pass


def test_the_lock_of_a_killed_process_is_free(holder, tmp_path):
  holder.send_signal(signal.SIGKILL)
  holder.wait()
  assert (tmp_path / 'lock').exists()
  with locks.held(tmp_path / 'lock', 'it'):
    assert str(os.getpid()) in (tmp_path / 'lock').read_text()
  assert not (tmp_path / 'lock').exists()


def test_where_the_file_system_has_no_locks_the_file_is_one(holder, tmp_path, monkeypatch):
  def none(*args):
    raise OSError(95, 'Operation not supported')

  monkeypatch.setattr(fcntl, 'flock', none)
  with pytest.raises(UserError, match=f'process {holder.pid}'), locks.held(tmp_path / 'lock', 'it'):
    pass
  holder.send_signal(signal.SIGKILL)
  holder.wait()
  with locks.held(tmp_path / 'lock', 'it'), pytest.raises(UserError), locks.held(tmp_path / 'lock', 'it'):
    pass
  assert not (tmp_path / 'lock').exists()


@pytest.mark.parametrize(
  ('note', 'free'),
  [
    (f'process {os.getpid()} on {socket.gethostname()} since', True),  # as of a container that was killed
    (f'process {os.getpid()} on elsewhere since', False),
    (f'process ? on {socket.gethostname()} since', False),
    ('process', False),
  ],
  ids=['of a killed container', 'of another host', 'without a number', 'cut off'],
)
def test_a_note_that_was_left_where_there_are_no_locks(note, free, tmp_path, monkeypatch):
  def none(*args):
    raise OSError(95, 'Operation not supported')

  monkeypatch.setattr(fcntl, 'flock', none)
  (tmp_path / 'lock').write_text(note)
  expected = contextlib.nullcontext() if free else pytest.raises(UserError, match=r'if that is gone, remove .*lock\)')
  with expected, locks.held(tmp_path / 'lock', 'it'):
    pass
  assert (tmp_path / 'lock').exists() != free


def test_a_folder_that_cannot_be_written(tmp_path):
  with pytest.raises(UserError, match='cannot write'), locks.held(tmp_path / 'none' / 'lock', 'it'):
    pass


def test_a_link_is_no_lock_and_its_target_stays(tmp_path):
  (tmp_path / 'precious').write_text('mine')
  (tmp_path / 'lock').symlink_to('precious')
  with pytest.raises(UserError, match=r'cannot write .*lock'), locks.held(tmp_path / 'lock', 'it'):
    pass
  assert (tmp_path / 'precious').read_text() == 'mine'
