"""What the inspection shows is what the network does: laws, and plain recomputation."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from film_tf.inference.interpolator import Interpolator
from film_tf.inspection import observation
from film_tf.inspection.observation import observe
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.model.options import Options
from film_tf.model.warp import warp
from tests.conftest import pair
from tests.model.test_film_net import load_golden

SMALL = Options(
  pyramid_levels=4, fusion_pyramid_levels=3, specialized_levels=2, sub_levels=2, filters=4,
  flow_convs=(1, 1, 1), flow_filters=(4, 4, 4), bilateral_flow=True, residual_fusion=True,
)  # fmt: skip


def bilateral_network(**more):
  """A small one like film_mini, with random weights."""
  net = FilmNet(dataclasses.replace(SMALL, **more))
  random = np.random.default_rng(0)
  for variable in weights.named(net).values():
    variable.assign(random.normal(0, 0.3, variable.shape))
  return net


@pytest.fixture(scope='module', params=['published', 'bilateral', 'film_mini'])
def case(request):
  """A network, two images whose size needs padding on every level, and what is observed of them."""
  tf.keras.utils.set_random_seed(1)
  more = {'search': True, 'propagation': True, 'second_look': True} if request.param == 'film_mini' else {}
  net = load_golden('shallow')[1] if request.param == 'published' else bilateral_network(**more)
  a, b = (image[0] for image in (pair(1, 75, 90)[key] for key in ('x0', 'x1')))
  return net, a, b, observe(net, a, b)


def outputs(net, a, b):
  return net({'x0': a[np.newaxis], 'x1': b[np.newaxis], 'time': np.full((1, 1), 0.5, np.float32)})


def test_it_is_what_the_network_returns(case):
  net, a, b, seen = case
  made = outputs(net, a, b)
  np.testing.assert_allclose(seen.image, made['image'][0], atol=1e-5)
  rounding = 1e-3 if net.options.propagation else 1e-4  # of XLA, which flow with random weights carries far
  np.testing.assert_allclose(seen.image.clip(0.0, 1.0), Interpolator(net).between(a, b), atol=rounding)
  for side, key in enumerate(('x0_warped', 'x1_warped')):
    np.testing.assert_allclose(seen.levels[0].warped[side], made[key][0], atol=1e-5)
  for way, name in enumerate(['forward', 'backward'][: len(seen.levels[0].flows)]):
    for i, flow in enumerate(made[f'{name}_flow_pyramid']):
      np.testing.assert_allclose(seen.levels[i].flows[way].flow, flow[0], atol=1e-5)
    for i, residual in enumerate(made[f'{name}_residual_flow_pyramid']):
      np.testing.assert_allclose(seen.levels[i].flows[way].residual, residual[0], atol=1e-5)


def test_what_is_upsampled_and_what_is_added_are_the_flow_exactly(case):
  net, _, _, seen = case
  rounding = 1e-5 if net.options.propagation else 0.0  # which mixes flows, of which what is added is the difference
  for i, level in enumerate(seen.levels):
    for way, flow in enumerate(level.flows):
      np.testing.assert_allclose(flow.upsampled + flow.residual, flow.flow, rtol=0, atol=rounding)
      if i + 1 < len(seen.levels):  # where no padding is near, it is what doubling the coarser level gives
        doubled = bilinear_twice(seen.levels[i + 1].flows[way].flow)
        height, width = (max(2 * (side // 2) - 2, 0) for side in flow.flow.shape[:2])
        np.testing.assert_allclose(flow.upsampled[:height, :width], doubled[:height, :width], atol=1e-4)
      else:
        assert not flow.upsampled.any()


def bilinear_twice(flow):
  """Doubles size and values, each new pixel between the two that are nearest to its centre."""
  for axis in (0, 1):
    at = np.clip((np.arange(2 * flow.shape[axis]) + 0.5) / 2 - 0.5, 0, flow.shape[axis] - 1)
    first = np.floor(at).astype(int)
    second, share = np.minimum(first + 1, flow.shape[axis] - 1), at - first
    share = np.expand_dims(share, tuple(i for i in range(3) if i != axis))
    flow = flow.take(first, axis) * (1 - share) + flow.take(second, axis) * share
  return 2.0 * flow


def test_images_are_moved_by_half_of_the_flows():
  """Of a size that needs no padding, so that all that is read is there."""
  for net in (load_golden('shallow')[1], bilateral_network()):
    a, b = (image[0] for image in (pair(1, 64, 128)[key] for key in ('x0', 'x1')))
    for level in observe(net, a, b).levels:
      forward = level.flows[0].flow
      backward = -forward if len(level.flows) == 1 else level.flows[1].flow
      for image, flow, moved in zip(level.images, (backward, forward), level.warped, strict=True):
        np.testing.assert_array_equal(warp(image[np.newaxis], 0.5 * flow[np.newaxis])[0], moved)


def test_images_are_the_means_of_finer_ones(case):
  _, a, _, seen = case
  mean = a[:72, :88].reshape(18, 4, 22, 4, 3).mean(axis=(1, 3))
  np.testing.assert_allclose(seen.levels[2].images[0][:18, :22], mean, atol=1e-6)
  assert [level.images[0].shape[:2] for level in seen.levels[:3]] == [(75, 90), (38, 45), (19, 23)]


def test_untrained_all_that_is_added_are_steps_and_the_result_is_the_mean_of_what_is_moved():
  """The closed form of the test of the decoder, too: half of what a side differs from its mean."""
  a, b = (image[0] for image in (pair(1, 64, 80)[key] for key in ('x0', 'x1')))
  seen = observe(FilmNet(SMALL), a, b)
  for level in seen.levels:
    np.testing.assert_array_equal(level.flows[0].step, level.flows[0].residual)
  both_seen = np.isclose(seen.share, 0.5, atol=1e-6)
  assert both_seen.mean() > 0.5
  moved = seen.levels[0].warped
  np.testing.assert_allclose(seen.image[both_seen], (0.5 * (moved[0] + moved[1]))[both_seen], atol=1e-5)
  for side in (0, 1):
    change = 0.5 * np.abs(moved[side] - moved[side].mean(axis=(0, 1))).mean(axis=-1)
    np.testing.assert_allclose(seen.blanked[side][both_seen], change[both_seen], atol=1e-5)
    np.testing.assert_allclose(seen.levels[0].blanked[side], seen.blanked[side], atol=1e-6)
    assert not seen.levels[1].blanked[side].any()  # what is coarser is only painted with, and nothing is painted yet


def test_only_levels_that_the_decoder_reads_are_tested(case):
  net, _, _, seen = case
  read = [level.blanked is not None for level in seen.levels]
  assert read == [i < net.options.fusion_pyramid_levels for i in range(net.options.pyramid_levels)]
  assert (seen.share is not None) == net.options.residual_fusion


def test_there_and_back_finds_what_is_lost():
  flow = np.zeros((1, 8, 20, 2), np.float32)
  flow[..., 0] = 3.0
  assert not observation.lost(tf.constant(flow), tf.constant(-flow)).numpy().any()
  assert observation.lost(tf.constant(flow), tf.constant(0.0 * flow)).numpy().all()
  back = -flow
  back[:, :, 12:] = 0.0  # what is read by the pixels from 9 on
  lost = observation.lost(tf.constant(flow), tf.constant(back)).numpy()
  np.testing.assert_array_equal(lost[0, 0], np.arange(20) >= 9)


def test_what_nobody_reads_is_unread():
  flow = np.zeros((1, 8, 20, 2), np.float32)
  flow[..., 0] = 4.0
  unread = observation.unread(tf.constant(flow)).numpy()
  np.testing.assert_array_equal(unread[0, 0], np.arange(20) < 4)
  flow[:, :, 10:, 0] = 8.0  # a jump: the columns from 14 to 17 are passed over
  unread = observation.unread(tf.constant(flow)).numpy()
  np.testing.assert_array_equal(np.flatnonzero(unread[0, 3]), [*range(4), *range(14, 18)])
