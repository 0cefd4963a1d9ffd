"""Runs what was asked for into a folder of results: scores row by row, then pictures and the summary."""

import collections
import contextlib
import dataclasses
import importlib
import itertools
import os
import platform
import time
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

import film_tf
from eval import measuring, models, pictures, results, statistics, triplets
from eval.benchmarks import Benchmark
from eval.measures import Measures
from eval.protocols import METRICS, PROTOCOLS
from eval.triplets import Triplet
from film_tf import files, progress
from film_tf.data import scenes
from film_tf.errors import UserError
from film_tf.inference import memory


@dataclasses.dataclass(frozen=True)
class Asked:
  """What to measure.

  Raises:
    UserError: a source never ends, or does not know what a protocol needs.
  """

  benchmark: Benchmark
  models: Sequence[str]
  root: str | None = None  # of the downloaded files
  max_examples: int | None = None  # of each source, its first
  images: Sequence[str] = ()  # ranks of examples whose images are written
  lpips_weights: Sequence[str] = ()
  vgg19: str | None = None

  def __post_init__(self):
    sources = self.benchmark.sources.values()
    if 'synthetic' in sources and not self.max_examples:
      raise UserError('synthetic scenes never end; give --max_examples=100')
    if 'flow' in self.benchmark.protocols and set(sources) != {'synthetic'}:
      raise UserError('protocol flow is of synthetic scenes, whose flow is known; give --data=synthetic alone')

  def described(self) -> dict:
    """Returns all that scores depend on, for `run.json`: a run goes on with nothing else, in no other order."""
    drawn = {**dataclasses.asdict(scenes.configured()), 'seed': triplets.SEED}
    return {
      'format': results.FORMAT,
      'versions': _versions(),
      'models': [{'name': results.legible(name), 'sha256': models.sha256(name)} for name in self.models],
      'sources': [list(source) for source in self.benchmark.sources.items()],
      'protocols': list(self.benchmark.protocols),
      'frames': self.benchmark.frames,
      'root': self.root and os.path.abspath(self.root),
      'max_examples': self.max_examples,
      'scenes': drawn if 'synthetic' in self.benchmark.sources.values() else None,
      'weights': [{'name': name, 'sha256': _sha256(name)} for name in (*self.lpips_weights, self.vgg19) if name],
      'files': [_file(source) for source in self.benchmark.sources.values() if os.path.isfile(source)],
      'devices': measuring.kinds(),
    }

  def triplets(self, source: str) -> Iterator[Triplet]:
    """Yields what to measure on of a source."""
    pixels = max(PROTOCOLS[name].pixels for name in self.benchmark.protocols)
    found = triplets.find(source, self.root, pixels)
    if self.benchmark.frames:
      found = triplets.timed(found, self.benchmark.frames)
    return itertools.islice(found, self.max_examples)


def run(asked: Asked, work: str) -> dict:
  """Measures, in the folder `work`, which may hold what a killed run of the same has left; returns the summary.

  Raises:
    UserError: `work` holds a run of something else, or a source cannot be read.
  """
  begun = time.monotonic()
  tf.config.experimental.enable_tensor_float_32_execution(False)  # which has ten bits
  described = _described(asked, work)
  protocols = asked.benchmark.protocols
  for source in set(asked.benchmark.sources.values()) - {'synthetic'}:
    next(asked.triplets(source))  # that nothing is found missing after hours
  measure = Measures(protocols, asked.lpips_weights, asked.vgg19)
  bench = measuring.Bench(asked.models, measure, described.get('memory'))
  path = os.path.join(work, results.SCORES)
  with results.appended(path, protocols, asked.models) as scores:
    if strange := scores.done.keys() - asked.benchmark.sources.keys():
      raise UserError(f'{path} is damaged (it has {min(strange)}, which is not measured); begin anew with --overwrite')
    for name, source in asked.benchmark.sources.items():
      done = scores.done.get(name, 0)
      left = itertools.islice(asked.triplets(source), done, None)
      total = min(filter(None, (triplets.count(source, asked.root), asked.max_examples)), default=None)
      with progress.shown(name, total) as report:
        for number, rows in enumerate(bench.rows(left), start=done + 1):
          scores.write({'benchmark': name, **row} for row in rows)
          report(number, total)
  shown = _pictures(asked, work, bench) if asked.images else []
  summary = {**_summary(asked, described, path), 'pictures': shown, 'seconds': round(time.monotonic() - begun, 1)}
  results.write_summary(work, summary)
  return summary


def agree(asked: Asked, folder: str) -> dict:
  """Returns what `run.json` of a folder of results says was asked for.

  Raises:
    UserError: it is not what is asked for now.
  """
  before, now = results.read_json(os.path.join(folder, results.ASKED)), asked.described()
  other = [key for key in now if before.get(key) != now[key]]
  if other:
    raise UserError(
      f'{folder} is a run with other {", ".join(other)}: {before.get(other[0])}, now {now[other[0]]}; '
      'resume with the same, or begin anew with --overwrite'
    )
  return before


def _described(asked, work):
  """Writes what is asked for, or checks that it is what the killed run was asked for."""
  path = os.path.join(work, results.ASKED)
  if os.path.exists(path):
    return agree(asked, work)
  # How large frames are cut may change the last digits: a run that is resumed goes by what was free when it began.
  described = {**asked.described(), 'memory': memory.free()}
  results.write_json(path, described)
  return described


def _versions():
  installed = {'film_tf': film_tf.__version__, 'tensorflow': tf.__version__, 'numpy': np.__version__}
  for name, module in (('opencv', 'cv2'), ('scikit-image', 'skimage'), ('pyav', 'av')):
    with contextlib.suppress(ImportError):  # an extra
      installed[name] = importlib.import_module(module).__version__
  return {**installed, 'python': platform.python_version()}


def _sha256(path):
  if path == 'imagenet':  # those of Keras, which checks them
    return None
  return models.digest([path])


def _file(path):
  found = os.stat(path)
  return {'path': files.legible(os.path.abspath(path)), 'bytes': found.st_size, 'modified': found.st_mtime_ns}


def _pictures(asked, work, bench):
  wanted = pictures.chosen(results.rows(os.path.join(work, results.SCORES)), asked.images)
  shown = []
  for name, source in asked.benchmark.sources.items():
    shown += pictures.write(work, name, asked.triplets(source), wanted, bench, len(shown) + 1)
  return shown


def _summary(asked, described, path):
  first = results.legible(asked.models[0]), asked.benchmark.protocols[0]
  examples, without_truth = collections.Counter(), collections.Counter()
  failed, count = {}, 0  # in order; of all rows
  for row in results.rows(path):
    count += 1
    if (row['model'], row['protocol']) == first:
      examples[row['benchmark']] += 1
      without_truth[row['benchmark']] += row['note'] == results.NO_TRUTH
    if row['note'] == results.NAN:
      failed[row['benchmark'], row['key'], row['model']] = None
  benchmarks = {
    name: {
      'source': source, 'examples': examples[name], 'published': triplets.published(source),
      'without_truth': without_truth[name], 'scenes': described['scenes'] if source == 'synthetic' else None,
    }
    for name, source in asked.benchmark.sources.items()
  }  # fmt: skip
  return {
    'format': results.FORMAT,
    'versions': described['versions'],
    'devices': measuring.devices(),
    'models': {model['name']: {'sha256': model['sha256']} for model in described['models']},
    'protocols': {name: PROTOCOLS[name].words for name in asked.benchmark.protocols},
    'benchmarks': benchmarks,
    'rows': count,
    'means': statistics.means(results.rows(path), METRICS),
    'failed': [dict(zip(('benchmark', 'key', 'model'), names, strict=True)) for names in failed],
  }
