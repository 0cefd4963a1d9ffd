"""Makes the frames of a sequence on all devices of this machine at the same time."""

import collections
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np
import tensorflow as tf

from film_tf.inference.interpolator import Interpolator
from film_tf.media.frame import Frame
from film_tf.prefetch import prefetch

_RUN = 4  # neighbouring pieces that a device makes; each has a frame in common with the next, whose features are kept
_HELD = 64  # finished frames, about, that wait on each device until it is their turn


def visible() -> list[str]:
  """Returns the names of the devices that make frames: all GPUs, or else all (logical) CPUs."""
  devices = tf.config.list_logical_devices('GPU') or tf.config.list_logical_devices('CPU')
  return [device.name for device in devices]


def shared_by(interpolator: Interpolator, pieces: int) -> int:
  """Returns among how many devices so many pieces of a sequence are shared."""
  return min(len(_names(interpolator)), -(-pieces // _RUN))


def _names(interpolator):
  return visible() if interpolator.bounded else visible()[:1]  # a SavedModel's weights are where it was loaded


class OneDevice:
  """Makes the images between two frames of a sequence, and keeps of a frame what the next pair needs too.

  Args:
    interpolator: makes them.
  """

  def __init__(self, interpolator: Interpolator):
    self._interpolator, self._features = interpolator, {}

  def shown(self, first: Frame, last: Frame, fractions: Sequence[Fraction], direct: bool) -> Iterator[np.ndarray]:
    """Yields what `Interpolator.shown` does."""
    self._features = {
      frame.time: self._features.get(frame.time) or self._interpolator.features(frame.pixels) for frame in (first, last)
    }
    return self._interpolator.shown(*self._features.values(), fractions, direct)


Piece = Callable[[OneDevice], Iterator[Frame]]


def frames(pieces: Iterable[Piece], interpolator: Interpolator) -> Iterator[Frame]:
  """Yields the frames of all pieces in order, with several devices `_RUN` neighbouring pieces on each at a time.

  Of a SavedModel one device makes all. With several, up to `_HELD` finished frames wait on each, and the given frames
  of `_RUN` pieces for each are held.

  Args:
    pieces: make the frames from a given one to the next, with the device that they are called with.
    interpolator: on the first device; the others get one each with the same weights.
  """
  names = _names(interpolator)
  makers = {names[0]: OneDevice(interpolator)}
  if len(names) == 1:
    for piece in pieces:
      yield from piece(makers[names[0]])
    return
  runs, turns = _runs(_with_error_in_its_turn(pieces)), itertools.cycle(names)
  running = collections.deque()
  try:
    while True:
      for run in itertools.islice(runs, len(names) - len(running)):
        name = next(turns)
        if name not in makers:  # of short sequences not all are needed
          makers[name] = OneDevice(interpolator.on(name))
        running.append(prefetch(_made(name, makers[name], run), _HELD))
        next(running[-1])  # now it makes frames
      if not running:
        return
      yield from running[0]
      running.popleft()
  finally:
    for one in running:
      one.close()


def _runs(pieces):
  while run := list(itertools.islice(pieces, _RUN)):
    yield run


def _with_error_in_its_turn(pieces):
  """Yields pieces, and where an error ends them, one that raises it: the frames of those before come first."""
  try:
    yield from pieces
  except Exception as error:
    yield functools.partial(_raise, error)


def _raise(error, _):
  raise error


def _made(name, device, run):
  """Yields None at once, and then the frames of a run of pieces, made on a device."""
  yield
  with tf.device(name):
    for piece in run:
      yield from piece(device)
