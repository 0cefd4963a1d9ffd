"""Interpolates for a test of what comes out, and compares that."""

import os

import numpy as np
from PIL import Image

import film_tf
from film_tf.media import animation
from film_tf.media.video_reader import VideoReader


def interpolated(source, path, interpolator, **options) -> VideoReader:
  """Interpolates the video `source` into `path`, and reads that."""
  film_tf.interpolate_video(source, path, interpolator, **options)
  return VideoReader(path)


def decoded(path):
  if os.path.isdir(path):
    return [np.asarray(Image.open(os.path.join(path, name))) for name in sorted(os.listdir(path))]
  frames = animation.read(path) if animation.length(path) else VideoReader(path).frames()
  return [frame.pixels for frame in frames]


def assert_same(path, other):
  ours, theirs = decoded(path), decoded(other)
  assert len(ours) == len(theirs)
  for one, two in zip(ours, theirs, strict=True):
    np.testing.assert_array_equal(one, two)
