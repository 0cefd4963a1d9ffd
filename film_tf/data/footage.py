"""Frames as files and videos hold them, and the triplets in a row of them."""

import collections
import dataclasses
import functools
import pathlib
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from film_tf.data.records import Triplet
from film_tf.errors import UserError

IMAGES = ('.png', '.jpg', '.jpeg')
VIDEOS = ('.mp4', '.mov', '.m4v', '.mkv', '.webm', '.avi', '.mpg', '.mts', '.y4m', '.gif')


@dataclasses.dataclass(frozen=True)
class Frame:
  """A decoded frame."""

  name: str  # its file, for messages
  pixels: np.ndarray  # [H, W, 3] uint8
  file: bytes | None = None  # the bytes of the PNG or JPEG that it came from, while it is unchanged

  @functools.cached_property  # a frame is in several triplets
  def encoded(self) -> bytes:
    """The file it came from, or a PNG of it."""
    return self.file or tf.io.encode_png(self.pixels).numpy()


def image(path: pathlib.Path) -> Frame:
  """Reads a PNG or JPEG.

  Raises:
    UserError: it is missing, something else, or cannot be decoded to its end.
  """
  try:
    data = path.read_bytes()
  except OSError as error:
    raise UserError(f'{path} cannot be read: {error.strerror or error}') from error
  if not data.startswith((b'\x89PNG', b'\xff\xd8')):
    raise UserError(f'{path} is neither PNG nor JPEG')
  try:  # as in training; Pillow reads a PNG whose last bytes are missing without a word
    return Frame(str(path), tf.io.decode_image(data, channels=3, expand_animations=False).numpy(), data)
  except tf.errors.InvalidArgumentError as error:
    raise UserError(f'{path} is damaged, it cannot be decoded') from error


def images(folder: pathlib.Path) -> list[pathlib.Path]:
  """The PNG and JPEG files of a folder in natural order: 2 comes before 10."""
  return natural(path for path in folder.iterdir() if path.suffix.lower() in IMAGES)


def files(folder: pathlib.Path) -> Iterator[pathlib.Path]:
  """All files in a folder and in those below."""
  for path in folder.iterdir():
    if path.is_dir():
      yield from files(path)
    else:
      yield path


def natural(paths: Iterable[pathlib.Path]) -> list[pathlib.Path]:
  """Paths sorted as a person would: numbers by their value, the suffix last."""

  def key(path):
    return [int(s) if s.isdecimal() else s for s in re.split(r'(\d+)', str(path.with_suffix('')))], path.suffix

  return sorted(paths, key=key)


def video(path: pathlib.Path) -> Iterator[Frame]:
  """Decodes a video as FFmpeg does, frame by frame.

  Raises:
    UserError: it is no video, or is damaged, perhaps after some frames.
  """
  try:
    import av  # an extra
  except ImportError as error:
    raise UserError(f"{path} is a video, which needs PyAV; pip install '.[video]'") from error
  try:
    with path.open('rb') as file, av.open(file) as container:
      if not container.streams.video:
        raise UserError(f'{path} has no video in it')
      stream = container.streams.video[0]
      stream.thread_type = 'AUTO'
      last = None
      for number, frame in enumerate(container.decode(stream)):
        name = f'{path}, frame {number}'
        if frame.is_corrupt:
          raise UserError(f'{name} is damaged')
        yield Frame(name, frame.to_ndarray(format='rgb24', interpolation='BICUBIC'))
        last = frame.time
      check_end(path, container, stream, last)
  except (OSError, av.FFmpegError) as error:
    raise UserError(f'{path} cannot be decoded: {error.strerror or error}') from error


def check_end(path, container, stream, last):
  """Raises where the `last` frame, in seconds, comes too early: FFmpeg takes a truncated file's end for the video's."""
  if stream.duration and last is not None:
    missing, allowed = float((stream.duration + (stream.start_time or 0)) * stream.time_base) - last, 4.0
    allowed /= float(stream.average_rate or 25)
  elif container.duration and last is not None:  # of the longest stream, which may be sound
    missing, allowed = (container.duration + (container.start_time or 0)) / 1e6 - last, 1.0
  else:
    return
  if missing > allowed:
    raise UserError(f'{path} ends {missing:.2f} seconds too early; it is not whole')


def windows(frames: Iterable[Frame], stride: int = 1, step: int = 1) -> Iterator[tuple[int, Frame, Frame, Frame]]:
  """Three frames, `stride` apart, from every `step`-th frame on, each with the number of its middle frame."""
  window = collections.deque(maxlen=2 * stride + 1)
  for number, frame in enumerate(frames):
    window.append(frame)
    first = number - 2 * stride
    if first >= 0 and first % step == 0:
      yield number - stride, window[0], window[stride], window[-1]


def triplet(path: str, frames: Iterable[Frame]) -> Triplet:
  """Three frames as a record holds them.

  Raises:
    UserError: they differ in size.
  """
  frames = tuple(frames)
  height, width = size(frames)
  return Triplet(path, tuple(frame.encoded for frame in frames), height, width)


def size(frames: Sequence[Frame]) -> tuple[int, int]:
  """Height and width of all of them.

  Raises:
    UserError: they differ.
  """
  first, *others = frames
  height, width, _ = first.pixels.shape
  for other in others:
    if other.pixels.shape != first.pixels.shape:
      y, x, _ = other.pixels.shape
      raise UserError(f'{first.name} has {width}x{height} pixels and {other.name} {x}x{y}; a triplet has one size')
  return height, width
