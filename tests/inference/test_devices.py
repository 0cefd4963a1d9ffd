"""Frames made on several devices are those of one, in order."""

import numpy as np

from film_tf.inference.interpolator import Interpolator
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from tests.conftest import SHALLOW, command


def test_several_devices_make_the_frames_of_one(tmp_path, tiny):
  weights.save(tiny, tmp_path / 'net.npz')
  for count in (1, 2):
    result = command('tests.inference.on_devices', count, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
  one, other = (dict(np.load(tmp_path / f'{count}.npz')) for count in (1, 2))
  assert one['made'].sum() == 12 * 3 - 1  # two of 14 pairs are cuts, and of the first pair a frame is left out
  assert (np.diff(one['times']) > 0).all()
  for name, values in one.items():
    np.testing.assert_array_equal(other[name], values, err_msg=name)


def test_another_device_has_the_weights_of_now():
  net = FilmNet(SHALLOW)
  ours = Interpolator(net, precision='bfloat16')
  a, b = np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3), np.uint8)
  for _ in range(2):
    other = ours.on('/device:CPU:0')
    assert other.identity == ours.identity
    np.testing.assert_array_equal(other.between(a, b), ours.between(a, b))
    for variable in weights.named(ours.bounded._net).values():
      variable.assign(variable + 0.1)
