"""Chooses the examples to show, of those whose images `eval.run --images` has kept, and draws them."""

import functools
import html
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from eval import models as loaded
from eval import tables as words
from eval.protocols import LOWER_IS_BETTER
from eval.reporting import pictures, tables
from eval.reporting.joined import Picture
from eval.reporting.scores import Scores
from film_tf.errors import UserError
from film_tf.inspection import page
from film_tf.media import image_file

COUNT = 3  # of each kind
MODELS = 4  # that are drawn; more do not fit beside each other
_STILL = 'repeat', 'blend'  # models that know of no motion
LARGEST = 18_000_000  # bytes of all that is shown
Flow = Callable[[np.ndarray, np.ndarray], np.ndarray | None]


def section(
  kept: Sequence[Picture], scores: Sequence[Scores], models: Sequence[str], weights: Mapping[str, str | None]
) -> str:
  """Returns the worst, median and best examples of the first model of each benchmark in HTML.

  Those that `eval.run` has kept as such are shown as such; of `--images=all` they are chosen here.

  Args:
    kept: the examples that there are images of.
    scores: of each benchmark, by one protocol.
    models: the first of which decides.
    weights: SHA-256 of those that were measured, by model; others' flow is not drawn.

  Raises:
    UserError: an image cannot be read.
  """
  if not kept:
    return '<p>There are no images to show. They are kept by <code>eval.run --images=worst,median,best</code>.</p>'
  first = models[0]
  metric = next((one.metrics[0] for one in scores if first in one.values and one.metrics), None)
  values = np.array([_score(scores, first, metric, one) for one in kept])
  if np.isfinite(values).any():
    told = f'<p>Of {html.escape(first)}, by {tables.label(metric)}.</p>'
  else:  # nothing is known of what would be right
    told = '<p>Without scores, as there is no truth.</p>'
  flow_of = functools.cache(lambda name: _flow(name, weights.get(name)))
  drawn = []
  for benchmark in dict.fromkeys(one.benchmark for one in kept):
    of_it = [i for i, one in enumerate(kept) if one.benchmark == benchmark]
    for kind, indices in _ranked([kept[i] for i in of_it], values[of_it], metric).items():
      for number, i in enumerate((of_it[i] for i in indices), start=1):
        label = f'{benchmark}, {kind} {number}: {kept[i].key}'
        if np.isfinite(values[i]):
          label += f', {words.number(metric, values[i])}'
        drawn.append((label, _panel(kept[i], scores, [name for name in models if name in kept[i].models], flow_of)))
  return told + fitting(drawn)


def fitting(drawn: Sequence[tuple[str, str]], most: int = LARGEST) -> str:
  """Returns panels behind a slider, the first that together have no more than so many bytes."""
  kept = []
  for label, panel in drawn:
    if sum(len(one) for _, one in kept) + len(panel) <= most:
      kept.append((label, panel))
  left = len(drawn) - len(kept)
  told = f'<p>{left} of {len(drawn)} are left out, since the page would become too large.</p>' if left else ''
  return told + (page.steps('examples', 'example', kept) if kept else '')


def _ranked(kept, values, metric):
  """Returns which pictures of a benchmark to show, by what they are examples of, worse ones first."""
  better = -values if metric in LOWER_IS_BETTER else values
  if all(one.rank == 'all' for one in kept):
    chosen = pictures.choose(better, COUNT)
    return chosen if any(chosen.values()) else {'example': list(range(min(3 * COUNT, len(kept))))}
  order = sorted(range(len(kept)), key=lambda i: -better[i] if kept[i].rank == 'best' else better[i])
  return {rank: [i for i in order if kept[i].rank == rank][:COUNT] for rank in ('worst', 'median', 'best')}


def _score(scores, model, metric, picture):
  """Returns what a model scores on an example, NaN where nobody knows."""
  for one in scores:
    if one.benchmark == picture.benchmark and picture.key in one.places and metric in one.values.get(model, {}):
      return one.values[model][metric][one.places[picture.key]]
  return np.nan


def _panel(picture, scores, models, flow_of):
  one = next(one for one in scores if one.benchmark == picture.benchmark)
  x0, x1 = (_image(path) for path in (picture.x0, picture.x1))
  truth = picture.truth and _image(picture.truth)
  made = []
  for name in models[:MODELS]:
    values = {metric: _score(scores, name, metric, picture) for metric in one.metrics}
    numbers = [
      f'{tables.label(metric).split(",")[0]} {words.number(metric, value)}'
      for metric, value in values.items()
      if not np.isnan(value)
    ]
    made.append(pictures.Made(name, _image(picture.models[name]), flow_of(name)(x0, x1), numbers))
  height, width, _ = x0.shape
  motion = one.motion[one.places[picture.key]]
  moved = f', things move by {motion:.1f} pixels on average' if np.isfinite(motion) else ''
  return pictures.panel(x0, truth, x1, made, f'{picture.benchmark}, {picture.key}: {width} x {height} pixels{moved}.')


def _image(path):
  pixels = image_file.read(path).pixels[..., :3]
  return pixels / np.float32(np.iinfo(pixels.dtype).max)


def _flow(name, sha256) -> Flow:
  """Returns what finds a model's flow, None where it has none, or where the weights that were measured are gone."""

  def find(x0, x1):
    try:
      return model.flow(x0, x1)
    except UserError:  # it keeps its flow
      return None

  try:
    model = None if name in _STILL or loaded.sha256(name) != sha256 else loaded.load(name)
  except UserError:
    model = None
  return find if model else lambda x0, x1: None
