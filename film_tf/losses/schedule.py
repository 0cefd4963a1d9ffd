"""Weights that change while a run goes on."""

from collections.abc import Mapping

import tensorflow as tf

from film_tf import fields

Schedule = float | Mapping[int, float]
"""A number, or numbers by the step from which on each holds: `{0: 1.0, 1_500_000: 0.25}`."""


def value(schedule: Schedule, step: tf.Tensor) -> tf.Tensor:
  """Returns the weight at a step, a scalar."""
  if not isinstance(schedule, Mapping):
    return tf.constant(schedule, tf.float32)
  values = tf.constant([schedule[start] for start in sorted(schedule)], tf.float32)
  begun = tf.reduce_sum(tf.cast(tf.cast(step, tf.int64) >= tf.constant(sorted(schedule), tf.int64), tf.int32))
  return tf.gather(values, begun - 1)  # a slice would make XLA take the step for a constant


def problem(schedule) -> str | None:
  """Returns what is wrong with a schedule, or None."""
  if not isinstance(schedule, Mapping):
    return None if _is_weight(schedule) else 'expected a number >= 0, or numbers by step'
  if 0 not in schedule or not all(type(step) is int and 0 <= step < 2**31 for step in schedule):
    return 'expected steps as whole numbers, from 0 on'
  return None if all(map(_is_weight, schedule.values())) else 'expected numbers >= 0'


def is_ever_more_than_0(schedule: Schedule) -> bool:
  """Returns whether it is not 0 all the time."""
  return any(schedule.values()) if isinstance(schedule, Mapping) else bool(schedule)


def _is_weight(number) -> bool:
  return isinstance(number, (int, float)) and not isinstance(number, bool) and 0 <= number <= fields.LARGEST
