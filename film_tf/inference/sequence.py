"""Frames of a video or of photographs, and those between them, one after the other."""

import dataclasses
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from film_tf.data import motion
from film_tf.errors import UserError
from film_tf.inference import timeline
from film_tf.inference.interpolator import Interpolator

AT_CUT = ('hold', 'blend')
DUPLICATES = ('keep', 'retime')
CUT = 0.85  # share of a frame's texture that is not in the next, from which on that is another scene
DUPLICATE = 0.5  # mean difference of 255 below which a frame is the one before again
_REPEATS = 3  # duplicates in a row; more are a picture that stands still


@dataclasses.dataclass(frozen=True)
class Place:
  """How far a sequence is: `count` frames from the given one at `time` on."""

  time: Fraction | None = None  # seconds; None is the very first
  count: int = 0


@dataclasses.dataclass(frozen=True)
class Frame:
  """A frame at a time."""

  pixels: np.ndarray  # [H, W, 3] RGB or [H, W, 4] RGBA, uint8 or uint16
  time: Fraction  # seconds
  duration: Fraction = Fraction(0)  # seconds; counts of the last frame alone
  made: bool = False  # by the network
  off: Fraction = Fraction(0)  # seconds by which it shows another time than was asked for, since halving is not finer
  place: Place = Place()  # of what comes after it, to go on from there


def interpolate(
  frames: Iterable[Frame],
  clock: timeline.Shares | timeline.Grid,
  interpolator: Interpolator,
  end: Fraction | None = None,
  at_cut: str | None = 'hold',
  duplicates: str = 'keep',
  skip: int = 0,
) -> Iterator[Frame]:
  """The frames that `clock` asks for, in order; of the given ones only three are held at a time.

  Args:
    frames: in order of time, all of one size and type.
    clock: which are wanted.
    interpolator: what makes them.
    end: when the last of them stops being shown at the latest, in seconds.
    at_cut: from the last frame of a scene to the first of the next, `hold` that, or `blend` both; None sees no cuts.
    duplicates: `retime` leaves out frames that show the one before again, and has those between in even steps.
    skip: leave out so many, where `frames` begin at the time of a `Place`.

  Raises:
    UserError: frames differ in size or type, or times do not increase.
  """
  known = {}
  for first, last in _pairs(frames, duplicates == 'retime'):
    if last is None:
      ends = first.time + first.duration if end is None else min(first.time + first.duration, end)
      moments = list(enumerate(clock.moments(first.time, ends, last=True), start=1))[skip:]
      for turn, moment in moments:
        yield Frame(first.pixels, moment.shown, clock.spacing or ends - first.time, place=Place(first.time, turn))
      return
    moments = list(enumerate(clock.moments(first.time, last.time, last=False), start=1))[skip:]
    skip = 0
    exact = [timeline.share_of(moment, first.time, last.time) for _, moment in moments]
    shares = [timeline.nearest(share) for share in exact]
    between = any(0 < share < 1 for share in shares)
    cut = bool(between and at_cut and is_cut(first.pixels, last.pixels))
    if between and not cut:
      known = {frame.time: known.get(frame.time) or interpolator.features(frame.pixels) for frame in (first, last)}
      images = interpolator.shown(*known.values(), shares)
    else:
      images = (_across(first.pixels, last.pixels, share, at_cut) for share in shares)
    for (turn, moment), image, share, wanted in zip(moments, images, shares, exact, strict=True):
      off = Fraction(0) if cut else abs(share - wanted) * (last.time - first.time)
      made, duration = 0 < share < 1 and not cut, clock.spacing or Fraction(0)
      yield Frame(image, moment.shown, duration, made, off, Place(first.time, turn))


def is_cut(a: np.ndarray, b: np.ndarray) -> bool:
  """Whether `b` is the first frame of another scene. Of 64 clips the cuts have 0.92 and more of what is 0.85 here."""
  return min(a.shape[:2]) >= motion.LEAST and float(motion.measure(a[..., :3], b[..., :3]).lost) > CUT


def is_duplicate(a: np.ndarray, b: np.ndarray) -> bool:
  """Whether `b` shows `a` again, but for what a codec does to it."""
  difference = np.mean(np.abs(a.astype(np.int32) - b))
  return bool(difference * 255.0 / np.iinfo(a.dtype).max < DUPLICATE)


def _pairs(frames, without_duplicates):
  """Each frame and the next, and at the end the last and None."""
  first, held = None, []  # the duplicates after it
  for frame in frames:
    if first is not None:
      _check(held[-1] if held else first, frame)
      if without_duplicates and len(held) < _REPEATS and is_duplicate(first.pixels, frame.pixels):
        held.append(frame)
        continue
      yield first, frame
    first, held = frame, []
  for last in [*held[-1:], None] if first else []:
    yield first, last
    first = last


def _check(first, frame):
  if frame.time <= first.time:
    raise UserError(f'a frame at {float(frame.time):.6f} s follows one at {float(first.time):.6f} s')
  a, b = first.pixels, frame.pixels
  if a.shape != b.shape or a.dtype != b.dtype:
    raise UserError(
      f'the frame at {float(frame.time):.3f} s has {b.shape[1]}x{b.shape[0]} pixels of {b.dtype}, '
      f'the one before {a.shape[1]}x{a.shape[0]} of {a.dtype}; expected one size'
    )


def _across(first, last, share, at_cut):
  """What is shown where nothing is made."""
  if share == 1:
    return last
  if share == 0 or at_cut == 'hold':
    return first
  mixed = first + (last.astype(np.float32) - first) * float(share)
  return np.round(mixed).astype(first.dtype)
