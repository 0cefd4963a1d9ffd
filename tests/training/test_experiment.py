"""Real runs of the command, and what they leave."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.training import checkpoints, summaries
from tests import conftest
from tests.data import triplets
from tests.training.runs import assert_same_state, final_weights, state, train, words


def test_a_run_leaves_what_it_promises(run):
  folder, _ = run
  assert {path.name for path in folder.iterdir()} == {
    'config.gin', 'commands.txt', 'checkpoints', 'events', 'film.npz', 'saved_model'
  }  # fmt: skip
  assert 'model.filters = 4' in (folder / 'config.gin').read_text()
  told = (folder / 'commands.txt').read_text()
  for part in ('from step 0, on 1 x ', f'--base_dir={folder}', f'TensorFlow {tf.__version__}'):
    assert part in told
  net = weights.load(folder / 'film.npz')
  served = tf.saved_model.load(str(folder / 'saved_model')).signatures['serving_default']
  batch = {**conftest.pair(1, 20, 30), 'time': np.full((1, 1), 0.5, np.float32)}
  image = served(**{key: tf.constant(value) for key, value in batch.items()})['image']
  np.testing.assert_allclose(image, net(batch)['image'], atol=1e-4)


def test_progress_shows_loss_and_speed(run):
  for part in ('starting', '60/60', 'loss ', ' dB', 'examples/s'):
    assert part in run[1]


def test_tensorboard_shows_scalars_and_strips(run):
  events = EventAccumulator(str(run[0] / 'events'), size_guidance={'tensors': 0})
  events.Reload()
  tags = events.Tags()['tensors']
  assert {'loss', 'l1', 'weight/l1', 'psnr', 'gradient_norm', 'learning_rate', 'examples_per_second'} <= set(tags)
  assert [event.step for event in events.Tensors('loss')] == list(range(5, 61, 5))
  strip = next(tag for tag in tags if tag.startswith('x0'))
  picture = tf.io.decode_png(events.Tensors(strip)[0].tensor_proto.string_val[2])
  assert picture.shape == (4 * 32, 5 * 32, 3)
  flows = next(tag for tag in tags if tag.startswith('flow '))
  picture = tf.io.decode_png(events.Tensors(flows)[0].tensor_proto.string_val[2])
  assert picture.shape == (4 * 32, 4 * 32, 3)


def test_training_lowers_the_loss(tmp_path):
  folder = tmp_path / 'run'
  train(folder, 'train.steps = 150', 'train.batch_size = 4', 'optimizer.learning_rate = 3e-3')
  events = EventAccumulator(str(folder / 'events'), size_guidance={'tensors': 0})
  events.Reload()
  losses = [float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors('loss')]
  assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:2])


@pytest.mark.slow
def test_a_run_is_measured_and_its_best_weights_are_exported(run, tmp_path):
  """Measuring changes nothing of the training."""
  name = triplets.write(tmp_path, [3])
  folder = tmp_path / 'run'
  told = train(folder, 'train.steps = 30', f'evaluation.sources = ["{name}"]', 'evaluation.every = 20').stderr
  rows = (folder / 'evaluation.csv').read_text().splitlines()
  assert [row.split(',')[:3] for row in rows[1:]] == [['20', name, '3'], ['30', name, '3']]
  assert f'on 3 of {name}, the best so far' in told
  assert_same_state(folder, run[0], 30)
  best = weights.load(folder / 'best.npz')
  batch = {**conftest.pair(1, 32, 32), 'time': np.full((1, 1), 0.5, np.float32)}
  served = tf.saved_model.load(str(folder / 'best_saved_model'))
  np.testing.assert_allclose(served.predict(batch)['image'], best(batch)['image'], atol=1e-5)
  events = EventAccumulator(str(folder / 'events'), size_guidance={'tensors': 0})
  events.Reload()
  assert [event.step for event in events.Tensors(f'evaluation/psnr/{name}')] == [20, 30]


@pytest.mark.slow
def test_records_and_scenes_train_together(tmp_path):
  name = triplets.write(tmp_path, [4, 4], 40, 48)
  folder = tmp_path / 'run'
  train(folder, 'train.steps = 4', f'data.sources = {{"{name}": 2.0, "synthetic": 1.0}}', 'augmentation.crop = 32')
  assert name in (folder / 'config.gin').read_text().replace('\\\n', '')
  assert all(np.isfinite(value).all() for value in final_weights(folder).values())


@pytest.mark.slow
def test_another_network_does_not_fit_the_checkpoint(run, tmp_path):
  folder = shutil.copytree(run[0], tmp_path / 'run')
  before = sorted(path.stat().st_mtime_ns for path in folder.rglob('*'))
  result = conftest.command(*words(folder, 'model.filters = 6', 'train.steps = 70'), cwd=tmp_path)
  conftest.assert_user_error(result, 'checkpoint', 'step-60', 'model.filters = 4, and now it is 6')
  assert sorted(path.stat().st_mtime_ns for path in folder.rglob('*')) == before


@pytest.mark.slow
def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
  folder = tmp_path / 'run'
  arguments = words(folder, 'train.steps = 100', 'optimizer.learning_rate = 1e30')
  result = conftest.command(*arguments, cwd=tmp_path)
  assert result.returncode == 2, result.stderr
  assert 'or just before; there is no checkpoint yet' in result.stderr
  assert 'Traceback' not in result.stderr


@pytest.mark.parametrize('given', ['film.npz', '', 'checkpoints/step-60'])
def test_weights_come_from_a_file_a_run_or_a_checkpoint(given, run):
  folder, _ = run
  net = FilmNet(weights.load(folder / 'film.npz').options)
  checkpoints.initialise(net, str(folder / given))
  for name, value in final_weights(folder).items():
    np.testing.assert_array_equal(weights.named(net)[name], value, err_msg=name)


@pytest.mark.slow
def test_fine_tuning_starts_from_a_run(run, tmp_path):
  folder = tmp_path / 'run'
  arguments = words(folder, 'train.steps = 1', 'optimizer.learning_rate = 1e-12')
  result = conftest.command(*arguments, f'--init_from={run[0]}', cwd=tmp_path)
  assert result.returncode == 0, result.stderr
  for name, value in final_weights(run[0]).items():
    np.testing.assert_allclose(final_weights(folder)[name], value, atol=1e-9, err_msg=name)


@pytest.mark.slow
def test_what_cannot_be_started_from(run, tmp_path):
  for bindings, given, parts in [
    (['model.filters = 6'], run[0] / 'film.npz', ['film.npz do not fit']),
    (['model.filters = 6'], run[0], ['step-60 do not fit']),
    (['model.flow_convs = [2, 1]'], run[0], ['step-60 has', 'this network has']),
    ([], tmp_path / 'nothing', ['no such model: ', 'nothing; expected film_mini']),
  ]:
    result = conftest.command(*words(tmp_path / 'other', *bindings), f'--init_from={given}', cwd=tmp_path)
    assert result.returncode == 2
    assert 'Traceback' not in result.stderr
    for part in parts:
      assert part in result.stderr


@pytest.mark.slow
def test_a_batch_that_cannot_be_divided(tmp_path):
  result = conftest.command(*words(tmp_path / 'run', 'train.accumulate = 3'), cwd=tmp_path)
  conftest.assert_user_error(result, 'train.batch_size is 2', 'multiple of 3')


@pytest.mark.slow
def test_only_parts_of_the_network_are_frozen(tmp_path):
  result = conftest.command(*words(tmp_path / 'run', "train.frozen = ['flow']"), cwd=tmp_path)
  conftest.assert_user_error(result, "train.frozen is ['flow']", 'feature_pyramid or flow_pyramid')


@pytest.mark.slow
def test_a_flow_loss_needs_synthetic_data(tmp_path):
  name = triplets.write(tmp_path, [4], 40, 48)
  arguments = words(
    tmp_path / 'run',
    "loss.weights = {'l1': 1.0, 'flow': 0.1}",
    f'data.sources = {{"{name}": 1.0}}',
    'augmentation.crop = 32',
  )
  conftest.assert_user_error(conftest.command(*arguments, cwd=tmp_path), 'flow, which only synthetic data have', name)
  arguments = words(tmp_path / 'run', "loss.weights = {'warped': 1.0}", 'model.use_aux_outputs = False')
  conftest.assert_user_error(conftest.command(*arguments, cwd=tmp_path), 'model.use_aux_outputs')


def test_colours_of_flow_are_directions():
  """Right is red, left its opposite, half as far half as deep, and what stands still is white."""
  flow = np.zeros((1, 1, 4, 2), np.float32)
  flow[0, 0, 0], flow[0, 0, 1], flow[0, 0, 2] = (5, 0), (2.5, 0), (-5, 0)
  expected = [[1, 0, 0], [1, 0.5, 0.5], [0, 1, 1], [1, 1, 1]]
  np.testing.assert_allclose(summaries.colour(flow)[0, 0], expected, atol=1e-5)


def test_a_run_that_goes_on_in_float16_begins_to_scale_its_loss(tmp_path):
  train(tmp_path / 'run', 'train.steps = 2')
  train(tmp_path / 'run', 'train.steps = 3', "train.precision = 'mixed_float16'")
  scales = [state(tmp_path / 'run', step)['scale/.ATTRIBUTES/VARIABLE_VALUE'] for step in (2, 3)]
  assert scales[0] == 1
  assert scales[1] >= 2**10
