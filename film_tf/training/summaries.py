"""Writes what a run shows in TensorBoard."""

from collections.abc import Mapping

import tensorflow as tf

from film_tf import keys


class Summaries:
  """Writes event files to `folder`; without one, nothing, as workers that are not the chief."""

  def __init__(self, folder: str | None):
    self._writer = tf.summary.create_file_writer(folder) if folder else tf.summary.create_noop_writer()

  def scalars(self, values: Mapping, step: int):
    """Writes scalars by name."""
    with self._writer.as_default(step):
      for name, value in values.items():
        tf.summary.scalar(name, value)

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

  def close(self):
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
