"""Compares two ways to make several frames between two: halving again and again, and going to each time directly.

  python -m benchmarks.times                        time of 7 frames between two photographs
  python -m benchmarks.times clip.mp4 other.mp4     and PSNR of 3 frames between every fourth of these videos

The published network has random weights, its flow made small, as motion is. Each video counts the same in the mean,
whatever its length.
"""

import os
import sys
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import numpy as np

from film_tf import metrics
from film_tf.inference.interpolator import Interpolator
from film_tf.media.video_reader import VideoReader
from film_tf.model import weights
from film_tf.model.film_net import FilmNet

WAYS = {'halve': False, 'direct': True}
ROUNDS = 5
SPAN = 4  # frames between which those are made that are compared
MOST = 24  # such spans of a video


def seconds(interpolator, direct):
  """Returns the median time of 7 frames between two."""
  a, b = (f'eval/samples/cat_{i}.png' for i in range(2))
  taken = []
  for _ in range(ROUNDS + 1):  # the first traces
    begin = time.perf_counter()
    list(interpolator.at(a, b, [i / 8 for i in range(1, 8)], direct=direct))
    taken.append(time.perf_counter() - begin)
  return np.median(taken[1:])


def psnr(interpolator, path, direct):
  """Returns the mean PSNR of a video's frames at a quarter, a half and three quarters of every span."""
  frames = [frame.pixels for frame in VideoReader(path).frames()]
  scores = []
  for first in range(0, len(frames) - SPAN, SPAN)[:MOST]:
    span = frames[first : first + SPAN + 1]
    made = interpolator.at(span[0], span[-1], [i / SPAN for i in range(1, SPAN)], direct=direct)
    pairs = zip(made, span[1:-1], strict=True)
    scores.append([metrics.psnr(*(np.float32(image)[np.newaxis] / 255 for image in pair))[0] for pair in pairs])
  return np.mean(scores, axis=0)


def published():
  """Returns a network of published size."""
  net = FilmNet()
  for name, variable in weights.named(net).items():
    if name.startswith('flow_pyramid') and name.endswith('conv_4/kernel'):
      variable.assign(0.003 * variable)
  return net


def main(paths):
  networks = {'film_mini': Interpolator(), 'published': Interpolator(published())}
  for name, interpolator in networks.items():
    taken = {way: seconds(interpolator, direct) for way, direct in WAYS.items()}
    ratio = taken['halve'] / taken['direct']
    print(f'{name}, 7 frames: ' + ', '.join(f'{way} {s:.2f} s' for way, s in taken.items()) + f', {ratio:.2f} times')
  means = {way: [psnr(networks['film_mini'], path, direct) for path in paths] for way, direct in WAYS.items()}
  for way, scores in means.items() if paths else ():
    for path, score in [*zip(paths, scores, strict=True), ('mean', np.mean(scores, axis=0))]:
      print(f'film_mini, {way}, {os.path.basename(path)}: ' + ' / '.join(f'{value:.2f}' for value in score) + ' dB')


if __name__ == '__main__':
  main(sys.argv[1:])
