"""Training losses, and their weighted sum."""

import dataclasses
from collections.abc import Mapping

import gin
import tensorflow as tf

from film_tf import keys
from film_tf.errors import UserError
from film_tf.model import pyramid


def l1(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Mean absolute difference of the predicted and the true image, a scalar (paper, section 4.1)."""
  return tf.reduce_mean(tf.abs(prediction[keys.IMAGE] - batch[keys.Y]))


def flow(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Mean distance of the predicted from the true flow, over all fusion levels and both directions, a scalar.

  In pixels of each level. For batches whose flow is known, such as synthetic ones; not in the paper, which needs none.
  """
  distances = []
  for predicted, truth in [
    (prediction[keys.FORWARD_FLOW_PYRAMID], batch[keys.FORWARD_FLOW]),
    (prediction[keys.BACKWARD_FLOW_PYRAMID], batch[keys.BACKWARD_FLOW]),
  ]:
    for level in predicted:
      distances.append(tf.reduce_mean(tf.norm(level - truth + 1e-6, axis=-1)))  # 1e-6: the norm has no slope at 0
      truth = pyramid.average_pool(truth) / 2.0
  return tf.add_n(distances) / len(distances)


LOSSES = {'l1': l1, 'flow': flow}
"""Each takes a prediction and its batch, and returns a scalar: the mean over the batch."""


@dataclasses.dataclass(frozen=True)
class Loss:
  """The weighted sum of losses that a run minimises.

  Raises:
    UserError: a name is not in `LOSSES`, or a weight is not a number >= 0.
  """

  weights: Mapping[str, float] = dataclasses.field(default_factory=lambda: {'l1': 1.0})  # by names in LOSSES

  def __post_init__(self):
    if not isinstance(self.weights, Mapping) or not self.weights or not self.weights.keys() <= LOSSES.keys():
      raise UserError(f'loss.weights is {self.weights!r}; expected weights by name, names from {", ".join(LOSSES)}')
    bad = {name: weight for name, weight in self.weights.items() if not _is_weight(weight)}
    if bad:
      raise UserError(f'loss.weights has {bad}; expected numbers >= 0')

  def __call__(self, prediction: Mapping, batch: Mapping) -> tuple[tf.Tensor, dict]:
    """Returns the sum, and each loss without its weight for the log; scalars."""
    values = {name: LOSSES[name](prediction, batch) for name in self.weights}
    return tf.add_n([self.weights[name] * value for name, value in values.items()]), values


configured = gin.external_configurable(Loss, name='loss')
"""`Loss` from gin: `loss.weights = {'l1': 1.0}`."""


def _is_weight(value) -> bool:
  return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
