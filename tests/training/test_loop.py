"""The outer loop with a trainer that steps for real."""

import time

import numpy as np
import pytest
import tensorflow as tf

from film_tf.losses.losses import Loss
from film_tf.model.film_net import FilmNet
from film_tf.stopping import Stop
from film_tf.training import loop
from film_tf.training.optimizer import OptimizerOptions
from film_tf.training.trainer import Trainer
from tests.conftest import SHALLOW, pair


def slow(x):
  time.sleep(0.5)
  return x


@pytest.mark.parametrize('scaled', [False, True], ids=['float32', 'float16'])
def test_states_are_good_whose_next_loss_was_finite(scaled):
  """Batch 6 is bad, and all after it: the state after 4 steps led to a finite loss, that after 5 did not."""
  trainer = Trainer(FilmNet(SHALLOW, dtype='mixed_float16' if scaled else 'float32'), Loss(), OptimizerOptions(), 40)
  if scaled:
    trainer.scale.assign(0.5)
  good = {**pair(1, 16, 16), 'time': np.full((1, 1), 0.5, np.float32)}
  good['y'] = good['x0']
  bad = {**good, 'y': np.full_like(good['y'], np.nan)}
  numbers = tf.data.Dataset.range(40)
  batches = numbers.map(lambda i: {key: tf.where(i < 5, good[key], bad[key]) for key in good})
  with pytest.raises(loop.NotFiniteError) as error:
    loop.run(trainer, iter(batches), 1, 40, 4, [], Stop())
  assert error.value.first == 5


@pytest.mark.parametrize('starved', [False, True])
def test_waiting_for_batches_is_told(starved):
  batch = {**pair(1, 64, 64), 'time': np.full((1, 1), 0.5, np.float32)}
  batches = tf.data.Dataset.from_tensors({**batch, 'y': batch['x0']}).repeat()
  if starved:
    batches = batches.map(
      lambda x: {**x, 'y': tf.ensure_shape(tf.numpy_function(slow, [x['y']], tf.float32), (1, 64, 64, 3))}
    )
  steps = 12 if starved else 40
  trainer = Trainer(FilmNet(SHALLOW), Loss(), OptimizerOptions(), steps)
  waits, taken = [], []

  def note(step, logs):
    taken.append(step)
    waits.append(logs['input_wait'])

  loop.run(trainer, iter(batches), 1, steps, 3, [(4, note)], Stop())
  assert taken == list(range(4, steps + 1, 4))
  waits = waits[1:]  # the first step traces
  # Other processes may take the processor from a few of the steps that have nothing to wait for.
  assert min(waits) > 0.8 if starved else np.median(waits) < 0.2
