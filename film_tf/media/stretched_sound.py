"""Stretches sound in time at the same pitch, by FFmpeg's atempo; it is encoded again, as AAC."""

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

from film_tf.streams.video_format import av

CODEC = 'aac'
_SLOWEST = Fraction(1, 2)  # that one atempo does; more are put one behind the other


class StretchedSound:
  """Stretches the packets of one stream.

  Args:
    out: of PyAV, to be written; gets a stream.
    source: stream of another container.
    slow: how many times longer it lasts.

  Attributes:
    stream: of `out`.
    damaged: packets that could not be decoded.
  """

  def __init__(self, out, source, slow: Fraction):
    self._source, self._slow, self.damaged = source, slow, 0
    context = source.codec_context
    self.stream = out.add_stream(CODEC, rate=context.sample_rate, layout=context.layout.name)
    self.stream.codec_context.bit_rate = 128000 * context.layout.nb_channels
    self._graph = av.filter.Graph()
    chain = [self._graph.add_abuffer(template=source)]
    tempo = 1 / slow
    while tempo < _SLOWEST:
      chain.append(self._graph.add('atempo', str(float(_SLOWEST))))
      tempo /= _SLOWEST
    chain += [self._graph.add('atempo', str(float(tempo))), self._graph.add('abuffersink')]
    self._graph.link_nodes(*chain).configure()
    self._samples = -1  # when the next frame is heard; less than 0 before the first

  def packets(self, packet) -> Iterator:
    """Yields what a packet becomes, nothing of a damaged one; None ends the stream."""
    try:
      frames = self._source.codec_context.decode(packet)
    except av.InvalidDataError:
      self.damaged += 1
      frames = []
    for frame in frames:
      if self._samples < 0:
        begin = (frame.pts or 0) * frame.time_base
        self._samples = max(0, round(begin * self._slow * frame.sample_rate))
      self._graph.push(frame)
      yield from self._encoded()
    if packet is None:
      self._graph.push(None)
      yield from self._encoded()
      if self._samples >= 0:
        yield from self.stream.encode(None)

  def _encoded(self):
    while True:
      try:
        frame = cast(av.AudioFrame, self._graph.pull())
      except (av.BlockingIOError, av.EOFError):
        return
      frame.pts, frame.time_base = self._samples, Fraction(1, frame.sample_rate)
      self._samples += frame.samples
      yield from self.stream.encode(frame)
