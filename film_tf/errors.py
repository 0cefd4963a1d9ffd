"""Exceptions for a user's mistakes, as opposed to the program's."""


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
