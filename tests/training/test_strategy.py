"""Strategies by name, and what is said where they cannot be had."""

import socket
import threading

import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.training import strategy


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
    (('auto',), '{"cluster": {"worker": "a:1"}}', "workers 'a:1'; expected a list of addresses"),
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


def test_who_is_missing_is_told_while_one_waits(monkeypatch, capfd):
  monkeypatch.setattr(strategy, '_TELL_AFTER', 0.05)
  done = threading.Event()
  with socket.socket() as there, socket.socket() as gone:
    there.bind(('localhost', 0))
    there.listen()
    gone.bind(('localhost', 0))
    workers = [f'localhost:{one.getsockname()[1]}' for one in (there, gone)]
    threading.Timer(0.3, done.set).start()
    strategy._tell_who_is_missing(workers, done)
  assert f'waiting for {workers[1]}, which cannot be reached' in capfd.readouterr().err
