"""Finds the TFRecord files that a name stands for, without loading TensorFlow where they are local."""

import glob
import os
import re

from film_tf import files
from film_tf.errors import UserError

_MOST = 99_999


def find(name: str) -> list[str]:
  """Finds the files of `prefix@N`, of a pattern, or the one file.

  Raises:
    UserError: a shard is missing, nothing fits the pattern, or they cannot be looked for.
  """
  try:
    return _find(name)
  except files.system_errors() as error:
    if isinstance(error, UserError):
      raise
    raise UserError(f'cannot read source {name}: {files.reason(error)}') from error


def _find(name):
  found = names(name)
  system = files.file_system(name)
  matched = system.glob if '://' in name else glob.glob
  if found == [name]:
    there = [name] if system.exists(name) else sorted(matched(name))
    found = [file for file in there if not system.isdir(file)]
    if not found:
      said = 'is a folder' if there else 'no such file'
      if name == 'synthetic':
        said = 'is drawn without end, and no file'
      raise UserError(f'source {name}: {said}; expected a TFRecord file, a pattern, prefix@N, or tfds:NAME:SPLIT')
  else:
    start = found[0].removesuffix(f'00000-of-{len(found):05d}')
    there = matched((start if '://' in name else glob.escape(start)) + '*')  # set-0... as ./set-0...
    names_there = set(map(os.path.basename, there))
    missing = [file for file in found if os.path.basename(file) not in names_there]
    if missing:
      raise UserError(f'source {name}: {len(missing)} of {len(found)} shards are missing, the first is {missing[0]}')
  for file in found:
    files.check_no_pipe(file)
    if files.legible(file) != file:
      raise UserError(f'source {name}: {files.legible(file)!r} is no name in UTF-8, which TensorFlow needs; rename it')
  return found


def names(name: str) -> list[str]:
  """Returns the files that `prefix@N` stands for, whether they exist or not; other names stand for themselves.

  Raises:
    UserError: N is 0, or more than five digits can count.
  """
  sharded = re.fullmatch(r'(.+)@(\d+)', name)
  if not sharded:
    return [name]
  prefix, count = sharded[1], int(sharded[2])
  if not 1 <= count <= _MOST:
    raise UserError(
      f'{name} stands for {"too many files" if count else "no file"}; expected prefix@N, N from 1 to {_MOST}'
    )
  return [f'{prefix}-{i:05d}-of-{count:05d}' for i in range(count)]
