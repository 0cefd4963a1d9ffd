"""Strategies by name, and what is said where they cannot be had."""

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
    (('tpu',), None, 'there is no TPU local'),
  ],
)
def test_what_is_missing_is_said(arguments, tf_config, message, monkeypatch):
  if tf_config:
    monkeypatch.setenv('TF_CONFIG', tf_config)
  with pytest.raises(UserError, match=message):
    strategy.build(*arguments)
