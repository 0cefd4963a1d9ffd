"""Finds triplets to measure on: of data sets, built or as downloaded, of folders, videos, and synthetic scenes."""

import dataclasses
import importlib
import itertools
import pathlib
import sys
import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
import tensorflow as tf

from eval import patterns, results
from film_tf import files, keys
from film_tf.building import footage
from film_tf.data import pipeline, scenes, synthetic, tfds_source
from film_tf.errors import UserError
from film_tf.media import names

SEED = 2**32  # of the scenes that are measured on: more than any of training, which draws others


@dataclasses.dataclass(frozen=True)
class Triplet:
  """An image between two, `[H, W, 3]` float32 RGB in [0, 1]."""

  name: str
  x0: np.ndarray
  y: np.ndarray | None  # None where nobody knows it
  x1: np.ndarray
  time: Fraction = Fraction(1, 2)  # of y, from 0 to 1
  flow: np.ndarray | None = None  # from x0 to x1 of what is in x0, `[H, W, 2]`, of synthetic scenes
  middle_flow: np.ndarray | None = None  # likewise of what is in y
  pair: str = ''  # names x0 and x1, where others are made of the same


def find(source: str, root: str | None = None, pixels: int = 11) -> Iterator[Triplet]:
  """Yields the triplets of a source, in order, each with a name that no other has.

  Args:
    source: a video (frame 1 from 0 and 2, frame 3 from 2 and 4, ...); a folder, of which each folder below that has
      three images is a triplet, and each with two is one whose middle nobody knows; or what `film_tf.data.sources`
      takes, such as `tfds:vimeo90k_triplet:test` or `synthetic`; or `patterns`, the scenes of `eval.patterns`.
    root: the folder with the downloaded files of a `tfds:` source, which is then not read as it was built.
    pixels: that images must have either way.

  Raises:
    UserError: there is none, it cannot be read, or its frames are too small.
  """
  path = pathlib.Path(source)
  if root is not None:
    found = _of_download(source, root)
  elif source == 'synthetic':
    found = _of_scenes()
  elif source == 'patterns':
    found = (Triplet(*scene) for scene in patterns.scenes())
  elif path.suffix.lower() in names.VIDEOS:
    rows = footage.windows(footage.video(path), step=2)
    found = (_triplet(f'frame {number}', frames) for number, *frames in rows)
  elif path.is_dir():
    found = _of_folders(path)
  elif path.suffix.lower() in footage.IMAGES:
    raise UserError(f'{source} is one image; expected a video, a folder of folders of three images, or a data set')
  else:
    found = _of_data_set(source)
  first = next(found, None)
  if first is None:
    raise UserError(
      f'{root or source} has no triplets; expected a video of three frames or more, or folders of three images '
      '(give --data= for each video of a folder)'
    )
  return _with_own_names(_large(itertools.chain([first], found), source, pixels))


def published(source: str) -> int | None:
  """Returns how many triplets the authors of a `tfds:` source count; None where nobody says."""
  name, _, split = _parts(source)
  return getattr(_builder(name), 'PUBLISHED', {}).get(split) if source.startswith('tfds:') else None


def count(source: str, root: str | None = None) -> int | None:
  """Returns how many triplets a source has, to show progress; None where nobody knows before they are read."""
  if root is not None:
    return published(source)
  if source == 'synthetic' or not source.startswith('tfds:'):
    return None
  return sum(tfds_source.find(source).counts)


def _parts(source):
  """Returns the name, the configuration and the split of `tfds:NAME/CONFIG:SPLIT`."""
  name, _, split = source.removeprefix('tfds:').partition(':')
  name, _, config = name.partition('/')
  return name, config or None, split


def _builder(name):
  """Returns the builder of that name in `datasets/`, None where there is none."""
  try:
    return importlib.import_module(f'datasets.{name}.{name}_dataset_builder').Builder
  except ModuleNotFoundError as error:
    if error.name and error.name.startswith('datasets'):
      return None
    raise UserError(f"{error}; pip install '.[data]'") from error


def _of_download(source, root):
  """Yields what a build would, of the files as they are."""
  name, config, split = _parts(source)
  cls = _builder(name) if source.startswith('tfds:') else None
  if cls is None:
    raise UserError(f'--root is for the data sets in datasets/, and {source} is none of them')
  from etils import epath  # of tensorflow-datasets

  with tempfile.TemporaryDirectory() as nothing:  # is built
    made = cls(config=config, data_dir=nothing)
  clips = made.clips(epath.Path(root))
  if split not in clips:
    raise UserError(f'{root} has no split {split} of {made.name}; it has {", ".join(clips)}')
  for clip in clips[split]:
    for triplet in clip.triplets():
      frames = (tf.io.decode_image(frame, channels=3, expand_animations=False).numpy() for frame in triplet.frames)
      yield Triplet(triplet.path, *map(_as_float, frames), _exact(triplet.time))


def _of_folders(root):
  others = []
  for folder in names.in_natural_order({file.parent for file in footage.files(root)}):
    images = footage.images(folder)
    if len(images) in (2, 3):
      name = files.legible(folder.relative_to(root) if folder != root else root.name)
      yield _triplet(name, map(footage.image, images))
    elif images:
      others.append(f'{files.legible(folder)} ({len(images)} images)')
  if others:
    print(f'left out, since a triplet is a folder of three images: {", ".join(others)}', file=sys.stderr)


def _triplet(name, frames):
  frames = tuple(frames)
  footage.size(frames)
  first, *middle, last = (_as_float(frame.pixels) for frame in frames)
  return Triplet(name, first, middle[0] if middle else None, last)


def _of_data_set(source):
  with pipeline.readable([source]):
    for batch in pipeline.evaluation(source):
      name = files.legible(batch[keys.PATH][0].numpy())
      images = (batch[key][0].numpy() for key in (keys.X0, keys.Y, keys.X1))
      yield Triplet(name, *images, _exact(float(batch[keys.TIME][0, 0])))


def _of_scenes():
  for number, scene in enumerate(synthetic.triplets(scenes.configured(), SEED)):
    x0, y, x1 = (scene[key].numpy() for key in (keys.X0, keys.Y, keys.X1))
    flows = (scene[key].numpy() for key in (keys.FORWARD_FLOW, keys.MIDDLE_FLOW))
    yield Triplet(f'scene {number}', x0, y, x1, Fraction(float(scene[keys.TIME][0])), *flows)


def _exact(time):
  """Returns the time between two frames that a float stands for, such as 1/3."""
  return Fraction(time).limit_denominator(1000)


def _as_float(pixels):
  return pixels.astype(np.float32) / np.float32(255.0)


def _large(found, source, pixels):
  for triplet in found:
    height, width, _ = triplet.x0.shape
    if min(height, width) < pixels:
      size = f'{width}x{height} pixels; SSIM and its like need {pixels} or more both ways'
      raise UserError(f'{source}: {triplet.name} has {size}')
    yield triplet


def timed(found: Iterable[Triplet], frames: int) -> Iterator[Triplet]:
  """Gives triplets the times that their names say: of PAIR/0004, 4 of `frames` from x0 to x1.

  Raises:
    UserError: a name does not end with a number from 1 to `frames` - 1.
  """
  for triplet in found:
    pair, _, number = triplet.name.rpartition('/')
    if not number.isdecimal() or not 0 < int(number) < frames:
      raise UserError(f'benchmark.frames is {frames}, but {triplet.name} does not end with a number below, as 0004')
    yield dataclasses.replace(triplet, time=Fraction(int(number), frames), pair=pair)


def _with_own_names(found):
  """Makes names legible, and gives the second of a name a number."""
  had, counts = set(), {}
  for triplet in found:
    name = results.legible(triplet.name)
    own, count = name, counts.get(name, 1)
    while own in had:
      count += 1
      own = f'{name} ({count})'
    had.add(own)
    counts[name] = count
    yield dataclasses.replace(triplet, name=own)
