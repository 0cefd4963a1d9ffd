"""A frame made in bands is the frame that is made at once."""

import dataclasses
import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.inference import bounded, memory
from film_tf.inference.bands import BandedNet, Bands
from film_tf.inference.bounded import BoundedNet
from film_tf.inference.interpolator import Interpolator
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.model.options import Options
from tests import conftest

DEEP = Options(
  pyramid_levels=5, fusion_pyramid_levels=4, specialized_levels=3, sub_levels=4, filters=2,
  flow_convs=(3, 3, 3, 2), flow_filters=(4, 4, 4, 4),
)  # fmt: skip
NETWORKS = {
  'published': DEEP,
  'film_mini': dataclasses.replace(DEEP, bilateral_flow=True, residual_fusion=True),
  'second look': dataclasses.replace(
    DEEP, bilateral_flow=True, residual_fusion=True, search=True, propagation=True, second_look=True
  ),
  'shallow': conftest.TINY,
  'two levels': dataclasses.replace(conftest.TINY, fusion_pyramid_levels=2),
  'one level': dataclasses.replace(conftest.TINY, fusion_pyramid_levels=1),
}


def network(options, dtype='float32'):
  """A network whose flows point to everywhere in small images, and beyond."""
  net, random = FilmNet(options, dtype=dtype), np.random.default_rng(0)
  for variable in weights.named(net).values():
    variable.assign(random.normal(0, 0.3, variable.shape))
  return net


@functools.cache
def traced(name):
  """A network and the same in bands, whose `bands` a test sets: its graphs do not depend on them."""
  net = network(NETWORKS[name])
  return net, BandedNet(net, Bands(8))


@functools.cache
def whole(name):
  """A batch, and the frame of it that a network makes at once."""
  batch = {**map_tensors(conftest.pair(2, 75, 41)), 'time': np.float32([[0.5], [0.3]])}
  return batch, frame(traced(name)[0], batch)


def between(net, features0, features1, time):
  return net.fuse(features0, features1, net.flows(features0, features1, time), time)


def frame(net, batch):
  made = between(net, net.features(batch['x0']), net.features(batch['x1']), tf.constant(batch['time']))
  return {key: made[key] for key in ('image', 'forward_flow_pyramid', 'backward_flow_pyramid')}


@pytest.mark.parametrize(
  ('name', 'bands'),
  [
    *itertools.product(
      ('published', 'film_mini', 'second look'), (Bands(8, 0), Bands(24, 1), Bands(16, 2), Bands(8, 3))
    ),
    *itertools.product(('shallow', 'two levels', 'one level'), (Bands(8, 0), Bands(8, 2))),
  ],
  ids=str,
)
def test_bands_make_the_frame_of_the_whole(name, bands):
  banded, (batch, expected) = traced(name)[1], whole(name)
  banded.bands = bands
  made = frame(banded, batch)
  flow = expected['forward_flow_pyramid'][0]
  assert np.abs(flow).max() > 2
  np.testing.assert_allclose(made['forward_flow_pyramid'][0], flow, rtol=1e-4, atol=1e-4)
  np.testing.assert_allclose(
    made['backward_flow_pyramid'][0], expected['backward_flow_pyramid'][0], rtol=1e-4, atol=1e-4
  )
  scale = np.abs(expected['image']).max()
  np.testing.assert_allclose(made['image'] / scale, expected['image'] / scale, atol=2e-5)


def map_tensors(pair):
  return {key: tf.constant(value) for key, value in pair.items()}


@pytest.mark.parametrize('size', [(1, 1), (1, 70), (33, 5)])
def test_any_size(size):
  net, banded = traced('film_mini')
  banded.bands = Bands(8, 1)
  batch = {**map_tensors(conftest.pair(1, *size)), 'time': np.full((1, 1), 0.5, np.float32)}
  np.testing.assert_allclose(frame(banded, batch)['image'], frame(net, batch)['image'], atol=1e-4)


def test_features_are_kept_of_two_images_and_made_again_for_others():
  net = network(DEEP)
  banded = BandedNet(net, Bands(16, 1))
  images = [tf.constant(conftest.pair(1, 40, 40, seed)['x0']) for seed in range(3)]
  time = tf.fill((1, 1), 0.5)
  a, b, c = map(banded.features, images)
  first = between(banded, a, b, time)['image']
  between(banded, b, c, time)
  assert len(banded._kept) == 2
  np.testing.assert_array_equal(between(banded, a, b, time)['image'], first)


def test_sixteen_bits_stay_near(images):
  net = network(NETWORKS['film_mini'], 'mixed_bfloat16')
  batch = map_tensors(images)
  made, expected = frame(BandedNet(net, Bands(16, 1)), batch)['image'], frame(net, batch)['image']
  assert np.linalg.norm(made - expected) <= 0.05 * np.linalg.norm(expected)


def test_less_memory_keeps_less_and_cuts_finer():
  chosen = [bounded.fitting(Options(), 1, 2160, 3840, limit * 10**9) for limit in (50, 20, 12, 8)]
  assert chosen[0] is None
  assert [bands.kept_from for bands in chosen[1:]] == sorted(bands.kept_from for bands in chosen[1:])
  takes = [bounded.needed(Options(), 1, 2160, 3840, bands) for bands in chosen]
  assert takes == sorted(takes, reverse=True)
  with pytest.raises(UserError, match=r'3840x2160 pixels need at least \d\.\d GB .* 1\.0 GB are free or allowed'):
    bounded.fitting(Options(), 1, 2160, 3840, 10**9)


def test_images_are_the_same_in_bands():
  net = network(dataclasses.replace(conftest.TINY, bilateral_flow=True, residual_fusion=True))
  a, b = (np.uint8(255 * image[0]) for image in conftest.pair(1, 300, 200).values())
  at_once, small = Interpolator(net), Interpolator(net)
  small.bounded._bands[1, 300, 200] = Bands(32, 1)
  assert at_once.bounded.bands(1, 300, 200) is None
  alpha = np.full((300, 200, 1), 99, np.uint8)
  for x, y in [(a, b), (np.dstack([a, alpha]), np.dstack([b, alpha]))]:
    for one, other in zip(at_once.recurse(x, y, 2), small.recurse(x, y, 2), strict=True):
      np.testing.assert_allclose(one.astype(int), other, atol=1)


def test_the_limit_counts_what_the_process_has():
  net = network(DEEP)
  needed = bounded.needed(DEEP, 1, 4000, 4000)
  assert Interpolator(net, memory_limit=memory.used() + 2 * needed).bounded.bands(1, 4000, 4000) is None
  assert Interpolator(net, memory_limit=memory.used() + needed // 2).bounded.bands(1, 4000, 4000) is not None
  with pytest.raises(UserError, match=r'this process has \d+\.\d GB of memory before any frame'):
    Interpolator(net, memory_limit=memory.used()).bounded.bands(1, 4000, 4000)


def test_what_was_decided_is_forgotten_for_what_comes_later(monkeypatch):
  """A process that goes on has more memory than at first, and less is left."""
  needed, used = bounded.needed(DEEP, 1, 4000, 4000), memory.used()
  bounded_net = Interpolator(network(DEEP), memory_limit=used + 2 * needed).bounded
  assert bounded_net.bands(1, 4000, 4000) is None
  monkeypatch.setattr(memory, 'used', lambda: used + 3 * needed // 2)
  assert bounded_net.bands(1, 4000, 4000) is None
  bounded_net.forget()
  assert bounded_net.bands(1, 4000, 4000) is not None


@pytest.mark.parametrize(('height', 'width'), [(9000, 9000), (9000, 12000)])
def test_what_is_said_of_memory_is_within_what_is_allowed(height, width):
  net, images = network(DEEP), 24 * height * width  # bytes of the two given ones in float32
  for limit in (8, 20):
    allowed = limit * images
    bounded_net = Interpolator(net, memory_limit=memory.used() + allowed).bounded
    assert allowed / 2 < bounded_net.needed(1, height, width) < allowed


@pytest.mark.parametrize('part', ['flows', 'fuse'])
@pytest.mark.parametrize('bands', [None, Bands(256, 0)])
def test_a_device_without_memory_gets_smaller_bands(part, bands, monkeypatch, capsys):
  net = network(DEEP)
  batch = map_tensors(conftest.pair(1, 64, 64))
  expected = frame(net, {**batch, 'time': np.full((1, 1), 0.5, np.float32)})['image']
  bounded_net, enough = BoundedNet(net), getattr(BandedNet, part)

  def exhausted(self, *args):
    if not isinstance(self, BandedNet) or self.bands.rows > 64:
      raise tf.errors.ResourceExhaustedError(None, None, 'no memory')
    return enough(self, *args)

  monkeypatch.setattr(BandedNet, part, exhausted)  # a device of the test's own would have to be filled up first
  monkeypatch.setattr(bounded_net._networks[None], part, functools.partial(exhausted, None))
  bounded_net._bands[1, 64, 64] = bands
  features = [bounded_net.features(batch[key]) for key in ('x0', 'x1')]
  made = bounded_net.between(*features, tf.fill((1, 1), 0.5))['image']
  np.testing.assert_allclose(made, expected, atol=1e-4 * np.abs(expected).max())
  assert 'trying bands of 64 rows' in capsys.readouterr().err


@pytest.mark.parametrize(('text', 'expected'), [('8GB', 8 * 10**9), ('1.5 GB', 15 * 10**8), ('2GiB', 2**31), ('7', 7)])
def test_sizes_are_read(text, expected):
  assert memory.parse(text) == expected


@pytest.mark.parametrize('text', ['', 'much', '-1GB', '8 apples', '0GB'])
def test_what_is_no_size(text):
  with pytest.raises(UserError, match='expected a size such as 8GB'):
    memory.parse(text)
