"""When frames are wanted, in exact time, and the halvings by which the network reaches them.

Times are `fractions.Fraction` seconds from end to end, so that nothing drifts, however long a video is.
"""

import dataclasses
import math
from collections.abc import Iterable
from fractions import Fraction

from film_tf.errors import UserError

DEPTH = 5  # halvings of the time between two frames: a wanted time is met to 1/64 of it, 0.7 ms at 24 frames a second


@dataclasses.dataclass(frozen=True)
class Moment:
  """A frame that is wanted."""

  shown: Fraction  # when it is shown, in seconds
  source: Fraction  # which time of the input it shows


@dataclasses.dataclass(frozen=True)
class Shares:
  """Every frame, and more at `shares` of the time between it and the next; times stay what they are.

  Raises:
    UserError: shares do not increase, or are not between 0 and 1.
  """

  shares: tuple[Fraction, ...]
  spacing = None  # seconds from one to the next, where that is always the same

  def __post_init__(self):
    if list(self.shares) != sorted({share for share in self.shares if 0 < share < 1}):
      given = ', '.join(f'{float(share):g}' for share in self.shares)
      raise UserError(f'{given} are no times between two frames; expected numbers over 0 and under 1 that increase')

  @property
  def unit(self) -> Fraction:
    """The share of the time between two frames of which all are multiples."""
    return common(Fraction(1), *self.shares)

  def moments(self, begin: Fraction, end: Fraction, last: bool) -> list[Moment]:
    """What is wanted of `begin <= time < end`, from a frame to the next; the `last` frame stands alone until `end`."""
    if begin >= end:
      return []
    times = [begin + (end - begin) * share for share in (0, *(() if last else self.shares))]
    return [Moment(time, time) for time in times]


def division(parts: int) -> Shares:
  """Every frame, and `parts - 1` more between it and the next, evenly.

  Raises:
    UserError: parts < 1.
  """
  if parts < 1:
    raise UserError(f'the time between two frames cannot be cut into {parts} parts; expected 1 or more')
  return Shares(tuple(Fraction(i, parts) for i in range(1, parts)))


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
    """As of `Shares`."""
    return 1 / self.fps

  def moments(self, begin: Fraction, end: Fraction, last: bool) -> list[Moment]:
    """As of `Shares`."""
    ticks = [math.ceil((time - self.start) * self.slow * self.fps) for time in (begin, end)]
    return [Moment(self.start + i / self.fps, self.start + i / self.fps / self.slow) for i in range(*ticks)]


def common(*times: Fraction) -> Fraction:
  """The largest time of which all are multiples."""
  denominator = math.lcm(*(time.denominator for time in times))
  return Fraction(math.gcd(*(int(time * denominator) for time in times)), denominator)


def share_of(moment: Moment, begin: Fraction, end: Fraction) -> Fraction:
  """Where between two frames a moment lies, 0 to 1."""
  return (moment.source - begin) / (end - begin)


def nearest(share: Fraction) -> Fraction:
  """What halving `DEPTH` times reaches: the nearest multiple of 1 / 2^`DEPTH`."""
  return Fraction(round(share * 2**DEPTH), 2**DEPTH)


def midpoints(shares: Iterable[Fraction]) -> set[Fraction]:
  """All that have to be made to reach `shares`, multiples of 1 / 2^n: each is halfway between two of the others."""
  found = set()
  for share in shares:
    low, high = Fraction(0), Fraction(1)
    while 0 < share < 1:
      middle = (low + high) / 2
      found.add(middle)
      if middle == share:
        break
      low, high = (low, middle) if share < middle else (middle, high)
  return found


def number(value: int | float | str | Fraction, name: str) -> Fraction:
  """The exact value of what a person writes: 29.97 is 30000/1001, as broadcasters mean it, where `name` is fps.

  Raises:
    UserError: it is no number, or less than 0, or 0 where that makes no sense.
  """
  try:
    exact = Fraction(str(value))
  except (ValueError, ZeroDivisionError) as error:
    raise UserError(f'--{name}={value} is no number; expected one such as 60, 2.5 or 24000/1001') from error
  if exact < 0 or (exact == 0 and name in ('fps', 'slow')):
    raise UserError(f'--{name}={value} is too little; expected more than 0')
  broadcast = Fraction(math.ceil(exact) * 1000, 1001)
  meant = name == 'fps' and exact.denominator > 1 and abs(exact - broadcast) <= Fraction(1, 200)
  return broadcast if meant else exact
