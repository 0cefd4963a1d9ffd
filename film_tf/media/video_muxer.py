"""Joins segments of a video, with the other streams of the video that they come from; nothing is encoded here."""

import collections
import contextlib
import dataclasses
import itertools
import os
from collections.abc import Iterator, Sequence
from fractions import Fraction

from film_tf import files
from film_tf.errors import UserError
from film_tf.media import names, other_streams
from film_tf.media.other_streams import Copy, OtherStreams
from film_tf.streams.video_format import VideoFormat, av

FORMATS = {'.mp4': 'mp4', '.mov': 'mov', '.m4v': 'mp4', '.mkv': 'matroska', '.webm': 'webm'}
_MP4_TAGS = {
  'title', 'artist', 'album', 'album_artist', 'comment', 'copyright', 'creation_time', 'date', 'description', 'genre',
  'location', 'location-eng', 'lyrics', 'synopsis',
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Segment:
  """A segment of a video, as `video_encoder` wrote it."""

  path: str
  times: Sequence[Fraction]  # of its frames, in seconds
  display_order: Sequence[int]  # for every packet, the number of its frame in the order in which they are shown


@dataclasses.dataclass(frozen=True)
class Joined:
  """What became of the other streams."""

  left: list[str]  # what is left out, for people
  kept: list[int]  # numbers of the streams that are there
  damaged: list[str]  # what could not be decoded, for people


def join(
  path: str | os.PathLike,
  segments: Sequence[Segment],
  end: Fraction,
  video_format: VideoFormat,
  time_base: Fraction,
  rate: Fraction,
  others: OtherStreams | None = None,
  overwrite: bool = False,
) -> Joined:
  """Writes a video of segments.

  Args:
    path: a name that ends in .mp4, .mov, .m4v, .mkv or .webm. MP4 and MOV keep times exactly, the others to 1 ms.
    segments: in order, one or more.
    end: when the last frame ends, in seconds.
    video_format: what frames look like.
    time_base: seconds of which every time is a multiple.
    rate: frames a second, on average.
    others: what else of a video comes along, unchanged. What the container cannot hold is left out.
    overwrite: replace an existing file.

  Raises:
    UserError: the file exists or cannot be written.
  """
  container = container_of(path)
  path = os.fspath(path)
  with files.atomic_write(path, overwrite) as temporary:
    try:
      with contextlib.ExitStack() as stack:
        source = stack.enter_context(others.video.open()) if others else None
        options = _options(container, time_base, source)
        out = stack.enter_context(av.open(f'file:{temporary}', 'w', format=container, container_options=options))
        pictures = _pictures(out, segments, end, video_format, time_base, rate)
        first = next(pictures)
        left, kept, more, copy = [], [], iter(()), None
        if others:
          coded = stack.enter_context(av.open(f'file:{segments[0].path}')).streams.video[0]
          copy = Copy(out, source, coded, others)
          left, kept, more = copy.left, copy.kept, copy.packets()
        if video_format.aspect not in (None, 1) and container == 'webm':
          left.append(f'cannot hold the aspect {video_format.aspect} of a pixel; it is left out')
        waiting = next(more, None)
        for packet in itertools.chain([first], pictures):
          while waiting and waiting.dts * waiting.time_base <= packet.dts * packet.time_base:
            out.mux(waiting)
            waiting = next(more, None)
          out.mux(packet)
        while waiting:
          out.mux(waiting)
          waiting = next(more, None)
        damaged = copy.damaged if copy else []
    except av.FFmpegError as error:
      raise UserError(f'cannot write {path}: {error.strerror or error}') from error
  return Joined(left, kept, damaged)


def _options(container, time_base, source):
  if container not in ('mp4', 'mov'):
    return {}
  unknown = {key.lower() for key in other_streams.tags(source.metadata)} - _MP4_TAGS if source else ()
  # Without it MP4 holds the usual tags alone; with it some players find no title.
  tags = '+use_metadata_tags' if unknown else ''
  return {'movflags': f'+faststart{tags}', 'movie_timescale': str(max(1000, time_base.denominator))}


def container_of(path: str | os.PathLike) -> str:
  """Returns FFmpeg's name of the container that a video's name asks for.

  Raises:
    UserError: it is none that is written, or there is no PyAV.
  """
  if av is None:
    raise UserError(f"{os.fspath(path)} is a video, which needs PyAV; pip install '.[video]'")
  return names.format_of(path, FORMATS)


def _pictures(out, segments, end, video_format, time_base, rate) -> Iterator:
  """Yields the packets of all segments.

  They are decoded in another order than shown: the packet of the n-th place is decoded when the n-th frame is shown,
  `late` frames before its own at most.
  """
  late = max(at - number for segment in segments for at, number in enumerate(segment.display_order))
  past: collections.deque[Fraction] = collections.deque(maxlen=late + 1)  # times of the last frames shown
  stream = first_time = first_decoded = None
  total, count = sum(len(segment.display_order) for segment in segments), 0
  for segment in segments:
    with av.open(f'file:{segment.path}') as container:
      coded = container.streams.video[0]
      if stream is None:
        stream = _stream(out, coded, video_format, time_base, rate)
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


def _stream(out, coded, video_format, time_base, rate):
  stream = out.add_stream_from_template(coded, opaque=True)
  stream.time_base = time_base
  context = stream.codec_context
  context.framerate = rate.limit_denominator(10**6)
  context.colorspace, context.color_range, context.color_primaries, context.color_trc = video_format.colour
  if video_format.aspect:
    context.sample_aspect_ratio = video_format.aspect
  if context.codec.canonical_name == 'hevc' and out.format.name in ('mp4', 'mov'):
    context.codec_tag = 'hvc1'  # or Apple's players refuse it
  if video_format.rotation:
    stream.set_display_rotation(video_format.rotation)
  return stream
