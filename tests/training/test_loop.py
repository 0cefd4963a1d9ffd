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
from tests.conftest import TINY, pair


def slow(x):
  time.sleep(0.5)
  return x


@pytest.mark.parametrize('starved', [False, True])
def test_waiting_for_batches_is_told(starved):
  batch = {**pair(1, 16, 16), 'time': np.full((1, 1), 0.5, np.float32)}
  batches = tf.data.Dataset.from_tensors({**batch, 'y': batch['x0']}).repeat()
  if starved:
    batches = batches.map(
      lambda x: {**x, 'y': tf.ensure_shape(tf.numpy_function(slow, [x['y']], tf.float32), (1, 16, 16, 3))}
    )
  trainer = Trainer(FilmNet(TINY), Loss(), OptimizerOptions(), 12)
  waits, steps = [], []

  def note(step, logs):
    steps.append(step)
    waits.append(logs['input_wait'])

  loop.run(trainer, iter(batches), 1, 12, 3, [(4, note)], Stop())
  assert steps == [4, 8, 12]
  assert all(wait > 0.8 for wait in waits[1:]) if starved else all(wait < 0.2 for wait in waits[1:])  # the first traces
