"""Measures time and memory of a training step, beside a plain implementation of it, in one run.

  python -m benchmarks.step
  python -m benchmarks.step gin/film_l1.gin 256

Arguments are an experiment and the size of its crops; film_mini and 128 by default. The plain step warps by gather_nd
of four corners, upsamples with tf.image.resize and uses Keras' Adam, as one would write it first. Every variant has a
process of its own, whose peak memory is told, and all take turns. Absolute numbers are this machine's; ratios count.
"""

import json
import resource
import subprocess
import sys
import time

import numpy as np

VARIANTS = {
  'plain': {},
  'film_tf': {},
  'film_tf, bfloat16': {'precision': 'mixed_bfloat16'},
  'film_tf, XLA': {'compiled': True},
  'film_tf, XLA, bfloat16': {'compiled': True, 'precision': 'mixed_bfloat16'},
}
BATCH, STEPS, ROUNDS = 8, 5, 2


def measure(variant, experiment, size):
  """Returns seconds a step, peak memory in GB, TFLOP a step, and the machine's TFLOP/s, for this process alone."""
  import tensorflow as tf

  from film_tf import config, keys
  from film_tf.losses import losses
  from film_tf.model import film_net
  from film_tf.training import optimizer
  from film_tf.training.trainer import Trainer

  options = VARIANTS[variant]
  config.parse([experiment], ["loss.weights = {'l1': 1.0}"])  # VGG-19 is a download
  net = film_net.build(dtype=options.get('precision', 'float32'))
  images = np.random.default_rng(0).random((3, BATCH, size, size, 3), np.float32)
  batch = {
    **dict(zip((keys.X0, keys.X1, keys.Y), images, strict=True)),
    keys.TIME: np.full((BATCH, 1), 0.5, np.float32),
  }
  batches = iter(tf.data.Dataset.from_tensors(batch).repeat())
  if variant == 'plain':
    run = plain_step(net)
  else:
    run = Trainer(net, losses.configured(), optimizer.configured(), 1000, compiled=options.get('compiled', False)).run
  float(run(batches, tf.constant(1))['loss'])
  began = time.perf_counter()
  float(run(batches, tf.constant(STEPS))['loss'])
  seconds = (time.perf_counter() - began) / STEPS
  if tf.config.list_physical_devices('GPU'):
    peak = tf.config.experimental.get_memory_info('GPU:0')['peak'] / 1e9
  else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
  return {'seconds': seconds, 'peak': peak, 'work': work(net, batch), 'rate': matrix_rate(net.compute_dtype)}


def plain_step(net):
  """Returns the step as one would write it first."""
  import tensorflow as tf

  from benchmarks import plain

  plain.use()
  adam = tf.keras.optimizers.Adam(1e-4)
  adam.build(net.trainable_variables)

  @tf.function
  def step(batch):
    with tf.GradientTape() as tape:
      loss = tf.reduce_mean(tf.abs(net(batch, training=True)['image'] - batch['y']))
    adam.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables, strict=True))
    return loss

  def run(batches, count):
    for _ in range(count):
      loss = step(next(batches))
    return {'loss': loss}

  return run


def work(net, batch):
  """Returns the TFLOP of a step: three times those of the forward pass."""
  import tensorflow as tf

  graph = tf.function(net).get_concrete_function(batch).graph
  options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
  options['output'] = 'none'
  return 3 * tf.compat.v1.profiler.profile(graph, options=options).total_float_ops / 1e12


def matrix_rate(dtype, size=4096):
  """Returns the TFLOP/s of a product of large square matrices."""
  import tensorflow as tf

  a = tf.cast(tf.random.normal((size, size)), dtype)
  product = tf.function(lambda: tf.reduce_sum(a @ a))
  float(product())
  began = time.perf_counter()
  float(product())
  return 2 * size**3 / (time.perf_counter() - began) / 1e12


def main(experiment='gin/film_mini.gin', size='128'):
  rounds = []
  for _ in range(ROUNDS):
    found = {}
    for variant in VARIANTS:
      words = [sys.executable, '-m', 'benchmarks.step', '--measure', variant, experiment, size]
      result = subprocess.run(words, capture_output=True, text=True)
      if result.returncode:
        sys.exit(result.stderr.splitlines()[-1])  # of a traceback, the error
      found[variant] = json.loads(result.stdout.splitlines()[-1])
    rounds.append(found)
  print(f'{experiment}, {BATCH} crops of {size}x{size}, {rounds[0]["film_tf"]["work"]:.2f} TFLOP a step')
  print(f'{"":24} s a step   of plain   peak GB   of the matrix rate')
  for variant in VARIANTS:
    one = {key: np.median([found[variant][key] for found in rounds]) for key in ('seconds', 'peak', 'work', 'rate')}
    ratio = np.median([found[variant]['seconds'] / found['plain']['seconds'] for found in rounds])
    fraction = rounds[0]['film_tf']['work'] / one['seconds'] / one['rate']
    print(f'{variant:24} {one["seconds"]:8.3f} {ratio:10.2f} {one["peak"]:9.2f} {fraction:20.0%}')


if __name__ == '__main__':
  if sys.argv[1:2] == ['--measure']:
    print(json.dumps(measure(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
  else:
    main(*sys.argv[1:])
