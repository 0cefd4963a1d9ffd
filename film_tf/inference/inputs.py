"""What a person names: images, folders, patterns, lists, animations and videos."""

import dataclasses
import glob
import os
import pathlib
import sys
from collections.abc import Iterator, Sequence

from film_tf import files
from film_tf.data import footage
from film_tf.errors import UserError
from film_tf.inference import animations

_STILLS = ('.png', '.jpg', '.jpeg', '.webp', '.bmp', '.tif', '.tiff', '.jp2', '.avif', '.ppm')
_LIST = '.txt'


@dataclasses.dataclass(frozen=True)
class Input:
  """One thing that something is made of."""

  name: str  # what its result may be called
  kind: str  # images, animation or video
  paths: tuple[str, ...]  # of images, in order; else of the one file


def find(words: Sequence[str | os.PathLike]) -> list[Input]:
  """What `words` name.

  A folder, a pattern such as `photos/*.jpg` and a list (a .txt file, a path a line, from its folder on) are one input
  each, patterns and folders in natural order (2 before 10, whatever the suffix). Still images that are named one by one
  are one input together, in the order given. A video or an animated image is one of its own.

  Raises:
    UserError: there is nothing of the kind, or a folder has no images.
  """
  found, stills = [], []
  for word in map(os.fspath, words):
    if os.path.isdir(word):
      found.append(_together(word, _in_folder(word)))
    elif not os.path.exists(word) and glob.has_magic(word):
      found.extend(_matched(word))
    elif word.lower().endswith(_LIST):
      found.append(_together(word, list(_listed(word))))
    elif (kind := _kind(word)) == 'still':
      if not stills:
        place = len(found)
      stills.append(word)
    else:
      found.append(Input(pathlib.Path(word).stem, kind, (word,)))
  if stills:
    found.insert(place, Input(pathlib.Path(stills[0]).stem, 'images', tuple(stills)))
    _warn_of_order(stills)
  if not found:
    raise UserError('nothing to interpolate is given; expected images, a folder, or a video')
  return found


def _kind(path):
  if not os.path.exists(path):
    raise UserError(f'no such file: {path}')
  frames = animations.length(path)
  if frames > 1:
    return 'animation'
  return 'still' if frames == 1 or path.lower().endswith(_STILLS) else 'video'


def _in_folder(folder):
  paths = [path for path in pathlib.Path(folder).iterdir() if path.suffix.lower() in _STILLS]
  if not paths:
    hint = next((p for p in pathlib.Path(folder).iterdir() if p.suffix.lower() in footage.VIDEOS), None)
    more = f"; for its videos write '{os.path.join(folder, '*' + hint.suffix)}'" if hint else ''
    raise UserError(f'{folder} is a folder without images{more}')
  return [str(path) for path in footage.natural(paths)]


def _matched(pattern):
  """Images that a pattern matches are one input, everything else one each."""
  paths = [str(path) for path in footage.natural(map(pathlib.Path, glob.glob(pattern, recursive=True)))]
  if not paths:
    raise UserError(f'nothing matches {pattern}')
  kinds = [(path, _kind(path)) for path in paths if not os.path.isdir(path)]
  stills = [path for path, kind in kinds if kind == 'still']
  if stills:
    yield _together(os.path.dirname(stills[0]) or stills[0], stills)
  yield from (Input(pathlib.Path(path).stem, kind, (path,)) for path, kind in kinds if kind != 'still')


def _listed(path) -> Iterator[str]:
  try:
    lines = pathlib.Path(path).read_text().splitlines()
  except (OSError, UnicodeDecodeError) as error:
    raise UserError(f'{path} cannot be read as a list, a path a line: {files.reason(error)}') from error
  for line in filter(None, map(str.strip, lines)):
    named = os.path.join(os.path.dirname(path), line)
    if not os.path.exists(named):
      raise UserError(f'no such file: {named}, which {path} lists')
    yield named


def _together(name, paths):
  return Input(pathlib.Path(os.path.abspath(name)).stem, 'images', tuple(paths))


def _warn_of_order(paths):
  """A shell puts 10 before 2."""
  natural = [str(path) for path in footage.natural(map(pathlib.Path, paths))]
  if paths == sorted(paths) != natural:
    first, second = next(pair for pair in zip(paths, natural, strict=True) if pair[0] != pair[1])
    print(
      f"{first} comes before {second}, as given; a quoted pattern (such as '*.png') sorts by number", file=sys.stderr
    )
