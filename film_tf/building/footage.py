"""Reads footage for data sets, from image files and videos, and cuts triplets from it."""

import collections
import dataclasses
import functools
import itertools
import pathlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from film_tf.data.records import Triplet
from film_tf.errors import UserError
from film_tf.files import check_no_pipe
from film_tf.media import image_file, names
from film_tf.media.video_reader import VideoReader

IMAGES = ('.png', '.jpg', '.jpeg')  # that TensorFlow decodes, so that records can hold the files as they are


@dataclasses.dataclass(frozen=True)
class SourceImage:
  """A decoded frame of footage, and the bytes that a record will hold of it."""

  name: str  # its file, for messages
  pixels: np.ndarray  # [H, W, 3] uint8
  file: bytes | None = None  # the bytes of the PNG or JPEG that it came from, while it is unchanged

  @functools.cached_property  # a frame is in several triplets
  def encoded(self) -> bytes:
    """The bytes of the file it came from, or of a PNG of it."""
    return self.file or tf.io.encode_png(self.pixels).numpy()


def image(path: pathlib.Path) -> SourceImage:
  """Reads a PNG or JPEG.

  Raises:
    UserError: it is missing, something else, or cannot be decoded to its end.
  """
  try:
    check_no_pipe(path)
    data = path.read_bytes()
  except OSError as error:
    raise UserError(f'{path} cannot be read: {error.strerror or error}') from error
  if not data.startswith((b'\x89PNG', b'\xff\xd8')):
    raise UserError(f'{path} is neither PNG nor JPEG')
  try:  # as in training; Pillow reads a PNG whose last bytes are missing without a word
    return SourceImage(str(path), tf.io.decode_image(data, channels=3, expand_animations=False).numpy(), data)
  except tf.errors.InvalidArgumentError as error:
    raise UserError(f'{path} is damaged, it cannot be decoded') from error


def images(folder: pathlib.Path) -> list[pathlib.Path]:
  """Returns the PNG and JPEG files of a folder in natural order: 2 comes before 10."""
  return names.in_natural_order(path for path in folder.iterdir() if path.suffix.lower() in IMAGES)


def files(folder: pathlib.Path, within: Sequence[pathlib.Path] = ()) -> Iterator[pathlib.Path]:
  """Yields all files in a folder and in those below; a link to one of those that it is `within` is not followed."""
  within = [*within, pathlib.Path(folder).resolve()]  # TFDS' own paths do not resolve links
  for path in folder.iterdir():
    if not path.is_dir():
      yield path
    elif pathlib.Path(path).resolve() not in within:
      yield from files(path, within)


def video(path: pathlib.Path) -> Iterator[SourceImage]:
  """Decodes a video with the colours that interpolation has, at 8 bits.

  Raises:
    UserError: it is no video, or is damaged, perhaps after some frames.
  """
  for number, frame in enumerate(VideoReader(path).frames()):
    yield SourceImage(f'{path}, frame {number}', image_file.to_uint8(frame.pixels))


def windows(
  frames: Iterable[SourceImage], stride: int = 1, step: int = 1, between: int = 1
) -> Iterator[tuple[int | SourceImage, ...]]:
  """Yields `between` frames with the one before and the one after, all `stride` apart, from every `step`-th frame on.

  The number of the first of those between comes before them.
  """
  span = (between + 1) * stride
  window = collections.deque(maxlen=span + 1)
  for number, frame in enumerate(frames):
    window.append(frame)
    first = number - span
    if first >= 0 and first % step == 0:
      yield first + stride, *itertools.islice(window, 0, None, stride)


def triplet(path: str, frames: Iterable[SourceImage], time: float = 0.5) -> Triplet:
  """Converts three frames to what a record holds; `time` is that of the one between.

  Raises:
    UserError: they differ in size.
  """
  frames = tuple(frames)
  height, width = size(frames)
  return Triplet(path, tuple(frame.encoded for frame in frames), height, width, time)


def size(frames: Sequence[SourceImage]) -> tuple[int, int]:
  """Returns the height and width of all of them.

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
