"""Pictures of videos as arrays: the same planes are the same colours, whatever codec and container hold them."""

from fractions import Fraction

import av
import numpy as np
import pytest

from film_tf.media.video_reader import VideoReader


def read(path, codec, pixel_format, options):
  """Returns the RGB, 0 to 255, that is read of stripes whose planes are the same in all codecs but for rounding."""
  wide, high = av.VideoFormat(pixel_format).chroma_width(128), av.VideoFormat(pixel_format).chroma_height(64)
  waves = np.sin(np.arange(wide) * 128 / wide / 5), np.sin(np.arange(high) * 64 / high / 5)[:, np.newaxis]
  planes = [np.full((64, 128), 120.0), *(128 + 50 * np.broadcast_to(wave, (high, wide)) for wave in waves)]
  kind, unit = (np.uint16, 4) if '10' in pixel_format else (np.uint8, 1)
  frame = av.VideoFrame(128, 64, pixel_format)
  for plane, values in zip(frame.planes, planes, strict=True):
    rows = np.zeros((values.shape[0], plane.line_size // kind(0).itemsize), kind)
    rows[:, : values.shape[1]] = np.round(values * unit)
    plane.update(rows)
  with av.open(str(path), 'w') as out:
    stream = out.add_stream(codec, rate=25)
    stream.width, stream.height, stream.pix_fmt, stream.codec_context.options = 128, 64, pixel_format, options
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    out.mux([*stream.encode(frame), *stream.encode()])
  (found,) = VideoReader(str(path)).frames()
  return found.pixels / np.iinfo(found.pixels.dtype).max * 255


@pytest.mark.parametrize(
  ('name', 'codec', 'pixel_format', 'options'),
  [
    ('a.webm', 'libvpx-vp9', 'yuv420p', {'lossless': '1'}),
    ('a.mp4', 'libsvtav1', 'yuv420p', {'crf': '1'}),
    ('a.mkv', 'ffv1', 'yuv420p', {}),
    ('a.mov', 'prores_ks', 'yuv422p10le', {'flags': '+qscale', 'global_quality': '118'}),
  ],
)
def test_colours_of_codecs_that_do_not_say_where_chroma_is_are_those_of_h264(
  tmp_path, name, codec, pixel_format, options, monkeypatch
):
  """Taken to be in the middle, half a pixel aside, they differ by 11 of 255."""
  monkeypatch.setenv('SVT_LOG', '1')  # or it is never quiet again
  expected = read(tmp_path / 'expected.mp4', 'libx264', pixel_format, {'qp': '0'})
  np.testing.assert_allclose(read(tmp_path / name, codec, pixel_format, options), expected, atol=4)
