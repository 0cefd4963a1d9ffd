"""Commands without the seconds in which TensorFlow is loaded: forked from a process that has imported it."""

import multiprocessing
import os
import pathlib
import runpy
import subprocess
import sys
import tempfile
import weakref

import tensorflow

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Keras is loaded by its name in TensorFlow 2.21 or in 2.15; what cannot be imported is left out. Nothing of ours.
LIBRARIES = ['tensorflow', 'keras._tf_keras.keras', 'keras.api._v2.keras', 'tensorflow_datasets', 'tensorboard', 'av']

processes = multiprocessing.get_context('forkserver')
processes.set_forkserver_preload(LIBRARIES)


class Process:
  """A running `python -m module ...` that can be sent signals: what tests need of `subprocess.Popen`.

  Args:
    module: what is run.
    words: its arguments.
    cwd: the folder that it runs in.
    environment: variables that are set for it.
  """

  def __init__(self, module: str, *words: str, cwd, **environment: str):
    self._folder = tempfile.TemporaryDirectory()
    self._files = [pathlib.Path(self._folder.name) / name for name in ('stdout', 'stderr')]
    self._process = start(module, *words, cwd=cwd, told=self._files, **environment)
    self.pid = self._process.pid
    weakref.finalize(self, self._process.kill)  # where a test fails

  @property
  def returncode(self) -> int | None:
    return self._process.exitcode

  poll = returncode.fget

  def told(self) -> str:
    """Returns what it has said on stderr until now."""
    return self._files[1].read_text() if self._files[1].exists() else ''

  def send_signal(self, number: int):
    if self.poll() is None:
      os.kill(self.pid, number)

  def communicate(self, timeout: float | None) -> tuple[str, str]:
    """Waits for its end, and returns its stdout and stderr."""
    self._process.join(timeout)
    if self.poll() is None:
      raise subprocess.TimeoutExpired(f'process {self.pid}, which says {self.told()}', timeout)
    return self._files[0].read_text(), self.told()


def command(module: str, *words: str, cwd, **environment: str) -> subprocess.CompletedProcess:
  """Runs `python -m module ...` in folder `cwd`, in a new process in which only TensorFlow and the like are loaded."""
  process = Process(module, *words, cwd=cwd, **environment)
  told = process.communicate(None)
  return subprocess.CompletedProcess([module, *words], process.returncode, *told)


def start(module: str, *words: str, cwd, told, **environment: str) -> multiprocessing.Process:
  """Starts what `command` does; its stdout and stderr are added to the two files `told`."""
  environment = {**os.environ, 'PYTHONPATH': str(ROOT), **environment}
  process = processes.Process(target=become, args=(module, list(map(str, words)), str(cwd), environment, told))
  process.start()
  return process


def logical_cpus(count: int):
  """Makes the processor several devices, before TensorFlow has used it."""
  logical = [tensorflow.config.LogicalDeviceConfiguration()] * count
  tensorflow.config.set_logical_device_configuration(tensorflow.config.list_physical_devices('CPU')[0], logical)


def become(module, words, cwd, environment, told):
  """Becomes the command: its own streams, folder, environment and arguments."""
  for stream, path in zip((1, 2), told, strict=True):
    os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND), stream)
  os.chdir(cwd)
  os.environ.clear()
  os.environ.update(environment)
  sys.argv, sys.orig_argv = [module, *words], [sys.executable, '-m', module, *words]
  sys.path.insert(0, cwd)
  # A fifth of the time of a short training. Graphs that TensorFlow has rewritten run in pytest's own processes.
  tensorflow.config.optimizer.set_experimental_options({'disable_meta_optimizer': True})
  runpy.run_module(module, run_name='__main__', alter_sys=True)
