"""Strategies by name, and what is said where they cannot be had."""

import json
import signal
import time
import types

import pytest
import tensorflow as tf

from film_tf.distribution import strategy
from film_tf.errors import UserError
from tests import faults
from tests.conftest import tf_configs
from tests.forked import Process
from tests.training import runs


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
  for name in ('TF_CONFIG', 'SLURM_PROCID'):
    monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize('name', ['auto', 'one_device'])
def test_one_device_is_tensorflows_default(name):
  assert strategy.build(name) is tf.distribute.get_strategy()
  assert strategy.is_chief(strategy.build(name))


def test_mirrored_takes_all_logical_cpus_where_there_is_no_gpu():
  assert strategy.build('mirrored').num_replicas_in_sync == len(tf.config.list_logical_devices('CPU'))


@pytest.mark.parametrize(
  ('arguments', 'tf_config', 'message'),
  [
    (('nonsense',), None, 'expected one of auto, one_device, mirrored'),
    (('mirrored', 'local'), None, '--tpu=local does not go with --strategy=mirrored'),
    (('multi_worker',), None, 'needs TF_CONFIG with the addresses of all workers, or a SLURM job'),
    (('auto',), 'no JSON', 'TF_CONFIG is not the JSON it should be'),
    (('auto',), '[1]', 'TF_CONFIG is not the JSON it should be'),
    (('auto',), '[' * 9000, 'TF_CONFIG is not the JSON it should be'),
    (('auto',), '{"cluster": {"worker": "a:1"}}', "workers 'a:1'; expected a list of addresses"),
    (('auto',), '{"cluster": {"worker": ["a", "b:0"]}}', "workers .'a', 'b:0'.; expected a list of addresses"),
    (('auto',), '{"cluster": {"worker": ["a:1", "b:70000"]}}', 'b:70000.*; expected a list of addresses'),
    (('auto',), '{"cluster": {"worker": ["a:1", "b:1"]}}', '2 workers and task None; expected one of them'),
    (('auto',), '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 7}}', "'index': 7"),
    (('auto', 'none-there'), None, 'there is no TPU none-there'),
    (('tpu',), None, 'there is no TPU local'),
  ],
)
def test_what_is_missing_is_said(arguments, tf_config, message, monkeypatch):
  if tf_config:
    monkeypatch.setenv('TF_CONFIG', tf_config)
  with pytest.raises(UserError, match=message) as error:
    strategy.build(*arguments)
  assert '\n' not in error.value.message


def test_slurms_number_alone_is_no_job(monkeypatch):
  monkeypatch.setenv('SLURM_PROCID', '0')
  with pytest.raises(UserError, match='SLURM_PROCID is set, but this is no SLURM step: SLURM_STEP_NUM_TASKS not found'):
    strategy.build('multi_worker')


@pytest.mark.slow
def test_workers_that_cannot_be_reached_end_it_after_a_while(tmp_path):
  config = tf_configs(2)[1]
  _, *words = runs.words(tmp_path / 'run')
  process = Process('film_tf.train', *words, '--wait_for_workers=6', cwd=tmp_path, TF_CONFIG=config)
  said = process.communicate(timeout=120)[1].splitlines()
  assert process.returncode == -signal.SIGKILL
  other = json.loads(config)['cluster']['worker'][0]
  advice = 'start all workers, or wait longer with --wait_for_workers'
  assert said == [f'waiting for {other}, which cannot be reached', f'{other} cannot be reached in 6 s; {advice}']
  assert not (tmp_path / 'run').exists()


@pytest.mark.slow
def test_ctrl_c_while_workers_are_waited_for_ends_it(tmp_path):
  _, *words = runs.words(tmp_path / 'run')
  process = Process('film_tf.train', *words, cwd=tmp_path, TF_CONFIG=tf_configs(2)[0])
  faults.wait_until(lambda: 'waiting for' in process.told(), process)
  faults.kill(process, signal.SIGINT)
  assert process.returncode == -signal.SIGINT


def test_a_worker_that_has_too_little_memory_is_not_said_to_be_lost():
  alone = tf.distribute.MultiWorkerMirroredStrategy()
  message = 'OOM when allocating tensor on /job:localhost/replica:0/task:0/device:CPU:0 by allocator cpu'
  with pytest.raises(tf.errors.ResourceExhaustedError), strategy.together(alone):
    raise tf.errors.ResourceExhaustedError(None, None, message)


def test_of_a_chief_and_workers_one_writes(monkeypatch):
  cluster = {'chief': ['a:1'], 'worker': ['b:1', 'c:1']}
  wrote = []
  for task in ({'type': 'chief', 'index': 0}, {'type': 'worker', 'index': 0}, {'type': 'worker', 'index': 1}):
    monkeypatch.setenv('TF_CONFIG', json.dumps({'cluster': cluster, 'task': task}))
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    wrote.append(strategy.is_chief(types.SimpleNamespace(cluster_resolver=resolver)))
  assert wrote == [True, False, False]


@pytest.mark.slow
def test_a_worker_that_is_paused_is_waited_for_and_one_that_is_killed_is_named(tmp_path):
  """TensorFlow gives up one that was silent for 10 s, such as on a machine that was moved, and hides who it was."""
  folder = tmp_path / 'run'
  words = ['train.steps = 100_000', 'train.show_every = 10']
  workers = [runs.start(folder, *words, TF_CONFIG=config) for config in tf_configs(2)]
  faults.wait_until(lambda: runs.has_shown(folder), *workers)
  workers[1].send_signal(signal.SIGSTOP)
  time.sleep(12)
  workers[1].send_signal(signal.SIGCONT)
  last = folder / 'checkpoints' / 'checkpoint'
  before = last.read_text()
  faults.wait_until(lambda: last.read_text() != before, *workers)
  faults.kill(workers[1], signal.SIGKILL)
  said = workers[0].communicate(timeout=120)[1]
  assert workers[0].returncode == 2
  assert said.splitlines()[-1].startswith(
    'film_tf.train: worker 1 has ended, or was not heard of for 100 s; see what it'
  )
