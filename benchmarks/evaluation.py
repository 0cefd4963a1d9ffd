"""Measures what `eval.run` takes beside making the frames: reading, motion, PSNR and SSIM, the rows of its scores.

  python -m benchmarks.evaluation

Twelve pairs of 640x480 pixels, as PNG files with the true frame, by film_mini, protocol film. CPU time counts, since it
is the same whatever else runs; the time of the clock is told, too. Both are without what loads and traces the network.
"""

import os
import pathlib
import tempfile
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

from datasets import dummy
from eval import measuring, results, triplets
from eval.measures import Measures

PAIRS, HEIGHT, WIDTH = 12, 480, 640
ROUNDS = 3


def taken(function):
  """Returns seconds of CPU and of the clock, the least of some rounds, since others only disturb."""
  found = []
  for _ in range(ROUNDS):
    begun = time.process_time(), time.perf_counter()
    function()
    found.append((time.process_time() - begun[0], time.perf_counter() - begun[1]))
  return [min(part) for part in zip(*found, strict=True)]


def main():
  with tempfile.TemporaryDirectory() as root:
    for pair in range(PAIRS):
      for number in range(3):
        path = pathlib.Path(root, 'pairs', str(pair), f'im{number}.png')
        dummy.write(path, pair, number, height=HEIGHT, width=WIDTH)
    bench = measuring.Bench(['film_mini'], Measures(['film']))
    source = os.path.join(root, 'pairs')
    read = list(triplets.find(source))
    next(bench.rows(read[:1]))  # traces

    def whole():
      path = os.path.join(tempfile.mkdtemp(dir=root), results.SCORES)
      with results.appended(path, ['film'], ['film_mini']) as scores:
        for rows in bench.rows(triplets.find(source)):
          scores.write(rows)

    inference = taken(lambda: [bench.frames(triplet) for triplet in read])
    measured = taken(whole)
  for name, seconds in (('frames alone', inference), ('frames, scores and files', measured)):
    print(f'{name}: {seconds[0]:.2f} s of CPU, {seconds[1]:.2f} s of the clock')
  print(f'beside the frames: {100 * (measured[0] / inference[0] - 1):.1f} % of their CPU time')


if __name__ == '__main__':
  main()
