"""When frames are wanted, in exact time, and the halvings by which the network reaches them.

Times are `fractions.Fraction` seconds from end to end, so that nothing drifts, however long a video is.
"""

import dataclasses
import math
from fractions import Fraction

from film_tf.errors import UserError

DEPTH = 5  # halvings of the time between two frames: a wanted time is met to 1/64 of it, 0.7 ms at 24 frames a second


@dataclasses.dataclass(frozen=True)
class Moment:
  """A frame that is wanted."""

  shown: Fraction  # when it is shown, in seconds
  source: Fraction  # which time of the input it shows


@dataclasses.dataclass(frozen=True)
class Division:
  """Every frame, and `parts - 1` more between it and the next; times stay what they are.

  Raises:
    UserError: parts < 1.
  """

  parts: int
  spacing = None  # seconds from one to the next, where that is always the same

  def __post_init__(self):
    if self.parts < 1:
      raise UserError(f'the time between two frames cannot be cut into {self.parts} parts; expected 1 or more')

  def moments(self, begin: Fraction, end: Fraction, last: bool) -> list[Moment]:
    """What is wanted of `begin <= time < end`, from a frame to the next; the `last` frame stands alone until `end`."""
    parts = 1 if last else self.parts
    times = [begin + (end - begin) * i / parts for i in range(parts)]
    return [Moment(time, time) for time in times]


@dataclasses.dataclass(frozen=True)
class Grid:
  """A frame at every multiple of 1 / `fps`, of an input that runs `slow` times slower.

  Raises:
    UserError: fps or slow is not more than 0.
  """

  fps: Fraction
  slow: Fraction = Fraction(1)
  start: Fraction = Fraction(0)  # time of the input's first frame, and of the first multiple

  def __post_init__(self):
    if self.fps <= 0 or self.slow <= 0:
      raise UserError(f'{float(self.fps)} frames a second of {float(self.slow)} times slower; expected more than 0')

  @property
  def spacing(self) -> Fraction:
    """As of `Division`."""
    return 1 / self.fps

  def moments(self, begin: Fraction, end: Fraction, last: bool) -> list[Moment]:
    """As of `Division`."""
    ticks = [math.ceil((time - self.start) * self.slow * self.fps) for time in (begin, end)]
    return [Moment(self.start + i / self.fps, self.start + i / self.fps / self.slow) for i in range(*ticks)]


def halvings(moment: Moment, begin: Fraction, end: Fraction) -> Fraction:
  """Where between two frames a moment lies, 0 to 1, as the nearest multiple of 1 / 2^`DEPTH`."""
  return Fraction(round((moment.source - begin) / (end - begin) * 2**DEPTH), 2**DEPTH)
