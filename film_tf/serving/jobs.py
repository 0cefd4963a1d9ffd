"""Keeps a server's jobs: one is made at a time, some wait, and results are kept for a while."""

import collections
import contextlib
import dataclasses
import os
import secrets
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from film_tf.errors import UserError
from film_tf.serving.limits import Limits

WAITING, RUNNING, DONE, FAILED, CANCELLED = STATES = ('waiting', 'running', 'done', 'failed', 'cancelled')
_RUNS_REMEMBERED = 8  # whose time says how long others take
_UNKNOWN = 10.0  # seconds of a job, where none has been made yet
_ENDING = 'the server is ending'


class QueueFullError(Exception):
  """As many jobs as may are made or wait, `busy`; in `retry_after` seconds there may be room."""

  def __init__(self, busy: int, retry_after: int):
    super().__init__(f'{busy} jobs are made or wait')
    self.busy, self.retry_after = busy, retry_after


class StoppedError(Exception):
  """Nobody waits for a job any more."""


@dataclasses.dataclass(eq=False)
class Job:
  """Two photos, and what is made of them in `folder`.

  Attributes:
    done: frames that are there, of `total`, given ones included.
    files: paths of what has been made, by name.
    error: why it failed, and the HTTP status that says so.
    attended: whether a request waits for it; else somebody has to ask about it now and then.
  """

  id: str
  folder: str
  photos: Sequence[str]
  times: int
  formats: Sequence[str]
  fps: Fraction
  attended: bool = False
  state: str = WAITING
  done: int = 0
  error: tuple[int, str] | None = None
  files: dict[str, str] = dataclasses.field(default_factory=dict)
  begun: float = 0.0
  ended: float = 0.0
  asked: float = dataclasses.field(default_factory=time.monotonic)

  @property
  def total(self) -> int:
    """How many frames there will be."""
    return 2**self.times + 1

  @property
  def is_over(self) -> bool:
    """Whether it has a result, or will have none."""
    return self.state not in (WAITING, RUNNING)

  def progress(self, done: int, total: int | None = None):
    """Notes how many frames there are.

    Raises:
      StoppedError: nobody waits for it.
    """
    self.done = done
    self.check()

  def told(self, message: str) -> str:
    """Returns a message without the server's folders: `first` and `second` are the photos."""
    return message.replace(f'{self.folder}{os.sep}', '')

  def check(self):
    """Raises `StoppedError` where nobody waits for it."""
    if self.state != RUNNING:
      raise StoppedError


class Jobs:
  """The jobs of a server, and the thread that makes them.

  Args:
    folder: for all files; whoever made it removes it, after `close`.
    make: makes a job's `files`, and calls its `progress` now and then.
    limits: of the server.
    prepare: is called in the thread before the first job.
  """

  def __init__(
    self, folder: str, make: Callable[[Job], None], limits: Limits, prepare: Callable[[], object] = lambda: None
  ):
    self._folder, self._make, self._limits, self._prepare = folder, make, limits, prepare
    self._jobs: dict[str, Job] = {}  # in the order in which they came
    self._uploads, self._closed = 0, False
    self._seconds: collections.deque[float] = collections.deque(maxlen=_RUNS_REMEMBERED)
    self._current: Job | None = None
    self._changed = threading.Condition(threading.RLock())
    self._thread = threading.Thread(target=self._work, daemon=True)
    self._thread.start()

  @contextlib.contextmanager
  def place(self) -> Iterator[str]:
    """Yields an empty folder for a job that arrives, which has its place in the queue from now on.

    The folder is removed at the end, unless `add` has made it a job's.

    Raises:
      QueueFullError: there is no place.
    """
    with self._changed:
      if self.busy > self._limits.queue:
        raise QueueFullError(self.busy, max(1, round(self.seconds)))
      self._uploads += 1
    name = secrets.token_urlsafe(16)
    folder = os.path.join(self._folder, name)
    try:
      os.mkdir(folder)
      yield folder
    finally:
      with self._changed:
        self._uploads -= 1
        if name not in self._jobs:
          shutil.rmtree(folder, ignore_errors=True)

  def add(self, job: Job):
    """Lets a job wait for its turn."""
    with self._changed:
      self._jobs[job.id] = job
      if self._closed:
        self._end(job, FAILED, (503, _ENDING))
      self._changed.notify()

  def find(self, name: str) -> Job | None:
    """Returns a job, and notes that somebody asks about it."""
    with self._changed:
      job = self._jobs.get(name)
      if job:
        job.asked = time.monotonic()
      return job

  def position(self, job: Job) -> int:
    """Returns how many others come before a job."""
    with self._changed:
      others = [other for other in self._jobs.values() if not other.is_over]
      return others.index(job) if job in others else 0

  @property
  def busy(self) -> int:
    """How many jobs are made, wait or arrive."""
    with self._changed:
      return self._uploads + sum(not job.is_over for job in self._jobs.values())

  @property
  def seconds(self) -> float:
    """About how long a job takes."""
    return sum(self._seconds) / len(self._seconds) if self._seconds else _UNKNOWN

  def remove(self, job: Job):
    """Forgets a job and removes its files, now or where it is being made, as soon as that has stopped."""
    with self._changed:
      self._jobs.pop(job.id, None)
      if not job.is_over:
        self._end(job, CANCELLED)
      if job is not self._current:
        shutil.rmtree(job.folder, ignore_errors=True)

  def sweep(self):
    """Ends jobs that take too long or that nobody asks about, and removes old results."""
    limits, now = self._limits, time.monotonic()
    with self._changed:
      for job in list(self._jobs.values()):
        if job.state == RUNNING and now - job.begun > limits.timeout:
          self._end(job, FAILED, (504, f'it took longer than {limits.timeout:g} s; send smaller photos or fewer times'))
        if not job.is_over and not job.attended and now - job.asked > limits.patience:
          self.remove(job)
        if job.is_over and not job.attended and now - job.ended > limits.keep:
          self.remove(job)
      made = [job for job in self._jobs.values() if job.state == DONE and not job.attended]
      for job in sorted(made, key=lambda job: job.ended)[: -limits.results or None]:
        self.remove(job)

  def stop(self):
    """Ends all jobs that have no result, and takes no more."""
    with self._changed:
      self._closed = True
      for job in self._jobs.values():
        if not job.is_over:
          self._end(job, FAILED, (503, _ENDING))
      self._changed.notify()

  def close(self, within: float) -> bool:
    """Ends the thread; returns whether it did so within some seconds. It cannot stop in the middle of a frame."""
    self.stop()
    self._thread.join(within)
    return not self._thread.is_alive()

  def _end(self, job, state, error=None):
    job.state, job.error, job.ended = state, error, time.monotonic()

  def _next(self):
    """Returns the next job, once there is one; None at the end."""
    with self._changed:
      while True:
        if self._closed:
          return None
        job = next((job for job in self._jobs.values() if job.state == WAITING), None)
        if job:
          job.state, job.begun, self._current = RUNNING, time.monotonic(), job
          return job
        self._changed.wait()

  def _work(self):
    try:
      self._prepare()
    except Exception:  # each job says for itself what is wrong
      traceback.print_exc(file=sys.stderr)
    while job := self._next():
      state, error = DONE, None
      try:
        self._make(job)
      except StoppedError:
        state = CANCELLED
      except UserError as problem:
        state, error = FAILED, (422, job.told(problem.message))
      except Exception:  # the server goes on with the next
        traceback.print_exc(file=sys.stderr)
        state, error = FAILED, (500, 'this server failed; its log says why')
      with self._changed:
        self._current = None
        if job.state == RUNNING:
          self._end(job, state, error)
          self._seconds.append(job.ended - job.begun)
        if job.id not in self._jobs or job.state != DONE:
          shutil.rmtree(job.folder, ignore_errors=True)
