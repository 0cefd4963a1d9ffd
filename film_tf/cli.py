"""What all commands share: flags, and errors for people."""

import importlib
import os
import runpy
import sys
import tempfile
from collections.abc import Callable

from absl import app, flags, logging

from film_tf.errors import UserError


def _load_tensorflow():
  """Imports TensorFlow without its notes on the machine, which would bury our one line.

  Its libraries write them to stderr while they load, whatever the log level (2.21). What is no note is passed on.
  """
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  with tempfile.TemporaryFile() as notes:
    stderr = os.dup(2)
    os.dup2(notes.fileno(), 2)
    try:
      return importlib.import_module('tensorflow')
    finally:
      os.dup2(stderr, 2)
      os.close(stderr)
      notes.seek(0)
      os.write(2, b''.join(line for line in notes if not line.startswith((b'I0000', b'WARNING: All log messages'))))


tensorflow = _load_tensorflow()


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
    except KeyboardInterrupt as error:
      print(str(error) or 'interrupted', file=sys.stderr)
      sys.exit(130)

  app.run(guarded, flags_parser=_parse)


def fail(message: str):
  """Prints one line and exits with 2."""
  print(f'{_name()}: {message}', file=sys.stderr)
  tensorflow.get_logger().setLevel('ERROR')  # or it mourns a checkpoint that was not restored to the end
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


def preview():
  """Console script."""
  runpy.run_module('film_tf.preview', run_name='__main__', alter_sys=True)


def interpolate():
  """Console script."""
  runpy.run_module('film_tf.interpolate', run_name='__main__', alter_sys=True)


def export():
  """Console script."""
  runpy.run_module('film_tf.export', run_name='__main__', alter_sys=True)
