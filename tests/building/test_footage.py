"""Frames of files and videos."""

import numpy as np
import pytest
from etils import epath
from PIL import Image

from film_tf.building import footage
from film_tf.building.footage import SourceImage
from film_tf.errors import UserError
from film_tf.media.names import in_natural_order

av = pytest.importorskip('av')


def write_video(path, frames, **options):
  with av.open(str(path), 'w', options=options) as container:
    stream = container.add_stream('libx264', rate=25)
    stream.height, stream.width, _ = frames[0].shape
    stream.pix_fmt, stream.options = 'yuv420p', {'crf': '10'}
    for pixels in frames:
      container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format='rgb24')))
    container.mux(stream.encode())


def moving(count, height=64, width=96):
  y, x = np.mgrid[:height, :width]
  wave = [127 + 100 * np.sin((x + 2 * t) / 9) * np.cos((y - t) / 7) for t in range(count)]
  return [np.repeat(image[..., np.newaxis], 3, axis=-1).astype(np.uint8) for image in wave]


@pytest.mark.parametrize('suffix', ['mp4', 'mkv'])
def test_a_video_has_all_its_frames_in_order(suffix, tmp_path):
  frames = moving(30)
  write_video(tmp_path / f'a.{suffix}', frames)
  found = list(footage.video(epath.Path(tmp_path / f'a.{suffix}')))
  assert len(found) == 30
  for frame, pixels in zip(found, frames, strict=True):
    assert np.abs(frame.pixels.astype(int) - pixels).mean() < 3
  assert 'frame 29' in found[-1].name


def cut_after(path, packets):
  """Leaves so many whole packets of a file that says at its front how many there should be."""
  with av.open(str(path)) as container:
    last = [packet.pos + packet.size for packet in container.demux() if packet.size][packets - 1]
  path.write_bytes(path.read_bytes()[:last])


@pytest.mark.parametrize(
  ('harm', 'reason'),
  [
    (lambda path: cut_after(path, 40), 'ends .* seconds too early'),  # FFmpeg alone says nothing
    (lambda path: path.write_bytes(b''), 'cannot be read'),
    (lambda path: path.write_bytes(b'no video' * 99), 'cannot be read'),
    (lambda path: path.unlink(), 'cannot be read: No such file'),
  ],
  ids=['truncated', 'empty', 'text', 'missing'],
)
def test_a_damaged_video(harm, reason, tmp_path):
  path = tmp_path / 'a.mp4'
  write_video(path, moving(50), movflags='faststart')
  harm(path)
  with pytest.raises(UserError, match=reason):
    list(footage.video(epath.Path(path)))


def test_sound_alone_is_no_video(tmp_path):
  path = tmp_path / 'a.mp4'
  with av.open(str(path), 'w') as container:
    stream = container.add_stream('aac', rate=48000)
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format='fltp', layout='mono')
    frame.sample_rate = 48000
    container.mux(stream.encode(frame))
    container.mux(stream.encode())
  with pytest.raises(UserError, match='has no video'):
    list(footage.video(epath.Path(path)))


@pytest.mark.parametrize(('stride', 'step', 'count'), [(1, 1, 9), (2, 3, 20), (3, 7, 7), (3, 1, 6), (1, 2, 2)])
def test_windows(stride, step, count):
  found = [[number, *window] for number, *window in footage.windows(range(count), stride, step)]
  expected = [[i + stride, i, i + stride, i + 2 * stride] for i in range(0, count - 2 * stride, step)]
  assert found == expected


def test_windows_with_several_frames_between():
  found = list(footage.windows(range(11), stride=2, step=2, between=3))
  assert found == [(2, 0, 2, 4, 6, 8), (4, 2, 4, 6, 8, 10)]


def test_natural_order():
  names = ['b/1.png', '.', 'a10.png', 'a2.png', '10.png', '9.png', 'a2b.png', 'a/3.png']
  paths = in_natural_order(epath.Path(name) for name in names)
  assert list(map(str, paths)) == ['9.png', '10.png', '.', 'a2.png', 'a2b.png', 'a10.png', 'a/3.png', 'b/1.png']


def test_a_triplet_keeps_files_and_encodes_the_rest(tmp_path):
  pixels = moving(3)
  Image.fromarray(pixels[0]).save(tmp_path / '0.jpg', quality=95)
  first = footage.image(epath.Path(tmp_path / '0.jpg'))
  made = footage.triplet('name', [first, SourceImage('1', pixels[1]), SourceImage('2', pixels[2])])
  assert made.frames[0] == (tmp_path / '0.jpg').read_bytes()
  assert made.frames[1].startswith(b'\x89PNG')
  assert (made.height, made.width, made.path, made.time) == (64, 96, 'name', 0.5)
  with pytest.raises(UserError, match=r'0\.jpg has 96x64 pixels and 2 96x63'):
    footage.triplet('name', [first, SourceImage('1', pixels[1]), SourceImage('2', pixels[2][1:])])
