"""Copies sound, subtitles, attachments, covers, chapters and tags of a video, or reports what is left out."""

import collections
import dataclasses
import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from film_tf.media.stretched_sound import StretchedSound
from film_tf.media.video_reader import VideoReader
from film_tf.streams import timestamps
from film_tf.streams.video_format import av

_TEXT = {'mp4': 'mov_text', 'mov': 'mov_text', 'matroska': 'subrip', 'webm': 'webvtt'}  # subtitles a container holds
_COVERS = {'mjpeg': ('cover.jpg', 'image/jpeg'), 'png': ('cover.png', 'image/png')}
_OF_THE_FILE = ('major_brand', 'minor_version', 'compatible_brands', 'encoder', 'handler_name', 'vendor_id', 'duration')
_STATISTICS = ('bps', 'number_of_', '_statistics_')  # that Matroska keeps of a stream, true no longer


@dataclasses.dataclass(frozen=True)
class OtherStreams:
  """What else of a video comes along, from `zero`, which becomes 0, to `stop`."""

  video: VideoReader
  zero: Fraction = Fraction(0)  # seconds of the file
  cut: bool = False  # leave out what is before
  stop: Fraction | None = None
  slow: Fraction = Fraction(1)  # how many times slower it becomes: only tags and sound come along then
  sound: str = 'leave'  # that out where it becomes slower, or `stretch` it
  sample: bool = False  # the first packet of each stream is enough


class Copy:
  """Adds the streams of `source` to `out`, which has its pictures and has not begun to be written.

  Attributes:
    left: what is left out, for people.
    kept: numbers of the streams that are there.
  """

  def __init__(self, out, source, coded, others: OtherStreams):
    self._out, self._source, self._others = out, source, others
    self._container = out.format.name
    self._streams: dict[int, Any] = {}  # of `out`, by the index of those in `source`
    self._stretched: dict[int, StretchedSound] = {}
    self._encoders: dict[int, Any] = {}  # of subtitles that are converted, likewise
    self._damaged: collections.Counter[int] = collections.Counter()  # subtitles, likewise
    self.left: list[str] = []
    self.kept = [others.video.index]
    out.metadata.update(tags(source.metadata))
    chapters = [moved for chapter in source.chapters() if (moved := _moved(chapter, others.zero, others.stop))]
    if others.slow == 1:
      out.set_chapters(chapters)
    elif chapters:
      self.left.append('is slowed down, which leaves its chapters out')
    pictures = source.streams[others.video.index]
    _describe(out.streams[0], pictures)
    self._first = _first_packets(others.video)
    for stream in source.streams:
      if stream.index != others.video.index:
        self._add(stream, coded)

  @property
  def damaged(self) -> list[str]:
    """What could not be decoded, of the packets so far, for people."""
    found = self._damaged + collections.Counter({i: sound.damaged for i, sound in self._stretched.items()})
    return [f'lacks {count} damaged packets of {self._source.streams[i].type} stream {i}' for i, count in found.items()]

  def _add(self, stream, coded):
    name = stream.codec_context.name if stream.codec_context else stream.type
    if self._others.slow != 1 and not _is_cover(stream):
      self._add_slower(stream, name)
      return
    if _is_cover(stream):
      if self._container == 'matroska' and name in _COVERS and stream.index in self._first:
        self._out.add_attachment(*_COVERS[name], bytes(self._first[stream.index]))
        return
      held = self._container == 'mp4' and name in _COVERS
    else:
      held = stream.type in ('audio', 'subtitle') or (stream.type == 'attachment' and self._container == 'matroska')
    if held and _holds(self._container, coded, stream, self._first.get(stream.index)):
      added = self._out.add_stream_from_template(stream, opaque=True)
    elif stream.type == 'subtitle' and _is_text(name):
      added = self._converted(stream)
    else:
      kind = 'cover' if _is_cover(stream) else stream.type
      self.left.append(f'cannot hold {kind} stream {stream.index} ({name}); it is left out')
      return
    _describe(added, stream)
    self._streams[stream.index] = added
    self.kept.append(stream.index)

  def _add_slower(self, stream, name):
    if stream.type != 'audio':
      self.left.append(f'is slowed down, which leaves {stream.type} stream {stream.index} ({name}) out')
    elif self._others.sound == 'stretch' and self._container != 'webm':
      stretched = StretchedSound(self._out, stream, self._others.slow)
      _describe(stretched.stream, stream)
      self._stretched[stream.index] = stretched
      self._streams[stream.index] = stretched.stream
      self.kept.append(stream.index)
    else:
      why = 'cannot hold stretched' if self._others.sound == 'stretch' else 'is slowed down, and --slow leaves out'
      self.left.append(f'{why} audio stream {stream.index} ({name}); --sound=stretch keeps it in .mp4, .mov and .mkv')

  def _converted(self, stream):
    """Adds a stream of subtitles in the form that the container holds."""
    decoder = stream.codec_context
    decoder.open(strict=False)
    added = self._out.add_stream(_TEXT[self._container])
    added.codec_context.subtitle_header = decoder.subtitle_header
    added.time_base = Fraction(1, 1000)
    self._encoders[stream.index] = added.codec_context
    return added

  def packets(self) -> Iterator:
    """Yields the packets of all streams that are copied."""
    mover, others, seen = timestamps.Mover(self._others.video.survey), self._others, set()
    wanted = {index for index in self._streams if self._source.streams[index].type != 'attachment'}
    last: dict[int, int] = {}  # when the last packet of a stream is decoded
    if not wanted:
      return
    for packet in self._source.demux([self._source.streams[index] for index in sorted(wanted)]):
      index = packet.stream.index
      if packet.size and _is_cover(packet.stream):
        packet.pts = packet.dts = 0
      if not packet.size or packet.dts is None or (others.sample and index in seen):
        continue
      mover(packet)
      if not self._cut(packet):
        continue
      if index in self._stretched:
        seen.add(index)
        yield from self._stretched[index].packets(packet)
        if others.sample and seen == wanted:
          break
        continue
      if index in self._encoders:
        packet = self._encoded(packet, self._encoders[index])
        if packet is None:
          continue
      if packet.dts <= last.get(index, packet.dts - 1):
        packet.dts = last[index] + 1
        packet.pts = max(packet.pts, packet.dts)
      last[index] = packet.dts
      packet.stream = self._streams[index]
      seen.add(index)
      yield packet
      if others.sample and seen == wanted:
        break
    for stretched in self._stretched.values():
      yield from stretched.packets(None)

  def _cut(self, packet) -> bool:
    """Moves a packet by `zero`; returns whether it is wanted."""
    others, unit = self._others, packet.time_base
    begin = packet.dts if packet.pts is None else packet.pts
    end = begin + (packet.duration or 0)
    moved = round(others.zero / unit)
    if _is_cover(packet.stream):
      return True
    if others.stop is not None and begin * unit >= others.stop:
      return False
    if others.cut and begin * unit < others.zero:
      if packet.stream.type != 'subtitle' or end <= moved:
        return False
      begin = moved
    if packet.stream.type == 'subtitle' and packet.duration:
      last = end if others.stop is None else min(end, int(others.stop / unit))
      packet.pts = packet.dts = begin - moved
      packet.duration = last - begin
      return True
    packet.pts, packet.dts = (at if at is None else at - moved for at in (packet.pts, packet.dts))
    return True

  def _encoded(self, packet, encoder):
    """Returns a subtitle as the container holds it; None where it is empty or damaged."""
    try:
      shown = packet.stream.codec_context.decode2(packet)
    except av.InvalidDataError:
      self._damaged[packet.stream.index] += 1
      return None
    if shown is None or not len(shown):
      return None
    text = encoder.encode_subtitle(shown)
    unit = 1000 * packet.time_base
    text.pts = text.dts = round(packet.pts * unit)
    text.duration, text.time_base = round(packet.duration * unit), Fraction(1, 1000)
    return text


def tags(metadata) -> dict[str, str]:
  """Returns what a person or a camera has written, without what a container says of itself."""
  found = {('title' if key == 'name' else key): value for key, value in metadata.items()}
  known = {key: value for key, value in found.items() if key.lower() not in _OF_THE_FILE}
  known = {key: value for key, value in known.items() if not key.lower().startswith(_STATISTICS)}
  if place := known.get('com.apple.quicktime.location.ISO6709'):
    known.setdefault('location', place)
  return known


def _describe(added, stream):
  added.metadata.update(tags(stream.metadata))
  if not _is_cover(stream) or added.container.format.name in ('mp4', 'mov'):
    added.disposition = stream.disposition


def _is_cover(stream) -> bool:
  return stream.type == 'video' and bool(stream.disposition & av.stream.Disposition.attached_pic)


def _is_text(codec) -> bool:
  try:
    return av.Codec(codec, 'r').text_sub
  except av.codec.codec.UnknownCodecError:
    return False


def _first_packets(video) -> dict[int, Any]:
  """Returns the first packet of the sounds and covers of a video, by stream."""
  found: dict[int, Any] = {}
  with video.open() as container:
    wanted = [stream for stream in container.streams if stream.type == 'audio' or _is_cover(stream)]
    for packet in container.demux(wanted) if wanted else ():
      if packet.size:
        found.setdefault(packet.stream.index, packet)
      if len(found) == len(wanted):
        break
  return found


def _holds(container, coded, stream, packet) -> bool:
  """Returns whether a container holds a stream beside the pictures: it is written, with its first packet if any."""
  try:
    with av.open(io.BytesIO(), 'w', format=container) as trial:
      trial.add_stream_from_template(coded, opaque=True)
      added = trial.add_stream_from_template(stream, opaque=True)
      added.disposition = stream.disposition
      trial.start_encoding()
      if packet and stream.type == 'audio':
        packet.stream, packet.pts, packet.dts = added, 0, 0
        trial.mux(packet)
  except (ValueError, av.FFmpegError):
    return False
  return True


def _moved(chapter, start, stop):
  """Returns a chapter of a video that begins at `start`, or None where it is outside."""
  unit = Fraction(chapter['time_base'])
  begin, end = (int((min(chapter[key] * unit, stop or chapter[key] * unit) - start) / unit) for key in ('start', 'end'))
  return {**chapter, 'start': max(0, begin), 'end': end} if end > max(0, begin) else None
