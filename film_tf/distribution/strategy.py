"""Chooses where a run runs: on one device, on all GPUs of a machine, on many machines, or on TPUs."""

import contextlib
import json
import os
import re

import tensorflow as tf
from tensorflow.python.eager import context  # the time without a heartbeat can be set nowhere else

from film_tf import files
from film_tf.distribution import roll_call
from film_tf.errors import UserError

NAMES = ('auto', 'one_device', 'mirrored', 'multi_worker', 'tpu')
_SILENCE = 100  # seconds without a sign of life that a busy machine may have; TensorFlow's 10 ended whole runs


def build(name: str = 'auto', tpu: str | None = None, patience: float = 600.0) -> tf.distribute.Strategy:
  """Makes a strategy by its name.

  Call it before TensorFlow does anything else: workers must find each other first.

  Args:
    name: one_device; mirrored, all GPUs of this machine (or all logical CPUs, where there is no GPU); multi_worker, all
      machines of TF_CONFIG or of a SLURM job; tpu; or auto, which takes a TPU that is named, workers where TF_CONFIG
      has more than one, GPUs where there are more than one, and else one device.
    tpu: name or address of the TPU, or local on a TPU VM.
    patience: seconds after which workers that cannot be reached end this process, by SIGKILL.

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
    return _multi_worker(patience)
  if name == 'mirrored':
    kind = 'GPU' if tf.config.list_logical_devices('GPU') else 'CPU'
    return tf.distribute.MirroredStrategy([device.name for device in tf.config.list_logical_devices(kind)])
  return tf.distribute.get_strategy()  # TensorFlow's default: the first GPU, or the CPU


def is_chief(strategy: tf.distribute.Strategy) -> bool:
  """Returns whether this process is the one of all workers that writes files."""
  resolver = strategy.cluster_resolver
  if resolver is None or resolver.task_type in (None, 'chief') or isinstance(strategy, tf.distribute.TPUStrategy):
    return True  # one process has all TPUs; its resolver would ask Google's cloud for the cluster
  return resolver.task_id in (None, 0) and 'chief' not in resolver.cluster_spec().jobs


@contextlib.contextmanager
def together(strategy: tf.distribute.Strategy):
  """Says of work that all workers do together that one of them is lost, where that ends it.

  Raises:
    UserError: a worker has ended, or was not heard of for 100 s.
  """
  try:
    yield
  except tf.errors.OpError as error:
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
      raise
    resolver = strategy.cluster_resolver
    lost = set(re.findall(r'/job:(\w+)/(?:replica:\d+/)?task:(\d+)', error.message))
    # A worker names itself where it has too little memory.
    if not (lost := lost - {(resolver.task_type or 'localhost', str(resolver.task_id or 0))}):
      raise
    names = ', '.join(sorted(map(' '.join, lost)))
    raise UserError(
      f'{names} has ended, or was not heard of for {_SILENCE} s; see what it says, and start all workers again: '
      'they go on from the newest checkpoint'
    ) from error


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
  """Returns the addresses in TF_CONFIG, if there is one; it is checked as a whole.

  Raises:
    UserError: it is not what TensorFlow expects.
  """
  text = os.environ.get('TF_CONFIG')
  if not text:
    return []
  expected = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
  try:
    given = json.loads(text)
    workers, task = given.get('cluster', {}).get('worker', []), given.get('task')
  except (ValueError, AttributeError, RecursionError) as error:
    raise UserError(f'TF_CONFIG is not the JSON it should be ({error}); expected {expected}') from error
  if not isinstance(workers, list) or not all(map(_is_address, workers)):
    raise UserError(f'TF_CONFIG has workers {workers!r}; expected a list of addresses, as in {expected}')
  others = given['cluster'].keys() - {'worker'} if workers else ()
  if len(workers) > 1 and not others:
    index = task.get('index') if isinstance(task, dict) and task.get('type') == 'worker' else None
    if type(index) is not int or not 0 <= index < len(workers):
      raise UserError(f'TF_CONFIG has {len(workers)} workers and task {task!r}; expected one of them, as in {expected}')
  return workers


def _is_address(worker):
  """Whether this is host:port."""
  port = re.fullmatch(r'\S+:([1-9]\d{0,4})', str(worker))
  return port and int(port[1]) < 2**16


def _multi_worker(patience):
  """Returns the strategy when all workers are there; says meanwhile which are not."""
  cluster, workers = _cluster()
  _allow_silence(cluster.cluster_spec())
  try:
    with roll_call.calling(workers, patience):
      return tf.distribute.MultiWorkerMirroredStrategy(cluster)
  except (ValueError, RuntimeError, tf.errors.OpError) as error:
    missing = ', '.join(roll_call.missing(workers)) or 'none'
    raise UserError(f'the workers do not come together; missing are {missing}: {files.reason(error)}') from error


def _allow_silence(cluster):
  """Has the workers wait `_SILENCE` seconds for each other's heartbeats."""
  jobs = [job for job in ('chief', 'worker') if job in cluster.jobs]
  expected = tf.compat.v1.ConfigProto().experimental.coordination_config.coordinated_job_list
  for job in jobs:
    expected.add(name=job, num_tasks=cluster.num_tasks(job))
  context.context().configure_coordination_service(
    service_type='standalone',
    service_leader=f'/job:{jobs[0]}/replica:0/task:0',
    heartbeat_timeout_in_ms=1000 * _SILENCE,
    coordinated_jobs=list(expected),
  )


def _cluster():
  """Returns a cluster resolver and the addresses of the workers."""
  if workers := _workers():
    return tf.distribute.cluster_resolver.TFConfigClusterResolver(), workers
  if 'SLURM_PROCID' in os.environ:
    try:
      cluster = tf.distribute.cluster_resolver.SlurmClusterResolver()
      return cluster, cluster.cluster_spec().as_dict().get('worker', [])
    except (RuntimeError, ValueError, OSError) as error:
      raise UserError(f'SLURM_PROCID is set, but this is no SLURM step: {files.reason(error)}') from error
  raise UserError('--strategy=multi_worker needs TF_CONFIG with the addresses of all workers, or a SLURM job')


def _tpu(tpu):
  try:
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu)
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
  except Exception as error:  # whatever the libraries that ask Google's cloud meet
    raise UserError(f'there is no TPU {tpu}: {files.reason(error)}') from error
  return tf.distribute.TPUStrategy(resolver)
