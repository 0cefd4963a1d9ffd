"""Makes the report of what was measured: **read it first**."""

from collections.abc import Mapping, Sequence

import film_tf
from eval import compare
from eval.reporting import document, examples, joined, tables
from eval.reporting.joined import Joined
from eval.reporting.scores import Scores

BASELINES = ('blend', 'repeat', 'dis')  # over which gains are shown, the first that was measured


def make(folders: Sequence[str]) -> tuple[str, str]:
  """Returns the page and the Markdown of what was measured.

  Args:
    folders: of results, the first with the model that others are compared with.

  Raises:
    UserError: results or images cannot be read.
  """
  found = joined.read(folders)
  models = list(dict.fromkeys(model for summary in found.summaries for model in summary['models']))
  weights = {model: one.get('sha256') for summary in found.summaries for model, one in summary['models'].items()}
  made = [
    tables.scores(one, [model for model in models if model in one.values], _published(found, one.benchmark))
    for one in found.scores
  ]
  if any(len(one.values) > 1 and one.metrics for one in found.scores):
    made.append(tables.differences(compare.compared(folders)))
  by_benchmark = list({one.benchmark: one for one in found.scores[::-1]}.values())[::-1]  # by the first protocol
  motion = [document.by_motion(one, [*one.values], baseline(one)) for one in by_benchmark]
  sections = [
    '<h2>How scores are distributed</h2>',
    *(document.distributions(one, [*one.values]) for one in by_benchmark),
    '<h2>Where motion is large</h2>',
    ''.join(motion) or '<p>The results do not say how far things move, or have too few examples.</p>',
    '<h2>Worst, median and best</h2>',
    examples.section(found.pictures, by_benchmark, models, weights),
  ]
  facts = _facts(found, models, weights)
  return document.document(facts, made, sections), document.markdown(facts, made)


def baseline(one: Scores) -> str | None:
  """Returns the baseline over which gains are shown, None where none was measured or nothing else was."""
  return next((name for name in BASELINES if name in one.values and len(one.values) > 1), None)


def _published(found, benchmark):
  """Returns of how many examples the authors of a benchmark tell, None where nobody does."""
  counts = [one['benchmarks'][benchmark].get('published') for one in found.summaries if benchmark in one['benchmarks']]
  return next((count for count in counts if count), None)


def _facts(found: Joined, models: Sequence[str], weights: Mapping[str, str | None]) -> list[str]:
  """Returns what was measured with what, in a few lines."""
  named = [f'{model} (SHA-256 {weights[model][:16]})' if weights[model] else model for model in models]
  facts = [f'Models: {", ".join(named)}.']
  facts += [f'Protocol {name}: {text}.' for name, text in
            {name: text for one in found.summaries for name, text in one['protocols'].items()}.items()]  # fmt: skip
  versions = [', '.join(f'{name} {version}' for name, version in one['versions'].items()) for one in found.summaries]
  facts += [f'Measured with {text}.' for text in dict.fromkeys(versions)]
  facts.append(f'Report by film_tf {film_tf.__version__}.')
  failed = [one for summary in found.summaries for one in summary['failed']]
  for model in dict.fromkeys(one['model'] for one in failed):
    mine = [one for one in failed if one['model'] == model]
    facts.append(f'{model} failed on {len(mine)} examples, such as {mine[0]["key"]}: it gave NaN.')
  for name, one in {name: one for s in found.summaries for name, one in s['benchmarks'].items()}.items():
    if one.get('without_truth'):
      facts.append(f'{name} has {one["without_truth"]} examples without truth, and so without scores.')
  return facts
