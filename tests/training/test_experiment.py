"""Real runs of the command, killed and resumed."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from film_tf.model import weights
from film_tf.training import optimizer
from tests import conftest
from tests.data import triplets

TINY = [
  'model.pyramid_levels = 3', 'model.fusion_pyramid_levels = 2', 'model.specialized_levels = 1', 'model.sub_levels = 2',
  'model.filters = 4', 'model.flow_convs = [1, 1]', 'model.flow_filters = [4, 4]', 'synthetic.height = 32',
  'synthetic.width = 32', 'synthetic.max_motion = 4.0', 'train.batch_size = 2', 'train.log_every = 5',
  'train.show_every = 10', 'train.checkpoint_every = 10', 'optimizer.learning_rate = 1e-3',
]  # fmt: skip


def words(folder, *bindings):
  flags = [f'--gin_bindings={binding}' for binding in [*TINY, *bindings]]
  return ['film_tf.train', '--gin_configs=gin/film_mini.gin', f'--base_dir={folder}', *flags]


def train(folder, *bindings):
  result = conftest.command(*words(folder, *bindings), cwd=folder.parent)
  assert result.returncode == 0, result.stderr
  return result


def final_weights(folder):
  with np.load(folder / 'film.npz') as file:
    return {name: value for name, value in file.items() if name != 'options'}


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """A finished run of 30 steps."""
  folder = tmp_path_factory.mktemp('runs') / 'run'
  return folder, train(folder, 'train.steps = 30')


def test_a_run_leaves_what_it_promises(run):
  folder, _ = run
  assert {path.name for path in folder.iterdir()} == {
    'config.gin', 'checkpoints', 'events', 'film.npz', 'saved_model'
  }  # fmt: skip
  assert 'model.filters = 4' in (folder / 'config.gin').read_text()
  net = weights.load(folder / 'film.npz')
  served = tf.saved_model.load(str(folder / 'saved_model')).signatures['serving_default']
  batch = {**conftest.pair(1, 20, 30), 'time': np.full((1, 1), 0.5, np.float32)}
  image = served(**{key: tf.constant(value) for key, value in batch.items()})['image']
  np.testing.assert_allclose(image, net(batch)['image'], atol=1e-4)


def test_progress_shows_loss_and_speed(run):
  for part in ('starting', '30/30', 'loss ', ' dB', 'examples/s'):
    assert part in run[1].stderr


def test_tensorboard_shows_scalars_and_strips(run):
  events = EventAccumulator(str(run[0] / 'events'), size_guidance={'tensors': 0})
  events.Reload()
  tags = events.Tags()['tensors']
  assert {'loss', 'l1', 'psnr', 'gradient_norm'} <= set(tags)
  assert [event.step for event in events.Tensors('loss')] == [5, 10, 15, 20, 25, 30]
  strip = next(tag for tag in tags if tag.startswith('x0'))
  picture = tf.io.decode_png(events.Tensors(strip)[0].tensor_proto.string_val[2])
  assert picture.shape == (2 * 32, 5 * 32, 3)


def test_training_lowers_the_loss(tmp_path):
  folder = tmp_path / 'run'
  train(folder, 'train.steps = 150', 'train.batch_size = 4', 'optimizer.learning_rate = 3e-3')
  events = EventAccumulator(str(folder / 'events'), size_guidance={'tensors': 0})
  events.Reload()
  losses = [float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors('loss')]
  assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:2])


@pytest.mark.slow
def test_records_and_scenes_train_together(tmp_path):
  name = triplets.write(tmp_path, [4, 4], 40, 48)
  folder = tmp_path / 'run'
  train(folder, 'train.steps = 4', f'data.sources = {{"{name}": 2.0, "synthetic": 1.0}}', 'augmentation.crop = 32')
  assert name in (folder / 'config.gin').read_text().replace('\\\n', '')
  assert all(np.isfinite(value).all() for value in final_weights(folder).values())


@pytest.mark.slow
def test_stopping_and_going_on_equals_one_run(run, tmp_path):
  folder = tmp_path / 'run'
  train(folder, 'train.steps = 20')
  assert 'going on from' in train(folder, 'train.steps = 30').stderr
  for name, value in final_weights(run[0]).items():
    np.testing.assert_allclose(final_weights(folder)[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_last_checkpoint(run, tmp_path):
  folder = tmp_path / 'run'
  arguments = [sys.executable, '-m', *words(folder, 'train.steps = 100_000')]
  environment = {**conftest.os.environ, 'PYTHONPATH': str(conftest.ROOT)}
  process = subprocess.Popen(arguments, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
  saved = folder / 'checkpoints' / 'checkpoint'
  deadline = time.monotonic() + 300
  while not saved.exists() or 'step-2' not in saved.read_text():  # step 20 and on
    assert process.poll() is None
    assert time.monotonic() < deadline
    time.sleep(0.05)
  process.send_signal(signal.SIGKILL)
  process.wait()
  newest = tf.train.latest_checkpoint(str(folder / 'checkpoints'))
  step = int(newest.rpartition('-')[2])
  assert step >= 20

  result = train(folder, f'train.steps = {step + 10}')
  assert f'going on from {newest}' in result.stderr
  uninterrupted = tmp_path / 'uninterrupted'
  train(uninterrupted, f'train.steps = {step + 10}')
  for name, value in final_weights(uninterrupted).items():
    np.testing.assert_allclose(final_weights(folder)[name], value, rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.slow
def test_a_finished_run_stays_finished(run):
  before = final_weights(run[0])
  train(run[0], 'train.steps = 20')
  for name, value in final_weights(run[0]).items():
    np.testing.assert_array_equal(before[name], value)


@pytest.mark.slow
def test_another_network_does_not_fit_the_checkpoint(run):
  before = sorted(path.stat().st_mtime_ns for path in run[0].rglob('*'))
  result = conftest.command(*words(run[0], 'model.filters = 6', 'train.steps = 40'), cwd=run[0].parent)
  conftest.assert_user_error(result, 'checkpoint', 'step-30')
  assert sorted(path.stat().st_mtime_ns for path in run[0].rglob('*')) == before


def test_learning_rate_falls_as_published():
  config = optimizer.build().get_config()['learning_rate']
  schedule = tf.keras.optimizers.schedules.deserialize(config)
  for step, rate in [(0, 1e-4), (749_999, 1e-4), (750_000, 4.64158e-5), (1_500_000, 2.154435e-5)]:
    np.testing.assert_allclose(schedule(step), rate, rtol=1e-5)
