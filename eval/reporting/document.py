"""Puts the report together: a page and Markdown."""

import html
from collections.abc import Sequence

import numpy as np

from eval import statistics
from eval.reporting import charts, tables
from eval.reporting.scores import Scores
from film_tf.inspection import page

BINS = 8  # of motion
FEWEST = 5  # examples of a bin
TITLE = 'How good the frames between are'


def markdown(facts: Sequence[str], made: Sequence[tables.Table]) -> str:
  """Returns the report without its pictures.

  Args:
    facts: what was measured with what, a sentence or so each.
    made: its tables.
  """
  lines = [f'# {TITLE}', '', *(f'- {fact}' for fact in facts), '', *(table.markdown() for table in made)]
  return '\n'.join(lines)


def document(facts: Sequence[str], made: Sequence[tables.Table], sections: Sequence[str]) -> str:
  """Returns the page: what `markdown` has, and sections in HTML."""
  listed = ''.join(f'<li>{html.escape(fact)}</li>' for fact in facts)
  told = ''.join(table.html() for table in made)
  body = f'<ul class="soft">{listed}</ul><h2>Scores</h2>{told}{"".join(sections)}'
  return page.document(TITLE, body)


def distributions(one: Scores, models: Sequence[str]) -> str:
  """Returns how the scores of a source are distributed, a chart for each metric."""
  drawn = []
  for metric in one.metrics:
    values = {model: one.values[model][metric][np.isfinite(one.values[model][metric])] for model in models}
    values = {model: found for model, found in values.items() if len(found)}
    if values:
      drawn.append(
        charts.histogram(values, tables.label(metric), f'distribution of {metric} over the examples of {one.benchmark}')
      )
  return f'<h3>{html.escape(one.benchmark)}</h3><div class="charts">{"".join(drawn)}</div>'


def by_motion(one: Scores, models: Sequence[str], baseline: str | None, metric: str = 'psnr') -> str:
  """Returns how a metric depends on how far things move, as the gain over a baseline where there is one."""
  gains = [model for model in models if model != baseline]
  if metric not in one.metrics or not gains:
    return ''
  common = one.common(models, metric) & np.isfinite(one.motion)
  if common.sum() < FEWEST:
    return ''
  motion = one.motion[common]
  bins = min(BINS, max(int(common.sum()) // FEWEST, 1))
  edges = np.unique(np.quantile(motion, np.linspace(0.0, 1.0, bins + 1)))
  place = np.clip(np.searchsorted(edges, motion, side='right') - 1, 0, max(len(edges) - 2, 0))
  filled = np.unique(place)
  series = []
  for model in gains:
    values = one.values[model][metric][common]
    values = values - one.values[baseline][metric][common] if baseline else values
    means = np.array([[*statistics.interval(values[place == i]).values()] for i in filled])
    middles = np.array([np.median(motion[place == i]) for i in filled])
    series.append(charts.Line(model, middles, *means.T))
  what = f'gain over {baseline}, dB' if baseline else tables.label(metric)
  chart = charts.lines(series, 'motion, pixels', what, f'{what} by motion, {one.benchmark}', zero=bool(baseline))
  return f"""<h3>{html.escape(one.benchmark)}</h3>{chart}<p>{common.sum()} examples in {len(filled)} groups of as many
each, by how far things move in them on average, as block matching between the first and the last frame tells. A point
is a mean, and the band its interval.</p>"""
