"""Loads what is measured: networks and baselines, behind one face."""

import glob
import hashlib
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import tensorflow as tf

from eval import baselines
from film_tf import files, keys
from film_tf.errors import UserError
from film_tf.importers import sources
from film_tf.inference.interpolator import Interpolator


class Network:
  """A network, by a name or path as `film_tf.importers.sources` takes; it cuts large frames as if `memory` were free.

  Raises:
    UserError: there is no such model.
  """

  def __init__(self, name: str, memory: int | None = None):
    self._name, self._interpolator = name, Interpolator(name)
    if self._interpolator.bounded:
      self._interpolator.bounded.free = memory

  def frames(self, x0: np.ndarray, x1: np.ndarray, times: Sequence[Fraction]) -> Iterator[np.ndarray]:
    """Yields the frames at `times`, which increase, `[H, W, 3]` float32 in [0, 1]."""
    yield from self._interpolator.at(x0, x1, times)

  def flow(self, x0: np.ndarray, x1: np.ndarray) -> np.ndarray:
    """Returns the flow from x0 to x1, `[H, W, 2]`.

    Raises:
      UserError: the network keeps it.
    """
    net = self._interpolator.bounded
    made = net and net.between(*(net.features(tf.constant(x[np.newaxis])) for x in (x0, x1)), tf.constant([[0.5]]))
    if not made or keys.FORWARD_FLOW_PYRAMID not in made:
      raise UserError(f'{self._name} keeps its flow, which protocol flow needs; give its weights file instead')
    return made[keys.FORWARD_FLOW_PYRAMID][0][0].numpy()


class Baseline:
  """A baseline, by its name."""

  def __init__(self, name: str):
    self._name = name

  def frames(self, x0: np.ndarray, x1: np.ndarray, times: Sequence[Fraction]) -> Iterator[np.ndarray]:
    """Yields the frames at `times`."""
    return (baselines.MODELS[self._name](x0, x1, float(time)) for time in times)

  def flow(self, x0: np.ndarray, x1: np.ndarray) -> np.ndarray:
    """Returns its flow from x0 to x1, `[H, W, 2]`: that of DIS, or none."""
    return baselines.dis_flow(x0, x1) if self._name == 'dis' else np.zeros((*x0.shape[:2], 2), np.float32)


def load(name: str, memory: int | None = None) -> Network | Baseline:
  """Loads a model by its name; a network cuts large frames as if `memory` bytes were free.

  Raises:
    UserError: there is no such model.
  """
  return Baseline(name) if name in baselines.MODELS else Network(name, memory)


def sha256(name: str) -> str | None:
  """Returns the SHA-256 of the weights of a model, of all of their files in order; None of a baseline."""
  if name in baselines.MODELS:
    return None
  source = sources.find(name)
  paths = [source.file]
  if source.kind == sources.SAVED_MODEL:
    paths = sorted(glob.glob(f'{glob.escape(source.path)}/variables/*'))
  elif source.kind == sources.CHECKPOINT:
    paths = sorted(glob.glob(f'{glob.escape(source.path)}.*'))
  return digest(paths)


def digest(paths: Sequence[str]) -> str:
  """Returns the SHA-256 of files, one behind the other."""
  found = hashlib.sha256()
  for path in paths:
    with files.file_system(path).GFile(path, 'rb') as file:
      while block := file.read(1 << 20):
        found.update(block)
  return found.hexdigest()
