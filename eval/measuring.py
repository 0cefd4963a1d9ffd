"""Measures models on the triplets of a source, on all devices of this machine, in the order of the source."""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping
from concurrent import futures

import numpy as np
import tensorflow as tf

from eval import measures, models, results
from eval.measures import Measures
from eval.triplets import Triplet
from film_tf.inference.devices import visible
from film_tf.prefetch import prefetch

_AHEAD = 2  # groups that are read while others are measured


def devices() -> list[str]:
  """Returns the names of the devices that measure: all GPUs, or else all (logical) CPUs."""
  return [name.removeprefix('/device:') for name in visible()]


def kinds() -> list[str]:
  """Returns what kinds of devices measure, each once: such as `CPU`, or a GPU's name."""
  physical = tf.config.list_physical_devices('GPU') or tf.config.list_physical_devices('CPU')
  details = [(device, tf.config.experimental.get_device_details(device)) for device in physical]
  return sorted({found.get('device_name', device.device_type) for device, found in details})


class Bench:
  """Models on every device, and how to measure them.

  Every example is computed alone, whatever the number of devices, so that its scores do not depend on its neighbours.

  Args:
    names: of the models.
    measure: by which protocols.
    memory: bytes by which networks decide how to cut large frames; by default what is free when one is first met.

  Raises:
    UserError: there is no such model.
  """

  def __init__(self, names: Iterable[str], measure: Measures, memory: int | None = None):
    self._measure = measure
    self._devices = {name: {} for name in visible()}
    for device, loaded in self._devices.items():
      with tf.device(device):
        loaded.update({results.legible(name): models.load(name, memory) for name in names})

  def rows(self, triplets: Iterable[Triplet]) -> Iterator[list[dict]]:
    """Yields the rows of each triplet, of all models and protocols: `key`, `model`, `protocol`, `motion` and metrics.

    Where a model gave NaN or there is no truth, a row has a `note` and no metrics.
    """
    groups = prefetch(_groups(triplets), _AHEAD)
    count = len(self._devices)
    with futures.ThreadPoolExecutor(count) as pool, contextlib.closing(groups):
      while group := list(itertools.islice(groups, count)):
        for found in pool.map(self._group, self._devices, group):
          yield from found

  def frames(self, triplet: Triplet) -> dict[str, np.ndarray]:
    """Returns the image that each model makes."""
    loaded = next(iter(self._devices.values()))
    return {name: next(iter(model.frames(triplet.x0, triplet.x1, [triplet.time]))) for name, model in loaded.items()}

  def _group(self, device, group):
    """Returns the rows of triplets that have both images in common."""
    with tf.device(device):
      first = group[0]
      motion = measures.moved(first)
      made = {}
      for name, model in self._devices[device].items():
        flow = model.flow(first.x0, first.x1) if 'flow' in self._measure.protocols else None
        frames = model.frames(first.x0, first.x1, [triplet.time for triplet in group])
        made[name] = [self._scores(frame, triplet, flow) for frame, triplet in zip(frames, group, strict=True)]
    return [
      [
        {'key': triplet.name, 'model': name, 'protocol': protocol, 'motion': motion, **scores}
        for name in made
        for protocol, scores in made[name][i].items()
      ]
      for i, triplet in enumerate(group)
    ]

  def _scores(self, frame, triplet: Triplet, flow) -> Mapping[str, Mapping]:
    if not np.all(np.isfinite(frame)) or (flow is not None and not np.all(np.isfinite(flow))):
      return {protocol: {'note': results.NAN} for protocol in self._measure.protocols}
    if triplet.y is None:
      return {protocol: {'note': results.NO_TRUTH} for protocol in self._measure.protocols}
    return self._measure(frame, triplet, flow)


def _groups(triplets):
  """Yields lists of neighbours that are made from the same images, at times that increase; the images are kept once."""
  group = []
  for triplet in triplets:
    if group and not (triplet.pair and triplet.pair == group[0].pair and triplet.time > group[-1].time):
      yield group
      group = []
    group.append(dataclasses.replace(triplet, x0=group[0].x0, x1=group[0].x1) if group else triplet)
  if group:
    yield group
