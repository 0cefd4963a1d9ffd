"""What a run shows in TensorBoard."""

from collections.abc import Mapping

import tensorflow as tf

from film_tf import keys

_EXAMPLES = 4  # rows in a strip


class Summaries:
  """Writes event files to `folder`."""

  def __init__(self, folder: str):
    self._writer = tf.summary.create_file_writer(folder)

  def scalars(self, values: Mapping, step: int):
    """Writes scalars by name."""
    with self._writer.as_default(step):
      for name, value in values.items():
        tf.summary.scalar(name, value)

  def strip(self, batch: Mapping, prediction: Mapping, step: int):
    """Writes one picture with a row an example: x0, prediction, truth, x1, absolute error."""
    image = tf.clip_by_value(prediction[keys.IMAGE], 0.0, 1.0)
    columns = [batch[keys.X0], image, batch[keys.Y], batch[keys.X1], tf.abs(image - batch[keys.Y])]
    rows = tf.concat([column[:_EXAMPLES] for column in columns], axis=2)
    with self._writer.as_default(step):
      tf.summary.image('x0, prediction, truth, x1, error', tf.concat(tf.unstack(rows), axis=0)[tf.newaxis])

  def close(self):
    self._writer.close()
