"""Says how sure a mean is: percentile bootstrap, over examples. Loads no TensorFlow."""

from collections.abc import Iterable, Mapping

import numpy as np

SAMPLES = 2000  # bootstrap samples
_BLOCK = 1 << 22  # numbers that are drawn at once


def interval(values: np.ndarray) -> dict[str, float | None]:
  """Returns the mean of values `[N]`, and the 2.5 and 97.5 percentiles of the means of bootstrap samples.

  The same values give the same interval. The mean is None where it is infinite; the interval is of the finite values.
  """
  values = np.asarray(values, np.float64)
  finite = values[np.isfinite(values)]
  if not len(finite):
    return dict.fromkeys(('mean', 'low', 'high'))
  random, n = np.random.default_rng(0), len(finite)
  counts = [min(max(_BLOCK // n, 1), SAMPLES - start) for start in range(0, SAMPLES, max(_BLOCK // n, 1))]
  means = np.concatenate([finite[random.integers(0, n, (count, n))].mean(axis=1) for count in counts])
  low, high = np.percentile(means, (2.5, 97.5))
  mean = float(values.mean()) if len(finite) == len(values) else None
  return {'mean': mean, 'low': float(low), 'high': float(high)}


def means(rows: Iterable[Mapping], metrics: Iterable[str]) -> list[dict]:
  """Returns `means` of the summary: a dict a benchmark, model and protocol, in the order of the rows."""
  metrics = tuple(metrics)
  values = {}
  for row in rows:
    found = values.setdefault((row['benchmark'], row['model'], row['protocol']), {})
    for metric in metrics:
      if row.get(metric) is not None:
        found.setdefault(metric, []).append(row[metric])
  return [
    {
      'benchmark': benchmark, 'model': model, 'protocol': protocol,
      'examples': max(map(len, found.values()), default=0),
      'metrics': {metric: interval(np.array(numbers)) for metric, numbers in found.items()},
    }
    for (benchmark, model, protocol), found in values.items()
  ]  # fmt: skip
