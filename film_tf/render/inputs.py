"""Finds what a person names: images, folders, patterns, lists, animations and videos."""

import dataclasses
import glob
import os
import pathlib
import sys
from collections.abc import Sequence

from film_tf import files
from film_tf.errors import UserError
from film_tf.media import animation, names

_LIST = '.txt'


@dataclasses.dataclass(frozen=True)
class Input:
  """One thing that an output is made of."""

  name: str  # for the output, where that is named after its input
  kind: str  # images, animation or video
  paths: tuple[str, ...]  # of images, in order; else of the one file


def find(arguments: Sequence[str | os.PathLike]) -> list[Input]:
  """Finds the inputs that `arguments` name.

  A folder, a pattern such as `photos/*.jpg` and a list (a .txt file, a path a line, relative to its folder) are one
  input each; patterns and folders come in natural order (2 before 10, whatever the suffix). Still images that are named
  one by one are one input together, in the order given. A video or an animated image is an input of its own.

  Raises:
    UserError: nothing is found, or a folder has no images.
  """
  found: list[Input] = []
  stills: list[str] = []
  index = 0
  for argument in [os.fspath(path) for path in arguments]:
    if os.path.isdir(argument):
      found.append(_images(argument, _in_folder(argument)))
    elif not os.path.exists(argument) and glob.has_magic(argument):
      found.extend(_matched(argument))
    elif argument.lower().endswith(_LIST):
      found.append(_images(argument, _listed(argument)))
    elif (kind := _kind(argument)) == 'still':
      if not stills:
        index = len(found)
      stills.append(argument)
    else:
      found.append(Input(pathlib.Path(argument).stem, kind, (argument,)))
  if stills:
    found.insert(index, Input(pathlib.Path(stills[0]).stem, 'images', tuple(stills)))
    _warn_of_order(stills)
  if not found:
    raise UserError('nothing to interpolate is given; expected images, a folder, or a video')
  return found


def find_one(arguments: Sequence[str | os.PathLike]) -> Input:
  """Finds the one input that `arguments` name.

  Raises:
    UserError: as of `find`, or there are more.
  """
  found = find(arguments)
  if len(found) > 1:
    raise UserError(f'{found[0].paths[0]} and {found[1].paths[0]} are two inputs; expected one')
  return found[0]


def _kind(path):
  if not os.path.exists(path):
    advice = '; download it first' if '://' in path else ''
    raise UserError(f'no such file: {path}{advice}')
  files.check_no_pipe(path)
  frames = animation.length(path)
  if frames > 1:
    return 'animation'
  return 'still' if frames == 1 or names.suffix_of(path) in names.IMAGES else 'video'


def _in_folder(folder):
  try:  # names that begin with a dot are not meant for people, such as macOS's ._img.png
    paths = [path for path in pathlib.Path(folder).iterdir() if not path.name.startswith('.')]
  except OSError as error:
    raise UserError(f'{folder} cannot be read: {files.reason(error)}') from error
  images = [path for path in paths if names.suffix_of(path) in names.IMAGES]
  if not images:
    video = next((path for path in paths if names.suffix_of(path) in names.VIDEOS), None)
    hint = f"; for its videos write '{os.path.join(folder, '*' + video.suffix)}'" if video else ''
    raise UserError(f'{folder} is a folder without images{hint}')
  return _in_order(images)


def _matched(pattern):
  """Yields one input for all images that a pattern matches, and one for each other file."""
  paths = _in_order(map(pathlib.Path, glob.glob(pattern, recursive=True)))
  if not any(map(os.path.isfile, paths)):
    raise UserError(f'nothing matches {pattern}')
  kinds = [(path, _kind(path)) for path in paths if os.path.isfile(path)]
  stills = [path for path, kind in kinds if kind == 'still']
  if stills:
    yield _images(os.path.dirname(stills[0]) or stills[0], stills)
  yield from (Input(pathlib.Path(path).stem, kind, (path,)) for path, kind in kinds if kind != 'still')


def _listed(path) -> list[str]:
  try:
    lines = pathlib.Path(path).read_text().splitlines()
  except (OSError, UnicodeDecodeError) as error:
    raise UserError(f'{path} cannot be read as a list, a path a line: {files.reason(error)}') from error
  found = [os.path.join(os.path.dirname(path), line) for line in map(str.strip, lines) if line]
  if not found:
    raise UserError(f'{path} lists nothing; expected a path a line')
  for named in found:
    if not os.path.isfile(named):
      raise UserError(f'no such file: {named}, which {path} lists')
  return found


def _images(name, paths):
  return Input(pathlib.Path(os.path.abspath(name)).stem, 'images', tuple(paths))


def _in_order(paths):
  return [str(path) for path in names.in_natural_order(paths)]


def _warn_of_order(paths):
  """Warns where a shell has sorted 10 before 2."""
  natural = _in_order(map(pathlib.Path, paths))
  if paths == sorted(paths) != natural:
    first, second = next(pair for pair in zip(paths, natural, strict=True) if pair[0] != pair[1])
    print(
      f"{first} comes before {second}, as given; a quoted pattern (such as '*.png') sorts by number", file=sys.stderr
    )
