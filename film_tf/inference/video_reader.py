"""Videos as they are read: what they are, and their frames at exact times."""

import dataclasses
import os
import pathlib
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from film_tf.data import footage
from film_tf.errors import DamagedError, UserError
from film_tf.inference.sequence import Frame

try:
  import av  # an extra
except ImportError:
  av = None

BT601 = 5  # FFmpeg's number of the matrix that it takes an unknown one for
_INDEXED = ('mov', 'matroska', 'avi', 'flv')  # containers whose seek is exact; others are read from their start
FULL = 2  # FFmpeg's number of the range of RGB


@dataclasses.dataclass(frozen=True)
class Look:
  """What a video's frames look like."""

  width: int  # pixels, as coded: before rotation and aspect ratio
  height: int
  bits: int = 8  # of a colour: 8, or 16 for the 10, 12 or 16 of a file
  pixel_format: str = 'yuv420p'  # FFmpeg's name
  colour: tuple[int, int, int, int] = (1, 1, 1, 1)  # FFmpeg's matrix, range, primaries, transfer; here BT.709
  rotation: int = 0  # degrees by which a player turns it, counter-clockwise
  aspect: Fraction | None = None  # width of a pixel over its height


class VideoReader:
  """A video file, of which the first video stream is read.

  Attributes:
    path: of the file.
    look: what its frames look like, a `Look`.
    rate: frames a second on average, a Fraction.
    start: time of the first frame in seconds, likewise.
    length: seconds in all, or None where the file does not say.
    time_base: seconds, a Fraction, of which all times are multiples.
    notes: what of it is not kept, for people.

  Raises:
    UserError: there is no PyAV, or the file is missing, no video, or has no frame.
  """

  def __init__(self, path: str | os.PathLike):
    if av is None:
      raise UserError(f"{path} is a video, which needs PyAV; pip install '.[video]'")
    self.path = os.fspath(path)
    with self.open() as container:
      stream = self._stream(container)
      first = next(self._decoded(container, stream), None)
      if first is None:
        raise UserError(f'{self.path} has no frame that can be decoded')
      context = stream.codec_context
      self.notes = ('its transparency is left out',) if _alpha(first.format) else ()
      self.time_base = stream.time_base
      self.rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
      self.start = self._time(first, Fraction(0))
      self.length = float(stream.duration * stream.time_base) if stream.duration else None
      self.look = Look(
        first.width,
        first.height,
        8 if max(part.bits for part in first.format.components) <= 8 else 16,
        first.format.name,
        (context.colorspace, context.color_range, context.color_primaries, context.color_trc),
        first.rotation,
        stream.sample_aspect_ratio or None,
      )

  def open(self):
    """PyAV's container of the file.

    Raises:
      UserError: it cannot be opened.
    """
    try:
      return av.open(self.path)
    except (OSError, av.FFmpegError) as error:
      raise UserError(f'{self.path} cannot be read: {error.strerror or error}') from error

  def frames(self, start: Fraction | None = None, stop: Fraction | None = None) -> Iterator[Frame]:
    """Its frames, in order of time, from `start` on and before `stop`, in seconds of the file.

    Raises:
      UserError: it is damaged, or not whole.
    """
    with self.open() as container:
      stream = self._stream(container)
      if start is not None and start > self.start and container.format.name.startswith(_INDEXED):
        container.seek(int(start / stream.time_base), stream=stream)
      last = None
      for frame in self._decoded(container, stream):
        time = self._time(frame, last + 1 / self.rate if last is not None else Fraction(0))
        if stop is not None and time >= stop:
          return
        if last is not None and time <= last:  # a broken timestamp; FFmpeg's own tools drop such a frame
          continue
        last = time
        if start is None or time >= start:
          yield Frame(self._pixels(frame), time, frame.duration * frame.time_base if frame.duration else 1 / self.rate)
      try:
        if last is not None:
          footage.check_end(pathlib.Path(self.path), container, stream, float(last))
      except UserError as error:
        raise DamagedError(error.message) from error

  def _stream(self, container):
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams:
      raise UserError(f'{self.path} has no video in it')
    streams[0].thread_type = 'AUTO'
    return streams[0]

  def _decoded(self, container, stream):
    last = 0.0
    try:
      for frame in container.decode(stream):
        if frame.is_corrupt:
          raise DamagedError(f'{self.path} is damaged at {frame.time or 0.0:.3f} s')
        yield frame
        last = frame.time or last
    except av.FFmpegError as error:
      raise DamagedError(f'{self.path} cannot be decoded after {last:.3f} s: {error.strerror or error}') from error

  def _time(self, frame, otherwise):
    return frame.pts * frame.time_base if frame.pts is not None else otherwise

  def _pixels(self, frame) -> np.ndarray:
    """RGB `[H, W, 3]`, uint8 or uint16, by the video's own matrix and range."""
    number, range_, *_ = self.look.colour
    return frame.to_ndarray(
      format='rgb24' if self.look.bits == 8 else 'rgb48le',
      src_colorspace=matrix(number),
      src_color_range=range_ or None,
      dst_color_range=FULL,
      interpolation=exact(),
    )


def _alpha(video_format) -> bool:
  return video_format.name.startswith(('yuva', 'rgba', 'bgra', 'argb', 'abgr', 'gbrap', 'ya'))


def matrix(number: int) -> int:
  """The matrix of that number, or BT.601 where swscale does not know it."""
  return number if number in {space.value for space in av.video.reformatter.Colorspace} else BT601


def exact() -> int:
  """How colours are converted: chroma at full size, and rounded rather than cut off."""
  way = av.video.reformatter.Interpolation
  return (way.BICUBIC | way.FULL_CHR_H_INT | way.FULL_CHR_H_INP | way.ACCURATE_RND).value
