"""The step as StableHLO: it runs under JAX and gives what TensorFlow gives."""

import numpy as np
import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.losses import vgg19
from film_tf.losses.losses import Loss
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.training import lowering
from film_tf.training.optimizer import Optimizer
from film_tf.training.trainer import Trainer
from tests.conftest import TINY, pair

OLD = tf.__version__.startswith('2.15')
NEW = pytest.mark.skipif(OLD, reason='TensorFlow 2.15 cannot write StableHLO')


def example(size=32):
  images = pair(2, size, size)
  return {**images, 'y': (images['x0'] + images['x1']) / 2, 'time': np.full((2, 1), 0.5, np.float32)}


def trainer(loss=None, **options):
  net = FilmNet(TINY)
  random = np.random.default_rng(0)
  for variable in weights.named(net).values():
    variable.assign(random.normal(0, 0.1, variable.shape))
  return Trainer(net, loss or Loss({'l1': 1.0}), Optimizer(1e-3, clip_norm=1.0, average=0.9), 100, **options)


@pytest.mark.skipif(not OLD, reason='this TensorFlow can')
def test_an_old_tensorflow_says_that_it_cannot():
  with pytest.raises(UserError, match=r'TensorFlow 2\.15.* cannot write StableHLO'):
    lowering.lower(trainer(), example())


@pytest.mark.slow
@NEW
@pytest.mark.parametrize('options', [{}, {'accumulate': 2}])
def test_twenty_steps_under_jax_equal_tensorflows(options):
  jax = pytest.importorskip('jax', reason='needs jax, which film_tf does not')
  from jax._src.interpreters import mlir
  from jax._src.lib import xla_client
  from jax._src.lib.mlir import ir

  ours = trainer(**options)
  before = [variable.numpy() for variable in ours.state]
  step = lowering.lower(ours, example())
  for old, variable in zip(before, ours.state, strict=True):
    np.testing.assert_array_equal(variable.numpy(), old)

  with mlir.make_ir_context():
    bytecode = mlir.module_to_bytecode(ir.Module.parse(step.program))
  device = jax.devices()[0]
  run = device.client.compile_and_load(bytecode, xla_client.DeviceList((device,)), xla_client.CompileOptions())
  state = [jax.device_put(value, device) for value in step.state.values()]
  batch = [jax.device_put(value, device) for value in step.batch.values()]
  batches = iter(tf.data.Dataset.from_tensors(example()).repeat())
  for _ in range(20):
    outputs = run.execute([*state, *batch])
    state, logs = outputs[: len(state)], dict(zip(step.logs, outputs[len(state) :], strict=True))
    expected = ours.run(batches, tf.constant(1))
    for name in ('loss', 'l1', 'learning_rate'):
      np.testing.assert_allclose(np.asarray(logs[name]), expected[name], rtol=1e-4)
  assert int(np.asarray(state[-1])) == ours.step_number() == 20


@pytest.mark.slow
@NEW
def test_perceptual_losses_are_lowered_with_their_constants(monkeypatch, tmp_path):
  random, inputs, layers = np.random.default_rng(0), 3, []
  for outputs in (4, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8):
    layers.append((random.normal(0, 0.1, (3, 3, inputs, outputs)), np.zeros(outputs)))
    inputs = outputs
  monkeypatch.setattr(vgg19, 'load', lambda: vgg19.Vgg19(layers))
  ours = trainer(Loss({'l1': 1.0, 'vgg': {0: 1.0, 10: 0.25}, 'style': {0: 0.0, 10: 40.0}}))
  step = lowering.lower(ours, example())
  assert len(step.state) == len(ours.state) + 2 * 14
  assert {'vgg', 'style', 'weight/style'} <= set(step.logs)
  step.save(str(tmp_path / 'step'))
  assert {path.name for path in (tmp_path / 'step').iterdir()} == {'step.mlir', 'state.npz', 'batch.npz'}
  with np.load(tmp_path / 'step' / 'state.npz') as state:
    assert state.files == list(step.state)
