"""Keeps what is finished of an output in a folder beside it, so that interrupted work can go on."""

import dataclasses
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from fractions import Fraction

from film_tf import files
from film_tf.errors import UserError
from film_tf.media.frame import Position


@dataclasses.dataclass(frozen=True)
class Part:
  """Some frames in a row that are finished."""

  times: Sequence[Fraction]  # seconds at which each is shown
  end: Fraction  # seconds at which the last one ends
  timing_error: Fraction  # the largest of the frames, in seconds
  position: Position  # where the next part begins
  display_order: Sequence[int] = ()  # of a video, for every packet the number of its frame as they are shown


class Parts:
  """Keeps the finished parts of `output` in the folder `output`.parts.

  Args:
    output: what is being made.
    settings: all that it depends on, names and values as strings; noted in the folder.
    resume: go on where parts are left; else they must not be there.
    overwrite: begin again where parts are left.

  Raises:
    UserError: parts are left and neither is said, or they are of other settings.
  """

  def __init__(self, output: str, settings: Mapping[str, str], resume: bool = False, overwrite: bool = False):
    self.output, self.folder = output, folder_of(output)
    self.parts: list[Part] = []
    if os.path.isdir(self.folder) and not resume:
      if not overwrite:
        raise UserError(
          f'{self.folder} is left of work that was cut off; add --resume to go on, or --overwrite to begin again'
        )
      shutil.rmtree(self.folder)
    noted = os.path.join(self.folder, 'settings.json')
    if os.path.exists(noted):
      _compare(_read(noted), settings, output)
      while os.path.exists(self._note(len(self.parts))):
        self.parts.append(_decoded(_read(self._note(len(self.parts)))))
    else:
      try:
        os.makedirs(self.path('frames'), exist_ok=True)
        _write(noted, dict(settings))
      except OSError as error:
        raise UserError(f'cannot write {self.folder}: {files.reason(error)}') from error

  @property
  def count(self) -> int:
    """How many frames are finished."""
    return sum(len(part.times) for part in self.parts)

  @property
  def position(self) -> Position:
    """Where to go on."""
    return self.parts[-1].position if self.parts else Position()

  def path(self, name: str) -> str:
    """Returns the path of a file in the folder."""
    return os.path.join(self.folder, name)

  def add(self, part: Part):
    """Notes that a part is finished; its files are there."""
    try:
      _write(self._note(len(self.parts)), _encoded(part))
    except OSError as error:
      raise UserError(f'cannot write {self.folder}: {files.reason(error)}') from error
    self.parts.append(part)

  def remove(self):
    """Removes the folder."""
    shutil.rmtree(self.folder, ignore_errors=True)

  def _note(self, number):
    return self.path(f'{number:06d}.json')


def folder_of(output: str) -> str:
  """Returns the folder in which the parts of an output are."""
  return output.rstrip('/') + '.parts'


def _compare(before, now, output):
  for name in sorted({*before, *now}):
    if before.get(name) != now.get(name):
      raise UserError(
        f'{output} was begun with {name} {before.get(name)}, and now it is {now.get(name)}; '
        'go on as it was begun, or add --overwrite and leave out --resume to begin again'
      )


def _encoded(part):  # these names are a file format
  return {
    'times': list(map(str, part.times)), 'end': str(part.end), 'off': str(part.timing_error),
    'time': str(part.position.time), 'count': part.position.count, 'turns': list(part.display_order),
  }  # fmt: skip


def _decoded(note):
  position = Position(Fraction(note['time']), note['count'])
  times = [Fraction(time) for time in note['times']]
  return Part(times, Fraction(note['end']), Fraction(note['off']), position, note['turns'])


def _read(path):
  try:
    with open(path) as file:
      return json.load(file)
  except (OSError, ValueError) as error:
    raise UserError(f'{path} cannot be read, so nothing can be resumed; add --overwrite to begin again') from error


def _write(path, value):
  with open(path + '.new', 'w') as file:
    json.dump(value, file)
    file.flush()
    os.fsync(file.fileno())
  os.replace(path + '.new', path)
