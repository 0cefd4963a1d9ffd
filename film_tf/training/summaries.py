"""Writes what a run shows in TensorBoard."""

import functools
import sys
from collections.abc import Callable, Mapping

import tensorflow as tf

from film_tf import files, keys
from film_tf.errors import UserError


def _for_what_it_is_worth(write: Callable) -> Callable:
  """Makes a method of `Summaries` that tells of the first failure, and then writes nothing any more."""

  @functools.wraps(write)
  def tried(self, *args):
    try:
      if self._writer:
        write(self, *args)
    except tf.errors.OpError as error:
      self._writer = None
      print(f'nothing more goes to TensorBoard, {self._folder}: {files.reason(error)}', file=sys.stderr)

  return tried


class Summaries:
  """Writes event files to `folder`; without one, nothing, as workers that are not the chief.

  No training ends for them: where they cannot be written, on a full disk, that is told and they are left out.

  Raises:
    UserError: the folder cannot be written at the start.
  """

  def __init__(self, folder: str | None):
    self._folder = folder
    try:
      self._writer = tf.summary.create_file_writer(folder) if folder else None
      if self._writer:
        self._writer.init()
    except tf.errors.OpError as error:
      raise UserError(f'cannot write {folder}: {files.reason(error)}') from error

  @_for_what_it_is_worth
  def scalars(self, values: Mapping, step: int):
    """Writes scalars by name."""
    with self._writer.as_default(step):
      for name, value in values.items():
        tf.summary.scalar(name, value)

  @_for_what_it_is_worth
  def strip(self, batch: Mapping, prediction: Mapping, step: int):
    """Writes one picture with a row an example: x0, prediction, truth, x1, absolute error."""
    image = tf.clip_by_value(prediction[keys.IMAGE], 0.0, 1.0)
    columns = [batch[keys.X0], image, batch[keys.Y], batch[keys.X1], tf.abs(image - batch[keys.Y])]
    with self._writer.as_default(step):
      tf.summary.image('x0, prediction, truth, x1, error', _sheet(columns))
      if keys.X0_WARPED in prediction:
        flows = [colour(prediction[key][0]) for key in (keys.FORWARD_FLOW_PYRAMID, keys.BACKWARD_FLOW_PYRAMID)]
        warped = [prediction[keys.X0_WARPED], prediction[keys.X1_WARPED]]
        tf.summary.image('flow forward, backward, x0 warped, x1 warped', _sheet([*flows, *warped]))

  @_for_what_it_is_worth
  def close(self):
    """Writes out what is buffered."""
    self._writer.close()


def colour(flow: tf.Tensor) -> tf.Tensor:
  """Draws flow `[B, H, W, 2]` in colours `[B, H, W, 3]` in [0, 1]: hue is direction, saturation is length."""
  length = tf.norm(flow, axis=-1)
  largest = tf.reduce_max(length, axis=(1, 2), keepdims=True)
  hue = tf.math.floormod(tf.atan2(flow[..., 1], flow[..., 0]) / 6.283185307, 1.0)
  return tf.image.hsv_to_rgb(tf.stack([hue, tf.math.divide_no_nan(length, largest), tf.ones_like(hue)], axis=-1))


def _sheet(columns):
  """Returns one picture `[1, B H, n W, 3]` of n columns `[B, H, W, 3]`."""
  return tf.concat(tf.unstack(tf.concat(columns, axis=2)), axis=0)[tf.newaxis]
