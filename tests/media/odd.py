"""Odd videos for tests, real ones, encoded here."""

import io
from fractions import Fraction

import av
import numpy as np
from PIL import Image

from tests.media.videos import picture


def coded(path, frames, codec='libx264', pixel_format='yuv420p', options=None, prepare=None, **arguments):
  """Writes PyAV's frames at 25 a second; `prepare` is called with the output and its stream before they are encoded."""
  with av.open(str(path), 'w', **arguments) as out:
    frames = list(frames)
    stream = out.add_stream(codec, rate=25)
    stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, pixel_format
    stream.codec_context.options = options or {}
    after = prepare(out, stream) if prepare else None
    for i, frame in enumerate(frames):
      frame.pts, frame.time_base = i, Fraction(1, 25)
      out.mux(stream.encode(frame))
    out.mux(stream.encode())
    if after:
      after()
  return path


def rgb(pictures):
  """PyAV's frames of pictures."""
  return [av.VideoFrame.from_ndarray(pixels, format='rgb24') for pixels in pictures]


def with_sound(path, codec, count=10, prepare=None):
  """A video with 0.4 s of sound of a codec."""

  def prepared(out, stream):
    if prepare:
      prepare(out, stream)
    tone = out.add_stream(codec, rate=48000, layout='stereo')

    def after():
      form = tone.codec_context.format.name
      for i in range(0, 19200, 960):
        kind = np.int16 if form.startswith('s16') else np.int32 if form.startswith('s32') else np.float32
        shape = (2, 960) if form.endswith('p') else (1, 1920)
        samples = av.AudioFrame.from_ndarray(np.zeros(shape, kind), format=form, layout='stereo')
        samples.sample_rate, samples.pts, samples.time_base = 48000, i, Fraction(1, 48000)
        out.mux(tone.encode(samples))
      out.mux(tone.encode())

    return after

  return coded(path, rgb(map(picture, range(count))), prepare=prepared)


def interlaced(path, count=10):
  """A video of half pictures: the lines of a picture are of two times."""
  pictures = [picture(2 * i) for i in range(count)]
  for i, pixels in enumerate(pictures):
    pixels[1::2] = picture(2 * i + 8)[1::2]
  return coded(path, rgb(pictures), 'mpeg2video', options={'flags': '+ildct+ilme', 'b': '8M'})


def with_cover(path, video):
  """`video` again, with cover art."""
  file = io.BytesIO()
  Image.fromarray(picture(3)).save(file, 'JPEG')
  with av.open(str(video)) as source, av.open(str(path), 'w') as out:
    copied = out.add_stream_from_template(source.streams.video[0], opaque=True)
    with av.open(io.BytesIO(file.getvalue()), format='mjpeg') as image:
      cover = out.add_stream_from_template(image.streams.video[0], opaque=True)
      cover.disposition = av.stream.Disposition.attached_pic
      for packet in image.demux():
        if packet.size:
          packet.stream, packet.pts, packet.dts = cover, 0, 0
          out.mux(packet)
    for packet in source.demux(video=0):
      if packet.size:
        packet.stream = copied
        out.mux(packet)
  return path


def with_subtitles(path, text='1\n00:00:00,040 --> 00:00:00,300\nHello\n', count=10):
  """A video with subtitles of SubRip."""
  words, video = path.with_suffix('.srt'), path.with_suffix('.plain.mkv')
  words.write_text(text)
  coded(video, rgb(map(picture, range(count))))
  with av.open(str(video)) as pictures, av.open(str(words)) as shown, av.open(str(path), 'w') as out:
    copies = [(source, out.add_stream_from_template(source.streams[0], opaque=True)) for source in (pictures, shown)]
    for source, copied in copies:
      for packet in source.demux():
        if packet.size:
          packet.stream = copied
          out.mux(packet)
  return path
