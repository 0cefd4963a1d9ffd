"""The optimizer: Keras' Adam, the published learning rate, and what else there is."""

import numpy as np
import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.training.optimizer import OptimizerOptions, adam


def test_adam_is_keras_adam():
  random = np.random.default_rng(0)
  shapes = [(3, 4), (5,)]
  weights = [tf.constant(random.normal(size=shape), tf.float32) for shape in shapes]
  variables = [tf.Variable(weight) for weight in weights]
  keras = tf.keras.optimizers.Adam(0.01)
  m, v = ([tf.zeros(shape) for shape in shapes] for _ in range(2))
  for step in range(20):
    gradients = [tf.constant(random.normal(size=shape), tf.float32) for shape in shapes]
    keras.apply_gradients(zip(gradients, variables, strict=True))
    weights, m, v = adam(weights, gradients, m, v, tf.constant(step, tf.int64), tf.constant(0.01))
    for ours, theirs in zip(weights, variables, strict=True):
      np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5, atol=1e-6)


def test_learning_rate_falls_as_published():
  for step, rate in [(0, 1e-4), (749_999, 1e-4), (750_000, 4.64158e-5), (1_500_000, 2.154435e-5)]:
    np.testing.assert_allclose(OptimizerOptions().rate(tf.constant(step, tf.int64), 3_000_000), rate, rtol=1e-5)


def test_cosine_warms_up_and_ends_at_zero():
  options = OptimizerOptions(learning_rate=2.0, schedule='cosine', warmup_steps=10)
  rates = [float(options.rate(tf.constant(step, tf.int64), 110)) for step in range(111)]
  np.testing.assert_allclose(rates[:10], 0.2 * np.arange(1, 11), rtol=1e-5)
  np.testing.assert_allclose(rates[10:], 1 + np.cos(np.pi * np.arange(101) / 100), atol=1e-5)


def test_long_gradients_are_shortened_and_short_ones_are_not():
  gradients = [tf.constant([3.0]), tf.constant([4.0])]
  clipped = OptimizerOptions(clip_norm=1.0).clip(gradients, tf.linalg.global_norm(gradients))
  np.testing.assert_allclose(tf.concat(clipped, 0), [0.6, 0.8], rtol=1e-6)
  for options in (OptimizerOptions(clip_norm=6.0), OptimizerOptions()):
    np.testing.assert_allclose(tf.concat(options.clip(gradients, tf.constant(5.0)), 0), [3.0, 4.0], rtol=1e-6)


def test_averages_follow_the_weights():
  options, average = OptimizerOptions(average=0.9), [tf.constant([0.0])]
  for step in range(200):
    average = options.averaged(average, [tf.constant([1.0])], tf.constant(step, tf.int64))
  np.testing.assert_allclose(average[0], [1.0], rtol=1e-5)
  late = options.averaged([tf.constant([0.0])], [tf.constant([1.0])], tf.constant(10_000, tf.int64))
  np.testing.assert_allclose(late[0], [0.1], rtol=1e-4)


@pytest.mark.parametrize(
  'wrong',
  [
    {'schedule': 'linear'}, {'learning_rate': 0.0}, {'decay_rate': -1.0}, {'decay_steps': 0}, {'decay_steps': 1.5},
    {'warmup_steps': -1}, {'clip_norm': -1.0}, {'average': 1.0},
  ],
)  # fmt: skip
def test_wrong_options_are_refused(wrong):
  with pytest.raises(UserError, match='optimizer'):
    OptimizerOptions(**wrong)
