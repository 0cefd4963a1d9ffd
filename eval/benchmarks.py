"""Says what a benchmark is, as the files of `gin/eval/` do. Loads no TensorFlow."""

import dataclasses
from collections.abc import Mapping

import gin

from eval import protocols
from film_tf import fields
from film_tf.errors import UserError
from film_tf.fields import CountOr0


@dataclasses.dataclass(frozen=True)
class Benchmark:
  """What to measure on.

  Raises:
    UserError: there are no sources, or a protocol does not exist.
  """

  sources: Mapping[str, str] = dataclasses.field(default_factory=dict)  # by name: `tfds:NAME:SPLIT`, `eval.triplets`
  protocols: tuple[str, ...] = ('film',)  # see `eval.protocols`
  # From x0 to x1, a power of two; names end with the number of the frame to make. 0: all are halfway.
  frames: CountOr0 = 0

  def __post_init__(self):
    fields.check(self, 'benchmark')
    protocols.check(self.protocols)
    if self.frames & (self.frames - 1):
      raise UserError(f'benchmark.frames is {self.frames}; expected a power of two, or 0 for halfway')
    if not self.sources:
      raise UserError('benchmark.sources is empty; expected sources by name, as in gin/eval/vimeo90k.gin')


configured = gin.external_configurable(Benchmark, name='benchmark')
"""`Benchmark` from gin: `benchmark.sources = {'UCF101': 'tfds:ucf101_triplet:test'}`."""
