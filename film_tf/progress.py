"""Shows progress: a bar on a terminal, a line now and then where output goes to a file."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

import tqdm

Progress = Callable[[int, int | None], None]  # called with the number of frames that are done, and of all, about
_SECONDS = 30  # between two lines


@contextlib.contextmanager
def shown(name: str, total: int | None) -> Iterator[Progress]:
  """Yields what is to be called after every frame, on stderr.

  Args:
    name: of what is made.
    total: frames in all, about; None where nobody knows, and then there is no time left either.
  """
  if sys.stderr is not None and sys.stderr.isatty():
    with _bar(total) as progress:
      yield progress
  else:
    yield _lines(name)


@contextlib.contextmanager
def _bar(total):
  with tqdm.tqdm(total=total, unit='frame', mininterval=0.5, smoothing=0.1, delay=0.001) as bar:

    def progress(done, total):
      if not bar.n:
        bar.initial = bar.n = done  # of a resumed work, what is finished does not count as speed
      bar.update(done - bar.n)

    yield progress
    bar.total = bar.n  # the estimate was about right, this is exact


def _lines(name):
  begun = last = time.monotonic()
  first = None

  def progress(done, total):
    nonlocal last, first
    now = time.monotonic()
    first = done if first is None else first
    if now - last < _SECONDS:
      return
    last = now
    rate = (done - first) / (now - begun)
    left = f', about {tqdm.tqdm.format_interval((total - done) / rate)} left' if total and rate else ''
    print(f'{name}: {done} of about {total or "an unknown number of"} frames{left}', file=sys.stderr, flush=True)

  return progress
