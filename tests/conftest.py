"""What tests share: ways to run an op, golden networks, a small network, commands as processes."""

import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('TF_NUM_INTRAOP_THREADS', '2')  # on any machine: sums in float32 differ with their number

import gin
import numpy as np
import pytest
import tensorflow as tf

from film_tf.inference.interpolator import Interpolator
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.model.options import Options
from tests import forked

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell's background jobs have it, whose children would
  signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = forked.ROOT
TINY = Options(
  pyramid_levels=3, fusion_pyramid_levels=2, specialized_levels=1, sub_levels=2, filters=4,
  flow_convs=(1, 1), flow_filters=(4, 4),
)  # fmt: skip
SHALLOW = dataclasses.replace(TINY, pyramid_levels=2, sub_levels=1)  # traced in half the time: for any network will do


@pytest.fixture(autouse=True)
def _fresh(request):
  """Every test starts from the same seed and without gin bindings."""
  shared = {'interpolator', 'mini'} & set(request.fixturenames)
  if not shared:  # a seed makes TensorFlow forget the graphs that it has prepared
    tf.keras.utils.set_random_seed(1)
  yield
  gin.clear_config()


def eagerly(function, *args):
  return function(*map(tf.constant, args))


def in_graph(function, *args):
  """In a tf.function that knows ranks and channels, but neither batch nor height nor width."""
  signature = [tf.TensorSpec([None] * (a.ndim - 1) + [a.shape[-1]], a.dtype) for a in args]
  return tf.function(function, input_signature=signature)(*map(tf.constant, args))


def in_dataset(function, *args):
  """Inside tf.data, where shapes are unknown too."""
  dataset = tf.data.Dataset.from_generator(
    lambda: [args], output_signature=tuple(tf.TensorSpec([None] * (a.ndim - 1) + [a.shape[-1]], a.dtype) for a in args)
  )
  return next(iter(dataset.map(function)))


def compiled(function, *args):
  return tf.function(function, jit_compile=True)(*map(tf.constant, args))


@pytest.fixture(params=[eagerly, in_graph, in_dataset], ids=lambda way: way.__name__)
def way(request):
  """Runs `way(function, *arrays)` in each of the ways that an op is used."""
  return request.param


def tiny_network() -> FilmNet:
  """Makes a network that runs in milliseconds, its flows large enough to matter."""
  net = FilmNet(TINY)
  random = np.random.default_rng(0)
  for variable in weights.named(net).values():
    variable.assign(random.normal(0, 0.4, variable.shape))
  return net


@pytest.fixture(scope='session')
def tiny() -> FilmNet:
  """The `tiny_network` that all tests share; a test that changes one makes its own."""
  net = tiny_network()
  yield net
  for name, value in weights.named(tiny_network()).items():
    np.testing.assert_array_equal(weights.named(net)[name], value, err_msg=f'a test changed {name}')


@pytest.fixture(scope='session')
def interpolator(tiny) -> Interpolator:
  """The interpolator of `tiny` that all tests share, so that its graphs are traced once."""
  return Interpolator(tiny)


@pytest.fixture(scope='session')
def mini() -> Interpolator:
  """The interpolator of film_mini that all tests share."""
  return Interpolator()


@pytest.fixture
def images() -> dict:
  """A batch for a network: two pairs of smooth images of an odd size."""
  return {**pair(2, 37, 50), 'time': np.full((2, 1), 0.5, np.float32)}


def pair(batch, height, width, seed=0) -> dict:
  random = np.random.default_rng(seed)
  coarse = random.random((2 * batch, 6, 6, 3), np.float32)
  x0, x1 = np.split(tf.image.resize(coarse, (height, width)).numpy(), 2)
  return {'x0': x0, 'x1': x1}


def run(*words, cwd) -> subprocess.CompletedProcess:
  """Runs `python ...` in folder `cwd`."""
  environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
  return subprocess.run([sys.executable, *words], cwd=cwd, env=environment, capture_output=True, text=True)


def command(module, *words, cwd) -> subprocess.CompletedProcess:
  """Runs `python -m module ...` in folder `cwd`, as a user would, without loading TensorFlow each time."""
  return forked.command(module, *words, cwd=cwd)


def tf_configs(count) -> list[str]:
  """TF_CONFIG of each of `count` workers on this machine, at ports that are free."""
  with contextlib.ExitStack() as stack:
    sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
    for one in sockets:
      one.bind(('localhost', 0))
    workers = [f'localhost:{one.getsockname()[1]}' for one in sockets]
  tasks = [{'type': 'worker', 'index': i} for i in range(count)]
  return [json.dumps({'cluster': {'worker': workers}, 'task': task}) for task in tasks]


def assert_user_error(result, *parts):
  """The command ended with 2 and one line, without a traceback, that says `parts`."""
  lines = result.stderr.strip().splitlines()
  assert result.returncode == 2, result.stderr
  assert len(lines) == 1, result.stderr
  for part in parts:
    assert str(part) in lines[0]
