"""Compares models on the same examples: by how much one is better, and how sure that is.

Run it so, in the checkout, on folders that `eval.run --output=` wrote:

  python -m eval.compare results_a results_b
  python -m eval.compare results_a results_b --markdown

The first model of the first folder is compared with every other model of both. Differences are of means over examples
that both have, with percentiles of a paired bootstrap, over clips where keys name them as CLIP/NAME: 5 of 100 such
intervals miss the true mean, more with few or similar examples. Of fewer than 10 examples none is called better.
"""

import math

from absl import flags

from eval import results, statistics, tables
from eval.protocols import LOWER_IS_BETTER
from film_tf import cli
from film_tf.errors import UserError

MARKDOWN = flags.DEFINE_bool('markdown', False, 'Prints a table of Markdown.')
FEWEST = 10  # examples of which one model is called better
HEAD = ('benchmark', 'protocol', 'metric', 'examples', 'first', 'other', 'means', 'difference [95 %]', 'better')


def main(words):
  if not words:
    raise UserError('expected one folder of results or more, as eval.run --output=FOLDER writes')
  lines = [
    [row['benchmark'], row['protocol'], row['metric'], _examples(row), row['first'], row['other'],
     ' '.join(tables.number(row['metric'], mean) for mean in row['means']), _difference(row),
     row['better'] or ('neither' if row['examples'] >= FEWEST else f'fewer than {FEWEST}')]
    for row in compared(words)
  ]  # fmt: skip
  print((tables.markdown if MARKDOWN.value else tables.aligned)([HEAD, *lines]))


def compared(folders: list[str]) -> list[dict]:
  """Compares the first model of the first folder with all others.

  Returns:
    For every other model, benchmark, protocol and metric that both have: `benchmark`, `protocol`, `metric`, `first` and
    `other` (names of models, with their folder where several have one of that name), `examples` (that both have),
    `infinite` (further ones, left out since a value is infinite), `means` (of both), `difference` (`mean`, `low` and
    `high` of other minus first) and `better` (the name, None where the interval has 0 in it or examples are fewer than
    ten).

  Raises:
    UserError: a folder has no results, benchmarks of one name differ, or there is nothing to compare.
  """
  scores = _scores(folders)
  first, *others = scores
  rows = []
  for other in others:
    for benchmark, protocol, metric in scores[first]:
      a, b = scores[first][benchmark, protocol, metric], scores[other].get((benchmark, protocol, metric), {})
      shared = [key for key in a if key in b]
      both = [key for key in shared if math.isfinite(a[key]) and math.isfinite(b[key])]
      if not both:
        continue
      values = [[of[key] for key in both] for of in (a, b)]
      difference = statistics.interval([y - x for x, y in zip(*values, strict=True)], both)
      sign = (difference['low'] > 0) - (difference['high'] < 0)
      sign = -sign if metric in LOWER_IS_BETTER else sign
      unsure = not sign or len(both) < FEWEST
      rows.append({
        'benchmark': benchmark, 'protocol': protocol, 'metric': metric, 'first': first, 'other': other,
        'examples': len(both), 'infinite': len(shared) - len(both),
        'means': [sum(part) / len(both) for part in values], 'difference': difference,
        'better': None if unsure or metric in _NEITHER else other if sign > 0 else first,
      })  # fmt: skip
  if not rows:
    raise UserError(f'{" and ".join(folders)} have nothing in common: no benchmark and protocol of two models')
  return rows


_NEITHER = ('flicker', 'sharpness')  # of which neither more nor less is better


def _scores(folders):
  """Returns scores by model, then by benchmark, protocol and metric, then by key."""
  found = {}
  read = results.read_all(folders)
  for (_, rows, _), names in zip(read, results.names(read), strict=True):
    for row in rows:
      model = found.setdefault(names[row['model']], {})
      for metric, value in row.items():
        if metric not in (*results.TEXT, 'motion') and value is not None:
          model.setdefault((row['benchmark'], row['protocol'], metric), {})[row['key']] = value
  if len(found) < 2:
    raise UserError(f'{" and ".join(folders)} have scores of {len(found)} model; expected two or more')
  return found


def _examples(row):
  return f'{row["examples"]:,}' + (f' ({row["infinite"]:,} infinite left out)' if row['infinite'] else '')


def _difference(row):
  signed = [f'{row["difference"][key]:+.4g}' for key in ('mean', 'low', 'high')]
  return f'{signed[0]} [{signed[1]}, {signed[2]}]'


if __name__ == '__main__':
  cli.run(main)
