"""Measures models: PSNR and SSIM of the frames they make between two, against the true ones.

Run it so, in the checkout:

  python -m eval.run --model=film_mini --model=blend --model=dis --data=clip.mp4 --output=scores.csv
  python -m eval.run --model=runs/mini/film.npz --data=tfds:vimeo90k_triplet:test --data=folder/of/triplets

A model is film_mini, film_style, a weights file of film_tf (.npz) or of FILM, a SavedModel, or a baseline: repeat,
blend, dis (OpenCV's optical flow).
Data are videos, of which every second frame is made from its neighbours, folders of triplets, or what training takes.
Metrics are FILM's: of images clipped to [0, 1] and not rounded; a mean is that of the values of all images.
"""

import csv
import os

import numpy as np
import tqdm
from absl import flags

from film_tf import cli, files
from film_tf.data import shards
from film_tf.errors import UserError
from film_tf.importers import sources
from film_tf.media import names

MODEL = flags.DEFINE_multi_string(
  'model', None, "film_mini, film_style, weights file (film_tf's or FILM's), SavedModel, repeat, blend or dis."
)
DATA = flags.DEFINE_multi_string('data', None, 'Video, folder of triplets, or tfds:NAME:SPLIT. Repeatable.')
OUTPUT = flags.DEFINE_string('output', None, 'A .csv for the scores of every triplet.')
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replaces an output file that exists.')
flags.mark_flags_as_required(['model', 'data'])

METRICS = ('psnr', 'ssim')
BASELINES = ('repeat', 'blend', 'dis')  # models that are no networks


def main(words):
  if words:
    cli.fail(f'unexpected arguments {" ".join(words)}; give --data= for each')
  if OUTPUT.value:
    files.check(OUTPUT.value, OVERWRITE.value)
  for name in set(MODEL.value).difference(BASELINES):
    sources.find(name)
  for source in DATA.value:
    _check_there(source)
  cli.load_tensorflow()
  from eval import baselines
  from film_tf.inference.interpolator import Interpolator

  models = {name: baselines.MODELS[name] if name in BASELINES else Interpolator(name).between for name in MODEL.value}
  rows = [row for source in DATA.value for row in measure(models, source)]
  print(table(rows))
  if OUTPUT.value:
    with files.atomic_write(OUTPUT.value, OVERWRITE.value) as temporary, open(temporary, 'w', newline='') as file:
      writer = csv.DictWriter(file, rows[0].keys())
      writer.writeheader()
      writer.writerows(rows)
    print(OUTPUT.value)


def _check_there(source):
  """Raises where a source is not there, as far as that can be known without TensorFlow."""
  if os.path.exists(source) or source.startswith('tfds:'):
    return
  if names.suffix_of(source) in names.VIDEOS:
    raise UserError(f'no such file: {source}')
  shards.find(source)


def measure(models, source):
  """Yields a row for every triplet of a source and model."""
  from eval import triplets
  from film_tf import metrics

  for triplet in tqdm.tqdm(triplets.find(source), desc=source, unit='triplet', mininterval=1.0):
    for name, model in models.items():
      pair = model(triplet.x0, triplet.x1)[np.newaxis], triplet.y[np.newaxis]
      scores = {metric: float(getattr(metrics, metric)(*pair)[0]) for metric in METRICS}
      yield {'data': source, 'triplet': triplet.name, 'model': name, **scores}


def table(rows) -> str:
  """Returns the means of every source, and the means of those: `PSNR / SSIM`, a column a model."""
  sources, models = (list(dict.fromkeys(row[key] for row in rows)) for key in ('data', 'model'))
  means = np.array([[mean(rows, source, model) for model in models] for source in sources])
  lines = [['data', 'triplets', *models]]
  for source, scores in [*zip(sources, means, strict=True), ('mean', means.mean(axis=0))]:
    count = sum(row['data'] == source and row['model'] == models[0] for row in rows) or len(rows) // len(models)
    lines.append([source, str(count), *(f'{psnr:.2f} / {ssim:.4f}' for psnr, ssim in scores)])
  widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
  return '\n'.join('  '.join(word.ljust(n) for word, n in zip(line, widths, strict=True)).rstrip() for line in lines)


def mean(rows, source, model):
  """Returns the means of all metrics over the triplets of a source."""
  found = [[row[metric] for metric in METRICS] for row in rows if (row['data'], row['model']) == (source, model)]
  return np.mean(found, axis=0)


if __name__ == '__main__':
  cli.run(main)
