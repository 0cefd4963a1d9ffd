"""Writes docs/formats.md: every format of `film_tf.export`, its size, its runtime, and how far it is from TensorFlow.

  python -m benchmarks.formats        needs the extras onnx, tflite and jax; some minutes

Two networks are written: film_mini, and the published one with random weights, whose differences are those of any.
"""

import pathlib
import sys
import tempfile
import time

import numpy as np
import tensorflow as tf

from benchmarks.runtimes import RUNTIMES, version
from film_tf.errors import UserError
from film_tf.exporters import formats
from film_tf.media import image_file
from film_tf.model import weights
from film_tf.model.film_net import FilmNet

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 448, 256


def main():
  frames = [image_file.read(ROOT / 'eval' / 'samples' / f'cat_{i}.png').pixels for i in (0, 1)]
  x0, x1 = (tf.image.resize(frame[np.newaxis] / np.float32(255), (HEIGHT, WIDTH)).numpy() for frame in frames)
  batch = {'x0': x0, 'x1': x1, 'time': np.full((1, 1), 0.5, np.float32)}
  tables = []
  for title, net in [('film_mini', weights.load('film_mini')), ('The published network, random weights', published())]:
    expected = net(batch)['image'].numpy()
    lines = [row(name, dtype, net, batch, expected) for name, one in formats.FORMATS.items() for dtype in one.dtypes]
    parameters = sum(np.prod(variable.shape) for variable in weights.named(net).values())
    tables.append('\n'.join([f'### {title}: {parameters / 1e6:.1f} million weights\n', HEADER, *lines]))
  path = ROOT / 'docs' / 'formats.md'
  start, _, rest = path.read_text().partition(BEGIN)
  _, _, end = rest.partition(END)
  path.write_text('\n'.join([start + BEGIN, '', '\n\n'.join(tables), '', END + end]))


BEGIN, END = '<!-- benchmarks.formats writes what follows -->', '<!-- and ends here -->'
HEADER = """| format | weights | size, MB | largest difference to TensorFlow | written in, s | runtime |
| --- | --- | --- | --- | --- | --- |"""


def published() -> FilmNet:
  """Makes the published network with weights that keep images about as they are in size."""
  tf.keras.utils.set_random_seed(0)
  return FilmNet()


def row(name, dtype, net, batch, expected) -> str:
  """Writes and runs one format, and returns its line."""
  one = formats.FORMATS[name]
  with tempfile.TemporaryDirectory() as folder:
    path = f'{folder}/film{one.suffix}'
    start = time.perf_counter()
    options = formats.check(name, path, size=f'{WIDTH}x{HEIGHT}' if one.sized else None, dtype=dtype)
    try:
      formats.export(name, net, path, **options)
    except UserError as error:
      print(error.message, file=sys.stderr)
      return f'| {name} | {dtype} | | cannot be written, see below | | |'
    seconds = time.perf_counter() - start
    files = [file for file in pathlib.Path(folder).rglob('*') if file.is_file()]
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    load, package = RUNTIMES[name]
    difference = np.abs(load(path)(batch) - expected).max() / np.ptp(expected)
  line = f'| {name} | {dtype} | {megabytes:.1f} | {difference:.1e} | {seconds:.0f} | {package} {version(package)} |'
  print(line, file=sys.stderr)
  return line


if __name__ == '__main__':
  main()
