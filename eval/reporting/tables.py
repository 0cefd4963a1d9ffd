"""Tables of the report, of which both the page and Markdown are made."""

import dataclasses
import html
from collections.abc import Mapping, Sequence

import numpy as np

from eval import compare, statistics, tables
from eval.reporting.scores import Scores
from film_tf.inspection import page

OTHER = '†'  # behind the name of what was measured by another protocol
DIFFERS = '*'  # behind a difference whose interval does not hold 0, of enough examples
UNITS = {'psnr': 'PSNR, dB', 'ssim': 'SSIM', 'ie': 'IE', 'lpips': 'LPIPS', 'epe': 'end-point error, pixels'}


@dataclasses.dataclass(frozen=True)
class Table:
  """A table of text, the first column naming the rows."""

  title: str
  head: list[str]
  rows: list[list[str]]
  note: str

  def html(self) -> str:
    """Returns the table for a page."""
    rows = [[html.escape(cell) for cell in row] for row in self.rows]
    table = page.table([html.escape(cell) for cell in self.head], rows)
    return f'<h3>{html.escape(self.title)}</h3>{table}<p>{html.escape(self.note)}</p>'

  def markdown(self) -> str:
    """Returns the table in Markdown."""
    lines = [self.head, ['---'] + ['---:'] * (len(self.head) - 1), *self.rows]
    text = '\n'.join('| ' + ' | '.join(cell.replace('|', r'\|') for cell in line) + ' |' for line in lines)
    return f'### {self.title}\n\n{text}\n\n{self.note}\n'


def label(metric: str) -> str:
  """Returns what a metric is called in tables and charts."""
  return UNITS.get(metric, metric.replace('_', ' '))


def scores(one: Scores, models: Sequence[str], published: int | None = None) -> Table:
  """Returns the means of all models on a benchmark, and what papers report of it.

  Args:
    one: the scores.
    models: which to list.
    published: how many examples the benchmark has for its authors, where somebody told.
  """
  metrics, rows, infinite = one.metrics, [], 0
  for model in models:
    values = [one.values[model][metric][~np.isnan(one.values[model][metric])] for metric in metrics]
    keys = [np.array(one.keys)[~np.isnan(one.values[model][metric])] for metric in metrics]
    found = [statistics.interval(*each) if len(each[0]) else None for each in zip(values, keys, strict=True)]
    cells = [tables.with_interval(metric, mean) for metric, mean in zip(metrics, found, strict=True)]
    infinite += sum(int(np.isinf(each).sum()) for each in values)
    rows.append([model, *cells, str(max(map(len, values), default=0)), 'measured here'])
  papers = [row for row in tables.published(one.benchmark) if any(row.get(metric) for metric in metrics)]
  papers.sort(key=lambda row: row['protocol'] != one.protocol)
  others = sum(row['protocol'] != one.protocol for row in papers)
  for row in papers:
    mark = '' if row['protocol'] == one.protocol else f' {OTHER}'
    cells = [row.get(metric) or '-' for metric in metrics]
    rows.append([row['model'] + mark, *cells, str(published or '-'), f'{row["source"]}; protocol {row["protocol"]}'])
  note = 'Means, with the interval of 95 of 100 bootstrap samples.'
  if infinite:
    note += f' {infinite} values are infinite, of images that equal the truth; intervals are without them.'
  if others:
    note += f' {OTHER} was measured by another protocol: compare it with nothing above.'
  if papers and published and published > len(one.keys):
    note += f' Measured here are {len(one.keys)} of {published} examples: do not compare them with papers.'
  return Table(title(one), ['model', *map(label, metrics), 'examples', 'source'], rows, note)


def title(one: Scores) -> str:
  """Returns the title of the tables of a benchmark."""
  return f'{one.benchmark}, protocol {one.protocol}'


def differences(rows: Sequence[Mapping]) -> Table:
  """Returns how far other models are ahead of the first, of what `eval.compare.compared` has found."""
  metrics = list(dict.fromkeys(row['metric'] for row in rows))
  found: dict[tuple, dict] = {}
  for row in rows:
    found.setdefault((row['other'], row['benchmark'], row['protocol']), {})[row['metric']] = row
  lines = []
  for (other, benchmark, protocol), by_metric in found.items():
    cells = [_difference(by_metric[metric]) if metric in by_metric else '-' for metric in metrics]
    lines.append([other, *cells, str(max(row['examples'] for row in by_metric.values())), f'{benchmark}, {protocol}'])
  note = f'Paired, example by example. {DIFFERS} The interval does not hold 0, of {compare.FEWEST} examples or more. '
  note += '5 of 100 such intervals miss the true mean, more with few or similar examples.'
  if infinite := sum(row['infinite'] for row in rows):
    note += f' {infinite} pairs of values are left out, as one of each is infinite.'
  head = ['model', *map(label, metrics), 'examples', 'benchmark, protocol']
  return Table(f'Differences from {rows[0]["first"]}', head, lines, note)


def _difference(row):
  mean, low, high = (_signed(row['metric'], row['difference'][key]) for key in ('mean', 'low', 'high'))
  differs = row['examples'] >= compare.FEWEST and (row['difference']['low'] > 0.0 or row['difference']['high'] < 0.0)
  return f'{mean} [{low}, {high}]' + (f' {DIFFERS}' if differs else '')


def _signed(metric, value):
  text = tables.number(metric, value)
  return text if value < 0.0 else f'+{text}'
