import pytest
import tensorflow as tf

from film_tf.losses import schedule
from tests.conftest import compiled, eagerly


@pytest.mark.parametrize('way', [eagerly, compiled])
def test_a_weight_holds_from_its_step_on(way):
  weights = {0: 1.0, 10: 0.25, 20: 3.0}
  for step, expected in [(0, 1.0), (9, 1.0), (10, 0.25), (19, 0.25), (20, 3.0), (10**12, 3.0)]:
    assert way(lambda s: schedule.value(weights, s), tf.constant(step, tf.int64)) == expected
  assert schedule.value(0.5, 7) == 0.5


@pytest.mark.parametrize(
  'wrong',
  [-1.0, '1', True, {}, {5: 1.0}, {0: 1.0, -1: 2.0}, {0: 'a'}, {0: 1.0, 2.5: 1.0}, {0: 1.0, 2**70: 1.0}, 1e39, None],
)
def test_wrong_schedules_say_what_is_expected(wrong):
  assert 'expected' in schedule.problem(wrong)
