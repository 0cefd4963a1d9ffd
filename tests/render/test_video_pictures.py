"""Pictures of videos that are read, written and interpolated: colours, size and aspect stay what they are."""

from fractions import Fraction

import numpy as np
import pytest

from film_tf.media.video_reader import VideoReader
from tests.media.videos import encode, picture
from tests.render.interpolated import interpolated


@pytest.mark.parametrize('colour', [(1, 1, 1, 1), (5, 1, 6, 6), (1, 2, 1, 1), (5, 2, 6, 6), (2, 0, 2, 2)], ids=str)
@pytest.mark.parametrize('pixel_format', ['yuv420p', 'yuv444p', 'yuv420p10le'])
def test_colours_are_what_they_were(tmp_path, interpolator, colour, pixel_format):
  """BT.709, BT.601 and unknown, limited and full range: what goes through is as the source, within a codec's error."""
  source = VideoReader(encode(tmp_path / 'a.mp4', map(picture, range(4)), pixel_format=pixel_format, colour=colour))
  frames = list(source.frames())
  assert frames[0].pixels.dtype == (np.uint16 if '10' in pixel_format else np.uint8)
  copy = interpolated(source.path, tmp_path / 'b.mp4', interpolator, multiply=1, crf=2)
  assert copy.format == source.format
  bias = (1.5 if colour[1] == 2 else 0.5) / 255  # FFmpeg rounds full range less well
  for frame, other in zip(frames, copy.frames(), strict=True):
    difference = (frame.pixels.astype(float) - other.pixels) / np.iinfo(frame.pixels.dtype).max
    assert np.abs(difference.mean(axis=(0, 1))).max() < bias
    assert np.sqrt((difference**2).mean()) < 1.5 / 255
  original = picture(0) / 255 - frames[0].pixels / np.iinfo(frames[0].pixels.dtype).max
  assert np.abs(original.mean(axis=(0, 1))).max() < 2 * bias  # and read as it was meant


def test_rotation_and_aspect_are_kept(tmp_path, interpolator):
  source = encode(tmp_path / 'a.mp4', map(picture, range(3)), rotation=90, aspect=Fraction(4, 3))
  video = interpolated(source, tmp_path / 'b.mp4', interpolator)
  assert (video.format.rotation, video.format.aspect) == (
    VideoReader(source).format.rotation,
    Fraction(4, 3),
  )
  assert video.format.rotation % 360 in (90, 270)


def test_odd_sizes_are_kept(tmp_path, interpolator):
  pictures = [picture(i, 45, 63) for i in range(3)]
  source = encode(tmp_path / 'a.mkv', pictures, codec='libvpx-vp9')
  video = interpolated(source, tmp_path / 'b.mp4', interpolator)
  assert (video.format.height, video.format.width) == (45, 63)


@pytest.mark.parametrize(('transfer', 'name'), [(16, 'PQ'), (18, 'HLG')])
def test_hdr_is_told_and_kept(tmp_path, interpolator, capsys, transfer, name):
  colour = (9, 1, 9, transfer)
  source = encode(tmp_path / 'a.mp4', map(picture, range(3)), pixel_format='yuv420p10le', colour=colour)
  assert interpolated(source, tmp_path / 'b.mp4', interpolator).format.colour == colour
  assert f'a.mp4 is HDR ({name})' in capsys.readouterr().err


def test_pixel_format_and_codec_are_chosen(tmp_path, interpolator):
  source = encode(tmp_path / 'a.mp4', map(picture, range(3)))
  assert interpolated(source, tmp_path / 'b.mp4', interpolator, pixel_format='yuv444p').format.pixel_format == 'yuv444p'
  with interpolated(source, tmp_path / 'c.mp4', interpolator, codec='libx265').open() as container:
    context = container.streams.video[0].codec_context
    assert (context.name, context.codec_tag) == ('hevc', 'hvc1')
