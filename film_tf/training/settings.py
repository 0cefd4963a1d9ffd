"""Says how a run goes: its steps, how they are computed, and what is done every so many of them."""

import dataclasses
from typing import Annotated, Literal

import gin

from film_tf import fields
from film_tf.fields import Amount, Count, Range

_Part = Literal['feature_pyramid', 'flow_pyramid', 'fusion_decoder', 'second_look']


@dataclasses.dataclass(frozen=True)
class Train:
  """Says how a run goes.

  Raises:
    UserError: a value is out of range.
  """

  steps: Count = 3_000_000  # number of the last step
  batch_size: Annotated[int, Range(1, 2**20)] = 8  # examples a step, over all devices
  accumulate: Count = 1  # parts that each device's share is cut into, one computed after the other, to save memory
  precision: Literal['float32', 'mixed_bfloat16', 'mixed_float16'] = 'float32'  # see `FilmNet`
  compiled: bool = False  # whether XLA compiles the step
  frozen: tuple[_Part, ...] = ()  # parts of the network that keep their weights
  deterministic: bool = False  # whether the same run gives the same bits on the same machine, a little slower
  seed: Annotated[int, Range(0, 2**32 - 1)] = 0  # of weights and data
  inner_steps: Count = 10  # at most so many steps without coming back to Python
  log_every: Count = 100  # steps between scalars
  show_every: Count = 1000  # steps between image strips
  checkpoint_every: Count = 1000  # steps between checkpoints; a killed run loses what came after the last
  keep: Count = 3  # checkpoints that are kept, the newest
  keep_every_hours: Amount = 0.0  # hours between checkpoints that are kept for good; 0 is none

  def __post_init__(self):
    fields.check(self, 'train')


configured = gin.external_configurable(Train, name='train')
"""`Train` from gin: `train.steps = 1000`."""
