"""Estimates what a network costs on frames of some size, by measuring a small sample."""

import dataclasses
import functools
import time

import numpy as np

from film_tf.errors import UserError
from film_tf.inference import memory
from film_tf.inference.interpolator import Interpolator

_SAMPLE = 540, 960  # pixels, height and width
_HELD = 12  # frames that are read ahead, or wait to be written
_LARGE = 4_000_000  # pixels of a frame, from which on memory is looked at before the work


@dataclasses.dataclass(frozen=True)
class Cost:
  """The cost of one frame between two others."""

  seconds: float
  bytes: int  # of memory, the most at any time, TensorFlow itself included


def measure(interpolator: Interpolator, height: int, width: int, bits: int = 8) -> Cost:
  """Estimates the cost at a size in proportion to that of a sample, which is interpolated once in a process.

  Args:
    interpolator: whose network it is.
    height: of frames, pixels.
    width: likewise.
    bits: of a colour, 8 or 16.
  """
  base, pixels = _base(), height * width
  seconds, per_pixel = _per_pixel(interpolator)
  if interpolator.bounded:
    return Cost(seconds * pixels, base + interpolator.bounded.needed(1, height, width))
  return Cost(seconds * pixels, int(base + (per_pixel + _HELD * 3 * bits / 8) * pixels))


def check(interpolator: Interpolator, height: int, width: int, bits: int = 8):
  """Raises where frames are too large for the memory that is free.

  Raises:
    UserError: as said.
  """
  if interpolator.bounded:
    interpolator.bounded.bands(1, height, width)
    return
  base, free = _base(), memory.free()
  if height * width < _LARGE or free is None:
    return
  needed = measure(interpolator, height, width, bits).bytes
  if needed - base > free:
    raise UserError(
      f'frames of {width}x{height} pixels need about {needed / 1e9:.0f} GB of memory, '
      f'and {free / 1e9:.0f} GB are free; make them smaller, or give the weights (.npz) instead of the SavedModel, '
      'which are run in bands'
    )


@functools.cache
def _base() -> int:
  """Returns the bytes that this process has before it interpolates: TensorFlow keeps what it has had."""
  return memory.peak(afresh=True)


@functools.lru_cache(maxsize=4)
def _per_pixel(interpolator):
  """Returns the seconds and the bytes of memory that a sample takes, per pixel."""
  sample = np.zeros((*_SAMPLE, 3), np.uint8)
  interpolator.between(sample[:32, :32], sample[:32, :32])  # traces it
  memory.peak(afresh=True)
  start = time.perf_counter()
  interpolator.between(sample, sample)
  return (time.perf_counter() - start) / sample[..., 0].size, (memory.peak() - _base()) / sample[..., 0].size
