"""Real videos for tests, encoded here."""

from fractions import Fraction

import av
import numpy as np


def picture(number, height=48, width=64):
  """Smooth colours that move to the right, uint8."""
  y, x = np.mgrid[:height, :width]
  waves = [np.sin((x - 2 * number) / 7 + c) + np.cos(y / (5 + c)) for c in range(3)]
  return np.round(127 + 25 * np.stack(waves, axis=-1)).astype(np.uint8)


def encode(
  path, pictures, times=None, codec='libx264', pixel_format='yuv420p', colour=(1, 1, 1, 1), sound=0, **options
):
  """Writes a video of pictures at `times` (whole numbers of 1/1000 s, by default 25 frames a second).

  `colour` is matrix, range, primaries and transfer; `sound` seconds of a tone come along; of `options`, `rotation`,
  `aspect` and `metadata` are set as the names say.
  """
  pictures = list(pictures)
  times = [40 * i for i in range(len(pictures))] if times is None else times
  with av.open(str(path), 'w') as out:
    out.metadata.update(options.get('metadata', {}))
    stream = out.add_stream(codec, rate=25)
    context = stream.codec_context
    context.height, context.width, _ = pictures[0].shape
    context.pix_fmt, context.time_base = pixel_format, Fraction(1, 1000)
    context.colorspace, context.color_range, context.color_primaries, context.color_trc = colour
    context.options = {'crf': '4', 'bf': '0'}  # without B-frames a container knows its duration
    if 'aspect' in options:
      context.sample_aspect_ratio = options['aspect']
    if 'rotation' in options:
      stream.set_display_rotation(options['rotation'])
    tone = out.add_stream('aac', rate=48000, layout='mono') if sound else None
    for pixels, time in zip(pictures, times, strict=True):
      layout = 'rgb48le' if pixels.dtype == np.uint16 else 'rgb24'
      frame = av.VideoFrame.from_ndarray(pixels, format=layout)
      frame = frame.reformat(
        format=pixel_format, dst_colorspace=colour[0], src_color_range=2, dst_color_range=colour[1]
      )
      frame.pts, frame.time_base = time, Fraction(1, 1000)
      for packet in stream.encode(frame):
        out.mux(_timed(packet, times))
    for packet in stream.encode():
      out.mux(_timed(packet, times))
    if sound:
      wave = np.sin(np.arange(int(48000 * sound)) / 20).astype(np.float32)
      for i in range(0, len(wave), 1024):
        samples = av.AudioFrame.from_ndarray(wave[np.newaxis, i : i + 1024], format='fltp', layout='mono')
        samples.sample_rate, samples.pts, samples.time_base = 48000, i, Fraction(1, 48000)
        out.mux(tone.encode(samples))
      out.mux(tone.encode())
  return path


def smaller(source, path, width=128):
  """Copies a video with smaller pictures; their times and the packets of sound stay as they are. Returns `path`."""
  with av.open(str(source)) as given, av.open(str(path), 'w') as out:
    video = given.streams.video[0]
    stream = out.add_stream('libx264', rate=video.average_rate)
    stream.width, stream.height = width, width * video.height // video.width // 2 * 2
    stream.codec_context.time_base, stream.codec_context.options = video.time_base, {'preset': 'ultrafast'}
    copies = {sound: out.add_stream_from_template(sound) for sound in given.streams.audio}
    for packet in given.demux(video, *copies):
      if packet.stream is video:
        for frame in packet.decode():
          small = frame.reformat(stream.width, stream.height, 'yuv420p')
          small.pts, small.time_base = frame.pts, video.time_base
          out.mux(stream.encode(small))
      elif packet.dts is not None:
        packet.stream = copies[packet.stream]
        out.mux(packet)
    out.mux(stream.encode())
  return path


def _timed(packet, times):
  """A frame lasts until the next, the last one 40 ms."""
  packet.duration = [*times[1:], times[-1] + 40][times.index(packet.pts)] - packet.pts
  return packet


def packets(path, kind):
  """Bytes and time of every packet of the streams of a kind."""
  with av.open(str(path)) as container:
    streams = [stream for stream in container.streams if stream.type == kind]
    return [(bytes(p), p.pts * p.time_base) for p in container.demux(streams) if p.size] if streams else []


def duration(path):
  """Of the video's stream, in seconds."""
  with av.open(str(path)) as container:
    stream = container.streams.video[0]
    return stream.duration * stream.time_base
