import threading
import time

import pytest

from film_tf.prefetch import prefetch


def test_items_come_in_order():
  assert list(prefetch(iter(range(100)), 3)) == list(range(100))
  assert list(prefetch([])) == []


def test_so_many_are_made_ahead_and_no_more():
  made = []
  items = prefetch((made.append(i) or i for i in range(20)), 3)
  assert next(items) == 0
  deadline = time.monotonic() + 5
  while len(made) < 4 and time.monotonic() < deadline:
    time.sleep(0.01)
  time.sleep(0.1)
  assert 4 <= len(made) <= 5  # the one asked for, three that wait, and one that waits for room


def test_what_goes_wrong_is_raised_where_it_is_asked_for():
  def broken():
    yield 1
    raise KeyError('two')

  items = prefetch(broken())
  assert next(items) == 1
  with pytest.raises(KeyError, match='two'):
    next(items)


def test_the_thread_ends_when_nobody_asks_any_more():
  before = threading.active_count()
  items = prefetch(iter(int, 1), 2)  # zeros without end
  assert next(items) == 0
  items.close()
  assert threading.active_count() == before
