"""Makes what a server is asked for: the frames of two photos, and a GIF, an MP4 or an archive of them."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from film_tf.errors import UserError
from film_tf.media import animation, image_file, video_encoder, video_muxer
from film_tf.media.frame import Frame
from film_tf.render import job as render
from film_tf.render import plan
from film_tf.render.inputs import Input
from film_tf.render.outputs import EncodingOptions
from film_tf.render.request import Request
from film_tf.serving.jobs import Job
from film_tf.streams.video_format import VideoFormat

if TYPE_CHECKING:
  from film_tf.inference.interpolator import Interpolator

TYPES = {'png': 'image/png', 'gif': 'image/gif', 'mp4': 'video/mp4', 'zip': 'application/zip'}  # by format


def check(job: Job):
  """Raises where the photos of a job are damaged or do not go together, by decoding them.

  Raises:
    UserError: as said.
  """
  try:
    plan.make_plan(_given(job), _wanted(job))
  except UserError as error:
    raise UserError(job.told(error.message)) from error


def make(job: Job, interpolator: Interpolator, film_side: int):
  """Makes the frames of a job, given ones included, as PNG files, and of them the other formats that it asks for.

  Args:
    job: gets the `files`, and is told of the progress.
    interpolator: makes the frames between.
    film_side: pixels of the longer side of a GIF or MP4, at most.

  Raises:
    UserError: as of `interpolate_video`.
    StoppedError: by the job.
  """
  folder = os.path.join(job.folder, 'frames')
  render.Job(_given(job), folder, _wanted(job), EncodingOptions()).run(interpolator, job.progress)
  for photo in job.photos:
    os.remove(photo)
  frames = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
  made = {os.path.basename(path): path for path in frames}
  writers = {'gif': _write_gif, 'mp4': _write_mp4, 'zip': _write_zip}
  for name in [name for name in job.formats if name in writers]:
    path = os.path.join(job.folder, f'film.{name}')
    writers[name](path, frames, job, film_side)
    made[os.path.basename(path)] = path
  job.files = made


def _given(job):
  return Input('photos', 'images', tuple(job.photos))


def _wanted(job):
  return Request(times=job.times)


def _write_gif(path, frames, job, side):
  times = [number / job.fps for number in range(len(frames) + 1)]
  animation.write(path, (np.asarray(image) for image in _film(frames, job, side)), times)


def _write_mp4(path, frames, job, side):
  """Writes H.264 in 4:2:0 of an even size, which all browsers and phones play; what is transparent becomes white."""
  width, height = (length - length % 2 for length in next(_film(frames, job, side)).size)
  fps, shape = job.fps, VideoFormat(width=width, height=height)
  encoder = video_encoder.Encoder(shape, fps, 1 / fps, video_encoder.CODECS['.mp4'], pixel_format='yuv420p')
  encoder.check(path, 'mp4')
  segment, times = f'{path}.mkv', [number / fps for number in range(len(frames))]
  with encoder.segment(segment) as writer:
    for time, image in zip(times, _film(frames, job, side), strict=True):
      writer.write(Frame(_on_white(image)[:height, :width], time))
  parts = [video_muxer.Segment(segment, times, writer.display_order)]
  video_muxer.join(path, parts, len(frames) / fps, encoder.video_format, encoder.time_base, encoder.rate)
  os.remove(segment)


def _write_zip(path, frames, job, side):
  with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as archive:  # PNG is compressed already
    for frame in frames:
      job.check()
      archive.write(frame, os.path.basename(frame))


def _film(frames: Sequence[str], job: Job, side: int) -> Iterator[Image.Image]:
  """Yields frames of 8 bits, made smaller where they are larger than `side`, while somebody waits for the job."""
  for path in frames:
    job.check()
    image = Image.fromarray(image_file.to_uint8(image_file.read(path).pixels))
    if (scale := side / max(image.size)) < 1:
      image = image.resize([max(2, round(length * scale)) for length in image.size], Image.Resampling.LANCZOS)
    yield image


def _on_white(image):
  if image.mode == 'RGBA':
    image = Image.alpha_composite(Image.new('RGBA', image.size, 'white'), image)
  return np.ascontiguousarray(np.asarray(image.convert('RGB')))
