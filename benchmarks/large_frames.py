"""Compares frames made in bands with frames made at once: time, memory, and how far apart they are.

  python -m benchmarks.large_frames             the published size at 1280x768, film_mini at 1920x1080
  python -m benchmarks.large_frames --4k        and 3840x2160 within 8 GB and 3 GB; minutes, and up to 15 GB

Each in a process of its own. The published network has random weights, its flow made small, as motion is.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

SHORT = [
  ('published', 1280, 768, [None, '128:1', '64:1']),
  ('film_mini', 1920, 1080, [None, '128:0', '64:2']),
]
LONG = [('film_mini', 3840, 2160, [None, '3GB']), ('published', 3840, 2160, ['8GB', '10GB'])]


def measure(name, width, height, way, path):
  """Makes one frame, saves it, and prints seconds and bytes. `way` is a memory limit, or rows:kept_from, or none."""
  import tensorflow as tf

  from film_tf.inference import memory
  from film_tf.inference.bands import Bands
  from film_tf.inference.bounded import BoundedNet
  from film_tf.model import weights
  from film_tf.model.film_net import FilmNet

  tf.keras.utils.set_random_seed(0)
  net = FilmNet() if name == 'published' else weights.load(name)
  if name == 'published':
    for variable_name, variable in weights.named(net).items():
      if variable_name.startswith('flow_pyramid') and variable_name.endswith('conv_4/kernel'):
        variable.assign(0.003 * variable)
  bounded = BoundedNet(net, memory.parse(way) if 'GB' in way else 10**12)
  if ':' in way:
    bounded._bands[1, height, width] = Bands(*map(int, way.split(':')))
  bounded._bands[1, 128, 128] = bounded.bands(1, height, width)
  between(bounded, 128, 128)  # traces the graphs
  start = time.perf_counter()
  frame = between(bounded, height, width)
  print(time.perf_counter() - start, memory.peak(), bounded.bands(1, height, width))
  np.save(path, frame)


def between(net, height, width):
  """Makes the frame between two of waves that have moved by four pixels."""
  features = [net.features(waves(height, width, 4 * i)) for i in (0, 1)]
  return net.between(*features, np.full((1, 1), 0.5, np.float32))['image'].numpy()


def waves(height, width, moved):
  y, x = np.ogrid[:height, :width]
  colours = [np.float32(0.5 + 0.2 * (np.sin((x - moved) / (9 + c)) + np.cos(y / (7 + c)))) for c in range(3)]
  return np.stack(colours, axis=-1)[np.newaxis]


def main():
  print(f'{"network":10} {"size":>10} {"way":>6} {"seconds":>8} {"ratio":>6} {"GB":>6} {"ratio":>6} {"difference":>10}')
  for name, width, height, ways in SHORT + LONG * ('--4k' in sys.argv):
    first = None
    with tempfile.TemporaryDirectory() as folder:
      for way in ways:
        path = str(pathlib.Path(folder) / f'{way}.npy')
        words = [sys.executable, '-m', 'benchmarks.large_frames', name, str(width), str(height), way or 'whole', path]
        told = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ}).stdout.split(
          ' ', 2
        )
        seconds, peak, frame = float(told[0]), int(told[1]), np.load(path)
        first = first or (seconds, peak, frame)
        ratios = seconds / first[0], peak / first[1]
        apart = np.abs(frame - first[2]).max() / max(1.0, np.abs(first[2]).max())
        print(
          f'{name:10} {width:>5}x{height:<4} {way or "whole":>6} {seconds:8.1f} {ratios[0]:6.2f} {peak / 1e9:6.2f} '
          f'{ratios[1]:6.2f} {apart:10.1e}  {told[2].strip()}',
          flush=True,
        )


if __name__ == '__main__':
  if len(sys.argv) > 5:
    measure(*sys.argv[1:2], *map(int, sys.argv[2:4]), *sys.argv[4:])
  else:
    main()
