"""Runs that are stopped, killed, damaged or out of space, and go on."""

import shutil
import signal

import numpy as np
import pytest
import tensorflow as tf

from film_tf import metrics
from film_tf.data import pipeline
from film_tf.model import weights
from tests import conftest, faults
from tests.data import triplets
from tests.small_disk import SmallDisk
from tests.training.runs import assert_same_state, final_weights, has_shown, start, state, train, words


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_last_checkpoint(run, tmp_path):
  folder = tmp_path / 'run'
  process, saved = start(folder, 'train.steps = 100_000'), folder / 'checkpoints' / 'checkpoint'
  faults.wait_until(lambda: saved.exists() and 'step-2' in saved.read_text(), process)  # step 20 and on
  faults.kill(process, signal.SIGKILL)
  newest = tf.train.latest_checkpoint(str(folder / 'checkpoints'))
  step = int(newest.rpartition('-')[2])
  assert step >= 20

  result = train(folder, f'train.steps = {step + 10}')
  assert f'going on from {newest}' in result.stderr
  assert_same_state(folder, run[0], step + 10)


@pytest.mark.slow
def test_a_finished_run_stays_finished(run, tmp_path):
  folder = shutil.copytree(run[0], tmp_path / 'run')
  result = conftest.command(
    *words(folder, 'train.steps = 20', 'train.show_every = 30', 'train.keep = 9'), '--init_from=gone.npz', cwd=tmp_path
  )
  assert result.returncode == 0, result.stderr
  told = result.stderr
  assert '--init_from=gone.npz is not used again' in told
  assert 'train.steps is 20, and step 60 is taken: no more are' in told
  assert 'changed since the last start: train.steps = 20 (was 60)' in told
  for name, value in final_weights(folder).items():
    np.testing.assert_array_equal(final_weights(run[0])[name], value)


@pytest.mark.slow
@pytest.mark.parametrize(('number', 'code'), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_who_is_asked_to_stop_saves_first(number, code, run, tmp_path):
  folder = tmp_path / 'run'
  bindings = ['train.checkpoint_every = 90_000', 'train.inner_steps = 3', 'train.show_every = 10']
  process = start(folder, 'train.steps = 100_000', *bindings)
  faults.wait_until(lambda: has_shown(folder), process)
  told = faults.kill(process, number)
  assert process.returncode == code, told
  step = int(tf.train.latest_checkpoint(str(folder / 'checkpoints')).rpartition('-')[2])
  assert f'{number.name}: saving and ending' in told
  assert f'{number.name}: saved step {step}; the same command goes on from it' in told
  assert 'Traceback' not in told

  end = step // 10 * 10 + 10
  train(folder, f'train.steps = {end}')
  assert_same_state(folder, run[0], end)


@pytest.mark.slow
def test_a_damaged_checkpoint_is_passed_over_and_a_whole_one_gone_on_from(run, tmp_path):
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
  assert_same_state(folder, run[0], 30)


@pytest.mark.slow
def test_weights_that_the_last_step_ruins_are_told_and_not_kept(run, tmp_path):
  folder = shutil.copytree(run[0], tmp_path / 'run')
  before = final_weights(folder)
  ruin = ['train.steps = 61', 'optimizer.learning_rate = 3e38', "loss.weights = {'l1': 1e6}"]
  result = conftest.command(*words(folder, *ruin), cwd=tmp_path)
  assert result.returncode == 2
  assert 'weights are not finite after step 61; the last good checkpoint is' in result.stderr
  assert tf.train.latest_checkpoint(str(folder / 'checkpoints')).endswith('step-60')
  for name, value in final_weights(folder).items():
    np.testing.assert_array_equal(value, before[name])


def psnr_of(path, name):
  net, batches = weights.load(path), pipeline.evaluation(name)
  return np.mean([metrics.psnr(net(batch)['image'], batch['y']) for batch in batches])


@pytest.mark.slow
def test_all_workers_stop_together_and_go_on(run, tmp_path):
  """One of two is asked to stop; the chief saves, both end, and both go on; both measure, each its share."""
  name, configs = triplets.write(tmp_path, [3]), conftest.tf_configs(2)
  folder = tmp_path / 'run'
  bindings = [
    'train.checkpoint_every = 90_000',
    'train.inner_steps = 3',
    'train.log_every = 4',
    'train.show_every = 10',
  ]
  bindings += [f'evaluation.sources = ["{name}"]', 'evaluation.every = 40']
  workers = [start(folder, 'train.steps = 100_000', *bindings, TF_CONFIG=config) for config in configs]
  faults.wait_until(lambda: has_shown(folder), *workers)
  workers[1].send_signal(signal.SIGTERM)
  told = [worker.communicate(timeout=400)[1] for worker in workers]
  assert [worker.returncode for worker in workers] == [0, 0], told
  step = int(tf.train.latest_checkpoint(str(folder / 'checkpoints')).rpartition('-')[2])
  assert f'another worker was asked to stop: saved step {step}' in told[0]
  assert f'SIGTERM: saved step {step}' in told[1]

  end = step // 10 * 10 + 10
  workers = [start(folder, f'train.steps = {end}', *bindings, TF_CONFIG=config) for config in configs]
  told = [worker.communicate(timeout=400)[1] for worker in workers]
  assert [worker.returncode for worker in workers] == [0, 0], told
  last = (folder / 'evaluation.csv').read_text().splitlines()[-1].split(',')
  assert last[:3] == [str(end), name, '3']
  for key, value in state(run[0], end).items():
    if key.startswith('weights/'):
      np.testing.assert_allclose(state(folder, end)[key], value, rtol=1e-3, atol=1e-4, err_msg=key)
  assert float(last[3]) == pytest.approx(psnr_of(folder / 'film.npz', name), abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize('size', [4, 160], ids=['nothing fits', 'one checkpoint fits'])
def test_a_full_disk_ends_the_run_and_room_lets_it_go_on(size, run, tmp_path):
  """In a file system of so many KiB, which then gets more."""
  arguments = words('disk/run', 'train.steps = 60')
  with SmallDisk(tmp_path, f'{size}k') as disk:
    result = disk.command(*arguments)
    assert result.returncode == 2, result.stderr
    assert 'Traceback' not in result.stderr
    assert 'No space left on device' in result.stderr
    left = [path.name for path in disk.path.rglob('*')]
    assert not [name for name in left if '_temp' in name]
    assert ('step-10.index' in left) == (size == 160)
    disk.grow('50m')
    result = disk.command(*arguments)
    assert result.returncode == 0, result.stderr
    assert 'Traceback' not in result.stderr
    for name, value in final_weights(run[0]).items():
      np.testing.assert_array_equal(final_weights(disk.path / 'run')[name], value, err_msg=name)
