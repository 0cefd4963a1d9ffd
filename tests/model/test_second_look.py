"""Tests the second look against NumPy."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.model.options import Options
from film_tf.model.second_look import SecondLook
from film_tf.model.warp import inside, warp
from tests import conftest

TINY = dataclasses.replace(conftest.TINY, residual_fusion=True, second_look=True)
RANDOM = np.random.default_rng(0)
HEIGHT, WIDTH = 13, 17
FEATURES = RANDOM.random((2, HEIGHT, WIDTH, 5), np.float32)
PAINTED = RANDOM.standard_normal((2, HEIGHT, WIDTH, 4)).astype(np.float32)
IMAGES = [RANDOM.random((2, HEIGHT, WIDTH, 3), np.float32) for _ in range(2)]
FLOWS = [RANDOM.uniform(-4, 4, (2, HEIGHT, WIDTH, 2)).astype(np.float32) for _ in range(2)]


def look(layer, flows=FLOWS):
  warped = [warp(image, flow) for image, flow in zip(IMAGES, flows, strict=True)]
  return layer(FEATURES, PAINTED, IMAGES, warped, flows, height=HEIGHT, width=WIDTH)


def told(values):
  """A layer that tells the same everywhere: what is lacking, and for each place (dx, dy, logit)."""
  layer = SecondLook(5, 4)
  layer.head.bias.assign(np.float32(values))
  return layer


def slow(values):
  """What `told` makes, place by place."""
  lacking, places = np.float32(values[:3]), np.reshape(values[3:], (2, 4, 3))
  total, shares = 0.0, 0.0
  for image, flow, favour, rows in zip(IMAGES, FLOWS, (PAINTED[..., 3:], 0.0), places, strict=True):
    for along, prior, (dx, dy, logit) in zip((1.0, 0.5, 1.5, 0.0), (0.97, 0.01, 0.01, 0.01), rows, strict=True):
      place = along * flow + np.float32([dx, dy])
      share = prior * np.exp(favour + logit) * (inside(place, HEIGHT, WIDTH).numpy() + 1e-3)
      total, shares = total + share * warp(image, place).numpy(), shares + share
  return PAINTED[..., :3] + lacking + total / shares


def test_it_mixes_what_it_reads_where_it_is_told():
  values = RANDOM.standard_normal(27)
  np.testing.assert_allclose(look(told(values)), slow(values), atol=1e-5)


def test_what_has_not_changed_is_blended_whatever_the_flow():
  image = RANDOM.random((2, HEIGHT, WIDTH, 3), np.float32)
  images = [image, image + np.float32(1e-3)]
  warped = [warp(x, flow) for x, flow in zip(images, FLOWS, strict=True)]
  layer, painted = SecondLook(5, 4), np.zeros_like(PAINTED)
  made = layer(FEATURES, painted, images, warped, FLOWS, height=HEIGHT, width=WIDTH)
  np.testing.assert_allclose(made, image + 5e-4, atol=2e-3)


def test_untrained_it_changes_next_to_nothing(images):
  before = FilmNet(dataclasses.replace(TINY, second_look=False))
  after = FilmNet(TINY)
  arrays = {name: value.numpy() for name, value in weights.named(before).items()}
  own = {name: value.numpy() for name, value in weights.named(after).items() if name.startswith('second_look')}
  weights.assign(after, arrays | own, 'before')
  one, other = before(images)['image'], after(images)['image']
  assert np.abs(one - other).mean() < 0.02
  assert np.abs(one - other).max() < 0.05


def test_without_motion_equal_images_stay_as_they_are():
  still = [np.zeros_like(flow) for flow in FLOWS]
  image = RANDOM.random((2, HEIGHT, WIDTH, 3), np.float32)
  layer = SecondLook(5, 4)
  made = layer(FEATURES, PAINTED, [image, image], [image, image], still, height=HEIGHT, width=WIDTH)
  np.testing.assert_allclose(made, image, atol=1e-6)


def test_what_it_has_learned_leaves_equal_images_as_they_are():
  """However far they are said to have moved, and wherever it reads them."""
  image = RANDOM.random((2, HEIGHT, WIDTH, 3), np.float32)
  warped = [warp(image, flow) for flow in FLOWS]
  layer = SecondLook(5, 4)
  for variable in (layer.head.kernel, layer.head.bias):
    variable.assign(RANDOM.normal(0, 0.3, variable.shape))
  made = layer(FEATURES, PAINTED, [image, image], warped, FLOWS, height=HEIGHT, width=WIDTH)
  np.testing.assert_allclose(made, image, atol=5e-3)


@pytest.mark.parametrize('policy', ['float32', 'mixed_bfloat16'])
def test_sizes_need_not_be_known(policy, images):
  net = FilmNet(dataclasses.replace(TINY, pyramid_levels=2, sub_levels=1), dtype=policy)
  specs = {key: tf.TensorSpec([None, None, None, 3], tf.float32) for key in ('x0', 'x1')}
  specs['time'] = tf.TensorSpec([None, 1], tf.float32)
  graph = tf.function(net, input_signature=[specs])(images)['image']
  eager = net(images)['image']
  mapped = next(iter(tf.data.Dataset.from_tensors(images).map(lambda batch: net(batch)['image'])))
  tolerance = 1e-5 if policy == 'float32' else 2e-2
  np.testing.assert_allclose(graph, eager, atol=tolerance)
  np.testing.assert_allclose(mapped, eager, atol=tolerance)
  assert eager.dtype == tf.float32


def test_it_is_rebuilt_from_its_config_and_its_file(tmp_path, images):
  layer = SecondLook(5, 4)
  assert SecondLook.from_config(layer.get_config()).get_config() == layer.get_config()
  net = FilmNet(TINY)
  net.second_look.head.bias.assign(RANDOM.standard_normal(27).astype(np.float32))
  weights.save(net, tmp_path / 'film.npz')
  np.testing.assert_array_equal(weights.load(tmp_path / 'film.npz')(images)['image'], net(images)['image'])


def test_it_needs_a_mix():
  with pytest.raises(UserError, match='second_look=True needs residual_fusion=True'):
    Options(second_look=True)
