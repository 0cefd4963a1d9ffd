"""Says how sure a mean is: percentile bootstrap, over examples or their clips. Loads no TensorFlow."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

SAMPLES = 2000  # bootstrap samples
_BLOCK = 1 << 22  # numbers that are drawn at once


def interval(values: np.ndarray, keys: Sequence[str] | None = None) -> dict[str, float | None]:
  """Returns the mean of values `[N]`, and the 2.5 and 97.5 percentiles of the means of bootstrap samples.

  The same values give the same interval. The mean is None where it is infinite; the interval is of the finite values.

  Args:
    values: of the examples.
    keys: of the examples; those of a clip, CLIP/NAME, are drawn together, as they are much alike.
  """
  values = np.asarray(values, np.float64)
  finite = np.isfinite(values)
  if not np.any(finite):
    return dict.fromkeys(('mean', 'low', 'high'))
  places = np.arange(len(values)) if keys is None else _clips(keys)
  _, places = np.unique(places[finite], return_inverse=True)
  if places.max() == 0:  # one clip says nothing of others
    places = np.arange(len(places))
  sums, sizes = np.bincount(places, values[finite]), np.bincount(places)
  random, n = np.random.default_rng(0), len(sums)
  counts = [min(max(_BLOCK // n, 1), SAMPLES - start) for start in range(0, SAMPLES, max(_BLOCK // n, 1))]
  drawn = (random.integers(0, n, (count, n)) for count in counts)
  means = np.concatenate([sums[each].sum(axis=1) / sizes[each].sum(axis=1) for each in drawn])
  low, high = np.percentile(means, (2.5, 97.5))
  mean = float(values.mean()) if np.all(finite) else None
  return {'mean': mean, 'low': float(low), 'high': float(high)}


def _clips(keys):
  """Returns the number of the clip of each key; one without a clip is a clip of its own."""
  numbers = {}
  return np.array([numbers.setdefault(key.rpartition('/')[0] or f'/{key}', len(numbers)) for key in keys])


def means(rows: Iterable[Mapping], metrics: Iterable[str]) -> list[dict]:
  """Returns `means` of the summary: a dict a benchmark, model and protocol, in the order of the rows."""
  metrics = tuple(metrics)
  values = {}
  for row in rows:
    found = values.setdefault((row['benchmark'], row['model'], row['protocol']), {})
    for metric in metrics:
      if row.get(metric) is not None:
        found.setdefault(metric, {})[row['key']] = row[metric]
  return [
    {
      'benchmark': benchmark, 'model': model, 'protocol': protocol,
      'examples': max(map(len, found.values()), default=0),
      'metrics': {metric: interval([*numbers.values()], [*numbers]) for metric, numbers in found.items()},
    }
    for (benchmark, model, protocol), found in values.items()
  ]  # fmt: skip
