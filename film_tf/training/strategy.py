"""Chooses where a run runs: on one device, on all GPUs of a machine, on many machines, or on TPUs."""

import json
import os

import tensorflow as tf

from film_tf.errors import UserError

NAMES = ('auto', 'one_device', 'mirrored', 'multi_worker', 'tpu')


def build(name: str = 'auto', tpu: str | None = None) -> tf.distribute.Strategy:
  """Makes a strategy by its name.

  Call it before TensorFlow does anything else: workers must find each other first.

  Args:
    name: one_device; mirrored, all GPUs of this machine (or all logical CPUs, where there is no GPU); multi_worker, all
      machines of TF_CONFIG or of a SLURM job; tpu; or auto, which takes a TPU that is named, workers where TF_CONFIG
      has more than one, GPUs where there are more than one, and else one device.
    tpu: name or address of the TPU, or local on a TPU VM.

  Raises:
    UserError: there is no such strategy, or not what it needs.
  """
  if name not in NAMES:
    raise UserError(f'--strategy={name}; expected one of {", ".join(NAMES)}')
  if name == 'auto':
    name = _best(tpu)
  if name == 'tpu':
    return _tpu(tpu or 'local')
  if tpu:
    raise UserError(f'--tpu={tpu} does not go with --strategy={name}; expected --strategy=tpu')
  if name == 'multi_worker':
    return tf.distribute.MultiWorkerMirroredStrategy(_cluster())
  if name == 'mirrored':
    kind = 'GPU' if tf.config.list_logical_devices('GPU') else 'CPU'
    return tf.distribute.MirroredStrategy([device.name for device in tf.config.list_logical_devices(kind)])
  return tf.distribute.get_strategy()  # TensorFlow's default: the first GPU, or the CPU


def is_chief(strategy: tf.distribute.Strategy) -> bool:
  """Returns whether this process is the one of all workers that writes files."""
  resolver = strategy.cluster_resolver
  return resolver is None or resolver.task_type in (None, 'chief') or resolver.task_id in (None, 0)


def describe(strategy: tf.distribute.Strategy) -> str:
  """Says how many devices it has, and of what kind."""
  gpus = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices('GPU')]
  kind = gpus[0].get('device_name', 'GPU') if gpus else 'CPU'
  if isinstance(strategy, tf.distribute.TPUStrategy):
    kind = 'TPU'
  return f'{strategy.num_replicas_in_sync} x {kind}'


def _best(tpu):
  if tpu:
    return 'tpu'
  if len(_workers()) > 1:
    return 'multi_worker'
  return 'mirrored' if len(tf.config.list_physical_devices('GPU')) > 1 else 'one_device'


def _workers():
  """Returns the addresses in TF_CONFIG, if there is one."""
  try:
    return json.loads(os.environ.get('TF_CONFIG') or '{}').get('cluster', {}).get('worker', [])
  except (ValueError, AttributeError) as error:
    raise UserError(f'TF_CONFIG is not the JSON it should be: {error}') from error


def _cluster():
  if _workers():
    return tf.distribute.cluster_resolver.TFConfigClusterResolver()
  if 'SLURM_PROCID' in os.environ:
    return tf.distribute.cluster_resolver.SlurmClusterResolver()
  raise UserError('--strategy=multi_worker needs TF_CONFIG with the addresses of all workers, or a SLURM job')


def _tpu(tpu):
  try:
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu)
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
  except (ValueError, RuntimeError, tf.errors.OpError) as error:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    raise UserError(f'there is no TPU {tpu}: {reason}') from error
  return tf.distribute.TPUStrategy(resolver)
