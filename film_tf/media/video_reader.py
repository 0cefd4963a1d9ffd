"""Reads videos: what their frames look like, and the frames at exact times."""

import os
from collections.abc import Iterator
from fractions import Fraction

from film_tf import files
from film_tf.errors import DamagedError, UserError
from film_tf.media.frame import Frame
from film_tf.media.video_decoder import Decoder
from film_tf.streams import hdr, pictures, timestamps, video_format
from film_tf.streams.video_format import VideoFormat, av

_SEEKABLE = ('mov', 'matroska', 'flv')  # containers whose seek is exact; others are read from their start
_MISSING_FRAMES = 4  # at the end of a stream, which its duration allows; more are a file that was cut off


class VideoReader:
  """Reads a video file, of which the first video stream counts.

  Args:
    path: of the file.
    deinterlace: make whole pictures of two half pictures, by FFmpeg's bwdif.
    damaged: at a frame that cannot be decoded, `stop`, or `skip` it.

  Attributes:
    path: of the file.
    format: what its frames look like, a `VideoFormat`.
    rate: frames a second on average, a Fraction.
    start: time of the first frame in seconds, likewise.
    zero: time from which its players count: that of the first frame, or of what comes before it.
    frame_count: frames in all.
    length: seconds in all, from the first frame, or None where the file does not say.
    time_base: seconds, a Fraction, of which all times are multiples.
    index: of its stream.
    survey: the times of all its streams.
    notes: what of it is not kept, for people.
    found: what turned out while frames were read, likewise.

  Raises:
    UserError: there is no PyAV, or the file is missing, no video, or has no frame.
  """

  def __init__(self, path: str | os.PathLike, deinterlace: bool = False, damaged: str = 'stop'):
    if av is None:
      raise UserError(f"{path} is a video, which needs PyAV; pip install '.[video]'")
    files.check_no_pipe(path)
    self.path = os.fspath(path)
    self._deinterlace, self._skip = deinterlace, damaged == 'skip'
    self.found: dict[str, str] = {}
    with self.open() as container:
      self.index = self._stream(container).index
      try:
        self.survey = timestamps.survey(container)
      except av.FFmpegError as error:
        raise DamagedError(f'{self.path} cannot be read to its end: {error.strerror or error}') from error
    with self.open() as container:
      stream = self._stream(container)
      self._describe(container, stream)

  def _describe(self, container, stream):
    times, context = self.survey.streams[stream.index], stream.codec_context
    claimed = [stream.average_rate, stream.guessed_rate, context.framerate]
    if self.survey.raw:
      claimed = [context.framerate, stream.guessed_rate, stream.average_rate]
    self.rate = timestamps.rate(times, stream.time_base, claimed, self.survey.raw)
    self.time_base = self.rate.limit_denominator(10**6) ** -1 if self.survey.raw else stream.time_base
    first, start, _ = next(iter(self._decoder(container, stream)), (None, Fraction(0), None))
    self.start: Fraction = start
    if first is None:
      raise UserError(f'{self.path} has no frame that can be decoded')
    self.frame_count = times.packets
    self.length = None
    if times.end is not None and times.last is not None and not self.survey.raw:
      self.length = float(max(times.end, times.last + 1 / self.rate) - self.start)
    elif self.survey.raw:
      self.length = float(times.packets / self.rate)
    self.zero = self._zero()
    self.format = VideoFormat(
      width=first.width,
      height=first.height,
      bits=8 if max(part.bits for part in first.format.components) <= 8 else 16,
      pixel_format=first.format.name,
      colour=(context.colorspace, context.color_range, context.color_primaries, context.color_trc),
      rotation=first.rotation,
      aspect=stream.sample_aspect_ratio or None,
      hdr=hdr.read(first),
    )
    self.notes = tuple(self._notes(container, stream, first))

  def _zero(self):
    """Returns the time that players show as 0: a file that begins at 0 stays so, whatever comes first in it."""
    begins = [t.begin for t in self.survey.streams.values() if t.begin is not None and t.packets > 1]
    earliest = min([self.start, *begins])
    if earliest <= 0 <= self.start and self.start - earliest < 3600:
      return Fraction(0)
    return self.start if self.start - earliest < Fraction(1, 10) else earliest

  def _notes(self, container, stream, first):
    marked = {key.lower(): value for key, value in stream.metadata.items()}.get('alpha_mode') == '1'
    if marked or video_format.has_alpha(first.format.name):
      yield 'has transparency, which is left out'
    if first.interlaced_frame and not self._deinterlace:
      yield 'is interlaced, and its frames are taken as if they were not; add --deinterlace'
    if self.survey.joined > 1:
      yield f'has times that start again or jump; its {self.survey.joined} pieces follow each other'
    self._outside(first)
    if 'range' in self.found:
      yield self.found['range']
    if self.format.colour[3] in hdr.NAMES:
      yield f'is HDR ({hdr.NAMES[self.format.colour[3]]}); it is interpolated as it is coded'

  def open(self):
    """Opens the file as PyAV's container.

    Raises:
      UserError: it cannot be opened.
    """
    try:
      return av.open(f'file:{self.path}')
    except (OSError, av.FFmpegError) as error:
      raise UserError(f'{self.path} cannot be read: {error.strerror or error}') from error

  def frames(self, start: Fraction | None = None, stop: Fraction | None = None) -> Iterator[Frame]:
    """Yields its frames in order of time, from `start` on and before `stop`, in seconds of the file.

    Raises:
      DamagedError: it is damaged, or not whole.
    """
    with self.open() as container:
      stream = self._stream(container)
      seeks = container.format.name.startswith(_SEEKABLE) and self.survey.joined == 1
      seeks = seeks and not self._deinterlace  # which looks at the picture before
      if start is not None and start > self.start and seeks:
        container.seek(int(start / stream.time_base), stream=stream)
      last = None
      for frame, time, lost in self._decoder(container, stream):
        if stop is not None and time >= stop:
          return
        last = time
        if start is None or time >= start:
          self._outside(frame)
          duration = frame.duration * frame.time_base if frame.duration and not self.survey.raw else 1 / self.rate
          yield Frame(
            pictures.pixels(frame, self.format),
            time,
            duration,
            lost=tuple(one for one in lost if not start or one >= start),
          )
      if last is not None and not self._skip:
        self._check_end(container, stream, float(last))

  def _stream(self, container):
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams:
      raise UserError(f'{self.path} has no video in it')
    streams[0].thread_type = 'AUTO'
    # swscale would take chroma to be in the middle where a decoder does not say, as of most VP9, AV1 and ProRes.
    streams[0].codec_context.options = {'chroma_sample_location': pictures.CHROMA}
    return streams[0]

  def _decoder(self, container, stream):
    return Decoder(self.path, container, stream, self.survey, self.rate, self._deinterlace, self._skip, self.found)

  def _check_end(self, container, stream, last):
    """Raises where the frame at `last` seconds is not the end: FFmpeg does not report a truncated file."""
    if self.survey.joined > 1 or self.survey.raw:
      return
    allowed = _MISSING_FRAMES / float(self.rate)
    if stream.duration and container.format.name.startswith('mov'):
      missing = float((stream.duration + (stream.start_time or 0)) * stream.time_base) - last
    elif container.duration:  # of its longest stream
      start = 0 if container.format.name.startswith('matroska') else container.start_time or 0  # whose end is a time
      ends = [float(times.end) for times in self.survey.streams.values() if times.end is not None]
      missing = (container.duration + start) / av.time_base - max(ends)
    else:
      return
    if missing > allowed:
      raise DamagedError(f'{self.path} ends {missing:.2f} seconds too early; it is not whole')

  def _outside(self, frame):
    """Notes what is cut off of a frame."""
    if 'range' not in self.found and video_format.is_outside(frame):
      self.found['range'] = 'has black or white beyond the range 16 to 235 that it says it has; that is cut off'
