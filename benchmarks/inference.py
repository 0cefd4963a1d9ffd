"""Writes docs/performance.md: how long frames between two take on this machine, and how much memory.

  python -m benchmarks.inference                              20 minutes of two cores, and up to 8 GB
  python -m benchmarks.inference .venv-addons/bin/python      and the plain graph of the TensorFlow of that environment

Every measurement has a process of its own; those that are compared take turns. Seconds are those of the processor, of
all cores together, which other work changes less than those on the clock. The published network has random weights.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import numpy as np

PAGE = pathlib.Path(__file__).resolve().parent.parent / 'docs' / 'performance.md'
BEGIN, END = '<!-- benchmarks.inference writes what follows -->', '<!-- and ends here -->'
NETWORKS = 'published', 'film_mini'
WAYS = ['plain', 'film_tf', 'bfloat16']
ROUNDS = 3
SIZES = [(448, 256), (640, 360), (1280, 720), (1920, 1080), (3840, 2160), (7680, 4320)]
MOST = {'published': 2.1, 'film_mini': 40.0}  # megapixels, for the time that it takes
LIMIT = 8 * 10**9  # bytes


def measure(name, way, width, height, rounds):
  """Prints the seconds of each round, and the peak memory, of one network in this process."""
  import tensorflow as tf

  from benchmarks import plain, times
  from benchmarks.large_frames import waves
  from film_tf.inference import memory
  from film_tf.inference.bounded import BoundedNet
  from film_tf.inference.precision import converted
  from film_tf.model import weights

  if way == 'plain':
    plain.use()
  net = times.published() if name == 'published' else weights.load(name)
  run = BoundedNet(converted(net, 'bfloat16' if way == 'bfloat16' else 'float32'), LIMIT)
  if way == 'plain':
    run = Plain(net)
  images, time_ = [waves(height, width, 4 * i) for i in (0, 1)], np.full((1, 1), 0.5, np.float32)

  def between(images):
    features = [run.features(tf.constant(image)) for image in images]
    run.between(*features, time_)['image'].numpy()

  if way != 'plain':  # in the bands of the whole, whose graphs it traces
    run._bands[1, 128, 128] = run.bands(1, height, width)
    between([image[:, :128, :128] for image in images])
  if way == 'plain' or run.bands(1, height, width) is None:  # XLA compiles warps for each size
    between(images)
  taken = []
  for _ in range(rounds):
    begin = time.process_time()
    between(images)
    taken.append(time.process_time() - begin)
  bands = way != 'plain' and run.bands(1, height, width)
  print(json.dumps({'seconds': taken, 'peak': memory.peak(), 'rows': bands.rows if bands else None}))


class Plain:
  """A network as one graph of TensorFlow, without XLA."""

  def __init__(self, net):
    import tensorflow as tf

    self._run = tf.function(net)

  def features(self, image):
    return image

  def between(self, x0, x1, time_):
    return self._run({'x0': x0, 'x1': x1, 'time': time_})


def measured(*words, python=sys.executable):
  root = PAGE.parent.parent
  words = [python, '-m', 'benchmarks.inference', '--measure', *map(str, words)]
  environment = {**os.environ, 'PYTHONPATH': str(root)}
  result = subprocess.run(words, cwd=root, env=environment, capture_output=True, text=True, check=True)
  return json.loads(result.stdout.splitlines()[-1])


def speeds(other) -> list[str]:
  """Returns a table of ways at 448x256, each a multiple of the plain graph's speed."""
  lines = [
    f'| network | way | processor time | of the plain graph |{" of that of the other TensorFlow |" if other else ""}'
  ]
  lines.append('| --- ' * (4 + bool(other)) + '|')
  for name in NETWORKS:
    found = {way: [] for way in [*WAYS, *['other'] * bool(other)]}
    for _ in range(ROUNDS):
      for way, seconds in found.items():
        one = ['plain', *SIZES[0], 3] if way == 'other' else [way, *SIZES[0], 3]
        seconds += measured(name, *one, python=other if way == 'other' else sys.executable)['seconds']
    least = {way: min(seconds) for way, seconds in found.items()}
    for way in WAYS:
      ratios = [f'{least[of] / least[way]:.2f} times as fast' for of in ('plain', *['other'] * bool(other))]
      lines.append(f'| {name} | {way} | {least[way]:.2f} s | {" | ".join(ratios)} |')
  return lines


def sizes() -> tuple[list[str], dict]:
  """Returns a table of sizes within 8 GB, and the points of its plot: megapixels and seconds by network."""
  lines = [
    '| network | frame | processor time | a megapixel | peak memory | bands |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  points = {}
  for name in NETWORKS:
    for width, height in SIZES:
      pixels = width * height / 1e6
      if pixels <= MOST[name]:
        found = measured(name, 'film_tf', width, height, 3 if pixels < 1 else 1)
        seconds, rows = min(found['seconds']), found['rows']
        points.setdefault(name, []).append((pixels, seconds))
        lines.append(
          f'| {name} | {width}x{height} | {seconds:.1f} s | {seconds / pixels:.2f} s | {found["peak"] / 1e9:.1f} GB | '
          f'{f"of {rows} rows" if rows else "at once"} |'
        )
  return lines, points


def plot(points: dict) -> str:
  """Returns an SVG of seconds over megapixels, both axes logarithmic."""

  def place(pixels, seconds):
    return f'{60 + 150 * (np.log10(pixels) + 1):.0f},{280 - 60 * (np.log10(seconds) + 1):.0f}'

  parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 320" font-family="sans-serif" font-size="12">']
  parts.append('<rect width="520" height="320" fill="white"/>')
  for power in range(-1, 3):
    x, y = place(10.0**power, 0.1).split(',')[0], place(0.1, 10.0**power).split(',')[1]
    parts.append(f'<path d="M{x} 280V40M60 {y}H510" stroke="#ddd"/>')
    parts.append(f'<text x="{x}" y="296" text-anchor="middle">{10.0**power:g}</text>')
    parts.append(f'<text x="52" y="{y}" dy="4" text-anchor="end">{10.0**power:g}</text>')
  for (name, line), colour in zip(points.items(), ('#c33', '#36c'), strict=True):
    places = [place(*point) for point in line]
    parts.append(f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" stroke-width="2"/>')
    parts += ['<circle cx="{}" cy="{}" r="3" fill="{}"/>'.format(*at.split(','), colour) for at in places]
    parts.append(
      f'<text x="{places[0].split(",")[0]}" y="{places[0].split(",")[1]}" dy="-8" fill="{colour}">{name}</text>'
    )
  parts.append(
    '<text x="285" y="314" text-anchor="middle">megapixels</text><text x="60" y="28">processor seconds</text>'
  )
  return '\n'.join([*parts, '</svg>', ''])


def main(other=None):
  lines, points = sizes()
  tables = '\n\n'.join('\n'.join(table) for table in (speeds(other), lines))
  start, _, rest = PAGE.read_text().partition(BEGIN)
  _, _, end = rest.partition(END)
  PAGE.write_text('\n'.join([start + BEGIN, '', tables, '', END + end]))
  (PAGE.parent / 'performance.svg').write_text(plot(points))


if __name__ == '__main__':
  if sys.argv[1:2] == ['--measure']:
    measure(*sys.argv[2:4], *map(int, sys.argv[4:]))
  else:
    main(*sys.argv[1:])
