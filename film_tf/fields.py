"""Checks options against their annotations: one check for whatever gin or a person configures.

crop: Annotated[int, Range(1, 4096)] = 256
motion_range: tuple[Amount, Amount] | None = None
"""

import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from film_tf import files
from film_tf.errors import UserError


@dataclasses.dataclass(frozen=True)
class Range:
  """Says which numbers are allowed.

  Attributes:
    least: the least of them.
    most: the largest.
    above: a number that they are larger than, in place of `least`.
  """

  least: float | None = None
  most: float | None = None
  above: float | None = None

  def __contains__(self, number):
    return (
      (self.least is None or number >= self.least)
      and (self.most is None or number <= self.most)
      and (self.above is None or number > self.above)
    )

  def __str__(self):
    low = f'>= {self.least}' if self.above is None else f'> {self.above}'
    return low if self.most is None else f'{low} and <= {self.most}'


LARGEST = (2 - 2**-23) * 2.0**127  # number of TensorFlow's float32: beyond are infinity and NaN

Count = Annotated[int, Range(1, 2**31 - 1)]
CountOr0 = Annotated[int, Range(0, 2**31 - 1)]
Pixels = Annotated[int, Range(1, 16384)]
PixelsOr0 = Annotated[int, Range(0, 16384)]
Amount = Annotated[float, Range(0.0)]
Positive = Annotated[float, Range(above=0.0)]
Share = Annotated[float, Range(0.0, 1.0)]


def check(options: Any, name: str):
  """Checks the fields of a dataclass, in its `__post_init__`, and makes tuples of lists, as gin and JSON bring them.

  Args:
    options: an instance; only the fields that its own class annotates are looked at.
    name: what people call the class, in gin or on the command line.

  Raises:
    UserError: a field is not of its type, or out of its range; what is infinite in float32, and NaN, are no numbers.
  """
  for field, hint in inspect.get_annotations(type(options)).items():
    value = getattr(options, field)
    if not _fits(hint, value):
      raise UserError(f'{name}.{field} is {files.shortened(repr(value))}; expected {_expected(hint)}')
    if isinstance(value, list):
      object.__setattr__(options, field, tuple(value))


def _fits(hint, value):
  origin, arguments = typing.get_origin(hint), typing.get_args(hint)
  if origin is Annotated:
    kind, *ranges = arguments
    return _fits(kind, value) and all(value in allowed for allowed in ranges)
  if origin in (types.UnionType, typing.Union):
    return any(_fits(one, value) for one in arguments)
  if origin is typing.Literal:
    return any(value == one and type(value) is type(one) for one in arguments)
  if origin is tuple and arguments[-1] is not Ellipsis:
    return isinstance(value, (tuple, list)) and len(value) == len(arguments) and all(map(_fits, arguments, value))
  if origin in (tuple, Sequence):
    return isinstance(value, (tuple, list)) and all(_fits(arguments[0], one) for one in value)
  if origin is Mapping:
    key, one = arguments
    return isinstance(value, Mapping) and all(_fits(key, k) and _fits(one, v) for k, v in value.items())
  if hint is None or hint is types.NoneType:
    return value is None
  if hint is float:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST
  return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))


def _expected(hint):
  origin, arguments = typing.get_origin(hint), typing.get_args(hint)
  if origin is Annotated:
    return ' '.join(map(str, (_expected(arguments[0]), *arguments[1:])))
  if origin in (types.UnionType, typing.Union):
    return ' or '.join(map(_expected, arguments))
  if origin is typing.Literal:
    return ' or '.join(map(str, arguments))
  if origin is tuple and arguments[-1] is not Ellipsis:
    return f'({", ".join(map(_expected, arguments))})'
  if origin in (tuple, Sequence):
    return f'a list, each {_expected(arguments[0])}'
  if origin is Mapping:
    return f'{{{_expected(arguments[0])}: {_expected(arguments[1])}, ...}}'
  named = {bool: 'True or False', int: 'a whole number', float: 'a number', str: 'text', types.NoneType: 'None'}
  return named.get(hint, getattr(hint, '__name__', str(hint)))
