"""Frames to pieces of a video, each encoded by itself, so that finished ones outlive what may come."""

import os
from collections.abc import Iterable
from fractions import Fraction

from film_tf.errors import UserError
from film_tf.inference import video_reader
from film_tf.inference.sequence import Frame
from film_tf.inference.video_reader import Look, av

CODECS = {'.mp4': 'libx264', '.mov': 'libx264', '.m4v': 'libx264', '.mkv': 'libx264', '.webm': 'libvpx-vp9'}
STEP = Fraction(1, 25)  # seconds between frames of a piece, which are given their own times when pieces are joined
_CRF = {'libx264': 16, 'libx265': 18, 'libvpx-vp9': 20, 'libsvtav1': 22}
# mbtree=0: x264's macroblock tree reads memory that nobody wrote (MALLOC_PERTURB_ shows it) and encodes the same frames
# differently now and then; what is resumed has to equal what is not.
_OPTIONS = {
  'libvpx-vp9': {'b:v': '0', 'cpu-used': '4'},
  'libx264': {'preset': 'fast', 'x264-params': 'mbtree=0'},
}
_AHEAD = 16  # frames by which an encoder may reorder


class Encoder:
  """An encoder of FFmpeg for frames that look alike.

  Args:
    look: what they look like.
    rate: frames a second, about.
    time_base: seconds of which every time is a multiple.
    codec: FFmpeg's name of it.
    crf: quality, less is better; by default hardly a loss.
    pixel_format: FFmpeg's name; by default that of `look` where the encoder has it.
  """

  def __init__(
    self,
    look: Look,
    rate: Fraction,
    time_base: Fraction,
    codec: str,
    crf: int | None = None,
    pixel_format: str | None = None,
  ):
    self._look, self._rate, self._time_base = look, rate, time_base
    self._codec, self._crf, self._pixel_format = codec, crf, pixel_format

  def check(self, path: str, container: str):
    """Raises where it does not exist, a container cannot hold it, or it cannot encode such frames.

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
        size = f'{self._look.width}x{self._look.height}'
        raise UserError(f'{self._codec} cannot encode {size} pixels for {path}: {error.strerror or error}') from error

  def encode(self, path: str, frames: Iterable[Frame]) -> list[int]:
    """Writes a piece, Matroska whatever its name.

    Returns:
      The turn of every packet's frame among the frames: encoders reorder them.

    Raises:
      UserError: the encoder refuses.
    """
    turns, written = {}, []
    try:
      with av.open(path, 'w', format='matroska') as out:
        stream = self._stream(out)
        context = stream.codec_context

        def put(packets):
          for packet in packets:
            turn = turns[packet.pts * packet.time_base]
            packet.time_base = Fraction(1, 1000)
            packet.pts, packet.dts = (int(1000 * STEP) * at for at in (turn, len(written) - _AHEAD))
            written.append(turn)
            out.mux(packet)

        for turn, frame in enumerate(frames):
          pts = int(frame.time / self._time_base)
          turns[pts * self._time_base] = turn
          put(stream.encode(self._encodable(frame, pts, context)))
        put(stream.encode())
    except av.FFmpegError as error:
      raise UserError(f'cannot write {path} with {self._codec}: {error.strerror or error}') from error
    return written

  def _stream(self, out):
    """The stream, its encoder not yet opened."""
    stream = out.add_stream(self._codec, rate=self._rate.limit_denominator(10**6))
    context, look = stream.codec_context, self._look
    context.width, context.height = look.width, look.height
    context.time_base = self._time_base
    context.pix_fmt = self._pixel_format_of(context.codec)
    context.colorspace, context.color_range, context.color_primaries, context.color_trc = look.colour
    if look.aspect:
      context.sample_aspect_ratio = look.aspect
    crf = _CRF.get(self._codec, 20) if self._crf is None else self._crf
    context.options = {**_OPTIONS.get(self._codec, {}), 'crf': str(crf)}
    context.thread_type = 'AUTO'
    return stream

  def _pixel_format_of(self, codec):
    """That of the source where the encoder has it; else 4:2:0, or 4:4:4 for odd sizes, of 8 or 10 bits."""
    look = self._look
    known = [video_format.name for video_format in codec.video_formats or ()]
    depth = '' if look.bits == 8 else '10le'
    odd = look.width % 2 or look.height % 2
    wanted = [] if odd else [look.pixel_format.replace('yuvj', 'yuv'), f'yuv420p{depth}', 'yuv420p']
    if self._pixel_format:
      if self._pixel_format not in known or (odd and '420' in self._pixel_format):
        usual = ', '.join(name for name in known if name.startswith('yuv'))
        raise UserError(f'{codec.name} does not encode {self._pixel_format} of this size; expected one of {usual}')
      return self._pixel_format
    for name in [*wanted, f'yuv444p{depth}', 'yuv444p', 'yuv422p10le']:
      if name in known and name.startswith('yuv'):
        return name
    raise UserError(f'the encoder {codec.name} has none of the pixel formats of a video of {look.pixel_format}')

  def _encodable(self, frame, pts, context):
    """A frame in the encoder's format, by the matrix and range that its stream is marked with."""
    number, range_, *_ = self._look.colour
    picture = av.VideoFrame.from_ndarray(frame.pixels, format='rgb24' if frame.pixels.itemsize == 1 else 'rgb48le')
    picture = picture.reformat(
      format=context.pix_fmt,
      src_color_range=video_reader.FULL,
      dst_colorspace=video_reader.matrix(number),
      dst_color_range=range_ or None,
      interpolation=video_reader.exact(),
    )
    picture.pts, picture.time_base = pts, context.time_base
    return picture
