"""Xiph: which frames, how they become half the size, and that y4m and PNG agree."""

import numpy as np
import pytest
from PIL import Image
from skimage.transform import downscale_local_mean

from datasets import dummy
from datasets.xiph_triplet import xiph_triplet_dataset_builder as xiph
from film_tf import keys
from film_tf.errors import UserError
from tests.datasets.build_tree import build, examples, layout

HEIGHT, WIDTH = 16, 32


@pytest.fixture(autouse=True)
def _small(monkeypatch):
  monkeypatch.setattr(xiph.Builder, 'SIZE', (HEIGHT, WIDTH))


@pytest.fixture
def root(tmp_path):
  return layout('xiph_triplet', tmp_path / 'root')


def truth(scene, time, config):
  """By scikit-image, in float64."""
  pixels = dummy.frame(dummy.XIPH.index(scene), time, HEIGHT, WIDTH).astype(np.float64)
  if config == '4k':
    return pixels[4:12, 8:24]
  gamma = 2.2 if config == '2k_film' else 1.0
  return 255.0 * downscale_local_mean((pixels / 255.0) ** gamma, (2, 2, 1)) ** (1.0 / gamma)


@pytest.mark.parametrize('config', ['2k', '2k_film', '4k'])
def test_392_triplets_of_even_frames_between_their_neighbours(config, root, tmp_path):
  made = build('xiph_triplet', root, tmp_path / 'built', config=config)
  found = examples(made, 'test')
  names = [f'{scene}/{target:03d}' for scene in dummy.XIPH for target in range(2, 99, 2)]
  assert len(names) == 392
  assert [example[keys.PATH].decode() for example in found] == names
  for number in (0, 24, 48, 49, 391):
    scene, target = names[number].split('/')
    for frame, time in zip(('frame_0', 'frame_1', 'frame_2'), range(int(target) - 1, int(target) + 2), strict=True):
      np.testing.assert_allclose(found[number][frame], truth(scene, time, config), atol=0.501)


def test_area_rounds_half_up():
  block = np.array([[0, 1], [0, 1]], np.uint8)[..., np.newaxis].repeat(3, axis=-1)
  assert xiph.area(block).tolist() == [[[1, 1, 1]]]


def write_y4m(path, luma):
  """Grey frames `[N, H, W]` of 10 bits, 64 to 940, as the real files store them."""
  _, height, width = luma.shape
  with open(path, 'wb') as file:
    file.write(f'YUV4MPEG2 W{width} H{height} F60:1 Ip A0:0 C420p10 XYSCSS=420P10\n'.encode())
    for plane in luma:
      file.write(b'FRAME\n' + plane.astype('<u2').tobytes() + np.full(height * width // 2, 512, '<u2').tobytes())


def test_a_y4m_is_read_directly(root, tmp_path):
  for path in root.glob('netflix/Tango-*.png'):
    path.unlink()
  random = np.random.default_rng(0)
  luma = 64 + 4 * random.integers(0, 219, (101, HEIGHT, WIDTH))
  write_y4m(root / 'netflix' / 'Netflix_Tango_4096x2160_60fps_10bit_420.y4m', luma)
  found = examples(build('xiph_triplet', root, tmp_path / 'built', config='4k'), 'test')
  assert len(found) == 392
  grey = (luma - 64) / 876 * 254  # swscale's white at 16 bits, through which 10 bits go, is 254 of 255
  np.testing.assert_allclose(found[-1]['frame_2'][..., 0], grey[98, 4:12, 8:24], atol=0.6)
  np.testing.assert_allclose(found[-49]['frame_1'][..., 1], grey[1, 4:12, 8:24], atol=0.6)


def test_frames_may_lie_in_a_folder_of_each_scene(root, tmp_path):
  for path in root.glob('netflix/*.png'):
    scene, number = path.stem.split('-')
    (root / scene).mkdir(exist_ok=True)
    path.rename(root / scene / f'{number}.png')
  (root / 'netflix').rmdir()
  assert len(examples(build('xiph_triplet', root, tmp_path / 'built'), 'test')) == 392


def test_too_few_frames_and_the_wrong_size(root, tmp_path):
  (root / 'netflix' / 'Crosswalk-100.png').unlink()
  Image.fromarray(dummy.frame(0, 0, 8, 16)).save(root / 'netflix' / 'DrivingPOV-007.png')
  for path in root.glob('netflix/Tango-*.png'):
    path.unlink()
  message = r'3 clips are broken.*Crosswalk: .*Crosswalk-001\.png: there are fewer than 100 frames'
  with pytest.raises(UserError, match=message):
    build('xiph_triplet', root, tmp_path / 'built')
  made = build('xiph_triplet', root, tmp_path / 'built', skip_broken=True)
  left_out = (made.data_path / 'left_out.txt').read_text()
  assert 'DrivingPOV-007.png has 16x8 pixels; expected 32x16' in left_out
  assert 'has neither *_Tango_*.y4m nor' in left_out
