"""Tells by their names which files are images, which are videos, and in which order they come."""

import os
import pathlib
import re
from collections.abc import Iterable

from film_tf.errors import UserError

IMAGES = (
  '.png',
  '.jpg',
  '.jpeg',
  '.webp',
  '.bmp',
  '.tif',
  '.tiff',
  '.jp2',
  '.avif',
  '.ppm',
  '.heic',
  '.heif',
)  # stills that are read
VIDEOS = ('.mp4', '.mov', '.m4v', '.mkv', '.webm', '.avi', '.mpg', '.mts', '.y4m', '.gif')


def suffix_of(path: str | os.PathLike) -> str:
  """Returns the suffix of a name in lower case, such as `.png`, or an empty string."""
  return os.path.splitext(os.fspath(path))[1].lower()


def format_of(path: str | os.PathLike, formats: dict[str, str]) -> str:
  """Returns the format that the suffix of a name asks for, of `formats` by suffix.

  Raises:
    UserError: it is none of those.
  """
  if suffix_of(path) not in formats:
    raise UserError(f'cannot write {os.fspath(path)}: expected a name that ends in {", ".join(formats)}')
  return formats[suffix_of(path)]


def in_natural_order(paths: Iterable[pathlib.Path]) -> list[pathlib.Path]:
  """Sorts paths as a person would: numbers by their value (2 before 10), the suffix last."""

  def key(path):
    stem, suffix = os.path.splitext(path)  # Path.with_suffix cannot take '.'
    return [int(s) if s.isdecimal() else s for s in re.split(r'(\d+)', stem)], suffix

  return sorted(paths, key=key)
