"""Makes the frames of a sequence on some logical CPUs, with net.npz, into a file named by their number."""

import sys
import threading
from fractions import Fraction

import numpy as np
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.inference import devices, sequence
from film_tf.inference.interpolator import Interpolator
from film_tf.inference.timeline import division
from film_tf.media.frame import Frame
from film_tf.model import weights
from tests import forked


def given(count):
  """Frames that move little, with a cut after every five; the last one is of another size."""
  scenes = np.random.default_rng(0).integers(0, 256, (3, 12, 16, 3), np.uint8).repeat(4, axis=1).repeat(4, axis=2)
  pixels = [np.roll(scenes[i // 5], i, axis=1) for i in range(count)]
  return [Frame(image, Fraction(i, 10), Fraction(1, 10)) for i, image in enumerate([*pixels, pixels[0][:40]])]


def main(count):
  forked.logical_cpus(int(count))
  used, homes, copies = set(), set(), []
  shown, on = devices.OneDevice.shown, Interpolator.on

  def noted(self, *args):
    images = shown(self, *args)
    used.update(x.device for one in self._features.values() for x in tf.nest.flatten(one.features) if tf.is_tensor(x))
    homes.update(weight.device for weight in weights.variables(self._interpolator.bounded._net).values())
    return images

  devices.OneDevice.shown = noted
  Interpolator.on = lambda self, device: copies.append(device) or on(self, device)
  made = sequence.interpolate(given(15), division(4), Interpolator('net.npz'), skip=2)
  frames = []
  try:
    frames.extend(made)
  except UserError as error:
    message = error.message
  assert len(frames) == 14 * 4 - 2
  assert '64x40 pixels' in message
  for found in (used, homes):
    assert {name.rpartition('/')[2] for name in found} == {f'device:CPU:{i}' for i in range(int(count))}, found
  assert len(copies) == int(count) - 1  # once each, and not for every run
  found = {name: [getattr(frame, name) for frame in frames] for name in ('pixels', 'made')}
  np.savez(f'{count}.npz', **found, times=[float(frame.time) for frame in frames])
  threads = threading.active_count()
  some = sequence.interpolate(given(15), division(64), Interpolator('net.npz'))
  next(some)
  some.close()
  assert threading.active_count() == threads


if __name__ == '__main__':
  main(sys.argv[1])
