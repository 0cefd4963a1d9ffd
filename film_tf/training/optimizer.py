"""The published optimizer."""

import gin
import tensorflow as tf


@gin.configurable('optimizer')
def build(
  learning_rate: float = 1e-4, decay_rate: float = 0.464158, decay_steps: int = 750_000
) -> tf.keras.optimizers.Optimizer:
  """Adam, its learning rate multiplied by `decay_rate` after every `decay_steps` steps; published values by default."""
  schedule = tf.keras.optimizers.schedules.ExponentialDecay(learning_rate, decay_steps, decay_rate, staircase=True)
  return tf.keras.optimizers.Adam(schedule)
