"""Which frames a person asks for."""

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

from film_tf.errors import UserError
from film_tf.inference import sequence, timeline


@dataclasses.dataclass(frozen=True)
class Request:
  """Which frames are wanted; by default one between two.

  Raises:
    UserError: two of them contradict each other.
  """

  times: int | None = None  # how often to halve: 2^times - 1 frames between two
  multiply: int | None = None  # multiply - 1 frames between two, whose times are kept
  at: Sequence[Fraction] | None = None  # frames at these shares of the way between two
  fps: Fraction | None = None  # frames a second; of images, at which they are shown
  slow: Fraction | None = None  # how many times slower a video becomes
  start: Fraction | None = None  # seconds of a video to start at
  stop: Fraction | None = None  # seconds of a video to stop at
  loop: bool = False  # frames from the last to the first too
  at_cut: str = 'hold'  # from the last frame of a scene to the first of the next, `hold` that, or `blend` both
  duplicates: str = 'keep'  # `retime` leaves out frames that show the one before again, and has even steps between

  def __post_init__(self):
    for name, known in (('at_cut', sequence.AT_CUT), ('duplicates', sequence.DUPLICATES)):
      if getattr(self, name) not in known:
        raise UserError(f'--{name}={getattr(self, name)} is not known; expected one of {", ".join(known)}')
    between = [name for name in ('times', 'multiply', 'at') if getattr(self, name) is not None]
    if len(between) > 1:
      given = ' and '.join(f'--{name}={_shown(getattr(self, name))}' for name in between)
      raise UserError(f'{given} all say which frames; give one of them')
    if between and self.slow is not None:
      raise UserError(f'--{between[0]} keeps the times of a video, --slow makes new ones; give one of them')
    if self.start is not None and self.stop is not None and self.start >= self.stop:
      raise UserError(f'--start={float(self.start):g} is not before --stop={float(self.stop):g}')

  @property
  def shares(self) -> timeline.Shares:
    """Where between two frames others are wanted."""
    if self.at is not None:
      return timeline.Shares(tuple(self.at))
    return timeline.division(2**self.times if self.times is not None else 2 if self.multiply is None else self.multiply)

  def clock(self, rate: Fraction, start: Fraction) -> tuple[timeline.Shares | timeline.Grid, Fraction]:
    """When frames are wanted of an input of `rate` frames a second whose first is at `start` s, and at which rate.

    Raises:
      UserError: fps contradicts something else.
    """
    if self.fps is None and self.slow is None:
      return self.shares, rate * (len(self.shares.shares) + 1)
    between = [name for name in ('times', 'multiply', 'at') if getattr(self, name) is not None]
    if between:
      raise UserError(f'--{between[0]} keeps the times of a video, --fps makes new ones; give one of them')
    wanted = self.fps or rate
    return timeline.Grid(wanted, self.slow or Fraction(1), start), wanted


def request(**values) -> Request:
  """A `Request` of numbers as people write them: 29.97, '24000/1001'.

  Raises:
    UserError: one is no number, or they contradict each other.
  """
  for name in ('fps', 'slow', 'start', 'stop'):
    if values.get(name) is not None:
      values[name] = timeline.number(values[name], name)
  if values.get('at') is not None:
    values['at'] = tuple(timeline.number(share, 'at') for share in values['at'])
  return Request(**values)


def _shown(value):
  return ','.join(f'{float(share):g}' for share in value) if isinstance(value, tuple) else value
