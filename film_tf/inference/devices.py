"""Makes frames on all devices of this machine at the same time."""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from concurrent import futures
from fractions import Fraction

import numpy as np
import tensorflow as tf

from film_tf.inference.interpolator import Interpolator
from film_tf.media.frame import Frame

_RUN = 4  # neighbouring pairs that a device makes; each has a frame in common with the next, whose features are kept


def visible() -> list[str]:
  """Returns the names of the devices that make frames: all GPUs, or else all (logical) CPUs."""
  devices = tf.config.list_logical_devices('GPU') or tf.config.list_logical_devices('CPU')
  return [device.name for device in devices]


class OneDevice:
  """Makes the frames between two frames of a sequence, and keeps of a frame what the next pair needs too.

  Args:
    interpolator: makes them.

  Attributes:
    ahead: pairs that are to be asked for before the frames of one are looked at.
  """

  ahead = 0

  def __init__(self, interpolator: Interpolator):
    self._interpolator, self._features = interpolator, {}

  def shown(self, first: Frame, last: Frame, fractions: Sequence[Fraction], direct: bool) -> Iterator[np.ndarray]:
    """Yields what `Interpolator.shown` does."""
    self._features = {
      frame.time: self._features.get(frame.time) or self._interpolator.features(frame.pixels) for frame in (first, last)
    }
    return self._interpolator.shown(*self._features.values(), fractions, direct)


class ManyDevices:
  """Offers what `OneDevice` does, where pairs that are asked for ahead are made at the same time, some on each device.

  Args:
    interpolator: on the first device; the others get one each of the same model.
    names: of the devices.
  """

  def __init__(self, interpolator: Interpolator, names: Sequence[str]):
    self.ahead = _RUN * len(names)
    self._threads = [futures.ThreadPoolExecutor(1) for _ in names]
    makers = [interpolator, *map(interpolator.on, names[1:])]  # it is on the first, as all that is not told where
    turns = zip(names, map(OneDevice, makers), self._threads, strict=True)
    self._turns = itertools.cycle(turn for turn in turns for _ in range(_RUN))

  def close(self):
    """Leaves out what is not begun, and waits for what is."""
    for thread in self._threads:
      thread.shutdown(cancel_futures=True)

  def shown(self, first: Frame, last: Frame, fractions: Sequence[Fraction], direct: bool) -> Iterator[np.ndarray]:
    """Begins to make frames on the device whose turn it is, and returns an iterator that waits for them."""
    name, maker, thread = next(self._turns)

    def make():
      with tf.device(name):
        return list(maker.shown(first, last, fractions, direct))

    return _images(thread.submit(make))


def _images(made):
  yield from made.result()


@contextlib.contextmanager
def spread(interpolator: Interpolator) -> Iterator[OneDevice | ManyDevices]:
  """Gives what makes the frames of a sequence, on one device or on all that there are."""
  names = visible()
  if len(names) == 1:
    yield OneDevice(interpolator)
    return
  many = ManyDevices(interpolator, names)
  try:
    yield many
  finally:
    many.close()
