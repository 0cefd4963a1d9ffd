"""Losses of VGG-19 features (paper, section 4.1). Predictions and batches carry their features under `keys.VGG`."""

from collections.abc import Mapping

import tensorflow as tf

from film_tf import keys

LAYER_WEIGHTS = (1.0 / 2.6, 1.0 / 4.8, 1.0 / 3.7, 1.0 / 5.6, 10.0 / 1.5)  # conv1_2 to conv5_2


def vgg(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Returns the weighted sum of the mean absolute differences of features, divided by 255."""
  pairs = zip(LAYER_WEIGHTS, prediction[keys.VGG], batch[keys.VGG], strict=True)
  return tf.add_n([weight * tf.reduce_mean(tf.abs(a - b)) for weight, a, b in pairs]) / 255.0


def style(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Returns the weighted sum of the mean squared differences of Gram matrices, of features divided by 255."""
  pairs = zip(LAYER_WEIGHTS, prediction[keys.VGG], batch[keys.VGG], strict=True)
  return tf.add_n([weight * tf.reduce_mean((gram(a / 255.0) - gram(b / 255.0)) ** 2) for weight, a, b in pairs])


def gram(features: tf.Tensor) -> tf.Tensor:
  """Returns the Gram matrix F^T F / (H W), `[B, C, C]`, of features `[B, H, W, C]`."""
  pixels = tf.cast(tf.shape(features)[1] * tf.shape(features)[2], features.dtype)
  return tf.einsum('bhwc,bhwd->bcd', features, features) / pixels
