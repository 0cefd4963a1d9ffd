"""Reads two images for a page, and makes them small enough for it."""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from film_tf.errors import UserError
from film_tf.media import image_file

LONGEST = 640  # pixels of the longer side; a page of larger ones would be slow to make and to open


@dataclasses.dataclass(frozen=True)
class Pair:
  """Two images for a page."""

  names: tuple[str, str]  # of the files
  images: tuple[np.ndarray, np.ndarray]  # `[H, W, 3]` uint8
  size: tuple[int, int]  # width and height of those in the files
  scale: float  # of those to these, 1 or more


def read(paths: Sequence[str]) -> Pair:
  """Reads two image files of the same size, and scales them down where they are larger than the page takes.

  Raises:
    UserError: there are not two, they cannot be read, differ in size, or are transparent.
  """
  if len(paths) != 2:
    raise UserError(f'{len(paths)} images are given; expected two: python -m film_tf.inspect A.png B.png')
  images = [image_file.to_uint8(image_file.read(path).pixels) for path in paths]
  for path, image in zip(paths, images, strict=True):
    if image.shape[-1] == 4:
      raise UserError(f'{path} is transparent, which the page does not explain; save it without transparency')
  sizes = [(image.shape[1], image.shape[0]) for image in images]
  if sizes[0] != sizes[1]:
    (a, b), (c, d) = sizes
    raise UserError(f'{paths[0]} is {a}x{b} pixels and {paths[1]} is {c}x{d}; expected the same size')
  scale = max(max(sizes[0]) / LONGEST, 1.0)
  small = tuple(max(round(side / scale), 1) for side in sizes[0])
  if scale > 1.0:
    images = [np.asarray(Image.fromarray(image).resize(small, Image.Resampling.LANCZOS)) for image in images]
  return Pair(tuple(map(os.path.basename, paths)), tuple(images), sizes[0], scale)
