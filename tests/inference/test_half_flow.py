"""Flow of images of half the size: frames are those of a plain composition of the network's own parts."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import film_tf
from film_tf.errors import UserError
from film_tf.exporters.saved_model import Served
from film_tf.inference.bands import Bands
from film_tf.inference.bounded import BoundedNet
from film_tf.inference.interpolator import Interpolator
from tests import conftest
from tests.inference.test_bands import NETWORKS, network

LEVELS = {  # four, since there are graphs of each, and those are not what is tested
  'pyramid_levels': 4, 'fusion_pyramid_levels': 3, 'specialized_levels': 1, 'sub_levels': 2,
  'flow_convs': (3, 2), 'flow_filters': (4, 4),
}  # fmt: skip


def padded(image, multiple):
  below, right = (-side % multiple for side in image.shape[1:3])
  return np.pad(image, [(0, 0), (0, below), (0, right), (0, 0)], 'edge')


def halved(image):
  even = padded(image, 2)
  return (even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]) / 4


def plain(net, x0, x1, time):
  """The frame between, from the flow of halved images, whose every level is the next coarser one of the whole."""
  _, height, width, _ = padded(x0, net.options.alignment).shape
  time = np.full((len(x0), 1), time, np.float32)
  flows = {}
  for key, levels in net.flows(net.features(halved(x0)), net.features(halved(x1)), time).items():
    _, rows, columns, _ = levels[0].shape
    finest = 2 * tf.image.resize(levels[0], (2 * rows, 2 * columns))
    flows[key] = [level[:, : height // 2**i, : width // 2**i] for i, level in enumerate([finest, *levels])]
  return net.fuse(net.features(x0), net.features(x1), flows, time)['image']


@pytest.mark.parametrize(('name', 'time'), [('published', 0.5), ('second look', 0.3)])
def test_flow_is_that_of_halved_images_at_any_size_at_once_and_in_bands(name, time):
  net = network(dataclasses.replace(NETWORKS[name], **LEVELS))
  whole, banded = (BoundedNet(net, half_flow=True) for _ in range(2))
  for size in [(75, 41), (1, 6)]:
    banded._bands[1, *size] = Bands(8, 1)
    pair = conftest.pair(1, *size).values()
    expected = plain(net, *pair, time)
    scale = np.abs(expected).max()
    for one in (whole, banded):
      made = one.between(*map(one.features, pair), tf.fill((1, 1), time))['image']
      np.testing.assert_allclose(made / scale, expected / scale, atol=2e-5)


def test_a_saved_model_does_the_same(tiny, interpolator, tmp_path):
  film_tf.export_saved_model(tiny, tmp_path / 'model')
  x0, x1 = (image[0] for image in conftest.pair(1, 37, 50).values())
  alpha = np.linspace(0, 1, 37 * 50, dtype=np.float32).reshape(37, 50, 1)
  x0, x1 = np.dstack([x0, alpha]), np.dstack([x1, alpha])
  net, saved = (Interpolator(model, flow_scale=0.5) for model in (tiny, tmp_path / 'model'))
  ways = [list(one.recurse(x0, x1, 2)) for one in (net, saved, interpolator)]
  for ours, theirs, whole in zip(*ways, strict=True):
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert np.abs(ours - whole).max() > 1e-2
  assert saved.identity == f'{Interpolator(tmp_path / "model").identity} with flow at half size'


def test_a_saved_model_without_a_flow_of_its_own_says_so(tiny, tmp_path):
  served, older = Served(tiny), tf.Module()
  older.weights, older.features, older.between = served.weights, served.features, served.between
  tf.saved_model.save(older, tmp_path / 'model')
  with pytest.raises(UserError, match=r'model is of an earlier film_tf.*export it again'):
    Interpolator(tmp_path / 'model', flow_scale=0.5)


@pytest.mark.parametrize('scale', [0, 0.25, 2, '0.5'])
def test_other_scales_are_refused(tiny, scale):
  with pytest.raises(UserError, match=f'flow_scale is {scale}; expected 1, or 0.5'):
    Interpolator(tiny, flow_scale=scale)
