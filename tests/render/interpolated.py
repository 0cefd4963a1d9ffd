"""Interpolates a video for a test of what comes out."""

import film_tf
from film_tf.media.video_reader import VideoReader


def interpolated(source, path, interpolator, **options) -> VideoReader:
  """Interpolates the video `source` into `path`, and reads that."""
  film_tf.interpolate_video(source, path, interpolator, **options)
  return VideoReader(path)
