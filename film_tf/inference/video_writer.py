"""Pieces of a video joined, with all else of the video that they come from: nothing is encoded here."""

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
from film_tf.inference.video_reader import Look, VideoReader, av

FORMATS = {'.mp4': 'mp4', '.mov': 'mov', '.m4v': 'mp4', '.mkv': 'matroska', '.webm': 'webm'}
_COPIED = ('audio', 'subtitle', 'attachment')


@dataclasses.dataclass(frozen=True)
class Piece:
  """A piece of a video, as `video_encoder` wrote it."""

  path: str
  times: Sequence[Fraction]  # of its frames, in seconds
  turns: Sequence[int]  # of its packets: the turns of their frames


@dataclasses.dataclass(frozen=True)
class Rest:
  """What comes along of a video but its pictures: from `start` on, which becomes 0, and before `stop`, in seconds."""

  video: VideoReader
  start: Fraction | None = None
  stop: Fraction | None = None


def join(
  path: str | os.PathLike,
  pieces: Sequence[Piece],
  end: Fraction,
  look: Look,
  time_base: Fraction,
  rest: Rest | None = None,
  overwrite: bool = False,
):
  """Writes a video.

  Args:
    path: a name that ends in .mp4, .mov, .m4v, .mkv or .webm. MP4 and MOV keep times exactly, the others to 1 ms.
    pieces: in order, one or more.
    end: when the last frame ends, in seconds.
    look: what frames look like.
    time_base: seconds of which every time is a multiple.
    rest: sound, subtitles, attachments, chapters and metadata that come along, unchanged. What the container cannot
      hold is left out, and told.
    overwrite: replace an existing file.

  Raises:
    UserError: the file exists or cannot be written.
  """
  container = FORMATS[suffix_of(path)]
  path = os.fspath(path)
  options = {'movflags': '+faststart', 'movie_timescale': str(max(1000, time_base.denominator))}
  with files.whole(path, overwrite) as temporary, contextlib.ExitStack() as stack:
    try:
      out = stack.enter_context(
        av.open(temporary, 'w', format=container, container_options=options if container in ('mp4', 'mov') else {})
      )
      pictures = _pictures(out, pieces, end, look, time_base)
      first = next(pictures)
      others = _copied(out, stack.enter_context(rest.video.open()), rest, path) if rest else iter(())
      if look.aspect not in (None, 1) and container == 'webm':
        print(f'{path} cannot hold the aspect {look.aspect} of a pixel; it is left out', file=sys.stderr)
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


def suffix_of(path: str | os.PathLike) -> str:
  """The suffix of a video's name.

  Raises:
    UserError: it is none of those that are written, or there is no PyAV.
  """
  if av is None:
    raise UserError(f"{os.fspath(path)} is a video, which needs PyAV; pip install '.[video]'")
  suffix = os.path.splitext(os.fspath(path))[1].lower()
  if suffix not in FORMATS:
    raise UserError(f'cannot write {os.fspath(path)}: expected a name that ends in {", ".join(FORMATS)}')
  return suffix


def _pictures(out, pieces, end, look, time_base) -> Iterator:
  """The packets of all pieces. They are decoded in another order than shown: each is decoded when the frame is shown
  that has its turn, `late` frames before it."""
  late = max(at - turn for piece in pieces for at, turn in enumerate(piece.turns))
  past = collections.deque(maxlen=late + 1)  # times of frames, up to the one whose turn it is
  stream = first_time = first_decoded = None
  total, count = sum(len(piece.turns) for piece in pieces), 0
  for piece in pieces:
    with av.open(piece.path) as container:
      coded = container.streams.video[0]
      if stream is None:
        stream = _stream(out, coded, look, time_base)
        first_time = piece.times[0]
        past.extend(first_time - (late - i) * time_base for i in range(late))
      packets = (packet for packet in container.demux(coded) if packet.size)
      for packet, turn, time in zip(packets, piece.turns, piece.times, strict=True):
        past.append(time)
        count += 1
        packet.stream, packet.time_base = stream, time_base
        packet.pts, packet.dts = int(piece.times[turn] / time_base), int(past[0] / time_base)
        first_decoded = packet.dts if first_decoded is None else first_decoded
        if count == total:  # containers count to the end of what is decoded last
          packet.duration = max(1, int((end - first_time) / time_base) - (packet.dts - first_decoded))
        else:
          packet.duration = 0
        yield packet


def _stream(out, coded, look, time_base):
  stream = out.add_stream_from_template(coded, opaque=True)
  stream.time_base = time_base
  context = stream.codec_context
  context.colorspace, context.color_range, context.color_primaries, context.color_trc = look.colour
  if look.aspect:
    context.sample_aspect_ratio = look.aspect
  if context.codec.canonical_name == 'hevc' and out.format.name in ('mp4', 'mov'):
    context.codec_tag = 'hvc1'  # or Apple's players refuse it
  if look.rotation:
    stream.set_display_rotation(look.rotation)
  return stream


def _copied(out, source, rest, path):
  """Takes along all of `source` but its video, and returns the packets of that."""
  start = rest.start or Fraction(0)
  out.metadata.update(source.metadata)
  out.set_chapters([moved for chapter in source.chapters() if (moved := _moved(chapter, start, rest.stop))])
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
  return _packets(source, copied, rest.start, rest.stop)


def _moved(chapter, start, stop):
  """A chapter of a video that begins at `start`, or None of what is outside."""
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
