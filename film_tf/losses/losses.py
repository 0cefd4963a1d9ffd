"""The weighted sum of losses that a run minimises."""

import dataclasses
from collections.abc import Mapping

import gin
import tensorflow as tf

from film_tf import keys, metrics
from film_tf.errors import UserError
from film_tf.losses import perceptual, pixels, schedule, vgg19
from film_tf.losses.schedule import Schedule

LOSSES = {
  'l1': pixels.l1,
  'l2': pixels.l2,
  'rms': pixels.rms,
  'ssim': pixels.ssim,
  'warped': pixels.warped,
  'flow': pixels.flow,
  'middle_flow': pixels.middle_flow,
  'laplacian': pixels.laplacian,
  'census': pixels.census,
  'vgg': perceptual.vgg,
  'style': perceptual.style,
}
"""Each takes a prediction and its batch, and returns a scalar: the mean over the batch."""

_SMALLEST = {'laplacian': pixels.LAPLACIAN_SMALLEST, 'census': pixels.CENSUS_SMALLEST, 'ssim': metrics.SMALLEST}
_OF_VGG = {'vgg', 'style'}


@dataclasses.dataclass(frozen=True)
class Loss:
  """Computes the weighted sum of losses.

  Raises:
    UserError: a name is not in `LOSSES`, a weight is none, or the weights of VGG-19 are missing.
  """

  weights: Mapping[str, Schedule] = dataclasses.field(default_factory=lambda: {'l1': 1.0})  # by names in LOSSES

  def __post_init__(self):
    if not isinstance(self.weights, Mapping) or not self.weights or not self.weights.keys() <= LOSSES.keys():
      raise UserError(f'loss.weights is {self.weights!r}; expected weights by name, names from {", ".join(LOSSES)}')
    for name, weight in self.weights.items():
      if problem := schedule.problem(weight):
        raise UserError(f'loss.weights has {name}: {weight!r}; {problem}')
    if not any(map(schedule.is_ever_more_than_0, self.weights.values())):
      raise UserError(f'loss.weights is {dict(self.weights)}, which is nothing to minimise; expected a weight > 0')
    object.__setattr__(self, '_vgg', vgg19.load() if self.weights.keys() & _OF_VGG else None)

  @property
  def smallest(self) -> int:
    """Returns the height and width in pixels that examples need."""
    return max(_SMALLEST.get(name, 1) for name in self.weights)

  def __call__(self, prediction: Mapping, batch: Mapping, step: tf.Tensor | int = 0) -> tuple[tf.Tensor, dict]:
    """Returns the sum at a step, and for the log each loss by its name and each weight as `weight/name`; scalars."""
    if self._vgg:  # once for all losses that need it
      prediction = {**prediction, keys.VGG: self._vgg(prediction[keys.IMAGE])}
      batch = {**batch, keys.VGG: self._vgg(batch[keys.Y])}
    terms = {name: LOSSES[name](prediction, batch) for name in self.weights}
    weights = {name: schedule.value(weight, step) for name, weight in self.weights.items()}
    total = tf.add_n([weights[name] * term for name, term in terms.items()])
    return total, {**terms, **{f'weight/{name}': weight for name, weight in weights.items()}}


configured = gin.external_configurable(Loss, name='loss')
"""`Loss` from gin: `loss.weights = {'l1': 1.0, 'vgg': {0: 1.0, 1_500_000: 0.25}}`."""
