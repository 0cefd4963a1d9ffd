"""Measures how fast training examples are made, beside the naive order, in one run.

  python -m benchmarks.pipeline

448x256 PNG triplets, the size of Vimeo-90K, with the published augmentations and 256 pixel crops. The naive order is
the original's: decode, augment the whole frames, crop last. Absolute numbers are this machine's; the ratios count.
"""

import io
import tempfile
import time

import numpy as np
import tensorflow as tf
from PIL import Image

from film_tf.data import augment, pipeline, records, sources
from film_tf.data.augment import Augmentation

HEIGHT, WIDTH, TRIPLETS, EXAMPLES, ROUNDS = 256, 448, 16, 96, 5


def write_records(path):
  """Writes triplets of photographic detail: smooth noise on three scales, so that PNG has about as much to do."""
  random = np.random.default_rng(0)
  with tf.io.TFRecordWriter(path) as writer:
    for number in range(TRIPLETS):
      frames = []
      for _ in range(3):
        scales = [random.normal(0, 20 / i, (HEIGHT // s + 1, WIDTH // s + 1, 3)) for i, s in enumerate((32, 8, 2), 1)]
        image = sum(np.asarray(tf.image.resize(scale, (HEIGHT, WIDTH), 'bicubic')) for scale in scales)
        file = io.BytesIO()
        Image.fromarray(np.clip(128 + image, 0, 255).astype(np.uint8)).save(file, 'PNG')
        frames.append(file.getvalue())
      writer.write(records.encode(records.Triplet(str(number), tuple(frames), HEIGHT, WIDTH)))


def naive(frames, seed, options):
  """Augments whole frames and crops last."""
  seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 6))
  frames = tf.image.convert_image_dtype(frames, tf.float32)
  frames = augment.flip(augment.quarter_turn(frames, seeds[0]), seeds[1])
  frames, _ = augment.reverse_time(frames, tf.constant(0.5), seeds[2])
  angle = tf.random.stateless_uniform((), seeds[3], -0.785, 0.785)
  height, width = tf.unstack(tf.cast(tf.shape(frames)[1:3], tf.float32))
  cos, sin = tf.cos(angle), tf.sin(angle)
  x, y = (width - 1) / 2, (height - 1) / 2
  zero = tf.zeros(())
  transform = tf.stack([cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y, zero, zero])

  def rotated():
    return tf.raw_ops.ImageProjectiveTransformV3(
      images=frames, transforms=transform[tf.newaxis], output_shape=tf.shape(frames)[1:3], fill_value=0.0,
      interpolation='BILINEAR', fill_mode='CONSTANT',
    )  # fmt: skip

  turned = tf.random.stateless_uniform((), seeds[4]) < options.rotation_probability
  frames = tf.cond(turned, rotated, lambda: frames)
  return tf.image.stateless_random_crop(frames, (3, options.crop, options.crop, 3), seeds[5])


def examples_a_second(function, path):
  """Returns how many encoded triplets a second `function` maps on one core."""
  dataset = sources.ordered(path).repeat().enumerate().map(lambda i, x: function(x, tf.stack([1, i])))
  options = tf.data.Options()
  options.threading.private_threadpool_size = options.threading.max_intra_op_parallelism = 1
  iterator = iter(dataset.with_options(options))
  next(iterator)
  start = time.perf_counter()
  for _ in range(EXAMPLES):
    next(iterator)
  return EXAMPLES / (time.perf_counter() - start)


def main():
  options = Augmentation()
  steps = {
    'decode only': lambda x, seed: pipeline.decode(x),
    'naive order': lambda x, seed: naive(pipeline.decode(x), seed, options),
    'film_tf': lambda x, seed: augment.augment(pipeline.decode(x), 0.5, seed, options)[0],
  }
  with tempfile.NamedTemporaryFile() as file:
    write_records(file.name)
    rounds = [{name: examples_a_second(f, file.name) for name, f in steps.items()} for _ in range(ROUNDS)]
  speed = {name: np.median([r[name] for r in rounds]) for name in steps}
  for name, value in speed.items():
    print(f'{name:12} {value:7.1f} examples/s a core')
  ratio = np.median([r['film_tf'] / r['naive order'] for r in rounds])
  fraction = np.median([r['film_tf'] / r['decode only'] for r in rounds])
  print(f'film_tf is {ratio:.2f} times as fast as the naive order; {fraction:.0%} of its time is PNG decoding')


if __name__ == '__main__':
  main()
