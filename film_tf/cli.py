"""Parses flags, prints errors as one line, and loads TensorFlow late and quietly, for all commands."""

import contextlib
import importlib
import io
import os
import re
import runpy
import signal
import sys
import tempfile
import time
from collections.abc import Callable

from absl import app, flags, logging

from film_tf import files
from film_tf.errors import UserError

_TERMINATED = 128 + signal.SIGTERM  # exit code of a process that is asked to end
_AT_ONCE = 1.0  # seconds in which further signals are taken for the same wish, as of a wrapper that passes them on
_asked = []  # when the process was first asked to end


def run(main: Callable[[list[str]], None]):
  """Parses the flags and calls `main` with the arguments that are not flags.

  A command module imports nothing that loads TensorFlow, so that `--help` and mistakes on the command line answer at
  once; `main` calls `load_tensorflow`, then imports the rest.

  Exits with 2 and one line on a user's mistake or where its output cannot be written, with 130 when interrupted, and
  quietly where the reader of its output has gone (`| head`).
  """

  _open_closed_streams()
  if isinstance(sys.stdout, io.TextIOWrapper):
    sys.stdout.reconfigure(errors='backslashreplace')  # as stderr: a name must not end what is done
  sys.stderr = _Messages(sys.stderr)

  def guarded(argv):
    signal.signal(signal.SIGTERM, _stop)
    _check_flags()
    if not flags.FLAGS['verbosity'].present:
      logging.set_verbosity(logging.WARNING)
    if any(re.search(r'(?<!http)(?<!https)://', word) for word in sys.argv[1:]):
      load_tensorflow()  # `files` asks it about these, before main does
    try:
      if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:  # as film_tf has set it while modules were loaded
        signal.signal(signal.SIGINT, _stop)
      main(argv[1:])
    except UserError as error:
      fail(error.message)
    except BrokenPipeError:
      raise
    except OSError as error:
      if error.filename is None:
        sys.stdout.flush()  # which raises where that is what cannot be written
      fail(f'{error.filename or "a file"}: {files.reason(error)}')
    except Exception as error:
      if not _of_the_machine(error):
        raise
      fail(files.reason(error))
    except KeyboardInterrupt as error:
      print(str(error) or 'interrupted', file=sys.stderr)
      sys.exit(130)

  try:
    try:
      app.run(guarded, flags_parser=_parse)
    finally:
      sys.stdout.flush()
  except SystemExit as error:
    if error.code == _TERMINATED:  # all is cleaned up; a thread that reads what never comes must not hold it
      os._exit(_TERMINATED)
    raise
  except BrokenPipeError:
    _print_into_nothing()
    sys.exit(1)
  except OSError as error:
    _print_into_nothing()
    fail(f'cannot write what is printed: {files.reason(error)}')


def _stop(number, frame):
  """Answers Ctrl-C and SIGTERM: by an exception where that removes what is half-written, and else at once.

  TensorFlow swallows exceptions while it builds and traces networks, and goes on. A second signal ends at once, unless
  it comes within a second.
  """
  if _asked and time.monotonic() < _asked[0] + _AT_ONCE:
    return  # an exception while another is on its way may leave a lock closed for ever
  _asked.append(time.monotonic())
  if len(_asked) == 1 and (files.unfinished or 'tensorflow' not in sys.modules):
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(_TERMINATED)
  with contextlib.suppress(RuntimeError, OSError):  # it may just be printing
    sys.stdout.flush()
  with contextlib.suppress(OSError):
    os.write(2, b'interrupted\n' if number == signal.SIGINT else b'')
  os._exit(128 + number)


def _open_closed_streams():
  """Opens nothing in the place of stdin, stdout and stderr where they are closed (`>&-`).

  The next file that is opened would take their number, and get what is printed.
  """
  for number in range(3):
    try:
      os.fstat(number)
    except OSError:
      os.open(os.devnull, os.O_RDWR)  # it takes the lowest number that is free
  sys.stdout = sys.stdout or os.fdopen(1, 'w')
  sys.stderr = sys.stderr or os.fdopen(2, 'w')


class _Messages:
  """Is stderr, but that what a full disk does not hold is lost: a log file must not end hours of work."""

  def __init__(self, stream):
    self._stream = stream

  def __getattr__(self, name):
    return getattr(self._stream, name)

  def write(self, text: str) -> int:
    self._try(self._stream.write, text)
    return len(text)

  def flush(self):
    self._try(self._stream.flush)

  def _try(self, function, *args):
    try:
      function(*args)
    except BrokenPipeError:  # the reader has gone, and with it the wish for the work
      raise
    except OSError:
      pass


def _without_traceback(kind, error, traceback):
  """Is told of exceptions that nobody has caught: Ctrl-C while modules are loaded is one line."""
  if issubclass(kind, KeyboardInterrupt):
    print('interrupted', file=sys.stderr)
  else:
    sys.__excepthook__(kind, error, traceback)


def fail(message: str):
  """Prints one line and exits with 2."""
  print(f'{_name()}: {message}', file=sys.stderr)
  if tensorflow := sys.modules.get('tensorflow'):
    tensorflow.get_logger().setLevel('ERROR')  # or it mourns a checkpoint that was not restored to the end
  sys.exit(2)


def no_arguments(words: list[str]):
  """Raises where arguments are given that are not flags.

  Raises:
    UserError: as said.
  """
  if words:
    raise UserError(f'unexpected arguments {" ".join(words)}; flags start with --')


def _check_flags():
  """Ends where a flag that was given is empty, as an unset shell variable makes it, or NaN, which passes all bounds.

  A shell leaves the ~ of `--output=~/a.png` as it is; it becomes the home folder.
  """
  for flag in flags.FLAGS.get_key_flags_for_module(sys.modules['__main__']):
    if isinstance(flag.value, str) and flag.value.startswith('~/'):
      flag.value = os.path.expanduser(flag.value)
    values = flag.value if isinstance(flag.value, list) else [flag.value]
    if any(value != value for value in values):
      fail(f'--{flag.name} is nan; expected a number')
    if flag.present and (not values or any(isinstance(value, str) and not value.strip() for value in values)):
      required = any('must have a value' in validator.message for validator in flag.validators)
      advice = f'expected: {flag.help.splitlines()[0].rstrip(".;")}' if required else 'give it a value, or leave it out'
      fail(f'--{flag.name} is empty; {advice} (is a shell variable not set?)')


def _of_the_machine(error):
  """Returns whether TensorFlow says by an error that a file, a disk or a network is not as it should be."""
  tensorflow = sys.modules.get('tensorflow')
  names = ('NotFound', 'PermissionDenied', 'FailedPrecondition', 'ResourceExhausted', 'Unavailable', 'Unimplemented',
           'DataLoss', 'DeadlineExceeded', 'Unauthenticated')  # fmt: skip
  return bool(tensorflow) and isinstance(error, tuple(getattr(tensorflow.errors, f'{name}Error') for name in names))


def load_tensorflow():
  """Imports TensorFlow without its notes on the machine, which would bury our one line.

  Its libraries write them to stderr while they load, whatever the log level (2.21). What is no note is passed on.
  """
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  with tempfile.TemporaryFile() as notes:
    stderr = os.dup(2)
    os.dup2(notes.fileno(), 2)
    interrupt = signal.signal(
      signal.SIGINT, lambda number, frame: _leave(stderr)
    )  # imports swallow a KeyboardInterrupt
    try:
      importlib.import_module('tensorflow')
    finally:
      signal.signal(signal.SIGINT, interrupt)
      os.dup2(stderr, 2)
      os.close(stderr)
      notes.seek(0)
      with contextlib.suppress(OSError):
        os.write(2, b''.join(line for line in notes if not line.startswith((b'I0000', b'WARNING: All log messages'))))


def _leave(stderr):
  with contextlib.suppress(OSError):
    os.write(stderr, b'interrupted\n')
  os._exit(130)


def _parse(argv):
  try:
    return flags.FLAGS(argv)
  except flags.Error as error:
    message = ' '.join(str(error).split())
    message = re.sub(r'^flag --(\w+)=None: .*must have a value.*', r'--\1 is missing', message)
    message = re.sub(r'^flag (--\w+=.*): invalid literal for int\(\).*', r'\1 is no whole number', message)
    message = re.sub(r'^flag (--\w+=.*): could not convert string to float.*', r'\1 is no number', message)
    if message == '--output is missing' and len(argv) > 2 and not argv[-1].startswith('-'):
      message += '' if os.path.exists(argv[-1]) else f'; is it --output={argv[-1]}?'
    fail(f'{message} (see --help)')


def _print_into_nothing():
  """Sends what is still buffered into nothing, or Python would complain at its exit."""
  os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _name():
  spec = getattr(sys.modules['__main__'], '__spec__', None)
  return spec.name if spec else os.path.basename(sys.argv[0])


def train():
  """Runs `python -m film_tf.train`, as the console script `film_tf_train`."""
  runpy.run_module('film_tf.train', run_name='__main__', alter_sys=True)


def preview():
  """Runs `python -m film_tf.preview`, as the console script `film_tf_preview`."""
  runpy.run_module('film_tf.preview', run_name='__main__', alter_sys=True)


def interpolate():
  """Runs `python -m film_tf.interpolate`, as the console script `film_tf_interpolate`."""
  runpy.run_module('film_tf.interpolate', run_name='__main__', alter_sys=True)


def export():
  """Runs `python -m film_tf.export`, as the console script `film_tf_export`."""
  runpy.run_module('film_tf.export', run_name='__main__', alter_sys=True)


def convert():
  """Runs `python -m film_tf.convert`, as the console script `film_tf_convert`."""
  runpy.run_module('film_tf.convert', run_name='__main__', alter_sys=True)


def inspect():
  """Runs `python -m film_tf.inspect`, as the console script `film_tf_inspect`."""
  runpy.run_module('film_tf.inspect', run_name='__main__', alter_sys=True)


def serve():
  """Runs `python -m film_tf.serve`, as the console script `film_tf_serve`."""
  runpy.run_module('film_tf.serve', run_name='__main__', alter_sys=True)


sys.excepthook = _without_traceback
