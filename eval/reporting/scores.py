"""Scores of models on the same examples, as the report needs them."""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Scores:
  """What was measured on one benchmark by one protocol.

  Attributes:
    benchmark: its name.
    protocol: how it was measured.
    keys: of the examples, in order.
    motion: `[N]`, how far things move from the first frame to the last on average, pixels; NaN where nobody knows.
    values: of each model `[N]` of each metric; NaN where there is none.
  """

  benchmark: str
  protocol: str
  keys: list[str]
  motion: np.ndarray
  values: dict[str, dict[str, np.ndarray]]

  @property
  def metrics(self) -> list[str]:
    """Returns the names of all metrics, in order."""
    return list(next(iter(self.values.values())))

  @functools.cached_property
  def places(self) -> dict[str, int]:
    """Returns where each example is."""
    return {key: i for i, key in enumerate(self.keys)}

  def common(self, models: Sequence[str], metric: str) -> np.ndarray:
    """Returns which examples all of these models have a finite value of: bool `[N]`."""
    return np.all([np.isfinite(self.values[model][metric]) for model in models], axis=0)
