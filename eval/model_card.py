"""Writes the scores of MODEL_CARD.md from results, with their 95 % intervals, between two marks.

Run it so, in the checkout; the results are of `python -m eval.run --data=CLIP --data=CLIP ... --output=results`:

  python -m eval.model_card results
"""

import pathlib
from collections.abc import Mapping

from absl import flags

from eval import results, statistics, tables
from film_tf import cli, files
from film_tf.errors import UserError

CARD = flags.DEFINE_string('card', 'MODEL_CARD.md', 'The file to rewrite.')
BEGIN, END = '<!-- scores: python -m eval.model_card -->', '<!-- /scores -->'


def main(words):
  if len(words) != 1:
    raise UserError('expected one folder of results, as eval.run --output=FOLDER writes')
  rows, summary = results.read(words[0])
  try:
    text = pathlib.Path(CARD.value).read_text(encoding='utf-8')
  except OSError as error:
    raise UserError(f'{CARD.value} cannot be read: {files.reason(error)}') from error
  before, begin, rest = text.partition(BEGIN)
  _, end, after = rest.partition(END)
  if not begin or not end:
    raise UserError(f'{CARD.value} has no place for scores; put the lines {BEGIN} and {END} where they belong')
  files.write_text(CARD.value, f'{before}{BEGIN}\n{block(rows, summary)}\n{END}{after}')
  print(CARD.value)


def block(rows: list[dict], summary: Mapping) -> str:
  """Returns the scores by the first protocol: how they were measured, and a table with a row a benchmark."""
  protocol, words = next(iter(summary['protocols'].items()))
  models = list(summary['models'])
  means = {(mean['benchmark'], mean['model']): mean for mean in summary['means'] if mean['protocol'] == protocol}
  lines = [['clip', 'frames made', *(f'{model}: PSNR, SSIM' for model in models)]]
  for name, benchmark in summary['benchmarks'].items():
    cells = (_cell(means[name, model]['metrics']) for model in models)
    lines.append([pathlib.PurePath(name).stem, f'{benchmark["examples"]:,}', *cells])
  total = sum(benchmark['examples'] for benchmark in summary['benchmarks'].values())
  over = (f'**{_cell(_over(rows, protocol, model, summary["benchmarks"]))}**' for model in models)
  lines.append(['**mean of the clips**', f'{total:,}', *over])
  weights = '; '.join(f'{name} is SHA-256 `{entry["sha256"][:16]}`' for name, entry in summary['models'].items()
                      if entry['sha256'])  # fmt: skip
  versions = summary['versions']
  return (
    f'Protocol `{protocol}`: {words}. Brackets are 95 % intervals, by bootstrap over frames; of the mean of the clips, '
    f'over the clips. film_tf {versions["film_tf"]}, TensorFlow {versions["tensorflow"]}; {weights}.\n\n'
    f'{tables.markdown(lines)}'
  )


def _cell(metrics):
  return ', '.join(tables.with_interval(metric, metrics.get(metric)) for metric in ('psnr', 'ssim'))


def _over(rows, protocol, model, benchmarks):
  """Returns the means of the means of the benchmarks, with intervals over these."""
  of_it = [row for row in rows if (row['protocol'], row['model']) == (protocol, model)]
  over = {}
  for metric in ('psnr', 'ssim'):
    values = [[row[metric] for row in of_it if row['benchmark'] == name and row[metric] is not None]
              for name in benchmarks]  # fmt: skip
    over[metric] = statistics.interval([sum(part) / len(part) for part in values if part])
  return over


if __name__ == '__main__':
  cli.run(main)
