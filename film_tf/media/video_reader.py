"""Videos as they are read: what their frames look like, and the frames at exact times."""

import dataclasses
import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, cast

import numpy as np

from film_tf.errors import DamagedError, UserError
from film_tf.media.frame import Frame

try:
  import av  # an extra
except ImportError:
  av = cast(Any, None)

BT601 = 5  # FFmpeg's number of the matrix that it takes an unknown one for
FULL_RANGE = 2  # FFmpeg's number of the range of RGB
_SEEKABLE = ('mov', 'matroska', 'avi', 'flv')  # containers whose seek is exact; others are read from their start
_DEFAULT_RATE = 25  # frames a second where the file gives none, as FFmpeg has it
_MISSING_FRAMES = 4  # at the end of a stream, which its own duration allows; more are a file that was cut off
_MISSING_SECONDS = 1.0  # the same where only the container has a duration, that of its longest stream


@dataclasses.dataclass(frozen=True)
class VideoFormat:
  """What a video's frames look like."""

  width: int  # pixels, as coded: before rotation and aspect ratio
  height: int
  bits: int = 8  # of a colour: 8, or 16 for the 10, 12 or 16 of a file
  pixel_format: str = 'yuv420p'  # FFmpeg's name
  colour: tuple[int, int, int, int] = (1, 1, 1, 1)  # FFmpeg's matrix, range, primaries, transfer; here BT.709
  rotation: int = 0  # degrees by which a player rotates it, counter-clockwise
  aspect: Fraction | None = None  # width of a pixel over its height


class VideoReader:
  """Reads a video file, of which the first video stream counts.

  Attributes:
    path: of the file.
    format: what its frames look like, a `VideoFormat`.
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
      self.notes = ('its transparency is left out',) if _has_alpha(first.format) else ()
      self.time_base = stream.time_base
      self.rate = Fraction(stream.average_rate or stream.guessed_rate or _DEFAULT_RATE)
      self.start = _time(first, Fraction(0))
      self.length = float(stream.duration * stream.time_base) if stream.duration else None
      self.format = VideoFormat(
        width=first.width,
        height=first.height,
        bits=8 if max(part.bits for part in first.format.components) <= 8 else 16,
        pixel_format=first.format.name,
        colour=(context.colorspace, context.color_range, context.color_primaries, context.color_trc),
        rotation=first.rotation,
        aspect=stream.sample_aspect_ratio or None,
      )

  def open(self):
    """Opens the file as PyAV's container.

    Raises:
      UserError: it cannot be opened.
    """
    try:
      return av.open(self.path)
    except (OSError, av.FFmpegError) as error:
      raise UserError(f'{self.path} cannot be read: {error.strerror or error}') from error

  def frames(self, start: Fraction | None = None, stop: Fraction | None = None) -> Iterator[Frame]:
    """Yields its frames in order of time, from `start` on and before `stop`, in seconds of the file.

    Raises:
      DamagedError: it is damaged, or not whole.
    """
    with self.open() as container:
      stream = self._stream(container)
      if start is not None and start > self.start and container.format.name.startswith(_SEEKABLE):
        container.seek(int(start / stream.time_base), stream=stream)
      last = None
      for frame in self._decoded(container, stream):
        time = _time(frame, last + 1 / self.rate if last is not None else Fraction(0))
        if stop is not None and time >= stop:
          return
        if last is not None and time <= last:  # a broken timestamp; FFmpeg's own tools drop such a frame
          continue
        last = time
        if start is None or time >= start:
          yield Frame(self._pixels(frame), time, frame.duration * frame.time_base if frame.duration else 1 / self.rate)
      if last is not None:
        self._check_end(container, stream, float(last))

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

  def _check_end(self, container, stream, last):
    """Raises where the frame at `last` seconds is not the end: FFmpeg does not report a truncated file."""
    if stream.duration:
      missing = float((stream.duration + (stream.start_time or 0)) * stream.time_base) - last
      allowed = _MISSING_FRAMES / float(self.rate)
    elif container.duration:
      missing = (container.duration + (container.start_time or 0)) / av.time_base - last
      allowed = _MISSING_SECONDS
    else:
      return
    if missing > allowed:
      raise DamagedError(f'{self.path} ends {missing:.2f} seconds too early; it is not whole')

  def _pixels(self, frame) -> np.ndarray:
    """Returns RGB `[H, W, 3]`, uint8 or uint16, by the video's own matrix and range."""
    matrix, color_range, *_ = self.format.colour
    return frame.to_ndarray(
      format='rgb24' if self.format.bits == 8 else 'rgb48le',
      src_colorspace=known_matrix(matrix),
      src_color_range=color_range or None,
      dst_color_range=FULL_RANGE,
      interpolation=exact_conversion(),
    )


def _time(frame, otherwise):
  return frame.pts * frame.time_base if frame.pts is not None else otherwise


def _has_alpha(video_format) -> bool:
  return video_format.name.startswith(('yuva', 'rgba', 'bgra', 'argb', 'abgr', 'gbrap', 'ya'))


def known_matrix(number: int) -> int:
  """Returns the number of a matrix, or that of BT.601 where swscale does not know it."""
  return number if number in {space.value for space in av.video.reformatter.Colorspace} else BT601


def exact_conversion() -> int:
  """Returns swscale's flags to convert colours with chroma at full size, and rounded rather than cut off."""
  flags = av.video.reformatter.Interpolation
  return (flags.BICUBIC | flags.FULL_CHR_H_INT | flags.FULL_CHR_H_INP | flags.ACCURATE_RND).value
