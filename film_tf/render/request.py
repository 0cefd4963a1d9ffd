"""Describes which frames a person asks for."""

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

from film_tf.errors import UserError
from film_tf.inference import timeline

TIME = ('auto', 'halve', 'direct')
AT_CUT = ('hold', 'blend')
DUPLICATES = ('keep', 'retime')
DAMAGED = ('stop', 'skip')
SOUND = ('leave', 'stretch')
_CHOICES = {'time': TIME, 'at_cut': AT_CUT, 'duplicates': DUPLICATES, 'damaged': DAMAGED, 'sound': SOUND}
CUT = 0.85  # `film_tf.data.motion.CUT`, which TensorFlow would have to be loaded for


@dataclasses.dataclass(frozen=True)
class Request:
  """Which frames are wanted; by default one new frame between two.

  Raises:
    UserError: an option is not known, or two contradict each other.
  """

  times: int | None = None  # how often to halve: 2^times - 1 new frames between two
  multiply: int | None = None  # multiply - 1 new frames between two, whose times are kept
  at: Sequence[Fraction] | None = None  # new frames at these fractions of the way between two
  fps: Fraction | None = None  # frames a second; of images, at which they are shown
  slow: Fraction | None = None  # how many times slower a video becomes
  start: Fraction | None = None  # seconds from a video's first frame at which to start
  stop: Fraction | None = None  # likewise, to stop
  time: str = 'auto'  # `halve` the time between two frames again and again, or go `direct` to each; see `suited`
  loop: bool = False  # new frames from the last to the first too
  at_cut: str = 'hold'  # from the last frame of a scene to the first of the next, `hold` that, or `blend` both
  cut: float = CUT  # share of a frame's texture that is lost in the next, above which that is another scene
  duplicates: str = 'keep'  # or `retime`: leave out frames that show the one before again, and fill their time evenly
  deinterlace: bool = False  # make whole pictures of a video's half pictures
  sound: str = 'leave'  # of a video that becomes slower: leave it out, or `stretch` it
  damaged: str = 'stop'  # at a video's frame that cannot be decoded, or `skip` it

  def __post_init__(self):
    for name, known in _CHOICES.items():
      if getattr(self, name) not in known:
        raise UserError(f'--{name}={getattr(self, name)} is not known; expected one of {", ".join(known)}')
    for name, most in (('times', 10), ('multiply', 1024)):
      if getattr(self, name) is not None and not 1 <= getattr(self, name) <= most:
        raise UserError(f'--{name}={getattr(self, name)} is out of range; expected 1 to {most}')
    if not 0 < self.cut <= 1:
      raise UserError(f'--cut={self.cut} is no share; expected more than 0 and 1 at most')
    if self.at is not None and len(self.at) == 0:
      raise UserError('--at is empty; expected fractions of the way between two frames, such as 0.25,0.5')
    division = self._division()
    if len(division) > 1:
      given = ' and '.join(f'--{name}={_shown(getattr(self, name))}' for name in division)
      raise UserError(f'{given} all say which frames; give one of them')
    if division and self.slow is not None:
      raise UserError(f'--{division[0]} keeps the times of a video, --slow makes new ones; give one of them')
    if self.sound == 'stretch' and self.slow is None:
      raise UserError('--sound=stretch is for --slow; add it, or leave --sound out')
    if self.start is not None and self.stop is not None and self.start >= self.stop:
      raise UserError(f'--start={float(self.start):g} is not before --stop={float(self.stop):g}')

  def suited(self, any_time: bool) -> 'Request':
    """Returns it with `auto` decided: for a network that was trained for any time or not."""
    return self if self.time != 'auto' else dataclasses.replace(self, time='direct' if any_time else 'halve')

  @property
  def subdivision(self) -> timeline.Subdivision:
    """Where between two frames new ones are wanted."""
    if self.at is not None:
      return timeline.Subdivision(tuple(self.at), self.direct)
    parts = 2**self.times if self.times is not None else 2 if self.multiply is None else self.multiply
    return timeline.division(parts, self.direct)

  @property
  def direct(self) -> bool:
    """Whether frames are made at their times, instead of by halving."""
    return self.time == 'direct'

  def clock(self, rate: Fraction, start: Fraction) -> tuple[timeline.Subdivision | timeline.Grid, Fraction]:
    """Returns when frames are wanted, and how many a second.

    Args:
      rate: frames a second of the input.
      start: seconds at which its first frame is shown.

    Raises:
      UserError: fps contradicts something else.
    """
    if self.fps is None and self.slow is None:
      return self.subdivision, rate * (len(self.subdivision.fractions) + 1)
    if division := self._division():
      raise UserError(f'--{division[0]} keeps the times of a video, --fps makes new ones; give one of them')
    wanted = self.fps or rate
    return timeline.Grid(wanted, self.slow or Fraction(1), start, self.direct), wanted

  def _division(self):
    """Returns the options that divide the time between two frames."""
    return [name for name in ('times', 'multiply', 'at') if getattr(self, name) is not None]


def request(**options) -> Request:
  """Makes a `Request` of numbers as people write them: 29.97, '24000/1001'.

  Raises:
    UserError: one is not a number, or they contradict each other.
  """
  for name in ('fps', 'slow', 'start', 'stop'):
    if options.get(name) is not None:
      options[name] = timeline.number(options[name], name)
  if options.get('at') is not None:
    options['at'] = tuple(timeline.number(fraction, 'at') for fraction in options['at'])
  return Request(**options)


def _shown(value):
  return ','.join(f'{float(fraction):g}' for fraction in value) if isinstance(value, tuple) else value
