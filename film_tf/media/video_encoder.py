"""Frames to segments of a video, each encoded by itself, so that finished ones survive an interruption."""

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction

from film_tf.errors import UserError
from film_tf.media import video_reader
from film_tf.media.frame import Frame
from film_tf.media.video_reader import VideoFormat, av

CODECS = {'.mp4': 'libx264', '.mov': 'libx264', '.m4v': 'libx264', '.mkv': 'libx264', '.webm': 'libvpx-vp9'}
STEP = Fraction(1, 25)  # seconds between frames of a segment; they get their own times when segments are joined
_DEFAULT_CRF = {'libx264': 16, 'libx265': 18, 'libvpx-vp9': 20, 'libsvtav1': 22}
# mbtree=0: x264's macroblock tree reads memory that nobody wrote (MALLOC_PERTURB_ shows it) and encodes the same frames
# differently now and then; what is resumed has to equal what is not.
_OPTIONS = {
  'libvpx-vp9': {'b:v': '0', 'cpu-used': '4'},
  'libx264': {'preset': 'fast', 'x264-params': 'mbtree=0'},
}
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
  """

  def __init__(
    self,
    video_format: VideoFormat,
    rate: Fraction,
    time_base: Fraction,
    codec: str,
    crf: int | None = None,
    pixel_format: str | None = None,
  ):
    self._format, self._rate, self._time_base = video_format, rate, time_base
    self._codec, self._crf, self._pixel_format = codec, crf, pixel_format

  def check(self, path: str, container: str):
    """Raises where the encoder does not exist, a container cannot hold its output, or it cannot encode such frames.

    Raises:
      UserError: as said; `path` is for the message.
    """
    if max(self._time_base.numerator, self._time_base.denominator) >= 2**31:
      raise UserError(f'times are multiples of {self._time_base} s, finer than a video can hold; give a rounder --fps')
    try:
      codec = av.Codec(self._codec, 'w')
    except av.codec.codec.UnknownCodecError as error:
      raise UserError(f'there is no encoder {self._codec} in this FFmpeg; expected one such as libx265') from error
    with av.open(os.devnull, 'w', format=container) as out:
      if codec.type != 'video' or self._codec not in out.supported_codecs:
        raise UserError(f'{path} cannot hold {self._codec}; choose another --codec, or a name that ends in .mkv')
      try:
        self._stream(out).codec_context.open()
      except av.FFmpegError as error:
        size = f'{self._format.width}x{self._format.height}'
        raise UserError(f'{self._codec} cannot encode {size} pixels for {path}: {error.strerror or error}') from error

  @contextlib.contextmanager
  def segment(self, path: str) -> Iterator['SegmentWriter']:
    """Yields what writes the frames of a segment, Matroska whatever its name; it is complete at the end.

    Raises:
      UserError: the encoder refuses.
    """
    try:
      with av.open(path, 'w', format='matroska') as out:
        writer = SegmentWriter(out, self._stream(out), self._time_base, self._format)
        yield writer
        writer.finish()
    except av.FFmpegError as error:
      raise UserError(f'cannot write {path} with {self._codec}: {error.strerror or error}') from error

  def _stream(self, out):
    """Adds the stream, its encoder not yet opened."""
    stream = out.add_stream(self._codec, rate=self._rate.limit_denominator(10**6))
    context, video_format = stream.codec_context, self._format
    context.width, context.height = video_format.width, video_format.height
    context.time_base = self._time_base
    context.pix_fmt = self._choose_pixel_format(context.codec)
    context.colorspace, context.color_range, context.color_primaries, context.color_trc = video_format.colour
    if video_format.aspect:
      context.sample_aspect_ratio = video_format.aspect
    crf = _DEFAULT_CRF.get(self._codec, 20) if self._crf is None else self._crf
    context.options = {**_OPTIONS.get(self._codec, {}), 'crf': str(crf)}
    context.thread_type = 'AUTO'
    return stream

  def _choose_pixel_format(self, codec):
    """Returns that of the source where the encoder has it; else 4:2:0, or 4:4:4 for odd sizes, of 8 or 10 bits."""
    video_format = self._format
    known = [known_format.name for known_format in codec.video_formats or ()]
    depth = '' if video_format.bits == 8 else '10le'
    odd = video_format.width % 2 or video_format.height % 2
    wanted = [] if odd else [video_format.pixel_format.replace('yuvj', 'yuv'), f'yuv420p{depth}', 'yuv420p']
    if self._pixel_format:
      if self._pixel_format not in known or (odd and '420' in self._pixel_format):
        usual = ', '.join(name for name in known if name.startswith('yuv'))
        raise UserError(f'{codec.name} does not encode {self._pixel_format} of this size; expected one of {usual}')
      return self._pixel_format
    for name in [*wanted, f'yuv444p{depth}', 'yuv444p', 'yuv422p10le']:
      if name in known and name.startswith('yuv'):
        return name
    raise UserError(f'the encoder {codec.name} has none of the pixel formats of a video of {video_format.pixel_format}')


class SegmentWriter:
  """Writes the frames of one segment.

  Attributes:
    display_order: for every packet, the number of its frame in the order in which they are shown: encoders reorder.
  """

  def __init__(self, out, stream, time_base: Fraction, video_format: VideoFormat):
    self.display_order: list[int] = []
    self._out, self._stream, self._time_base, self._format = out, stream, time_base, video_format
    self._numbers: dict[Fraction, int] = {}  # of frames, by their times

  def write(self, frame: Frame):
    """Encodes a frame; times increase."""
    pts = int(frame.time / self._time_base)
    self._numbers[pts * self._time_base] = len(self._numbers)
    self._mux(self._stream.encode(self._encodable(frame, pts)))

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

  def _encodable(self, frame, pts):
    """Returns a frame in the encoder's format, by the matrix and range that its stream is marked with."""
    matrix, color_range, *_ = self._format.colour
    context = self._stream.codec_context
    picture = av.VideoFrame.from_ndarray(frame.pixels, format='rgb24' if frame.pixels.itemsize == 1 else 'rgb48le')
    picture = picture.reformat(
      format=context.pix_fmt,
      src_color_range=video_reader.FULL_RANGE,
      dst_colorspace=video_reader.known_matrix(matrix),
      dst_color_range=color_range or None,
      interpolation=video_reader.exact_conversion(),
    )
    picture.pts, picture.time_base = pts, context.time_base
    return picture
