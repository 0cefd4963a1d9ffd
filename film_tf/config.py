"""Configures a run by gin files and bindings, and records what was in force."""

import difflib
import graphlib
import importlib.metadata
import os
import pathlib
import platform
import re
import shlex
import sys
import time
import tokenize
from collections.abc import Sequence

import gin
from absl import flags, logging

import film_tf
from film_tf import files
from film_tf.errors import UserError

GIN_CONFIGS = flags.DEFINE_multi_string(
  'gin_configs', [], 'Gin file, in this folder or of film_tf (gin/film_mini.gin). Repeat it, or separate by commas.'
)
GIN_BINDINGS = flags.DEFINE_multi_string(
  'gin_bindings', [], "One binding that overrides the files, such as 'train.steps = 1000'. Repeat it for more."
)

_PACKAGE = pathlib.Path(__file__).resolve().parent


def search_path() -> list[pathlib.Path]:
  """Returns where gin files and their includes are looked for: here, then in film_tf's own folder `gin`."""
  checkout = _PACKAGE.parent
  home = checkout if (checkout / 'gin' / 'film_l1.gin').is_file() else _PACKAGE  # a wheel carries gin/ inside film_tf/
  return [pathlib.Path(), home, home / 'gin']


def configs_of_flags() -> list[str]:
  """Returns the files that `--gin_configs` names, without loading what they configure.

  Raises:
    UserError: there is none, or one is missing.
  """
  configs = [name for value in GIN_CONFIGS.value for name in value.split(',') if name]
  if not configs:
    raise UserError(f'no configuration; give --gin_configs, film_tf has {_ours()}')
  return [_find(name) for name in configs]


def parse_flags():
  """Parses what `--gin_configs` and `--gin_bindings` say; see `parse`."""
  parse(configs_of_flags(), GIN_BINDINGS.value)


def parse(configs: Sequence[str], bindings: Sequence[str] = ()):
  """Configures every gin configurable, strictly.

  Args:
    configs: gin files, later ones override earlier ones.
    bindings: single bindings, which override the files.

  Raises:
    UserError: a file is missing, cannot be parsed, or names a configurable or a parameter that does not exist.
  """
  for folder in search_path()[1:]:
    gin.add_config_file_search_path(str(folder))
  paths = [_find(name) for name in configs]
  verbosity = logging.get_verbosity()
  logging.set_verbosity(logging.FATAL)  # gin logs an error for every folder in which it does not find an include
  try:
    for path in paths:
      _parse(gin.parse_config_file, path)
    for binding in bindings:
      _parse(gin.parse_config, binding)
    _finalize()
  finally:
    logging.set_verbosity(verbosity)


def save_operative(path: str):
  """Writes the values that the run has used so far, as a gin file that repeats it."""
  files.write_text(path, gin.operative_config_str())


def save_command(path: str, note: str):
  """Adds to a file when, how and with which versions a run was started; each start is an entry."""
  now = time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())
  words = files.legible(shlex.join(['python', *sys.orig_argv[1:]]))
  packages = {'TensorFlow': sys.modules['tensorflow'].__version__}
  packages |= {name: importlib.metadata.version(name.lower()) for name in ('Keras', 'NumPy')}
  versions = ', '.join(f'{name} {version}' for name, version in packages.items())
  system = files.file_system(path)
  before = ''
  if system.exists(path):
    with system.GFile(path, 'rb') as file:
      before = file.read().decode('utf-8', 'backslashreplace')
  about = f'film_tf {film_tf.__version__}, {versions}, Python {platform.python_version()}'
  files.write_text(path, f'{before}{now} UTC, {note}\n  {words}\n  {about}\n')


def _find(name):
  for folder in search_path():
    if (folder / name).is_file():
      return str(folder / name)
  files.check_no_pipe(name)
  system = files.file_system(name)
  if system.exists(name) and not system.isdir(name):  # gs://
    return name
  raise UserError(f'no gin file {name} in {os.getcwd()} or in film_tf; film_tf has {_ours(name)}')


def _ours(name=''):
  """Returns the names of what comes with film_tf: what is nearly called `name`, or else the experiments."""
  _, home, folder = search_path()
  near = difflib.get_close_matches(name, [str(path.relative_to(home)) for path in folder.rglob('*.gin')], cutoff=0.8)
  return ', '.join(near or sorted(str(path.relative_to(home)) for path in folder.glob('*.gin')))


def _parse(function, source):
  """Calls a function of gin's; an error says in one line what is wrong with `source`."""
  try:
    function(source)
  except RecursionError as error:
    why = 'includes itself, perhaps through others, or has too many brackets in each other'
    raise UserError(f'gin cannot use this: {files.shortened(source)} {why}') from error
  except (ValueError, SyntaxError, OSError, TypeError, ImportError, AttributeError, tokenize.TokenError) as error:
    message = files.shortened(str(error))
    raise UserError(f'gin cannot use {files.shortened(repr(source))}: {message}{_suggestion(message)}') from error


def _finalize():
  """Locks the configuration; says where a value is missing, asks for itself, or is for nothing."""
  scoped = [f'{scope}/{name.rpartition(".")[2]}' for scope, name in gin.config._CONFIG if scope and name != 'gin.macro']
  if scoped:
    raise UserError(f'nothing reads {scoped[0]}, which has a scope; write {scoped[0].rpartition("/")[2]}')
  try:
    gin.finalize()
  except ValueError as error:
    missing = re.search("No bindings specified for '(.+?)(/gin.macro)?'", str(error))
    said = f'nothing says what %{missing[1]} is' if missing else files.reason(error)
    raise UserError(f'gin cannot use this configuration: {said}') from error
  parts = {  # gin has no public list of these either
    key: {part.config_key for part in gin.config.iterate_references(values) if part.evaluate}
    for key, values in gin.config._CONFIG.items()
  }
  try:
    graphlib.TopologicalSorter(parts).prepare()
  except graphlib.CycleError as error:
    loop = ' of '.join(scope if name == 'gin.macro' else name.rpartition('.')[2] for scope, name in error.args[1])
    raise UserError(f'gin cannot use this configuration: a value is made of itself, {loop}') from error


def _suggestion(message):
  """Returns a hint at the nearest configurable, where gin knows none of the name."""
  unknown = re.search("No configurable matching '(.+?)'", message)
  known = [selector.rpartition('.')[2] for selector, _ in gin.config._REGISTRY.items()]  # gin has no public list
  near = difflib.get_close_matches(unknown[1], known, n=1) if unknown else []
  return f' Did you mean {near[0]}?' if near else ''
