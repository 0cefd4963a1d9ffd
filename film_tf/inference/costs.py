"""Estimates what a network costs on frames of some size, by measuring a small sample."""

import contextlib
import dataclasses
import os
import resource
import sys
import time

import numpy as np

from film_tf.errors import UserError
from film_tf.inference.interpolator import Interpolator

_PIXELS = 480 * 270  # of the sample
_LARGE = 4_000_000  # pixels of a frame, from which on memory is looked at before the work


@dataclasses.dataclass(frozen=True)
class Cost:
  """Of one frame between two others."""

  seconds: float
  bytes: int  # of memory, the most at any time, TensorFlow itself included


def measure(interpolator: Interpolator, height: int, width: int) -> Cost:
  """Estimates the cost at a size in proportion to that of a small sample, which is interpolated three times."""
  shrink = min(1.0, (_PIXELS / (height * width)) ** 0.5)
  sample = np.zeros((max(1, round(height * shrink)), max(1, round(width * shrink)), 3), np.uint8)
  interpolator.between(sample[:32, :32], sample[:32, :32])  # traces it
  base = _peak(afresh=True)
  seconds = []
  for _ in range(3):
    start = time.perf_counter()
    interpolator.between(sample, sample)
    seconds.append(time.perf_counter() - start)
  scale = height * width / (sample.shape[0] * sample.shape[1])
  return Cost(min(seconds) * scale, int(base + (_peak() - base) * scale))


def check(interpolator: Interpolator, height: int, width: int):
  """Raises where frames are too large for the memory that is free.

  Raises:
    UserError: as said.
  """
  free = _free()
  if height * width < _LARGE or free is None:
    return
  needed = measure(interpolator, height, width).bytes
  if needed > free:
    raise UserError(
      f'frames of {width}x{height} pixels need about {needed / 1e9:.0f} GB of memory, '
      f'and {free / 1e9:.0f} GB are free; make them smaller'
    )


def _peak(afresh: bool = False) -> int:
  """Returns the bytes that this process has had at most; `afresh` counts from now on, where the system can."""
  if os.path.exists('/proc/self/clear_refs'):
    if afresh:
      with contextlib.suppress(OSError), open('/proc/self/clear_refs', 'w') as file:
        file.write('5')
    return _lines('/proc/self/status')['VmHWM']
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)


def _free():
  """Returns the bytes that are free, or None where the system does not say."""
  return _lines('/proc/meminfo').get('MemAvailable') if os.path.exists('/proc/meminfo') else None


def _lines(path):
  """Returns bytes by name."""
  with open(path) as file:
    rows = (line.split() for line in file)
    return {row[0].rstrip(':'): int(row[1]) * 1024 for row in rows if row[-1] == 'kB'}
