"""Encodes frames as segments of a video, each independently, so that finished ones survive an interruption."""

import contextlib
import dataclasses
import difflib
import os
from collections.abc import Iterator
from fractions import Fraction

from film_tf.errors import UserError
from film_tf.media.frame import Frame
from film_tf.streams import hdr, pictures
from film_tf.streams.video_format import VideoFormat, av, is_rgb

CODECS = {'.mp4': 'libx264', '.mov': 'libx264', '.m4v': 'libx264', '.mkv': 'libx264', '.webm': 'libvpx-vp9'}
STEP = Fraction(1, 25)  # seconds between frames of a segment; they get their own times when segments are joined
_DEFAULT_CRF = {'libx264': 6, 'libx265': 5, 'libvpx-vp9': 6, 'libsvtav1': 3}  # 40 dB or more, at the worst frame
_DEFAULT_QUALITY = 2  # of encoders that have no crf, such as mpeg4: FFmpeg's -q:v, 2 is the best that makes sense
# mbtree=0: x264's macroblock tree reads memory that nobody wrote (MALLOC_PERTURB_ shows it) and encodes the same frames
# differently now and then; what is resumed has to equal what is not.
_OPTIONS = {
  'libvpx-vp9': {'b:v': '0', 'cpu-used': '4'},
  'libx264': {'preset': 'fast'},
}
_PARAMETERS = {
  'libx264': ('x264-params', ['mbtree=0']),
  'libx265': ('x265-params', ['log-level=none']),
  'libsvtav1': ('svtav1-params', []),
}  # an encoder's own
_HARDWARE = ('_nvenc', '_qsv', '_vaapi', '_videotoolbox', '_amf', '_v4l2m2m', '_mf', '_vulkan')
_MAX_REORDER = 16  # frames by which an encoder may reorder


class Encoder:
  """Encodes frames of one format with one of FFmpeg's encoders.

  Args:
    video_format: what the frames look like.
    rate: frames a second, about.
    time_base: seconds of which every time is a multiple.
    codec: FFmpeg's name of the encoder.
    crf: quality, less is better; by default hardly a loss.
    pixel_format: FFmpeg's name; by default that of `video_format` where the encoder has it.
    preset: of speed, the encoder's own name of it.
  """

  def __init__(
    self,
    video_format: VideoFormat,
    rate: Fraction,
    time_base: Fraction,
    codec: str,
    crf: int | None = None,
    pixel_format: str | None = None,
    preset: str | None = None,
  ):
    self.source_format, self.video_format, self.rate, self.time_base = video_format, video_format, rate, time_base
    self._codec, self._crf, self._pixel_format, self._preset = codec, crf, pixel_format, preset
    if is_rgb(video_format.pixel_format) or (video_format.colour[0] == 0 and video_format.pixel_format[0] == 'y'):
      _, _, primaries, transfer = video_format.colour  # RGB's own matrix is forbidden in YUV
      self.video_format = dataclasses.replace(video_format, colour=(1, 1, primaries, transfer))

  def check(self, path: str, container: str):
    """Raises where the encoder does not exist, a container cannot hold its output, or it cannot encode such frames.

    Raises:
      UserError: as said; `path` is for the message.
    """
    if max(self.time_base.numerator, self.time_base.denominator) >= 2**31:
      raise UserError(f'times are multiples of {self.time_base} s, finer than a video can hold; give a rounder --fps')
    try:
      codec = av.Codec(self._codec, 'w')
    except av.codec.codec.UnknownCodecError as error:
      near = difflib.get_close_matches(self._codec, _encoders(container), 1) or ['libx264']
      raise UserError(f'there is no encoder {self._codec} in this FFmpeg; is it {near[0]}?') from error
    with av.open(os.devnull, 'w', format=container) as out:
      if codec.type != 'video' or self._codec not in out.supported_codecs:
        other = '' if container == 'matroska' else ', or a name that ends in .mkv'
        raise UserError(f'{path} cannot hold {self._codec}; choose another --codec{other}')
      known = {option.name for option in codec.create().supported_options.private}
      for name, value in (('crf', self._crf), ('preset', self._preset)):
        if value is not None and name not in known:
          raise UserError(f'{self._codec} has no --{name}; leave it out, or choose another --codec')
      try:
        self._stream(out).codec_context.open()
      except (av.FFmpegError, OSError) as error:
        if self._codec.endswith(_HARDWARE):
          raise UserError(
            f'{self._codec} needs hardware and a driver that are not here ({error.strerror or error}); '
            'choose another --codec, such as libx264'
          ) from error
        size, rate = f'{self.video_format.width}x{self.video_format.height}', float(self.rate)
        preset = f', preset {self._preset}' if self._preset else ''
        raise UserError(
          f'{self._codec} cannot encode {size} pixels for {path}, {rate:g} frames a second{preset}: '
          f'{error.strerror or error}{self._advice(codec)}'
        ) from error

  def _advice(self, codec):
    """Returns what to try where an encoder prefers pixels of full range, as mjpeg does, and gets others."""
    first = next((one.name for one in codec.video_formats or []), '')
    ours = self._choose_pixel_format(codec)
    return f'; try --pixel_format={first}' if first.startswith('yuvj') and first != ours else ''

  def notes(self) -> Iterator[str]:
    """Yields what is lost of the frames' colours, for people; after `check`."""
    with av.open(os.devnull, 'w', format='matroska') as out:
      made = self._stream(out).codec_context.format
    source = av.VideoFormat(self.source_format.pixel_format)
    bits = [max(part.bits for part in one.components[:3]) for one in (source, made)]
    if bits[1] < bits[0]:
      yield f'{bits[0]} bits a colour become {bits[1]} with {self._codec}'
    chroma = [_chroma(one) for one in (source, made)]
    if chroma[1] < chroma[0]:
      yield f'colours of {source.name} become coarser, {made.name}; --pixel_format=yuv444p keeps them'
    if not hdr.is_kept(self.video_format.hdr, self._codec):
      yield f'what it says of the screen it was mastered on (HDR metadata) is left out, {self._codec} cannot write it'

  @contextlib.contextmanager
  def segment(self, path: str) -> Iterator['SegmentWriter']:
    """Yields what writes the frames of a segment, Matroska whatever its name; it is complete at the end.

    Raises:
      UserError: the encoder refuses.
    """
    try:
      with av.open(f'file:{path}', 'w', format='matroska') as out:
        writer = SegmentWriter(path, out, self._stream(out), self.time_base, self.video_format)
        yield writer
        writer.finish()
    except av.FFmpegError as error:
      raise UserError(f'cannot write {path} with {self._codec}: {error.strerror or error}') from error

  def _stream(self, out):
    """Adds the stream, its encoder not yet opened."""
    stream = out.add_stream(self._codec, rate=self.rate.limit_denominator(10**6))
    context, shape = stream.codec_context, self.video_format
    context.width, context.height = shape.width, shape.height
    context.time_base = self.time_base
    context.pix_fmt = self._choose_pixel_format(context.codec)
    context.colorspace, context.color_range, context.color_primaries, context.color_trc = shape.colour
    if shape.aspect:
      context.sample_aspect_ratio = shape.aspect
    context.options = self._options(context)
    context.thread_type = 'AUTO'
    return stream

  def _options(self, context):
    options = dict(_OPTIONS.get(self._codec, {}))
    if '420' in context.pix_fmt:
      options['chroma_sample_location'] = pictures.chroma_of(self._codec)
    if self._preset:
      options['preset'] = self._preset
    if self._codec == 'libsvtav1':
      os.environ.setdefault('SVT_LOG', '1')  # or it fills the screen; it listens to nothing else
    known = {option.name for option in context.supported_options.private}
    if 'crf' in known:
      options['crf'] = str(_DEFAULT_CRF.get(self._codec, 12) if self._crf is None else self._crf)
    elif 'cq' in known:
      options |= {'rc': 'vbr', 'cq': str(_DEFAULT_CRF['libx264'])}
    elif context.codec.lossy:
      options |= {'flags': '+qscale', 'global_quality': str(118 * _DEFAULT_QUALITY)}
    if self._codec in _PARAMETERS:
      name, parameters = _PARAMETERS[self._codec]
      parameters = [*parameters, *hdr.parameters(self.video_format.hdr, self._codec)]
      options |= {name: ':'.join(parameters)} if parameters else {}
    return options

  def _choose_pixel_format(self, codec):
    """Returns that of the source where the encoder has it; else 4:2:0, or 4:4:4 for odd sizes, of 8 or 10 bits."""
    video_format = self.source_format
    known = [known_format.name for known_format in codec.video_formats or ()]
    depth = '' if video_format.bits == 8 else '10le'
    odd = video_format.width % 2 or video_format.height % 2
    wanted = [] if odd else [video_format.pixel_format.replace('yuvj', 'yuv'), f'yuv420p{depth}', 'yuv420p']
    if self._pixel_format:
      if self._pixel_format not in known or (odd and '420' in self._pixel_format):
        usual = ', '.join(name for name in known if name.startswith('yuv'))
        raise UserError(f'{codec.name} does not encode {self._pixel_format} of this size; expected one of {usual}')
      return self._pixel_format
    for name in [*wanted, f'yuv444p{depth}', 'yuv444p', 'yuv422p10le', 'nv12']:
      if name in known and name.startswith(('yuv', 'nv')):
        return name
    raise UserError(f'the encoder {codec.name} has none of the pixel formats of a video of {video_format.pixel_format}')


class SegmentWriter:
  """Writes the frames of one segment.

  Attributes:
    display_order: for every packet, the number of its frame in the order in which they are shown: encoders reorder.
    files: paths of what is written.
  """

  def __init__(self, path: str, out, stream, time_base: Fraction, video_format: VideoFormat):
    self.display_order: list[int] = []
    self.files = [path]
    self._out, self._stream, self._time_base = out, stream, time_base
    context = stream.codec_context
    self._picture = pictures.converter(video_format, context.pix_fmt, context.name)
    self._numbers: dict[Fraction, int] = {}  # of frames, by their times

  def write(self, frame: Frame):
    """Encodes a frame; times increase."""
    pts = int(frame.time / self._time_base)
    self._numbers[pts * self._time_base] = len(self._numbers)
    picture = self._picture(frame.pixels)
    picture.pts, picture.time_base = pts, self._stream.codec_context.time_base
    self._mux(self._stream.encode(picture))

  def finish(self):
    """Writes what the encoder still holds."""
    self._mux(self._stream.encode())

  def _mux(self, packets):
    for packet in packets:
      number = self._numbers[packet.pts * packet.time_base]
      packet.time_base = Fraction(1, 1000)
      packet.pts, packet.dts = (int(1000 * STEP) * at for at in (number, len(self.display_order) - _MAX_REORDER))
      self.display_order.append(number)
      self._out.mux(packet)


def _encoders(container) -> list[str]:
  """Returns the names of all encoders whose output a container holds."""
  found = []
  with av.open(os.devnull, 'w', format=container) as out:
    for name in out.supported_codecs:
      with contextlib.suppress(av.codec.codec.UnknownCodecError):
        if av.Codec(name, 'w').type == 'video':
          found.append(name)
  return sorted(found)


def _chroma(pixel_format):
  """Returns how fine the colours of a pixel format are: the share of its pixels that have their own."""
  wide, high = pixel_format.chroma_width(4), pixel_format.chroma_height(4)
  return 1.0 if is_rgb(pixel_format.name) else wide * high / 16
