"""Makes items ahead of time, in a thread of its own."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import Any

_END = object()


def prefetch(items: Iterable, count: int = 4) -> Generator:
  """Yields the same items, of which up to `count` are made before they are asked for; an exception comes in its turn.

  Closing it closes `items`, where these are a generator.
  """
  made: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(count)
  stopped = threading.Event()

  def make():
    last: tuple[Any, BaseException | None] = (_END, None)
    try:
      for item in items:
        if not _put(made, (item, None), stopped):
          return
    except BaseException as error:  # handed on to who asks
      last = (_END, error)
    finally:
      if hasattr(items, 'close'):  # a generator, which may have a thread of its own
        items.close()
    _put(made, last, stopped)

  thread = threading.Thread(target=make, daemon=True)
  thread.start()
  try:
    while True:
      item, error = made.get()
      if error:
        raise error
      if item is _END:
        return
      yield item
  finally:
    stopped.set()
    thread.join()


def _put(made, item, stopped):
  """Returns whether there was room for it before all was stopped."""
  while not stopped.is_set():
    try:
      made.put(item, timeout=0.1)
      return True
    except queue.Full:
      continue
  return False
