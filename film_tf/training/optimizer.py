"""Computes Adam, its learning rate, clipping and averaged weights, as pure functions.

Pure, so that one update serves Keras 2 and 3, replicas that have summed their gradients, and a step that is lowered to
StableHLO.
"""

import dataclasses
import math
from typing import Annotated, Literal

import gin
import tensorflow as tf

from film_tf import fields
from film_tf.fields import Amount, Count, CountOr0, Positive, Range

_Decay = Annotated[float, Range(0.0, 0.999999)]

Tensors = list[tf.Tensor]


@dataclasses.dataclass(frozen=True)
class OptimizerOptions:
  """How gradients become steps; published values by default (paper, section 5).

  Raises:
    UserError: a value is out of range.
  """

  learning_rate: Positive = 1e-4
  # Cosine goes up from 0 in warmup_steps, and down to 0 at the last step of the run.
  schedule: Literal['staircase', 'cosine'] = 'staircase'
  decay_rate: Positive = 0.464158  # of the staircase: the learning rate is multiplied by this
  decay_steps: Count = 750_000  # after every so many steps
  warmup_steps: CountOr0 = 0  # of the cosine
  clip_norm: Amount = 0.0  # longer gradients are shortened to this norm; 0 is off
  average: _Decay = 0.0  # of the averaged weights (EMA), such as 0.999, which are exported; 0 is off

  def __post_init__(self):
    fields.check(self, 'optimizer')

  def rate(self, step: tf.Tensor, steps: int) -> tf.Tensor:
    """Returns the learning rate of step number `step`, counted from 0, in a run of `steps`."""
    step = tf.cast(step, tf.float32)
    if self.schedule == 'staircase':
      return self.learning_rate * self.decay_rate ** tf.floor(step / self.decay_steps)
    warm = (step + 1.0) / max(self.warmup_steps, 1)
    done = (step - self.warmup_steps) / max(steps - self.warmup_steps, 1)
    cosine = 0.5 * (1.0 + tf.cos(math.pi * tf.clip_by_value(done, 0.0, 1.0)))
    return self.learning_rate * tf.where(step < self.warmup_steps, warm, cosine)

  def clip(self, gradients: Tensors, norm: tf.Tensor) -> Tensors:
    """Shortens gradients of this global norm to `clip_norm`."""
    if not self.clip_norm:
      return gradients
    factor = tf.minimum(1.0, self.clip_norm / tf.maximum(norm, 1e-12))
    return [factor * gradient for gradient in gradients]

  def averaged(self, averages: Tensors, weights: Tensors, step: tf.Tensor) -> Tensors:
    """Returns the averages after step number `step`. Early ones forget faster, as the first weights are no good."""
    step = tf.cast(step, tf.float32)
    decay = tf.minimum(self.average, (1.0 + step) / (10.0 + step))
    return [decay * a + (1.0 - decay) * w for a, w in zip(averages, weights, strict=True)]


configured = gin.external_configurable(OptimizerOptions, name='optimizer')
"""`OptimizerOptions` from gin: `optimizer.learning_rate = 4e-4`."""


def adam(
  weights: Tensors, gradients: Tensors, m: Tensors, v: Tensors, step: tf.Tensor, rate: tf.Tensor
) -> tuple[Tensors, Tensors, Tensors]:
  """Takes one step of Adam (Kingma and Ba, ICLR 2015), with beta 0.9 and 0.999 and Keras' epsilon of 1e-7.

  Args:
    weights: what to change.
    gradients: of the loss, a tensor for each of the weights.
    m: running means of gradients, zeros at first.
    v: running means of squared gradients, zeros at first.
    step: number of steps taken before this one.
    rate: learning rate.

  Returns:
    The new weights, m and v.
  """
  count = tf.cast(step + 1, tf.float32)
  rate *= tf.sqrt(1.0 - 0.999**count) / (1.0 - 0.9**count)
  m = [mean + (g - mean) * (1.0 - 0.9) for mean, g in zip(m, gradients, strict=True)]
  v = [square + (g * g - square) * (1.0 - 0.999) for square, g in zip(v, gradients, strict=True)]
  weights = [w - rate * mean / (tf.sqrt(square) + 1e-7) for w, mean, square in zip(weights, m, v, strict=True)]
  return weights, m, v
