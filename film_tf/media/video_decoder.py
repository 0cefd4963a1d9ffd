"""Decodes the packets of a video: whole frames in the order in which they are shown, at times that increase."""

from __future__ import annotations

import collections
import heapq
from collections.abc import Iterator
from fractions import Fraction

from film_tf.errors import DamagedError
from film_tf.streams import timestamps
from film_tf.streams.timestamps import Survey
from film_tf.streams.video_format import av


class Decoder:
  """Decodes one stream of an open container, from where that is.

  Iterating yields PyAV's frames, when each is shown, in seconds, and the times of those before it that are damaged.

  Args:
    path: for messages.
    container: of PyAV, open.
    stream: of it.
    survey: the times of all its packets.
    rate: frames a second, for those that have no time.
    deinterlace: make whole pictures of two half pictures.
    skip: leave out frames that cannot be decoded.
    found: gets a sentence for what turned out to be wrong, by what that is.

  Raises:
    DamagedError: a frame cannot be decoded and is not to be skipped.
  """

  def __init__(
    self, path: str, container, stream, survey: Survey, rate: Fraction, deinterlace: bool, skip: bool, found: dict
  ):
    self._path, self._container, self._stream, self._survey = path, container, stream, survey
    self._step, self._deinterlace, self._skip, self._found = 1 / rate, deinterlace, skip, found

  def __iter__(self) -> Iterator[tuple]:
    frames = self._decoded()
    timed = (((frame, lost), time) for frame, time, lost in (_whole(frames) if self._deinterlace else frames))
    for (frame, lost), time, moved in timestamps.increasing(timed, self._step):
      if moved:
        self._found['times'] = 'has times that do not increase; its frames are spread evenly there'
      yield frame, time, lost

  def _decoded(self):
    clock = _Clock(self._survey.raw, self._container.format.name == 'avi', self._step)
    mover, lost = timestamps.Mover(self._survey), False
    try:
      for packet in self._container.demux(self._stream):
        if packet.size:
          clock.fed(mover(packet))
        for frame in self._frames_of(packet):
          time, before = clock.shown(frame)
          if frame is None or frame.is_corrupt:
            lost = True
            self._note_damage(f'after {float(clock.last or 0):.3f} s' if time is None else f'at {float(time):.3f} s')
          else:
            yield frame, time, before if lost else []
            lost = False
    except av.FFmpegError as error:
      message = f'cannot be decoded after {float(clock.last or 0):.3f} s: {error.strerror or error}'
      if not self._skip:
        raise DamagedError(f'{self._path} {message} (--damaged=skip goes on after it)') from error
      self._found['end'] = message

  def _note_damage(self, where):
    if not self._skip:
      raise DamagedError(f'{self._path} is damaged {where} (--damaged=skip goes on after it)')
    self._found['damaged'] = f'has damaged frames, the last one {where}; those around them fill their time'

  def _frames_of(self, packet):
    """Returns the frames that a packet makes, None for one that cannot be made."""
    try:
      return packet.decode()
    except av.FFmpegError as error:
      if not self._skip or isinstance(error, av.EOFError):
        raise
      return [None]


class _Clock:
  """Says when frames are shown, by the packets that a decoder was fed with.

  AVI knows when packets are decoded: the frames have those times, in the order in which they are shown. A raw stream
  has no times but its rate.
  """

  def __init__(self, raw: bool, decoding_times: bool, step: Fraction):
    self.last: Fraction | None = None  # seconds
    self._raw, self._decoding_times, self._step = raw, decoding_times, step
    self._count = 0
    self._waiting: list[Fraction] = []
    self._lost: list[Fraction] = []

  def fed(self, packet):
    """Notes the time of a packet."""
    at = packet.dts if self._decoding_times or packet.pts is None else packet.pts
    if at is not None:
      heapq.heappush(self._waiting, at * packet.time_base)

  def shown(self, frame) -> tuple[Fraction | None, list[Fraction]]:
    """Returns the time of the next frame, None for one that is damaged, and of those since the last whole one."""
    whole = frame is not None and not frame.is_corrupt
    time: Fraction | None
    if self._raw:
      time, self._count = self._count * self._step, self._count + 1
    elif self._decoding_times:
      time = heapq.heappop(self._waiting) if self._waiting else None
    else:
      time = frame.pts * frame.time_base if frame is not None and frame.pts is not None else None
    if time is None and whole:
      time = Fraction(0) if self.last is None else self.last + self._step
    if not whole or time is None:
      if (self._raw or self._decoding_times) and time is not None:
        self._lost.append(time)
      return time, []
    while not self._decoding_times and self._waiting and self._waiting[0] <= time:
      if (before := heapq.heappop(self._waiting)) < time:
        self._lost.append(before)
    lost, self._lost, self.last = self._lost, [], time
    return time, lost


def _whole(frames):
  """Yields whole pictures by FFmpeg's bwdif, one for each that is interlaced."""
  graph: av.filter.Graph | None = None
  waiting: collections.deque[tuple] = collections.deque()

  def pulled():
    while graph and waiting:
      try:
        frame = graph.pull()
      except (av.BlockingIOError, av.EOFError):
        return
      time, lost, frame.duration = waiting.popleft()
      yield frame, time, lost

  for number, (frame, time, lost) in enumerate(frames):
    waiting.append((time, lost, frame.duration))
    if graph is None:
      graph = av.filter.Graph()
      pictures = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
      )
      graph.link_nodes(pictures, graph.add('bwdif', 'mode=send_frame:deint=interlaced'), graph.add('buffersink'))
      graph.configure()
    frame.pts = number
    graph.push(frame)
    yield from pulled()
  if graph:
    graph.push(None)
    yield from pulled()
