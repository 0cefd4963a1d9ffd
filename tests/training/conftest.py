"""A finished run, for all tests of runs."""

import fcntl
import os

import pytest

from tests.training.runs import train


@pytest.fixture(scope='session')
def run(tmp_path_factory):
  """The folder of a finished run of 60 steps and what it told on stderr, made once for all of pytest's processes.

  It keeps a checkpoint of every ten steps. Who changes it copies it first.
  """
  base = tmp_path_factory.getbasetemp()
  root = base.parent if 'PYTEST_XDIST_WORKER' in os.environ else base
  folder, told = root / 'finished' / 'run', root / 'finished' / 'stderr'
  folder.parent.mkdir(exist_ok=True)
  with open(folder.parent / 'lock', 'w') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not told.exists():
      told.write_text(train(folder, 'train.steps = 60', 'train.show_every = 30', 'train.keep = 9').stderr)
  return folder, told.read_text()
