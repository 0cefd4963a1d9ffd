"""The weights that come with film_tf: whole, small, and better than blending."""

import pathlib

import numpy as np
import pytest
from PIL import Image

import film_tf
from film_tf import metrics
from film_tf.errors import UserError
from film_tf.model import pretrained, weights
from tests.conftest import ROOT


@pytest.mark.parametrize('name', pretrained.SHA256)
def test_a_name_stands_for_its_file(name, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  (tmp_path / name).mkdir()  # a folder of its name does not hide it
  net = weights.load(name)
  assert sum(np.size(value) for value in weights.named(net).values()) > 1e6
  assert film_tf.Interpolator(name).identity == f'{name} {pretrained.SHA256[name]}'


def test_anything_else_stands_for_itself_and_must_exist(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  for path in ('film.npz', './film_mini', tmp_path / 'film_mini'):
    with pytest.raises(UserError, match=r'no such model: .*film'):
      pretrained.find(path)
    pathlib.Path(path).touch()
    assert pretrained.find(path) == str(path)
    pathlib.Path(path).unlink()


def test_a_file_that_was_changed_is_refused(tmp_path, monkeypatch):
  with open(pretrained.find('film_mini'), 'rb') as file:
    content = bytearray(file.read())
  content[len(content) // 2] ^= 1
  (tmp_path / 'film_mini.npz').write_bytes(content)
  monkeypatch.setattr(pretrained, '_FOLDER', tmp_path)
  with pytest.raises(UserError, match=r'film_mini\.npz is not the file that came with film_tf'):
    weights.load('film_mini')
  (tmp_path / 'film_mini.npz').unlink()
  with pytest.raises(UserError, match='cannot be read; install film_tf again'):
    weights.load('film_mini')


def test_film_mini_is_small():
  with open(pretrained.find('film_mini'), 'rb') as file:
    assert len(file.read()) <= 10e6


def sample(name):
  return np.asarray(Image.open(ROOT / 'eval' / 'samples' / f'cat_{name}.png'))


def test_film_mini_finds_the_motion_of_the_sample(mini):
  """Up to 19 pixels; 7.5 dB above blending, and 6 asked for."""
  a, truth, b = (sample(name) for name in ('0', 'truth', '1'))
  made = mini.between(a, b)
  blended = ((a.astype(np.float32) + b) / 2).round().astype(np.uint8)

  def psnr(image):
    return float(metrics.psnr(*(x[np.newaxis] / np.float32(255) for x in (image, truth)))[0])

  assert psnr(made) > psnr(blended) + 6
  assert abs(made.mean() - truth.mean()) < 1.0  # no cast of light


def test_equal_frames_have_their_like_between_them(mini):
  """Also where the size is no multiple of the network's, up to the border."""
  a = sample('0')[:101, :155]
  np.testing.assert_array_equal(mini.between(a, a), a)
