"""The step as StableHLO: it runs under JAX and gives what TensorFlow gives."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.runtimes import run_stablehlo
from film_tf import config
from film_tf.data import scenes, synthetic
from film_tf.errors import UserError
from film_tf.losses import losses, vgg19
from film_tf.losses.losses import Loss
from film_tf.model import film_net, weights
from film_tf.model import options as model_options
from film_tf.model.film_net import FilmNet
from film_tf.training import lowering, optimizer
from film_tf.training.optimizer import OptimizerOptions
from film_tf.training.trainer import Trainer
from tests.conftest import ROOT, SHALLOW, TINY, pair
from tests.losses.test_perceptual import drawn as vgg19_drawn

OLD = tf.__version__.startswith('2.15')
NEW = pytest.mark.skipif(OLD, reason='TensorFlow 2.15 cannot write StableHLO')


def example(size=32):
  images = pair(2, size, size)
  return {**images, 'y': (images['x0'] + images['x1']) / 2, 'time': np.full((2, 1), 0.5, np.float32)}


def trainer(loss=None, sizes=TINY, **options):
  net = FilmNet(sizes)
  random = np.random.default_rng(0)
  for variable in weights.named(net).values():
    variable.assign(random.normal(0, 0.1, variable.shape))
  return Trainer(net, loss or Loss({'l1': 1.0}), OptimizerOptions(1e-3, clip_norm=1.0, average=0.9), 100, **options)


@pytest.mark.skipif(not OLD, reason='this TensorFlow can')
def test_an_old_tensorflow_says_that_it_cannot():
  with pytest.raises(UserError, match=r'TensorFlow 2\.15.* cannot write StableHLO'):
    lowering.lower(trainer(), example())


def shallow(options):
  """Returns sizes of the same kind with three levels; more have only more of the same."""
  predictors = 3 if options.specialized_levels == options.pyramid_levels - 1 else 2
  levels = {'pyramid_levels': 3, 'fusion_pyramid_levels': 2, 'specialized_levels': predictors - 1}
  first = {name: getattr(options, name)[:predictors] for name in ('flow_convs', 'flow_filters')}
  return dataclasses.replace(options, **levels, **first, sub_levels=min(2, options.sub_levels))


def under_jax(step):
  """Runs the step again and again on its example, and yields the logs and the number of steps taken."""
  pytest.importorskip('jax', reason='needs jax, which film_tf does not')
  run = run_stablehlo(step.program, optimized=False)
  state, batch = list(step.state.values()), list(step.batch.values())
  while True:
    outputs = run([*state, *batch])
    state, logs = outputs[: len(state)], dict(zip(step.logs, outputs[len(state) :], strict=True))
    yield logs, int(state[-1])


def mini():
  """The trainer of film_mini, shallow, and a batch of its 8 of small scenes. Rounding grows in 20 steps, to 4e-5."""
  config.parse(['gin/film_mini.gin'])
  net = FilmNet(shallow(model_options.configured()), dtype='float32')
  batch = next(iter(synthetic.triplets(scenes.Scenes(32, 32, max_motion=8.0)).batch(8)))
  return Trainer(net, losses.configured(), optimizer.configured(), 20_000), batch


@pytest.mark.slow
@NEW
@pytest.mark.parametrize(
  'make',
  [lambda: (trainer(Loss({'l1': {0: 1.0, 5: 0.5}}), SHALLOW, accumulate=2), example()), mini],
  ids=['scheduled and accumulated', 'film_mini'],
)
def test_twenty_steps_under_jax_equal_tensorflows(make):
  ours, batch = make()
  before = [variable.numpy() for variable in ours.state]
  step = lowering.lower(ours, batch)
  for old, variable in zip(before, ours.state, strict=True):
    np.testing.assert_array_equal(variable.numpy(), old)
  batches = iter(tf.data.Dataset.from_tensors(batch).repeat())
  for number, (logs, taken) in zip(range(1, 21), under_jax(step), strict=False):
    expected = ours.run(batches, tf.constant(1))
    for name in ('loss', 'l1', 'weight/l1', 'learning_rate'):
      np.testing.assert_allclose(logs[name], expected[name], rtol=1e-4)
    assert taken == ours.step_number() == number


WHOLE = ('film_l1.gin', 'film_mini.gin', 'fewer_levels.gin', 'four_levels.gin')


def experiments():
  """Yields configs, and whether to draw them in full: crops, and VGG-19 of its width. Includes are not drawn twice."""
  for name in ('film_l1', 'film_vgg', 'film_style', 'film_mini', 'film_mini_sixth'):
    yield [f'gin/{name}.gin'], True
  for path in sorted((ROOT / 'gin' / 'ablation').iterdir()):
    yield ['gin/film_l1.gin', f'gin/ablation/{path.name}'], False


@pytest.mark.slow
@NEW
@pytest.mark.parametrize(
  ('configs', 'full'),
  list(experiments()),
  ids=lambda value: value[-1].split('/')[-1] if isinstance(value, list) else value,
)
def test_every_experiment_can_be_lowered(configs, full, monkeypatch):
  """At the published batch of 8: what a TPU needs, and that the config works.

  `film_l1` and `film_mini` have all their levels, and so do those that are about levels; the others are `shallow`.
  """
  config.parse(configs)
  sizes = model_options.configured()
  monkeypatch.setattr(vgg19, 'load', lambda: vgg19.Vgg19(vgg19_drawn() if full else narrow_vgg19()))
  size = 256 if full else 128
  net = film_net.build() if configs[-1].split('/')[-1] in WHOLE else FilmNet(shallow(sizes))
  ours = Trainer(net, losses.configured(), optimizer.configured(), 3_000_000)
  batch = {key: np.zeros((8, size, size, 3), np.float32) for key in ('x0', 'x1', 'y')}
  if 'middle_flow' in ours.loss.weights:
    batch['middle_flow'] = np.zeros((8, size, size, 2), np.float32)
  step = lowering.lower(ours, {**batch, 'time': np.full((8, 1), 0.5, np.float32)})
  assert set(ours.loss.weights) <= set(step.logs)
  assert 'custom_call' not in step.program
  assert f'tensor<8x{size}x{size}x3xf32>' in step.program


def narrow_vgg19():
  random, inputs, layers = np.random.default_rng(0), 3, []
  for outputs in (4, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8):
    layers.append((random.normal(0, 0.1, (3, 3, inputs, outputs)), np.zeros(outputs)))
    inputs = outputs
  return layers


@pytest.mark.slow
@NEW
def test_perceptual_losses_are_lowered_with_their_constants(monkeypatch, tmp_path):
  monkeypatch.setattr(vgg19, 'load', lambda: vgg19.Vgg19(narrow_vgg19()))
  ours = trainer(Loss({'l1': 1.0, 'vgg': {0: 1.0, 10: 0.25}, 'style': {0: 0.0, 10: 40.0}}))
  step = lowering.lower(ours, example())
  assert len(step.state) == len(ours.state) + 2 * 14
  assert {'vgg', 'style', 'weight/style'} <= set(step.logs)
  step.save(str(tmp_path / 'step'))
  assert {path.name for path in (tmp_path / 'step').iterdir()} == {'step.mlir', 'state.npz', 'batch.npz'}
  with np.load(tmp_path / 'step' / 'state.npz') as state:
    assert state.files == list(step.state)
