"""Writes the images of some examples, given, true and made, beside their scores."""

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from PIL import Image

from eval import results
from eval.measuring import Bench
from eval.protocols import LOWER_IS_BETTER
from eval.triplets import Triplet

_EACH = 3  # examples that are worst, median and best


def chosen(rows: Iterable[dict], ranks: Sequence[str]) -> dict[tuple[str, str], str]:
  """Returns which examples to show: their ranks, by benchmark and key.

  Args:
    rows: of the scores; examples are ranked by the first protocol's first metric, of the first model.
    ranks: `all`, or some of `worst`, `median`, `best`. Where nothing has scores, the first examples stand for them.
  """
  found = {}
  for row in rows:
    found.setdefault(row['benchmark'], {}).setdefault(row['key'], row)  # of several rows, the first
  shown = {}
  for benchmark, examples in found.items():
    if 'all' in ranks:
      shown |= {(benchmark, key): 'all' for key in examples}
      continue
    metric = next(name for name in next(iter(examples.values())) if name not in (*results.TEXT, 'motion'))
    scored = {key: row[metric] for key, row in examples.items() if row[metric] is not None}
    if not scored:
      shown |= {(benchmark, key): 'all' for key in list(examples)[: _EACH * len(ranks)]}
      continue
    ordered = sorted(scored, key=scored.get, reverse=metric in LOWER_IS_BETTER)
    middle = max((len(ordered) - _EACH) // 2, 0)
    parts = {'worst': ordered[:_EACH], 'best': ordered[::-1][:_EACH], 'median': ordered[middle : middle + _EACH]}
    for rank in ('median', 'best', 'worst'):  # of a few examples, one may be two of these
      if rank in ranks:
        shown |= {(benchmark, key): rank for key in parts[rank]}
  return shown


def write(
  work: str, benchmark: str, triplets: Iterable[Triplet], wanted: dict[tuple[str, str], str], bench: Bench, first: int
) -> Iterator[dict]:
  """Writes images of the examples that are wanted, and yields what `pictures` of the summary says of each.

  Args:
    work: the folder of the results.
    benchmark: whose triplets these are.
    triplets: all of them; those that are not wanted are passed over.
    wanted: ranks by benchmark and key.
    bench: makes the images.
    first: number of the first folder.
  """
  left = {key for name, key in wanted if name == benchmark}
  for triplet in triplets:
    if not left:
      return
    if triplet.name not in left:
      continue
    left.discard(triplet.name)
    folder = f'{results.PICTURES}/{first:04d}'
    first += 1
    os.makedirs(os.path.join(work, folder), exist_ok=True)
    made = bench.frames(triplet)
    images = {'x0': triplet.x0, 'x1': triplet.x1, 'truth': triplet.y}
    images |= {f'model{i}': image for i, image in enumerate(made.values())}
    for name, image in images.items():
      if image is not None:
        pixels = np.round(255.0 * np.nan_to_num(image).clip(0.0, 1.0)).astype(np.uint8)
        Image.fromarray(pixels).save(os.path.join(work, folder, f'{name}.png'))
    yield {
      'benchmark': benchmark, 'key': triplet.name, 'rank': wanted[benchmark, triplet.name],
      'time': float(triplet.time), 'folder': folder, 'x0': 'x0.png', 'x1': 'x1.png',
      'truth': None if triplet.y is None else 'truth.png',
      'models': {name: f'model{i}.png' for i, name in enumerate(made)},
    }  # fmt: skip
