"""What memory the system has, and what this process takes of it."""

import contextlib
import ctypes
import os
import re
import resource
import sys

from film_tf.errors import UserError

_GROUP = '/sys/fs/cgroup'  # of a container


def parse(text: str) -> int:
  """Returns the bytes that `8GB`, `500 MB`, `2GiB` or a number of bytes says.

  Raises:
    UserError: it is none of these.
  """
  found = re.fullmatch(r'(\d+(?:\.\d+)?)\s*([kMGT]?)(i?)B?', text.strip())
  if not found or not float(found[1]):
    raise UserError(f'memory is {text!r}; expected a size such as 8GB or 500MB')
  number, prefix, binary = found.groups()
  return int(float(number) * (1024 if binary else 1000) ** ' kMGT'.index(prefix or ' '))


def free() -> int | None:
  """Returns the bytes that are free, of the machine's or of this process's container; None where nobody says."""
  found = []
  if os.path.exists('/proc/meminfo'):
    found.append(_sizes('/proc/meminfo')['MemAvailable'])
  if os.path.exists(f'{_GROUP}/memory.max') and (most := _read(f'{_GROUP}/memory.max').strip()) != 'max':
    taken = dict(line.split() for line in _read(f'{_GROUP}/memory.stat').splitlines())
    found.append(int(most) - int(taken['anon']))
  return min(found, default=None)


def used() -> int:
  """Returns the bytes that this process has now, or where the system does not say, has had at most."""
  return _sizes('/proc/self/status')['VmRSS'] if os.path.exists('/proc/self/status') else peak()


def peak(afresh: bool = False) -> int:
  """Returns the bytes that this process has had at most; `afresh` counts from now on, where the system can."""
  if os.path.exists('/proc/self/clear_refs'):
    if afresh:
      with contextlib.suppress(OSError), open('/proc/self/clear_refs', 'w') as file:
        file.write('5')
    return _sizes('/proc/self/status')['VmHWM']
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)


def give_back():
  """Gives the system what this process has had and does not use any more, where its C library can."""
  if trim := getattr(ctypes.CDLL(None), 'malloc_trim', None):
    trim(0)


def _sizes(path):
  """Returns bytes by name."""
  rows = (line.split() for line in _read(path).splitlines())
  return {row[0].rstrip(':'): int(row[1]) * 1024 for row in rows if row[-1] == 'kB'}


def _read(path):
  with open(path) as file:
    return file.read()
