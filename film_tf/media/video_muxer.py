"""Joins segments of a video, with the other streams of the video that they come from; nothing is encoded here."""

import collections
import contextlib
import dataclasses
import itertools
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from film_tf import files
from film_tf.errors import UserError
from film_tf.media import names
from film_tf.media.video_reader import VideoFormat, VideoReader, av

FORMATS = {'.mp4': 'mp4', '.mov': 'mov', '.m4v': 'mp4', '.mkv': 'matroska', '.webm': 'webm'}
_COPIED = ('audio', 'subtitle', 'attachment')


@dataclasses.dataclass(frozen=True)
class Segment:
  """A segment of a video, as `video_encoder` wrote it."""

  path: str
  times: Sequence[Fraction]  # of its frames, in seconds
  display_order: Sequence[int]  # for every packet, the number of its frame in the order in which they are shown


@dataclasses.dataclass(frozen=True)
class OtherStreams:
  """Sound, subtitles, attachments, chapters and metadata of a video, from `start`, which becomes 0, to `stop`."""

  video: VideoReader
  start: Fraction | None = None  # seconds
  stop: Fraction | None = None


def join(
  path: str | os.PathLike,
  segments: Sequence[Segment],
  end: Fraction,
  video_format: VideoFormat,
  time_base: Fraction,
  other_streams: OtherStreams | None = None,
  overwrite: bool = False,
):
  """Writes a video of segments.

  Args:
    path: a name that ends in .mp4, .mov, .m4v, .mkv or .webm. MP4 and MOV keep times exactly, the others to 1 ms.
    segments: in order, one or more.
    end: when the last frame ends, in seconds.
    video_format: what frames look like.
    time_base: seconds of which every time is a multiple.
    other_streams: what else of a video comes along, unchanged. What the container cannot hold is left out and reported.
    overwrite: replace an existing file.

  Raises:
    UserError: the file exists or cannot be written.
  """
  container = container_of(path)
  path = os.fspath(path)
  options = {'movflags': '+faststart', 'movie_timescale': str(max(1000, time_base.denominator))}
  with files.atomic_write(path, overwrite) as temporary, contextlib.ExitStack() as stack:
    try:
      out = stack.enter_context(
        av.open(temporary, 'w', format=container, container_options=options if container in ('mp4', 'mov') else {})
      )
      pictures = _pictures(out, segments, end, video_format, time_base)
      first = next(pictures)
      others = (
        _copied(out, stack.enter_context(other_streams.video.open()), other_streams, path)
        if other_streams
        else iter(())
      )
      if video_format.aspect not in (None, 1) and container == 'webm':
        print(f'{path} cannot hold the aspect {video_format.aspect} of a pixel; it is left out', file=sys.stderr)
      waiting = next(others, None)
      for packet in itertools.chain([first], pictures):
        while waiting and waiting.dts * waiting.time_base <= packet.dts * packet.time_base:
          out.mux(waiting)
          waiting = next(others, None)
        out.mux(packet)
      while waiting:
        out.mux(waiting)
        waiting = next(others, None)
    except av.FFmpegError as error:
      raise UserError(f'cannot write {path}: {error.strerror or error}') from error


def container_of(path: str | os.PathLike) -> str:
  """Returns FFmpeg's name of the container that a video's name asks for.

  Raises:
    UserError: it is none that is written, or there is no PyAV.
  """
  if av is None:
    raise UserError(f"{os.fspath(path)} is a video, which needs PyAV; pip install '.[video]'")
  return names.format_of(path, FORMATS)


def _pictures(out, segments, end, video_format, time_base) -> Iterator:
  """Yields the packets of all segments.

  They are decoded in another order than shown: the packet of the n-th place is decoded when the n-th frame is shown,
  `late` frames before its own at most.
  """
  late = max(at - number for segment in segments for at, number in enumerate(segment.display_order))
  past: collections.deque[Fraction] = collections.deque(maxlen=late + 1)  # times of the last frames shown
  stream = first_time = first_decoded = None
  total, count = sum(len(segment.display_order) for segment in segments), 0
  for segment in segments:
    with av.open(segment.path) as container:
      coded = container.streams.video[0]
      if stream is None:
        stream = _stream(out, coded, video_format, time_base)
        first_time = segment.times[0]
        past.extend(first_time - (late - i) * time_base for i in range(late))
      packets = (packet for packet in container.demux(coded) if packet.size)
      for packet, number, time in zip(packets, segment.display_order, segment.times, strict=True):
        past.append(time)
        count += 1
        packet.stream, packet.time_base = stream, time_base
        packet.pts, packet.dts = int(segment.times[number] / time_base), int(past[0] / time_base)
        first_decoded = packet.dts if first_decoded is None else first_decoded
        if count == total:  # containers count to the end of what is decoded last
          packet.duration = max(1, int((end - first_time) / time_base) - (packet.dts - first_decoded))
        else:
          packet.duration = 0
        yield packet


def _stream(out, coded, video_format, time_base):
  stream = out.add_stream_from_template(coded, opaque=True)
  stream.time_base = time_base
  context = stream.codec_context
  context.colorspace, context.color_range, context.color_primaries, context.color_trc = video_format.colour
  if video_format.aspect:
    context.sample_aspect_ratio = video_format.aspect
  if context.codec.canonical_name == 'hevc' and out.format.name in ('mp4', 'mov'):
    context.codec_tag = 'hvc1'  # or Apple's players refuse it
  if video_format.rotation:
    stream.set_display_rotation(video_format.rotation)
  return stream


def _copied(out, source, other_streams, path):
  """Copies the description of all streams of `source` but its video, and returns their packets."""
  start = other_streams.start or Fraction(0)
  out.metadata.update(source.metadata)
  out.set_chapters([moved for chapter in source.chapters() if (moved := _moved(chapter, start, other_streams.stop))])
  copied = {}
  for stream in source.streams:
    if stream.type == 'video':
      continue
    try:
      if stream.type not in _COPIED or (stream.type == 'attachment' and out.format.name != 'matroska'):
        raise ValueError
      copied[stream.index] = out.add_stream_from_template(stream)
    except (ValueError, av.FFmpegError):
      name = stream.codec_context.name if stream.codec_context else 'unknown'
      print(f'{path} cannot hold {stream.type} stream {stream.index} ({name}); it is left out', file=sys.stderr)
  return _packets(source, copied, other_streams.start, other_streams.stop)


def _moved(chapter, start, stop):
  """Returns a chapter of a video that begins at `start`, or None where it is outside."""
  unit = Fraction(chapter['time_base'])
  begin, end = (int((min(chapter[key] * unit, stop or chapter[key] * unit) - start) / unit) for key in ('start', 'end'))
  return {**chapter, 'start': max(0, begin), 'end': end} if end > max(0, begin) else None


def _packets(source, copied, start, stop) -> Iterable:
  if not copied:
    return
  if start:
    source.seek(int(start * av.time_base))
  for packet in source.demux([source.streams[index] for index in copied]):
    if packet.dts is None:
      continue
    time = (packet.dts if packet.pts is None else packet.pts) * packet.time_base
    if (start and time < start) or (stop is not None and time >= stop):
      continue
    if start:
      moved = round(start / packet.time_base)
      packet.pts, packet.dts = (at if at is None else at - moved for at in (packet.pts, packet.dts))
    packet.stream = copied[packet.stream.index]
    yield packet
