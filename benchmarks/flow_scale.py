"""Compares flow of whole images with flow of images of half the size (`--flow_scale=0.5`).

  python -m benchmarks.flow_scale                        processor time of a frame
  python -m benchmarks.flow_scale clip.mp4 other.mp4     and PSNR of film_mini's frames between every second of these

Processor time is that of all cores together, the least of some rounds. The published network has random weights. Each
video counts the same in the mean, whatever its length.
"""

import os
import sys
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import numpy as np
import tensorflow as tf

from benchmarks.times import published
from film_tf import metrics
from film_tf.inference.interpolator import Interpolator
from film_tf.media.video_reader import VideoReader

SCALES = 1.0, 0.5
SIZES = {'film_mini': (720, 1280), 'published': (360, 640)}
ROUNDS = 3
MOST = 6  # frames of a video


def seconds(interpolators, size):
  """Returns the processor time of a frame between two smooth images, by each interpolator."""
  coarse = np.random.default_rng(0).random((2, 20, 20, 3), np.float32)
  a, b = tf.image.resize(coarse, size).numpy()
  taken = []
  for _ in range(ROUNDS + 1):  # the first traces
    taken.append([])
    for interpolator in interpolators:
      begin = time.process_time()
      interpolator.between(a, b)
      taken[-1].append(time.process_time() - begin)
  return np.min(taken[1:], axis=0)


def psnr(interpolators, path):
  """Returns the mean PSNR of frames between a video's, by each interpolator."""
  frames = [frame.pixels for frame, _ in zip(VideoReader(path).frames(), range(2 * MOST + 1), strict=False)]
  scores = []
  for a, true, b in zip(frames[::2], frames[1::2], frames[2::2], strict=False):
    pairs, most = [(interpolator.between(a, b), true) for interpolator in interpolators], np.iinfo(true.dtype).max
    scores.append([metrics.psnr(*(np.float32(image)[np.newaxis] / most for image in pair))[0] for pair in pairs])
  return np.mean(scores, axis=0)


def main(paths):
  networks = {'film_mini': 'film_mini', 'published': published()}
  made = {name: [Interpolator(net, flow_scale=scale) for scale in SCALES] for name, net in networks.items()}
  for name, interpolators in made.items():
    whole, half = seconds(interpolators, SIZES[name])
    ratio = whole / half
    print(f'{name}, {SIZES[name]} pixels: {whole:.2f} s, half {half:.2f} s, {ratio:.2f} times as fast', flush=True)
  scores = []
  for path in paths:
    scores.append(psnr(made['film_mini'], path))
    print('film_mini, {}: {:.2f} dB, half {:.2f} dB'.format(os.path.basename(path), *scores[-1]), flush=True)
  if scores:
    print('film_mini, mean: {:.2f} dB, half {:.2f} dB'.format(*np.mean(scores, axis=0)))


if __name__ == '__main__':
  main(sys.argv[1:])
