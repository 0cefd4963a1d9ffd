"""Videos as they are written: frames at exact times, and all else of the video that they come from."""

import contextlib
import os
import sys
from collections.abc import Iterable
from fractions import Fraction

from film_tf import files
from film_tf.errors import UserError
from film_tf.inference import video_reader
from film_tf.inference.sequence import Frame
from film_tf.inference.video_reader import Look, VideoReader, av

CODECS = {'.mp4': 'libx264', '.mov': 'libx264', '.m4v': 'libx264', '.mkv': 'libx264', '.webm': 'libvpx-vp9'}
_CRF = {'libx264': 16, 'libx265': 18, 'libvpx-vp9': 20, 'libsvtav1': 22}
_OPTIONS = {'libvpx-vp9': {'b:v': '0', 'row-mt': '1', 'cpu-used': '4'}, 'libx264': {'preset': 'fast'}}


def write(
  path: str | os.PathLike,
  frames: Iterable[Frame],
  look: Look,
  time_base: Fraction,
  rate: Fraction,
  source: VideoReader | None = None,
  codec: str | None = None,
  crf: int | None = None,
  overwrite: bool = False,
):
  """Writes a video.

  Args:
    path: a name that ends in .mp4, .mov, .m4v, .mkv or .webm. MP4 and MOV keep times exactly, the others to 1 ms.
    frames: in order of time, RGB.
    look: what they look like.
    time_base: seconds of which every time is a multiple.
    rate: frames a second, about.
    source: a video whose sound, subtitles, attachments, chapters and metadata come along, unchanged. What the container
      cannot hold is left out, and told.
    codec: an encoder of FFmpeg; by default H.264, and VP9 in .webm.
    crf: quality, less is better; by default hardly a loss.
    overwrite: replace an existing file.

  Raises:
    UserError: the name ends otherwise, the file exists or cannot be written, or there is no such encoder.
  """
  suffix = check(path)
  codec = codec or CODECS[suffix]
  if max(time_base.numerator, time_base.denominator) >= 2**31:
    raise UserError(f'times are multiples of {time_base} s, finer than a video can hold; give a rounder --fps')
  with files.whole(path, overwrite) as temporary, contextlib.ExitStack() as stack:
    try:
      out = stack.enter_context(av.open(temporary, 'w', format=_FORMATS[suffix], container_options=_CONTAINER))
      stream = _stream(out, look, codec, crf, time_base, rate)
      packets = _copied(out, stack.enter_context(source.open()), os.fspath(path)) if source else iter(())
      waiting = next(packets, None)
      clock = _Clock(time_base)
      for frame in frames:
        while waiting and waiting.dts * waiting.time_base <= frame.time:
          out.mux(waiting)
          waiting = next(packets, None)
        out.mux(clock.stamped(stream.encode(_encodable(frame, clock.tick(frame), stream.codec_context, look))))
      out.mux(clock.stamped(stream.encode(), ended=True))
      for packet in [waiting, *packets] if waiting else ():
        out.mux(packet)
    except av.codec.codec.UnknownCodecError as error:
      raise UserError(f'there is no encoder {codec} in this FFmpeg') from error
    except av.FFmpegError as error:
      raise UserError(f'cannot write {os.fspath(path)} with {codec}: {error.strerror or error}') from error


_FORMATS = {'.mp4': 'mp4', '.mov': 'mov', '.m4v': 'mp4', '.mkv': 'matroska', '.webm': 'webm'}
_CONTAINER = {'movflags': '+faststart'}
_COPIED = ('audio', 'subtitle', 'attachment')


def check(path: str | os.PathLike) -> str:
  """The suffix of a video's name.

  Raises:
    UserError: it is none of those that are written, or there is no PyAV.
  """
  if av is None:
    raise UserError(f"{os.fspath(path)} is a video, which needs PyAV; pip install '.[video]'")
  suffix = os.path.splitext(os.fspath(path))[1].lower()
  if suffix not in CODECS:
    raise UserError(f'cannot write {os.fspath(path)}: expected a name that ends in {", ".join(CODECS)}')
  return suffix


class _Clock:
  """Keeps a video as long as its frames are: containers count to the last packet, and encoders reorder them."""

  def __init__(self, time_base):
    self._time_base = time_base
    self._first_shown = self._first_decoded = self._end = None

  def tick(self, frame) -> int:
    """The time of a frame in units of the encoder."""
    self._end = frame.time + frame.duration
    if self._first_shown is None:
      self._first_shown = frame.time
    return int(frame.time / self._time_base)

  def stamped(self, packets, ended=False):
    """Encoded packets, the very last of which lasts until the end."""
    for packet in packets[:1] if self._first_decoded is None else ():
      self._first_decoded = packet.dts
    if ended and packets:
      whole = int((self._end - self._first_shown) / self._time_base)
      packets[-1].duration = max(1, whole - (packets[-1].dts - self._first_decoded))
    return packets


def _stream(out, look, codec, crf, time_base, rate):
  """The video's stream, its encoder not yet opened."""
  stream = out.add_stream(codec, rate=rate.limit_denominator(10**6))
  context = stream.codec_context
  context.width, context.height = look.width, look.height
  context.time_base = time_base
  context.pix_fmt = _pixel_format(look, context.codec)
  context.colorspace, context.color_range, context.color_primaries, context.color_trc = look.colour
  if look.aspect:
    context.sample_aspect_ratio = look.aspect
  if look.rotation:
    stream.set_display_rotation(look.rotation)
  context.options = {**_OPTIONS.get(codec, {}), 'crf': str(_CRF.get(codec, 20) if crf is None else crf)}
  context.thread_type = 'AUTO'
  return stream


def _pixel_format(look, codec):
  """That of the source where the encoder has it; else 4:2:0, or 4:4:4 for odd sizes, of 8 or 10 bits."""
  depth = '' if look.bits == 8 else '10le'
  odd = look.width % 2 or look.height % 2
  known = {video_format.name for video_format in codec.video_formats or ()}
  wanted = [] if odd else [look.pixel_format.replace('yuvj', 'yuv'), f'yuv420p{depth}', 'yuv420p']
  for name in [*wanted, f'yuv444p{depth}', 'yuv444p']:
    if name in known and name.startswith('yuv'):
      return name
  raise UserError(f'the encoder {codec.name} has none of the pixel formats of a video of {look.pixel_format}')


def _copied(out, source, path):
  """Takes along all of `source` but its video, and returns the packets of that."""
  out.metadata.update(source.metadata)
  out.set_chapters(source.chapters())
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
  return _packets(source, copied)


def _packets(source, copied):
  for packet in source.demux([source.streams[index] for index in copied]) if copied else ():
    if packet.dts is not None:
      packet.stream = copied[packet.stream.index]
      yield packet


def _encodable(frame, pts, context, look):
  """A frame in the encoder's format, by the matrix and range that its stream is marked with."""
  number, range_, *_ = look.colour
  picture = av.VideoFrame.from_ndarray(frame.pixels, format='rgb24' if look.bits == 8 else 'rgb48le')
  picture = picture.reformat(
    format=context.pix_fmt,
    src_color_range=video_reader.FULL,
    dst_colorspace=video_reader.matrix(number),
    dst_color_range=range_ or None,
    interpolation=video_reader.exact(),
  )
  picture.pts, picture.time_base = pts, context.time_base
  return picture
