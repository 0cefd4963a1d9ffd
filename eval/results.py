"""Keeps the results of `eval.run`, a row at a time, so that a run that was killed can go on; and reads them.

docs/evaluation.md describes the format. Loads no TensorFlow.
"""

import contextlib
import csv
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from eval.protocols import PROTOCOLS
from film_tf import files
from film_tf.errors import UserError
from film_tf.files import FolderKind

FORMAT = 1
SCORES, SUMMARY, ASKED, PICTURES = 'scores.csv', 'summary.json', 'run.json', 'pictures'
KIND = FolderKind('a folder of results', ASKED, (SCORES, SUMMARY, PICTURES, 'report.*'))
PART = '.part'  # ends the name of a folder of results that is not finished
TEXT = ('benchmark', 'key', 'model', 'protocol', 'note')
NAN, NO_TRUTH = 'NaN', 'no truth'  # notes
_DAMAGED = (OSError, ValueError, KeyError, TypeError, RecursionError, csv.Error)  # of a file that is not as it was left


def legible(name: str) -> str:
  """Returns a name as one line of text that can be written, where its bytes are not UTF-8 or it has line feeds."""
  return files.legible(name).replace('\n', r'\n').replace('\r', r'\r')


def columns(protocols: Sequence[str]) -> tuple[str, ...]:
  """Returns the columns of scores by these protocols."""
  return (*TEXT, 'motion', *dict.fromkeys(metric for name in protocols for metric in PROTOCOLS[name].metrics))


@contextlib.contextmanager
def appended(path: str, protocols: Sequence[str], models: Sequence[str]) -> Iterator['Scores']:
  """Opens a file of scores to append to. Where it has rows, of a run that was killed, it goes on after them.

  Args:
    path: the file.
    protocols: that each example has rows of.
    models: likewise.
  """
  with open(path, 'a+', newline='', encoding='utf-8', errors='surrogateescape') as file:  # a character may be cut off
    yield Scores(file, columns(protocols), len(protocols) * len(models))


class Scores:
  """A file of scores that grows.

  Attributes:
    done: how many examples have all of their rows, by benchmark.
  """

  def __init__(self, file: TextIO, names: Sequence[str], rows_a_key: int):
    self._file, self._columns, self._rows_a_key = file, names, rows_a_key
    self.done: dict[str, int] = {}
    self._mend()

  def _mend(self):
    """Cuts off the end of the file that a killed run left unfinished, and counts what is before."""
    self._file.seek(0)
    lines = self._file.readlines()
    whole = [line for line in lines if line.endswith('\n')]
    count = max(len(whole) - 1, 0) // self._rows_a_key * self._rows_a_key
    kept = whole[: 1 + count] if whole else []
    try:
      if kept[:1] not in ([], [','.join(self._columns) + '\n']):
        raise ValueError(f'its first line is not {",".join(self._columns)}')
      read = list(_rows(kept, self._file.name)) if kept else []
      size = len(''.join(kept).encode())
    except _DAMAGED as error:
      said = f'{self._file.name} is damaged ({files.reason(error)})'
      raise UserError(f'{said}; begin anew with --overwrite') from error
    self._file.truncate(size)
    for row in read[:: self._rows_a_key]:
      self.done[row['benchmark']] = self.done.get(row['benchmark'], 0) + 1
    if not kept:
      csv.writer(self._file, lineterminator='\n').writerow(self._columns)
      self._file.flush()

  def write(self, rows: Iterable[Mapping]):
    """Appends rows, numbers with nine digits; None and what a row lacks are empty."""
    writer = csv.DictWriter(self._file, self._columns, restval='', lineterminator='\n')
    writer.writerows({key: _text(value) for key, value in row.items()} for row in rows)
    self._file.flush()


def _text(value):
  return f'{value:.9g}' if isinstance(value, float) else value


def read(folder: str) -> tuple[list[dict], dict]:
  """Returns the rows of finished results, numbers as floats or None, and their summary.

  Raises:
    UserError: they are no results, not finished, or damaged.
  """
  if not os.path.isfile(os.path.join(folder, SUMMARY)):
    unfinished = os.path.isdir(folder + PART)
    why = 'its run is not finished; go on with it by --resume' if unfinished else f'it has no {SUMMARY}'
    raise UserError(f'{folder} has no results of eval.run: {why}')
  try:
    with open(os.path.join(folder, SUMMARY), encoding='utf-8') as file:
      summary = json.load(file)
    if summary['format'] != FORMAT:
      raise ValueError(f'its format is {summary["format"]}, this film_tf reads {FORMAT}')
    if 'checksum' in summary and summary['checksum'] != _checksum(folder, summary):  # earlier ones have none
      raise ValueError(f'{SCORES} or {SUMMARY} was changed')
    found = list(rows(os.path.join(folder, SCORES)))
    _check(found, summary)
    return found, summary
  except _DAMAGED as error:
    said = f'{SUMMARY} lacks {error}' if isinstance(error, KeyError) else files.reason(error)
    raise UserError(f'{folder} has damaged results: {said}; measure again') from error


def write_summary(folder: str, summary: Mapping):
  """Writes the summary of results, with which they are finished."""
  write_json(os.path.join(folder, SUMMARY), {**summary, 'checksum': _checksum(folder, summary)})


def _checksum(folder, summary):
  """Returns a number that changes with the scores or anything else in the summary."""
  said = json.dumps({key: value for key, value in summary.items() if key != 'checksum'}, sort_keys=True)
  with open(os.path.join(folder, SCORES), 'rb') as file:
    return zlib.crc32(said.encode(), zlib.crc32(file.read()))


def _check(found, summary):
  """Raises where a summary is not built as `eval.run` builds it, or knows nothing of the models in the scores."""
  for key, kind in {'models': dict, 'protocols': dict, 'benchmarks': dict, 'failed': list, 'pictures': list}.items():
    inner = summary[key].values() if isinstance(summary[key], dict) else summary[key]
    if not isinstance(summary[key], kind) or (key != 'protocols' and not all(isinstance(one, dict) for one in inner)):
      raise ValueError(f'{SUMMARY} has {key} {summary[key]!r}')
  if strange := {row['model'] for row in found} - summary['models'].keys():
    raise ValueError(f'{SUMMARY} knows no {min(strange)}, which {SCORES} has')
  if len(found) != summary.get('rows', len(found)):  # which earlier ones do not say
    raise ValueError(f'{SCORES} has {len(found)} rows; expected {summary["rows"]}')


def read_all(folders: Sequence[str]) -> list[tuple[str, list[dict], dict]]:
  """Returns each folder of results with its rows and summary, to join or compare by the names of benchmarks.

  Raises:
    UserError: a folder cannot be read, or a benchmark of one name has other sources or scenes in two of them.
  """
  found = [(folder, *read(folder)) for folder in folders]
  had = {}
  for folder, _, summary in found:
    for name, benchmark in summary['benchmarks'].items():
      what = {key: benchmark.get(key) for key in ('source', 'scenes')}
      before, where = had.setdefault(name, (what, folder))
      if other := [key for key in what if what[key] != before[key]]:
        key = other[0]
        raise UserError(
          f'{name} is not the same in {where} and {folder}: its {key} is {before[key]}, and {what[key]}; '
          'give results on the same data'
        )
  return found


def names(found: Sequence[tuple[str, list[dict], dict]]) -> list[dict[str, str]]:
  """Returns what to call the models of each folder of `read_all`: FOLDER:MODEL where several folders have that one."""
  every = [model for _, _, summary in found for model in summary['models']]
  return [
    {model: model if every.count(model) == 1 else f'{folder.rstrip("/")}:{model}' for model in summary['models']}
    for folder, _, summary in found
  ]


def rows(path: str) -> Iterator[dict]:
  """Yields the rows of a file of scores, numbers as floats, None where there is none."""
  with open(path, newline='', encoding='utf-8') as file:
    yield from _rows(file, path)


def _rows(lines, path):
  """Yields what `rows` does of lines; raises ValueError or csv.Error where they are no scores."""
  reader = csv.DictReader(lines, strict=True)
  if not {*(reader.fieldnames or ())} > {*TEXT}:
    raise ValueError(f'the first line of {path} is not that of scores')
  for row in reader:
    if None in row or None in row.values():
      raise ValueError(f'line {reader.line_num} of {path} has other columns')
    numbers = {key: float(row[key]) if row[key] else None for key in row if key not in TEXT}
    yield {**row, **numbers}


def write_json(path: str, content: Mapping):
  """Writes a JSON file, whole or not at all."""
  files.write_text(path, json.dumps(content, indent=2, ensure_ascii=True) + '\n')


def read_json(path: str) -> dict:
  """Reads a JSON file.

  Raises:
    UserError: it is missing or damaged.
  """
  try:
    with open(path, encoding='utf-8') as file:
      found = json.load(file)
    if not isinstance(found, dict):
      raise ValueError('it holds no names and values')
    return found
  except _DAMAGED as error:
    raise UserError(f'{path} cannot be read: {files.reason(error)}') from error
