"""Keeps what is finished of an output in a folder beside it, so that interrupted work can go on."""

import contextlib
import dataclasses
import json
import os
import shutil
import sys
import zlib
from collections.abc import Mapping, Sequence
from fractions import Fraction

from film_tf import files, locks
from film_tf.errors import UserError
from film_tf.media.frame import Position

_COMPLETE = 'complete.json'  # notes that no frame is missing
_BEFORE_SETTINGS = {'frames', 'lock', 'settings.json.new', _COMPLETE}  # what may be in a folder that was hardly begun


@dataclasses.dataclass(frozen=True)
class Part:
  """Some frames in a row that are finished."""

  times: Sequence[Fraction]  # seconds at which each is shown
  end: Fraction  # seconds at which the last one ends
  timing_error: Fraction  # the largest of the frames, in seconds
  position: Position  # where the next part begins
  display_order: Sequence[int] = ()  # of a video, for every packet the number of its frame as they are shown


class Parts:
  """Keeps the finished parts of `output` in the folder `output`.parts, which one process at a time may use.

  Args:
    output: what is being made.
    settings: all that it depends on, names and values as strings; noted in the folder.
    resume: go on where parts are left; else they must not be there.
    overwrite: begin again where parts are left.

  Attributes:
    parts: those that are finished, and whose files are whole.
    tail: frames after them that are only to be looked at: nothing goes on after it.

  Raises:
    UserError: parts are left and neither is said, they are of other settings or not film_tf's, or another process is
      at it.
  """

  def __init__(self, output: str, settings: Mapping[str, str], resume: bool = False, overwrite: bool = False):
    self.output, self.folder = output, folder_of(output)
    self.parts: list[Part] = []
    self.tail: Part | None = None
    try:
      left = os.path.isdir(self.folder)
      if left and 'settings.json' not in (there := {*os.listdir(self.folder)}) and there - _BEFORE_SETTINGS:
        raise UserError(
          f'{self.folder} has no settings.json of film_tf, and would be deleted; remove it, or choose another --output'
        )
      os.makedirs(self.folder, exist_ok=True)
      with contextlib.ExitStack() as lock:
        lock.enter_context(locks.held(self.path('lock'), output))
        self._begin(settings, left, resume, overwrite)
        self._lock = lock.pop_all()
    except OSError as error:
      raise UserError(f'cannot write {self.folder}: {files.reason(error)}') from error

  def _begin(self, settings, left, resume, overwrite):
    """Reads what is left, or begins again."""
    if left and not resume:
      if not overwrite:
        raise UserError(
          f'{self.folder} is left of work that was cut off; add --resume to go on, or --overwrite to begin again'
        )
      _clear(self.folder)
    noted = self.path('settings.json')
    if os.path.exists(noted):
      _compare(_read(noted), settings, self.output)
      self._load()
    else:
      os.makedirs(self.path('frames'), exist_ok=True)
      _write(noted, dict(settings))

  def close(self):
    """Lets others use the folder."""
    self._lock.close()

  def _load(self):
    """Reads the notes on parts whose files are whole; what comes after one that is not is made again."""
    while os.path.exists(note := self._note(len(self.parts))):
      noted = _read(note)
      if damaged := next(
        (name for name, mark in noted.get('files', {}).items() if _mark(self.path(name)) != mark), None
      ):
        print(f'{self.path(damaged)} is damaged; it is made again, and what comes after it', file=sys.stderr)
        for name in [_COMPLETE, *map(self._note, range(len(self.parts), len(os.listdir(self.folder))))]:
          with contextlib.suppress(FileNotFoundError):
            os.remove(self.path(name))
        return
      self.parts.append(_decoded(noted))

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

  @property
  def all(self) -> list[Part]:
    """Those that are finished, and the tail."""
    return [*self.parts, *([self.tail] if self.tail else [])]

  def add(self, part: Part, written: Sequence[str] = ()):
    """Notes that a part is finished, with the files that were written for it."""
    try:
      for path in written:
        with open(path, 'rb') as file:
          os.fsync(file.fileno())
      marks = {os.path.relpath(path, self.folder): _mark(path) for path in written}
      _write(self._note(len(self.parts)), {**_encoded(part), 'files': marks})
    except OSError as error:
      raise UserError(f'cannot write {self.folder}: {files.reason(error)}') from error
    self.parts.append(part)

  def complete(self):
    """Notes that no frame is missing: an output that comes to its place from now on is made of these parts."""
    _write(self.path(_COMPLETE), {})

  def remove(self):
    """Removes the folder."""
    with contextlib.suppress(OSError):
      _clear(self.folder)
    self.close()
    with contextlib.suppress(OSError):
      os.rmdir(self.folder)

  def _note(self, number):
    return self.path(f'{number:06d}.json')


def folder_of(output: str) -> str:
  """Returns the folder in which the parts of an output are."""
  return output.rstrip('/') + '.parts'


def is_left_over(output: str) -> bool:
  """Returns whether parts of an output are left that is made of them, or nothing but their folder, after a kill."""
  folder = folder_of(output)
  try:
    if not {*os.listdir(folder)} - {'lock'}:
      return True
    # A rename changes the time of what is renamed; what was there before is older than the note.
    return os.stat(output).st_ctime_ns >= os.stat(os.path.join(folder, _COMPLETE)).st_mtime_ns
  except OSError:
    return False


def remove_left_over(output: str):
  """Removes the parts of an output that is made, if any are left and no other process is at it."""
  folder = folder_of(output)
  with contextlib.suppress(OSError, UserError):
    with locks.held(os.path.join(folder, 'lock'), output):
      _clear(folder)
    os.rmdir(folder)


def _clear(folder):
  """Removes all in a folder but the lock; last the notes by which it is known as film_tf's, and as left over."""
  last = ('settings.json', _COMPLETE)
  for name in sorted({*os.listdir(folder)} - {'lock'}, key=lambda name: last.index(name) if name in last else -1):
    path = os.path.join(folder, name)
    (shutil.rmtree if os.path.isdir(path) and not os.path.islink(path) else os.remove)(path)


def _compare(before, now, output):
  if unknown := sorted({*now} - {*before}):
    raise UserError(
      f'{output} was begun by another version of film_tf, or of other inputs: {unknown[0]} is new; '
      'add --overwrite and leave out --resume to begin again'
    )
  for name in sorted({*before, *now}):
    if before.get(name) != now.get(name):
      raise UserError(
        f'{output} was begun with {name} {before.get(name)}, and now it is {now.get(name)}; '
        'go on as it was begun, or add --overwrite and leave out --resume to begin again'
      )


def _encoded(part):  # these names are a file format: `off` is timing_error, `turns` is display_order
  return {
    'times': list(map(str, part.times)), 'end': str(part.end), 'off': str(part.timing_error),
    'time': str(part.position.time), 'count': part.position.count, 'turns': list(part.display_order),
  }  # fmt: skip


def _decoded(note):
  position = Position(Fraction(note['time']), note['count'])
  times = [Fraction(time) for time in note['times']]
  return Part(times, Fraction(note['end']), Fraction(note['off']), position, note['turns'])


def _mark(path):
  """Returns the length of a file and the checksum of what is in it; nothing where it is missing."""
  checksum = length = 0
  try:
    with open(path, 'rb') as file:
      while block := file.read(1 << 20):
        checksum, length = zlib.crc32(block, checksum), length + len(block)
  except OSError:
    return None
  return [length, checksum]


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
