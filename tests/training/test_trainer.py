"""Steps: the same on any number of devices, however a batch is cut, compiled or not; and what happens to bad ones."""

import json

import numpy as np
import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.losses.losses import Loss
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.training.optimizer import OptimizerOptions
from film_tf.training.trainer import Trainer
from tests.conftest import ROOT, SHALLOW, TINY, command, pair, tf_configs
from tests.forked import Process


def steps(devices=1, **options):
  result = command('tests.training.run_steps', devices, json.dumps(options), cwd=ROOT)
  assert result.returncode == 0, result.stderr
  return json.loads(result.stdout.splitlines()[-1])


def start_worker(tf_config):
  return Process(
    'tests.training.run_steps', '1', json.dumps({'strategy': 'multi_worker'}), cwd=ROOT, TF_CONFIG=tf_config
  )


@pytest.fixture(scope='module')
def one():
  return steps()


@pytest.mark.slow
@pytest.mark.parametrize(
  'options', [{'accumulate': 4}, {'devices': 4, 'accumulate': 2}], ids=['parts', 'devices and parts']
)
def test_devices_and_parts_make_no_difference(options, one):
  other = steps(**options)
  assert other['devices'] == options.get('devices', 1)
  np.testing.assert_allclose(other['losses'], one['losses'], rtol=1e-4)
  np.testing.assert_allclose(other['weights'], one['weights'], rtol=1e-4)


@pytest.mark.slow
def test_xla_makes_no_difference(one):
  np.testing.assert_allclose(steps(compiled=True)['losses'], one['losses'], rtol=1e-3)


@pytest.mark.slow
def test_two_processes_train_together(one):
  processes = [start_worker(config) for config in tf_configs(2)]
  for process in processes:
    output, errors = process.communicate(timeout=500)
    assert process.returncode == 0, errors
    worker = json.loads(output.splitlines()[-1])
    assert worker['devices'] == 2
    np.testing.assert_allclose(worker['losses'], one['losses'], rtol=1e-4)
    np.testing.assert_allclose(worker['weights'], one['weights'], rtol=1e-4)


def batch():
  images = pair(2, 32, 32)
  return {**images, 'y': (images['x0'] + images['x1']) / 2, 'time': np.full((2, 1), 0.5, np.float32)}


def batches(*values):
  return iter(tf.data.Dataset.from_tensor_slices({key: np.stack([v[key] for v in values]) for key in values[0]}))


def trainer(net=None, **options):
  return Trainer(net or FilmNet(SHALLOW), Loss(), OptimizerOptions(1e-3, **options), 100)


def test_weights_that_the_loss_does_not_depend_on_stay():
  ours = Trainer(FilmNet(SHALLOW), Loss({'flow': 1.0}), OptimizerOptions(1e-3), 100)
  names, before = list(weights.named(ours.net)), [weight.numpy() for weight in ours.weights]
  flow = {f'{way}_flow': np.full((2, 32, 32, 2), 3.0, np.float32) for way in ('forward', 'backward')}
  ours.run(batches({**batch(), **flow}), tf.constant(1))
  for name, old, new in zip(names, before, ours.weights, strict=True):
    assert np.array_equal(old, new.numpy()) == name.startswith('fusion_decoder'), name


def test_something_is_left_to_train():
  parts = ['feature_pyramid', 'flow_pyramid', 'fusion_decoder']
  with pytest.raises(UserError, match=r'train.frozen is .*, all parts of the network; leave one out'):
    Trainer(FilmNet(TINY), Loss(), OptimizerOptions(1e-3), 100, frozen=parts)


def test_frozen_parts_stay_and_the_others_learn():
  net = FilmNet(SHALLOW)
  ours = Trainer(net, Loss(), OptimizerOptions(1e-3), 100, frozen=['feature_pyramid', 'flow_pyramid'])
  before = [weight.numpy() for weight in ours.weights]
  ours.run(batches(batch()), tf.constant(1))
  for name, old, new in zip(weights.named(net), before, ours.weights, strict=True):
    assert np.array_equal(old, new) != name.startswith('fusion_decoder'), name


def test_a_step_that_is_not_finite_changes_nothing():
  bad = {**batch(), 'y': np.full((2, 32, 32, 3), np.nan, np.float32)}
  ours = trainer(average=0.9)
  before = [weight.numpy() for weight in [*ours.weights, *ours.averages, *ours.m]]
  assert ours.run(batches(bad), tf.constant(1))['finite'] == 0
  for old, new in zip(before, [*ours.weights, *ours.averages, *ours.m], strict=True):
    np.testing.assert_array_equal(old, new.numpy())
  assert ours.run(batches(batch(), bad, batch()), tf.constant(3))['finite'] == 0  # in any of them
  assert ours.run(batches(batch()), tf.constant(1))['finite'] == 1


def test_steps_in_the_graph_are_steps_one_by_one():
  net = FilmNet(SHALLOW)
  twin = FilmNet(SHALLOW)
  weights.assign(twin, {name: value.numpy() for name, value in weights.named(net).items()}, 'the other')
  many, single = trainer(net), trainer(twin)
  many.run(batches(*[batch()] * 3), tf.constant(3))
  for _ in range(3):
    single.run(batches(batch()), tf.constant(1))
  assert many.step_number() == single.step_number() == 3
  for a, b in zip(many.weights, single.weights, strict=True):
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-7)


def test_averaged_weights_come_and_go():
  ours = trainer(average=0.99)
  ours.run(batches(*[batch()] * 5), tf.constant(5))
  before = ours.weights[0].numpy()
  with ours.averaged():
    np.testing.assert_array_equal(ours.weights[0].numpy(), ours.averages[0].numpy())
    assert (ours.weights[0].numpy() != before).any()
  np.testing.assert_array_equal(ours.weights[0].numpy(), before)


def test_float16_gradients_are_scaled_and_overflow_halves_the_scale():
  ours = trainer(FilmNet(SHALLOW, dtype='mixed_float16'))
  logs = ours.run(batches(batch()), tf.constant(1))
  assert (logs['finite'], logs['loss_scale']) == (1, 2.0**15)
  ours.scale.assign(np.finfo(np.float32).max)
  logs = ours.run(batches(batch()), tf.constant(1))
  assert logs['finite'] == 0
  assert ours.scale.numpy() == pytest.approx(np.finfo(np.float32).max / 2)
  ours.scale.assign(1024.0)
  ours.steps_since_overflow.assign(1999)
  ours.run(batches(batch()), tf.constant(1))
  assert (ours.scale.numpy(), ours.steps_since_overflow.numpy()) == (2048.0, 0)


def test_the_names_in_a_checkpoint_are_a_file_format(tmp_path, tiny):
  """Checkpoints of version 0.1 have these names; they are restored whatever the attributes are called."""
  path = trainer(tiny).checkpoint.save(str(tmp_path / 'step'))
  names = {name.split('/')[0] for name, _ in tf.train.list_variables(path)} - {'_CHECKPOINTABLE_OBJECT_GRAPH'}
  expected = {'weights', 'means', 'squares', 'averages', 'scale', 'calm', 'taken', 'save_counter'}
  assert names | {'averages'} == expected
