"""What all commands share: flags, and errors for people."""

import os
import runpy
import sys
from collections.abc import Callable

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')  # TensorFlow's notes on the machine would bury ours

from absl import app, flags, logging

from film_tf.errors import UserError


def run(main: Callable[[list[str]], None]):
  """Parses flags and calls `main` with the words that are none.

  Exits with 2 and one line on a mistake of the user's, and with 130 when interrupted.
  """

  def guarded(argv):
    if not flags.FLAGS['verbosity'].present:
      logging.set_verbosity(logging.WARNING)
    try:
      main(argv[1:])
    except UserError as error:
      fail(error.message)
    except KeyboardInterrupt:
      print('interrupted', file=sys.stderr)
      sys.exit(130)

  app.run(guarded, flags_parser=_parse)


def fail(message: str):
  """Prints one line and exits with 2."""
  print(f'{_name()}: {message}', file=sys.stderr)
  sys.exit(2)


def _parse(argv):
  try:
    return flags.FLAGS(argv)
  except flags.Error as error:
    fail(f'{" ".join(str(error).split())} (see --help)')


def _name():
  spec = getattr(sys.modules['__main__'], '__spec__', None)
  return spec.name if spec else os.path.basename(sys.argv[0])


def train():
  """Console script."""
  runpy.run_module('film_tf.train', run_name='__main__', alter_sys=True)


def interpolate():
  """Console script."""
  runpy.run_module('film_tf.interpolate', run_name='__main__', alter_sys=True)


def export():
  """Console script."""
  runpy.run_module('film_tf.export', run_name='__main__', alter_sys=True)
