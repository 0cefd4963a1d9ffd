"""Real runs of the command, killed and resumed."""

import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from film_tf import metrics
from film_tf.data import pipeline
from film_tf.model import weights
from film_tf.training import summaries
from tests import conftest
from tests.data import triplets

TINY = [
  'model.pyramid_levels = 3', 'model.fusion_pyramid_levels = 2', 'model.specialized_levels = 1', 'model.sub_levels = 2',
  'model.filters = 4', 'model.flow_convs = [1, 1]', 'model.flow_filters = [4, 4]', 'synthetic.height = 32',
  'synthetic.width = 32', 'synthetic.max_motion = 4.0', 'train.batch_size = 2', 'train.log_every = 5',
  'train.show_every = 10', 'train.checkpoint_every = 10', 'optimizer.learning_rate = 1e-3',
  'train.deterministic = True',
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
  for part in ('starting', '30/30', 'loss ', ' dB', 'examples/s'):
    assert part in run[1].stderr


def test_tensorboard_shows_scalars_and_strips(run):
  events = EventAccumulator(str(run[0] / 'events'), size_guidance={'tensors': 0})
  events.Reload()
  tags = events.Tags()['tensors']
  assert {'loss', 'l1', 'weight/l1', 'psnr', 'gradient_norm', 'learning_rate', 'examples_per_second'} <= set(tags)
  assert [event.step for event in events.Tensors('loss')] == [5, 10, 15, 20, 25, 30]
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
  for key, value in final_weights(run[0]).items():
    np.testing.assert_array_equal(final_weights(folder)[key], value, err_msg=key)
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
def test_stopping_and_going_on_equals_one_run(run, tmp_path):
  folder = tmp_path / 'run'
  train(folder, 'train.steps = 20')
  assert 'going on from' in train(folder, 'train.steps = 30').stderr
  for name, value in final_weights(run[0]).items():
    np.testing.assert_array_equal(final_weights(folder)[name], value, err_msg=name)


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
    np.testing.assert_array_equal(final_weights(folder)[name], value, err_msg=name)


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


def start(folder, *bindings, **environment):
  """The command as a process that can be sent signals."""
  arguments = [sys.executable, '-m', *words(folder, *bindings)]
  environment = {**conftest.os.environ, 'PYTHONPATH': str(conftest.ROOT), **environment}
  return subprocess.Popen(arguments, cwd=folder.parent, env=environment, stderr=subprocess.PIPE, text=True)


def wait_for(path, process):
  deadline = time.monotonic() + 300
  while not path.exists():
    assert process.poll() is None, process.stderr.read()
    assert time.monotonic() < deadline
    time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize(('number', 'code'), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_who_is_asked_to_stop_saves_first(number, code, tmp_path):
  folder = tmp_path / 'run'
  process = start(folder, 'train.steps = 100_000', 'train.checkpoint_every = 90_000', 'train.inner_steps = 3')
  wait_for(folder / 'events', process)
  while not any(path.stat().st_size > 2000 for path in (folder / 'events').iterdir()):  # it has shown a strip
    time.sleep(0.1)
  process.send_signal(number)
  _, told = process.communicate(timeout=120)
  assert process.returncode == code, told
  step = int(tf.train.latest_checkpoint(str(folder / 'checkpoints')).rpartition('-')[2])
  assert f'{number.name}: saved step {step}; the same command goes on from it' in told
  assert 'Traceback' not in told

  train(folder, f'train.steps = {step + 6}')
  train(tmp_path / 'uninterrupted', f'train.steps = {step + 6}')
  for name, value in final_weights(tmp_path / 'uninterrupted').items():
    np.testing.assert_array_equal(final_weights(folder)[name], value, err_msg=name)


@pytest.mark.slow
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(run, tmp_path):
  folder = tmp_path / 'run'
  train(folder, 'train.steps = 20')
  newest = folder / 'checkpoints' / 'step-20.data-00000-of-00001'
  newest.write_bytes(newest.read_bytes()[:100])
  told = train(folder, 'train.steps = 20').stderr
  assert 'step-20 is damaged' in told
  assert 'going on from' in told
  assert 'step-10' in told
  again = train(folder, 'train.steps = 30').stderr
  assert 'is damaged' not in again  # it was written anew
  assert 'step-20' in again
  for name, value in final_weights(run[0]).items():
    np.testing.assert_array_equal(final_weights(folder)[name], value, err_msg=name)


@pytest.mark.slow
def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
  folder = tmp_path / 'run'
  arguments = words(folder, 'train.steps = 100', 'optimizer.learning_rate = 1e30')
  result = conftest.command(*arguments, cwd=tmp_path)
  assert result.returncode == 2, result.stderr
  assert 'at step 5 or just before; there is no checkpoint yet' in result.stderr
  assert 'Traceback' not in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize('given', ['film.npz', '', 'checkpoints/step-30'])
def test_fine_tuning_starts_from_weights_a_run_or_a_checkpoint(given, run, tmp_path):
  folder = tmp_path / 'run'
  arguments = words(folder, 'train.steps = 1', 'optimizer.learning_rate = 1e-12')
  result = conftest.command(*arguments, f'--init_from={run[0] / given}', cwd=tmp_path)
  assert result.returncode == 0, result.stderr
  for name, value in final_weights(run[0]).items():
    np.testing.assert_allclose(final_weights(folder)[name], value, atol=1e-9, err_msg=name)


@pytest.mark.slow
def test_what_cannot_be_started_from(run, tmp_path):
  for bindings, given, parts in [
    (['model.filters = 6'], run[0] / 'film.npz', ['film.npz do not fit']),
    (['model.filters = 6'], run[0], ['step-30 do not fit']),
    (['model.flow_convs = [2, 1]'], run[0], ['step-30 has', 'this network has']),
    ([], tmp_path / 'nothing', ['nothing is no weights file (.npz), and no checkpoint or run']),
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


def psnr_of(path, name):
  net, batches = weights.load(path), pipeline.evaluation(name)
  return np.mean([metrics.psnr(net(batch)['image'], batch['y']) for batch in batches])


@pytest.mark.slow
def test_all_workers_stop_together_and_go_on(tmp_path):
  """One of two is asked to stop; the chief saves, both end, and both go on; both measure, each its share."""
  name, configs = triplets.write(tmp_path, [3]), conftest.tf_configs(2)
  folder = tmp_path / 'run'
  bindings = ['train.checkpoint_every = 90_000', 'train.inner_steps = 3', 'train.log_every = 4']
  bindings += [f'evaluation.sources = ["{name}"]', 'evaluation.every = 40']
  workers = [start(folder, 'train.steps = 100_000', *bindings, TF_CONFIG=config) for config in configs]
  wait_for(folder / 'events', workers[0])
  while not any(path.stat().st_size > 2000 for path in (folder / 'events').iterdir()):
    time.sleep(0.1)
  workers[1].send_signal(signal.SIGTERM)
  told = [worker.communicate(timeout=400)[1] for worker in workers]
  assert [worker.returncode for worker in workers] == [0, 0], told
  step = int(tf.train.latest_checkpoint(str(folder / 'checkpoints')).rpartition('-')[2])
  assert f'another worker was asked to stop: saved step {step}' in told[0]
  assert f'SIGTERM: saved step {step}' in told[1]

  workers = [start(folder, f'train.steps = {step + 6}', *bindings, TF_CONFIG=config) for config in configs]
  told = [worker.communicate(timeout=400)[1] for worker in workers]
  assert [worker.returncode for worker in workers] == [0, 0], told
  last = (folder / 'evaluation.csv').read_text().splitlines()[-1].split(',')
  assert last[:3] == [str(step + 6), name, '3']
  train(tmp_path / 'alone', f'train.steps = {step + 6}')
  for key, value in final_weights(tmp_path / 'alone').items():
    np.testing.assert_allclose(final_weights(folder)[key], value, rtol=1e-3, atol=1e-4, err_msg=key)
  assert float(last[3]) == pytest.approx(psnr_of(folder / 'film.npz', name), abs=1e-3)


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


@pytest.mark.slow
@pytest.mark.parametrize('size', [4, 160], ids=['nothing fits', 'one checkpoint fits'])
def test_a_full_disk_ends_the_run_and_room_lets_it_go_on(size, run, tmp_path):
  """In a file system of so many KiB, which then gets more."""
  disk, arguments = tmp_path / 'disk', words(tmp_path / 'disk' / 'run', 'train.steps = 30')
  disk.mkdir()
  command = shlex.join([sys.executable, '-m', *arguments])
  script = (
    f'mount -t tmpfs -o size={size}k tmpfs {disk} || exit 77; {command}; echo ended with $?; ls -R {disk};'
    f'mount -o remount,size=50m {disk}; {command} && cp {disk}/run/film.npz {tmp_path}/film.npz'
  )
  environment = {**conftest.os.environ, 'PYTHONPATH': str(conftest.ROOT)}
  unshare = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', script]
  try:
    result = subprocess.run(unshare, cwd=tmp_path, env=environment, capture_output=True, text=True)
  except FileNotFoundError:
    pytest.skip('there is no unshare to mount a small file system with')
  if 'unshare:' in result.stderr or result.returncode == 77:
    pytest.skip(f'a small file system cannot be mounted: {result.stderr}')
  assert result.returncode == 0, result.stderr
  assert 'Traceback' not in result.stderr
  assert 'No space left on device' in result.stderr
  assert 'ended with 2' in result.stdout
  assert '_temp' not in result.stdout
  assert ('step-10.index' in result.stdout) == (size == 160)
  for name, value in final_weights(run[0]).items():
    np.testing.assert_array_equal(final_weights(tmp_path)[name], value, err_msg=name)
