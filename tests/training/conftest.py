"""A finished run, for all tests of runs."""

import pytest

from tests.training.runs import train


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """A finished run of 30 steps."""
  folder = tmp_path_factory.mktemp('runs') / 'run'
  return folder, train(folder, 'train.steps = 30')
