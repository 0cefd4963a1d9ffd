"""Finds triplets to measure on: of data sets, of folders, and of videos, whose every second frame is the truth."""

import dataclasses
import itertools
import pathlib
import sys
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from film_tf import files, keys, metrics
from film_tf.data import footage, pipeline
from film_tf.errors import UserError
from film_tf.media import names


@dataclasses.dataclass(frozen=True)
class Triplet:
  """An image between two, `[H, W, 3]` float32 RGB in [0, 1]."""

  name: str
  x0: np.ndarray
  y: np.ndarray
  x1: np.ndarray


def find(source: str) -> Iterator[Triplet]:
  """Yields the triplets of a source, in order.

  Args:
    source: a video (frame 1 from 0 and 2, frame 3 from 2 and 4, ...); a folder, of which each folder below that has
      three images is a triplet, the images in natural order; or what `film_tf.data.sources` takes, such as
      `tfds:vimeo90k_triplet:test`.

  Raises:
    UserError: there is none, it cannot be read, or its frames are too small for the metrics.
  """
  path = pathlib.Path(source)
  if path.suffix.lower() in names.VIDEOS:
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
      f'{source} has no triplets; expected a video of three frames or more, or folders of three images '
      '(give --data= for each video of a folder)'
    )
  return itertools.chain([first], found)


def _of_folders(root):
  others = []
  for folder in names.in_natural_order({file.parent for file in footage.files(root)}):
    images = footage.images(folder)
    if len(images) == 3:
      yield _triplet(files.legible(folder.relative_to(root)), map(footage.image, images))
    elif images:
      others.append(f'{files.legible(folder)} ({len(images)} images)')
  if others:
    print(f'left out, since a triplet is a folder of three images: {", ".join(others)}', file=sys.stderr)


def _triplet(name, frames):
  frames = tuple(frames)
  height, width = footage.size(frames)
  if min(height, width) < metrics.SMALLEST:
    raise UserError(f'{frames[0].name} has {width}x{height} pixels; SSIM needs {metrics.SMALLEST} or more both ways')
  return Triplet(name, *(frame.pixels.astype(np.float32) / 255.0 for frame in frames))


def _of_data_set(source):
  with pipeline.readable([source]):
    for batch in pipeline.evaluation(source):
      name = tf.compat.as_text(batch[keys.PATH][0].numpy())
      yield Triplet(name, *(batch[key][0].numpy() for key in (keys.X0, keys.Y, keys.X1)))
