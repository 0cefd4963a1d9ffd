"""Yields the given frames of a video or of photographs and the new ones between them, one after the other."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from film_tf.data import motion
from film_tf.errors import DamagedError, UserError
from film_tf.inference import devices, timeline
from film_tf.inference.interpolator import Interpolator
from film_tf.media.frame import Frame, Position

_MAX_REPEATS = 3  # duplicates in a row; more are a picture that stands still


def interpolate(
  frames: Iterable[Frame],
  clock: timeline.Subdivision | timeline.Grid,
  interpolator: Interpolator,
  *,
  end: Fraction | None = None,
  at_cut: str | None = 'hold',
  cut_threshold: float = motion.CUT,
  duplicates: str = 'keep',
  skip: int = 0,
) -> Iterator[Frame]:
  """Yields the frames that `clock` asks for, in order; of the given ones only three are held at a time.

  On several devices more are, see `devices.frames`.

  Args:
    frames: in order of time, all of one size and type.
    clock: which frames are wanted.
    interpolator: makes those that are not given.
    end: when the last of them stops being shown at the latest, in seconds.
    at_cut: from the last frame of a scene to the first of the next, `hold` that, or `blend` both; None looks for no
      cuts.
    cut_threshold: share of a frame's texture that is lost in the next, above which that is another scene.
    duplicates: `keep`, or `retime`: leave out frames that show the one before again, and fill their time evenly.
    skip: leave out so many, where `frames` begin at the time of a `Position`.

  Raises:
    UserError: frames differ in size or type, or times do not increase.
  """
  yield from devices.frames(_pieces(frames, clock, end, at_cut, cut_threshold, duplicates, skip), interpolator)


def _pieces(frames, clock, end, at_cut, cut_threshold, duplicates, skip):
  """Yields what makes the frames from each given one to the next."""
  for first, last in _pairs(frames, duplicates == 'retime'):
    if last is None:
      yield functools.partial(_last, first, clock, end, skip)
    else:
      yield functools.partial(_between, first, last, clock, at_cut, cut_threshold, skip)
      skip = 0


def _between(first, last, clock, at_cut, cut_threshold, skip, device):
  """Yields the frames from a given one, and before the next."""
  known = [first.time, *last.lost, last.time]  # frames that are lost were wanted too
  moments = [moment for begin, end in itertools.pairwise(known) for moment in clock.moments(begin, end, last=False)]
  exact = [timeline.fraction_of(moment, first.time, last.time) for moment in moments]
  fractions = [clock.reached(fraction) for fraction in exact]
  between = any(0 < fraction < 1 for fraction in fractions[skip:])
  is_cut = bool(between and at_cut and motion.is_cut(first.pixels, last.pixels, cut_threshold))
  if between and not is_cut:
    images = device.shown(first, last, fractions[skip:], clock.direct)
  else:
    images = (_without_network(first.pixels, last.pixels, fraction, at_cut) for fraction in fractions[skip:])
  for number, image in enumerate(images, start=skip):
    yield Frame(
      image,
      moments[number].shown,
      clock.spacing or Fraction(0),
      made=0 < fractions[number] < 1 and not is_cut,
      timing_error=Fraction(0) if is_cut else abs(fractions[number] - exact[number]) * (last.time - first.time),
      position=Position(first.time, number + 1),
    )


def _last(frame, clock, end, skip, device):
  """Yields the last given frame as often as it is wanted."""
  ends = frame.time + frame.duration
  ends = ends if end is None else min(ends, end)
  for number, moment in list(enumerate(clock.moments(frame.time, ends, last=True), start=1))[skip:]:
    yield dataclasses.replace(
      frame,
      time=moment.shown,
      duration=clock.spacing or ends - frame.time,
      position=Position(frame.time, number),
    )


def _pairs(frames, without_duplicates):
  """Yields each frame and the next, and at the end the last and None."""
  first, repeats, damage = None, [], None
  for frame in _until_damaged(frames):
    if isinstance(frame, DamagedError):
      damage = frame
      break
    if first is not None:
      _check(repeats[-1] if repeats else first, frame)
      if without_duplicates and len(repeats) < _MAX_REPEATS and motion.is_duplicate(first.pixels, frame.pixels):
        repeats.append(frame)
        continue
      yield first, frame
    first, repeats = frame, []
  for last in [*repeats[-1:], None] if first else []:
    yield first, last
    first = last
  if damage:
    raise damage


def _until_damaged(frames):
  """Yields frames, and the error where they end too early: what comes before it is shown first."""
  try:
    yield from frames
  except DamagedError as error:
    yield error


def _check(first, frame):
  if frame.time <= first.time:
    raise UserError(f'a frame at {float(frame.time):.6f} s follows one at {float(first.time):.6f} s')
  a, b = first.pixels, frame.pixels
  if a.shape != b.shape or a.dtype != b.dtype:
    raise UserError(
      f'the frame at {float(frame.time):.3f} s has {b.shape[1]}x{b.shape[0]} pixels of {b.dtype}, '
      f'the one before {a.shape[1]}x{a.shape[0]} of {a.dtype}; expected one size'
    )


def _without_network(first, last, fraction, at_cut):
  """Returns what is shown where nothing is made: a given frame, or at a cut perhaps a blend."""
  if fraction == 1:
    return last
  if fraction == 0 or at_cut == 'hold':
    return first
  mixed = first + (last.astype(np.float32) - first) * float(fraction)
  return np.round(mixed).astype(first.dtype)
