"""Prints scores as text: all means at a glance, and each benchmark beside what papers report. Loads no TensorFlow."""

import csv
import math
import pathlib
from collections.abc import Iterable, Mapping, Sequence

_DIGITS = {'psnr': 2, 'ssim': 4, 'ie': 2, 'lpips': 4}  # after the point; others have 3
_PUBLISHED = pathlib.Path(__file__).parent / 'published.csv'


def overview(summary: Mapping) -> str:
  """Returns a table a protocol: the means of every benchmark, and the means of those, a column a model."""
  return '\n\n'.join(_overview(summary, name) for name in summary['protocols'])


def _overview(summary, protocol):
  models, benchmarks = list(summary['models']), summary['benchmarks']
  means = {(mean['benchmark'], mean['model']): mean for mean in summary['means'] if mean['protocol'] == protocol}
  metrics = list(dict.fromkeys(metric for mean in means.values() for metric in mean['metrics']))
  lines = [['data', 'examples', *models]]
  for name in benchmarks:
    values = [[_mean(means[name, model], metric) for metric in metrics] for model in models]
    lines.append([name, _count(benchmarks[name]), *(_joined(metrics, row) for row in values)])
  if len(benchmarks) > 1:
    values = [[_over(means, benchmarks, model, metric) for metric in metrics] for model in models]
    count = sum(benchmark['examples'] for benchmark in benchmarks.values())
    lines.append(['mean', f'{count:,}', *(_joined(metrics, row) for row in values)])
  return f'{protocol}: {" / ".join(metrics) or "no scores"}\n{aligned(lines)}'


def _mean(mean, metric):
  found = mean['metrics'].get(metric)
  if found is None:
    return None
  return math.inf if found['mean'] is None else found['mean']


def _over(means, benchmarks, model, metric):
  """Returns the mean of the means of the benchmarks that any model has one of; None where this model lacks one."""
  known = {name for (name, _), mean in means.items() if metric in mean['metrics']}
  values = [_mean(means[name, model], metric) for name in benchmarks if name in known]
  return None if None in values or not values else sum(values) / len(values)


def _joined(metrics, values):
  return ' / '.join(number(metric, value) for metric, value in zip(metrics, values, strict=True)) or '-'


def _count(benchmark):
  examples, published = benchmark['examples'], benchmark['published']
  return f'{examples:,}' + (f' of {published:,}' if published and examples != published else '')


def number(metric: str, value: float | None) -> str:
  """Returns a score with the digits that its metric has in papers; `-` where there is none."""
  return '-' if value is None else f'{value:.{_DIGITS.get(metric, 3)}f}'


def with_interval(metric: str, found: Mapping | None) -> str:
  """Returns `mean [low, high]` of a mean of a summary."""
  if found is None:
    return '-'
  low, high = (number(metric, found[key]) for key in ('low', 'high'))
  return 'inf' if found['mean'] is None else f'{number(metric, found["mean"])} [{low}, {high}]'


def published(benchmark: str) -> list[dict]:
  """Returns what papers report of a benchmark: rows of `published.csv`, scores as text, empty where there is none."""
  with open(_PUBLISHED, newline='', encoding='utf-8') as file:
    return [row for row in csv.DictReader(file) if row['benchmark'] == benchmark]


def literature(summary: Mapping) -> str:
  """Returns a table for every benchmark that papers report and every protocol.

  Rows of another protocol are marked, and are below the others; nothing is sorted by its scores.
  """
  tables = []
  for name, benchmark in summary['benchmarks'].items():
    for protocol in summary['protocols']:
      rows = [row for row in published(name) if any(row[metric] for metric in ('psnr', 'ssim', 'ie'))]
      if rows:
        tables.append(_literature(summary, name, benchmark, protocol, rows))
  return '\n\n'.join(tables)


def _literature(summary, name, benchmark, protocol, rows):
  metrics = ('psnr', 'ssim', 'ie')
  lines = [['model', *metrics, 'protocol', 'source']]
  for mean in summary['means']:
    if (mean['benchmark'], mean['protocol']) == (name, protocol):
      found = mean['metrics']
      scores = (with_interval(metric, found.get(metric)) for metric in metrics)
      lines.append([mean['model'], *scores, protocol, f'this run, {_count(benchmark)} examples'])
  for row in sorted(rows, key=lambda row: row['protocol'] != protocol):
    mark = '' if row['protocol'] == protocol else ' *'
    lines.append([row['model'] + mark, *(row[metric] or '-' for metric in metrics), row['protocol'], row['source']])
  note = '\n* another protocol: not to be compared' if any(line[0].endswith(' *') for line in lines) else ''
  return f'{name}, 95 % intervals\n{aligned(lines)}{note}'


def aligned(lines: Sequence[Sequence[str]]) -> str:
  """Returns rows of words in columns."""
  widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
  return '\n'.join('  '.join(word.ljust(n) for word, n in zip(line, widths, strict=True)).rstrip() for line in lines)


def markdown(lines: Iterable[Sequence[str]]) -> str:
  """Returns rows of words as a table of Markdown, of which the first is the head."""
  head, *others = ['| ' + ' | '.join(line) + ' |' for line in lines]
  return '\n'.join([head, '|' + ' --- |' * (head.count(' | ') + 1), *others])
