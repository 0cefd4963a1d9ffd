"""Computes when frames are wanted, in exact time, and the halvings by which the network reaches those times.

Times are `fractions.Fraction` seconds from end to end, so that nothing drifts, however long a video is.
"""

import dataclasses
import functools
import math
import re
from collections.abc import Iterable
from fractions import Fraction

from film_tf.errors import UserError

MAX_HALVINGS = 5  # of the time between two frames at a new rate: it is met to 1/64 of that, 0.7 ms at 24 a second
_MOST = {'fps': 10**5, 'slow': 10**4, 'start': 10**9, 'stop': 10**9, 'at': 1}  # more is a slip of the pen
_MOST_HALVINGS = 16  # of which 10 are what --times may ask for


@dataclasses.dataclass(frozen=True)
class Moment:
  """A frame that is wanted."""

  shown: Fraction  # when it is shown, in seconds
  source: Fraction  # which time of the input it shows


@dataclasses.dataclass(frozen=True)
class Subdivision:
  """Asks for every frame, and more at `fractions` of the time between it and the next; times stay what they are.

  With `direct` they are made at those times, else by halving the time between two frames again and again.

  Raises:
    UserError: fractions do not increase, are not between 0 and 1, or take more than 16 halvings to tell apart, and from
      0 and 1.
  """

  fractions: tuple[Fraction, ...]
  direct: bool = False
  spacing = None  # seconds from one to the next, where that is always the same

  def __post_init__(self):
    if list(self.fractions) != sorted({fraction for fraction in self.fractions if 0 < fraction < 1}):
      given = ', '.join(f'{float(fraction):g}' for fraction in self.fractions)
      raise UserError(f'{given} are no times between two frames; expected numbers over 0 and under 1 that increase')
    if not self.direct and self.halvings > _MOST_HALVINGS:
      raise UserError(
        f'these fractions take more than {_MOST_HALVINGS} halvings to differ from each other and from given frames; '
        'expected fractions such as 0.25 and 0.5'
      )

  @property
  def unit(self) -> Fraction:
    """The share of the time between two frames of which all are multiples."""
    return common(Fraction(1), *self.fractions)

  @functools.cached_property
  def halvings(self) -> int:
    """How often the time between two frames is halved: until all fractions differ from each other and from both."""
    exact = [f.denominator.bit_length() - 1 for f in self.fractions if f.denominator & (f.denominator - 1) == 0]
    halvings = max([MAX_HALVINGS, *exact])
    count = len(self.fractions) + 2
    while halvings <= _MOST_HALVINGS and len({0, 1, *(nearest(f, halvings) for f in self.fractions)}) < count:
      halvings += 1
    return halvings

  def reached(self, fraction: Fraction) -> Fraction:
    """Returns where between two frames the one is made that is wanted at `fraction`."""
    return fraction if self.direct else nearest(fraction, self.halvings)

  def moments(self, begin: Fraction, end: Fraction, last: bool) -> list[Moment]:
    """Returns what is wanted of `begin <= time < end`, from a frame to the next; the `last` ends at `end`."""
    if begin >= end:
      return []
    times = [begin + (end - begin) * fraction for fraction in (0, *(() if last else self.fractions))]
    return [Moment(time, time) for time in times]


def division(parts: int, direct: bool = False) -> Subdivision:
  """Asks for every frame, and `parts - 1` more between it and the next, evenly; `direct` as of `Subdivision`.

  Raises:
    UserError: parts < 1.
  """
  if parts < 1:
    raise UserError(f'the time between two frames cannot be cut into {parts} parts; expected 1 or more')
  return Subdivision(tuple(Fraction(i, parts) for i in range(1, parts)), direct)


@dataclasses.dataclass(frozen=True)
class Grid:
  """Asks for a frame at every multiple of 1 / `fps`, of an input that runs `slow` times slower.

  `direct` as of `Subdivision`.

  Raises:
    UserError: fps or slow is not more than 0.
  """

  fps: Fraction
  slow: Fraction = Fraction(1)
  start: Fraction = Fraction(0)  # time of the input's first frame, and of the first multiple
  direct: bool = False
  halvings = MAX_HALVINGS  # of the time between two frames

  def __post_init__(self):
    if self.fps <= 0 or self.slow <= 0:
      raise UserError(f'{float(self.fps)} frames a second of {float(self.slow)} times slower; expected more than 0')

  @property
  def spacing(self) -> Fraction:
    """Returns what `Subdivision` does."""
    return 1 / self.fps

  def reached(self, fraction: Fraction) -> Fraction:
    """Returns what `Subdivision` does."""
    return fraction if self.direct else nearest(fraction, self.halvings)

  def moments(self, begin: Fraction, end: Fraction, last: bool) -> list[Moment]:
    """Returns what `Subdivision` does."""
    ticks = [math.ceil((time - self.start) * self.slow * self.fps) for time in (begin, end)]
    return [Moment(self.start + i / self.fps, self.start + i / self.fps / self.slow) for i in range(*ticks)]


def common(*times: Fraction) -> Fraction:
  """Returns the largest time of which all are multiples."""
  denominator = math.lcm(*(time.denominator for time in times))
  return Fraction(math.gcd(*(int(time * denominator) for time in times)), denominator)


def fraction_of(moment: Moment, begin: Fraction, end: Fraction) -> Fraction:
  """Returns where between two frames a moment lies, 0 to 1."""
  return (moment.source - begin) / (end - begin)


def nearest(fraction: Fraction, halvings: int = MAX_HALVINGS) -> Fraction:
  """Rounds to what so many halvings reach: the nearest multiple of 1 / 2^`halvings`."""
  return Fraction(round(fraction * 2**halvings), 2**halvings)


def midpoints(fractions: Iterable[Fraction]) -> set[Fraction]:
  """Returns all frames that are made to reach `fractions`, multiples of 1 / 2^n: each is halfway between two others."""
  found = set()
  for fraction in fractions:
    low, high = Fraction(0), Fraction(1)
    while 0 < fraction < 1:
      middle = (low + high) / 2
      found.add(middle)
      if middle == fraction:
        break
      low, high = (low, middle) if fraction < middle else (middle, high)
  return found


def number(value: int | float | str | Fraction, name: str) -> Fraction:
  """Returns the exact value of what a person writes: 29.97 is 30000/1001 where `name` is fps, 1:02:03.5 are seconds.

  Raises:
    UserError: it is no number, less than 0 or too much, or 0 where only more makes sense; `name` is for the message.
  """
  clock = name in ('start', 'stop')
  try:
    text = str(value)
    if len(text) > 100 or re.search(r'e[+-]?[\d_]{4}', text, re.IGNORECASE):  # it would take for ever to compute
      raise ValueError(text)
    *parts, seconds = text.split(':', 2 if clock else 0)
    numbers = [*map(int, parts), Fraction(seconds)]
    if parts and ('-' in text or max(numbers[1:]) >= 60):
      raise ValueError(text)
    exact = sum(part * 60**i for i, part in enumerate(reversed(numbers)))
  except (ValueError, ZeroDivisionError, OverflowError) as error:
    such = '2.5 or 1:02:03.5' if clock else '60, 2.5 or 24000/1001'
    raise UserError(f'--{name}={value} is no number; expected one such as {such}') from error
  if exact < 0 or (exact == 0 and name in ('fps', 'slow')):
    raise UserError(f'--{name}={value} is too little; expected more than 0')
  if exact > _MOST.get(name, exact):
    raise UserError(f'--{name}={value} is too much; expected {_MOST[name]} or less')
  broadcast = Fraction(math.ceil(exact) * 1000, 1001)
  meant = name == 'fps' and exact.denominator > 1 and abs(exact - broadcast) <= Fraction(1, 200)
  return broadcast if meant else exact
