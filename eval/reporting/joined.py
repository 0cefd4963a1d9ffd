"""Joins the results of one or more runs of `eval.run`."""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from eval import results
from eval.protocols import METRICS
from eval.reporting.scores import Scores
from film_tf.errors import UserError


@dataclasses.dataclass(frozen=True)
class Picture:
  """The image files of an example: of its frames, and of what each model made."""

  benchmark: str
  key: str
  rank: str  # `worst`, `median`, `best` or `all`, among all examples of its benchmark
  x0: str
  x1: str
  truth: str | None
  models: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Joined:
  """All that was measured.

  Attributes:
    scores: of each benchmark and protocol.
    summaries: of each run, models by the names that they have here.
    pictures: the examples of which there are images.
  """

  scores: list[Scores]
  summaries: list[dict]
  pictures: list[Picture]


def read(folders: Sequence[str]) -> Joined:
  """Reads one or more results. Models of one name have their folder before it, as `eval.compare` names them.

  Raises:
    UserError: one is no results or cannot be read, benchmarks of one name differ, or all are empty.
  """
  read = results.read_all(folders)
  found: dict[tuple[str, str], dict[str, dict[str, dict]]] = {}
  told, pictures = [], {}
  for (folder, rows, summary), here in zip(read, results.names(read), strict=True):
    for row in rows:
      examples = found.setdefault((row['benchmark'], row['protocol']), {})
      examples.setdefault(row['key'], {})[here[row['model']]] = row
    for one in summary['pictures']:
      _add(pictures, one, folder, here)
    models = {here[name]: model for name, model in summary['models'].items()}
    failed = [{**one, 'model': here[one['model']]} for one in summary['failed']]
    told.append({**summary, 'models': models, 'failed': failed})
  if not found:
    raise UserError(f'there are no scores in {" and ".join(folders)}')
  return Joined([_scores(*of, examples) for of, examples in found.items()], told, list(pictures.values()))


def _add(pictures, one, folder, names):
  """Adds an entry of a summary to pictures by example; of an example in several results models are joined."""
  place = one['benchmark'], one['key'], one['time']
  paths = {name: os.path.join(folder, one['folder'], one[name]) for name in ('x0', 'x1', 'truth') if one[name]}
  models = {names[model]: os.path.join(folder, one['folder'], file) for model, file in one['models'].items()}
  if place in pictures:
    pictures[place].models.update(models)
  else:
    pictures[place] = Picture(*place[:2], one['rank'], paths['x0'], paths['x1'], paths.get('truth'), models)


def _scores(benchmark, protocol, examples):
  keys = list(examples)
  models = list(dict.fromkeys(model for rows in examples.values() for model in rows))

  def column(model, name):
    return np.array([examples[key].get(model, {}).get(name) for key in keys], np.float64)  # None is NaN

  values = {model: {metric: column(model, metric) for metric in METRICS} for model in models}
  used = [metric for metric in METRICS if any(not np.isnan(values[model][metric]).all() for model in models)]
  motion = np.array([next(iter(rows.values()))['motion'] for rows in examples.values()], np.float64)
  return Scores(benchmark, protocol, keys, motion, {m: {name: values[m][name] for name in used} for m in models})
