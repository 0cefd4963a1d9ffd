import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.model.options import Options
from tests import conftest
from tests.model.test_lucas_kanade import smooth

SMALL = Options(filters=8, pyramid_levels=5, specialized_levels=2, sub_levels=3, flow_convs=(1, 1, 1),
                flow_filters=(4, 4, 4), bilateral_flow=True, residual_fusion=True)  # fmt: skip


def batch_of(x0, x1):
  return {'x0': x0, 'x1': x1, 'time': np.full((len(x0), 1), 0.5, np.float32)}


def shifted(dx, dy, height=96, width=128):
  """Two frames of a still picture that moves, and the one between."""
  return [0.5 + 0.5 * smooth(height, width, 3, t * dx, t * dy) for t in (-0.5, 0.0, 0.5)]


@pytest.mark.parametrize(('dx', 'dy'), [(0.0, 0.0), (3.0, 1.0), (-6.0, 5.0)])
def test_untrained_it_is_optical_flow(dx, dy):
  x0, y, x1 = shifted(dx, dy)
  outputs = FilmNet(SMALL)(batch_of(x0, x1))
  flow = outputs['forward_flow_pyramid'][0].numpy()[0, 16:-16, 16:-16]
  assert np.abs(flow - [dx, dy]).mean() < 0.25
  inner = outputs['image'].numpy()[0, 16:-16, 16:-16], y[0, 16:-16, 16:-16]
  assert np.abs(inner[0] - inner[1]).mean() < 0.01 + 0.05 * np.abs((x0 + x1) / 2 - y).mean()


def test_backward_is_the_opposite_of_forward(images):
  outputs = trained()(images)
  for kind in ('flow_pyramid', 'residual_flow_pyramid'):
    for forward, backward in zip(outputs[f'forward_{kind}'], outputs[f'backward_{kind}'], strict=True):
      np.testing.assert_array_equal(forward, -backward)


def test_swapping_the_images_turns_untrained_flow_about(images):
  net = FilmNet(SMALL)
  one, other = net(images), net({**images, 'x0': images['x1'], 'x1': images['x0']})
  np.testing.assert_allclose(one['forward_flow_pyramid'][0], other['backward_flow_pyramid'][0], atol=1e-3)
  np.testing.assert_allclose(one['image'], other['image'], atol=1e-3)


def test_residuals_add_up_to_the_flow(images):
  assert_residuals_add_up(trained(), images)


def assert_residuals_add_up(net, images):
  outputs = net({key: value[:, :32, :48] if value.ndim == 4 else value for key, value in images.items()})
  flow = 0.0
  for level, residual in reversed(list(enumerate(outputs['forward_residual_flow_pyramid']))):
    if level < 4:
      flow = 2.0 * tf.image.resize(flow, residual.shape[1:3])
    flow = flow + residual
  np.testing.assert_allclose(flow, outputs['forward_flow_pyramid'][0], atol=1e-4)


def trained() -> FilmNet:
  """A network of which every part says something."""
  net = FilmNet(SMALL)
  random = np.random.default_rng(0)
  for variable in weights.named(net).values():
    variable.assign(random.normal(0, 0.2, variable.shape))
  return net


def test_time_says_where_between(images):
  """At 0 the frame between is the first image, at 1 the last, whatever the flow."""
  for time, key in [(0.0, 'x0'), (1.0, 'x1')]:
    outputs = trained()({**images, 'time': np.full((2, 1), time, np.float32)})
    np.testing.assert_array_equal(outputs[f'{key}_warped'], images[key])


@pytest.fixture(scope='module')
def net_and_graph():
  """A network, and it as a function of any batch and size, traced once."""
  net, spec = trained(), tf.TensorSpec([None, None, None, 3])
  signature = [{'x0': spec, 'x1': spec, 'time': tf.TensorSpec([None, 1])}]
  return net, tf.function(lambda batch: net(batch), input_signature=signature)


@pytest.mark.parametrize('size', [(1, 1), (1, 70), (33, 40)])
def test_every_size_works_in_a_graph_too(net_and_graph, size):
  batch = {**conftest.pair(2, *size), 'time': np.full((2, 1), 0.5, np.float32)}
  expected, found = (one(batch) for one in net_and_graph)
  assert expected['image'].shape == (2, *size, 3)
  np.testing.assert_allclose(found['image'], expected['image'], atol=1e-4)


def test_what_lies_in_the_padding_is_not_seen():
  """A picture that moves out at the right: what is no longer in x1 is taken from x0 alone."""
  x0, y, x1 = shifted(8.0, 0.0, 90, 120)
  image = FilmNet(SMALL)(batch_of(x0, x1))['image'].numpy()
  last = np.abs(image - y)[0, 16:-16, -3:].mean()
  assert last < 0.3 * np.abs((x0 + x1) / 2 - y)[0, 16:-16, -3:].mean()


def test_a_network_of_it_is_saved_and_loaded(tmp_path, images):
  net = trained()
  weights.save(net, tmp_path / 'net.npz')
  np.testing.assert_array_equal(weights.load(tmp_path / 'net.npz')(images)['image'], net(images)['image'])


def test_it_learns_to_correct():
  """The gradient of an image's error reaches every predictor."""
  net, images = trained(), batch_of(*shifted(3.0, 1.0)[::2])
  with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.abs(net(images)['image'] - shifted(3.0, 1.0)[1]))
  names = weights.named(net)
  gradients = dict(zip(names, tape.gradient(loss, list(names.values())), strict=True))
  assert all(np.isfinite(gradient).all() for gradient in gradients.values())
  assert all(np.abs(gradient).max() > 0 for name, gradient in gradients.items() if 'flow_pyramid' in name)


def test_untrained_predictors_are_silent():
  net = FilmNet(dataclasses.replace(SMALL, residual_fusion=False))
  assert all(not p.head.kernel.numpy().any() for p in net.flow_pyramid.predictors)
