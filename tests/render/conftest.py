"""A video for tests of jobs."""

import pytest

from tests.media.videos import encode, picture


@pytest.fixture
def clip(tmp_path):
  """A video of 150 frames, with sound."""
  return encode(tmp_path / 'clip.mp4', map(picture, range(150)), sound=6)
