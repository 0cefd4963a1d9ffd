"""Exceptions for a user's mistakes, as opposed to the program's."""

import contextlib
import re
from collections.abc import Iterator


class UserError(ValueError):
  """Something given is wrong. The message says what was given, what was expected and what to do.

  Commands print it and exit with 2 (`film_tf.cli`); from Python it is a ValueError.

  Attributes:
    message: what to tell; gin appends the call chain to `str(error)`, not to this.
  """

  def __init__(self, message: str):
    super().__init__(message)
    self.message = message


class DamagedError(UserError):
  """An input that cannot be read to its end; what comes before its damage could."""


@contextlib.contextmanager
def as_in_python() -> Iterator[None]:
  """Turns flags in a UserError into arguments: `--fps` into `fps`, `--resume` into `resume=True`."""
  try:
    yield
  except UserError as error:
    message = re.sub(r'(?<![^\s(])--(overwrite|resume)\b', r'\1=True', error.message)
    raise type(error)(re.sub(r'(?<![^\s(])--(\w+)', r'\1', message)) from error
