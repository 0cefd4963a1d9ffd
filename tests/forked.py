"""Commands without the seconds in which TensorFlow is loaded: forked from a process that has imported it."""

import multiprocessing
import os
import pathlib
import runpy
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Keras is loaded by its name in TensorFlow 2.21 or in 2.15; what cannot be imported is left out. Nothing of ours.
LIBRARIES = ['tensorflow', 'keras._tf_keras.keras', 'keras.api._v2.keras', 'tensorflow_datasets', 'tensorboard', 'av']

_processes = multiprocessing.get_context('forkserver')
_processes.set_forkserver_preload(LIBRARIES)


def command(module: str, *words: str, cwd, **environment: str) -> subprocess.CompletedProcess:
  """Runs `python -m module ...` in folder `cwd`, in a new process in which only TensorFlow and the like are loaded."""
  with tempfile.TemporaryDirectory() as folder:
    told = [pathlib.Path(folder) / name for name in ('stdout', 'stderr')]
    process = start(module, *words, cwd=cwd, told=told, **environment)
    process.join()
    return subprocess.CompletedProcess([module, *words], process.exitcode, *(path.read_text() for path in told))


def start(module: str, *words: str, cwd, told, **environment: str) -> multiprocessing.Process:
  """Starts what `command` does; its stdout and stderr are added to the two files `told`."""
  environment = {**os.environ, 'PYTHONPATH': str(ROOT), **environment}
  process = _processes.Process(target=_run, args=(module, list(map(str, words)), str(cwd), environment, told))
  process.start()
  return process


def _run(module, words, cwd, environment, told):
  """Becomes the command: its own streams, folder, environment and arguments."""
  for stream, path in zip((1, 2), told, strict=True):
    os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND), stream)
  os.chdir(cwd)
  os.environ.clear()
  os.environ.update(environment)
  sys.argv, sys.orig_argv = [module, *words], [sys.executable, '-m', module, *words]
  sys.path.insert(0, cwd)
  runpy.run_module(module, run_name='__main__', alter_sys=True)
