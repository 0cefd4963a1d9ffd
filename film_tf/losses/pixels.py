"""Computes losses of pixels and of flow: each takes a prediction and its batch (`film_tf.keys`), returns a mean."""

from collections.abc import Mapping

import tensorflow as tf

from film_tf import keys, metrics
from film_tf.model import blocks, pyramid
from film_tf.model.warp import inside

_LAPLACIAN_LEVELS = 5
_CENSUS_WINDOW = 7  # pixels

LAPLACIAN_SMALLEST, CENSUS_SMALLEST = 2**_LAPLACIAN_LEVELS, _CENSUS_WINDOW  # height and width of an image


def l1(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Returns the mean absolute difference of the predicted and the true image (paper, section 4.1)."""
  return tf.reduce_mean(tf.abs(prediction[keys.IMAGE] - batch[keys.Y]))


def l2(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Returns the mean squared difference of the predicted and the true image."""
  return tf.reduce_mean((prediction[keys.IMAGE] - batch[keys.Y]) ** 2)


def rms(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Returns the mean over the batch of each image's root mean square difference.

  The mean square is governed by the worst images, mean PSNR by the best; this lies between.
  """
  squares = tf.reduce_mean((prediction[keys.IMAGE] - batch[keys.Y]) ** 2, axis=(1, 2, 3))
  return tf.reduce_mean(tf.sqrt(squares + 1e-6))  # 1e-6: the root has no slope at 0


def ssim(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Returns what structural similarity lacks to 1, of windows of 11x11 pixels (`metrics.ssim`)."""
  return 1.0 - tf.reduce_mean(metrics.ssim(prediction[keys.IMAGE], batch[keys.Y]))


def warped(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Returns the mean absolute difference of both warped images and the true one: it trains flow without fusion.

  What a flow reads beyond the border of an image is no difference.
  """
  time, truth = batch[keys.TIME][:, :, tf.newaxis, tf.newaxis], batch[keys.Y]
  _, height, width, _ = blocks.dynamic_shape(truth)
  differences = []
  for key, flow in [
    (keys.X0_WARPED, time * prediction[keys.BACKWARD_FLOW_PYRAMID][0]),
    (keys.X1_WARPED, (1.0 - time) * prediction[keys.FORWARD_FLOW_PYRAMID][0]),
  ]:
    differences.append(tf.reduce_mean(inside(flow, height, width) * tf.abs(prediction[key] - truth)))
  return tf.add_n(differences) / 2.0


def flow(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Returns the mean distance of the predicted from the true flow, over all fusion levels and both directions.

  In pixels of each level; 0 where the true flow is not known, which is NaN. Synthetic scenes know it. Not in the paper,
  which needs none.
  """
  forward = _distance(prediction[keys.FORWARD_FLOW_PYRAMID], batch[keys.FORWARD_FLOW])
  return (forward + _distance(prediction[keys.BACKWARD_FLOW_PYRAMID], batch[keys.BACKWARD_FLOW])) / 2.0


def middle_flow(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Returns the mean distance of the predicted flow from the true motion of what the middle shows, as `flow`.

  That is the flow by which images are warped, and the only one that a bilateral flow pyramid estimates.
  """
  forward = _distance(prediction[keys.FORWARD_FLOW_PYRAMID], batch[keys.MIDDLE_FLOW])
  return (forward + _distance(prediction[keys.BACKWARD_FLOW_PYRAMID], -batch[keys.MIDDLE_FLOW])) / 2.0


def _distance(levels, truth):
  """Returns the mean distance of flows from the true one over all levels, 0 where that is NaN."""
  distances = []
  for level in levels:
    off = tf.where(tf.math.is_finite(truth), level - truth, 0.0)
    distances.append(tf.reduce_mean(tf.norm(off + 1e-6, axis=-1)))  # 1e-6: the norm has no slope at 0
    truth = pyramid.average_pool(truth) / 2.0
  return tf.add_n(distances) / len(distances)


def laplacian(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Returns the mean absolute difference of Laplacian pyramids, level i times 2^i (Niklaus and Liu, CVPR 2018).

  Levels are what 2x2 averages lose; the coarsest is the rest. The weights make up for the fewer pixels of a level's
  features. Images have 32 pixels or more both ways.
  """
  difference = prediction[keys.IMAGE] - batch[keys.Y]  # the pyramid is linear
  terms = []
  for i in range(_LAPLACIAN_LEVELS):
    small = pyramid.average_pool(difference)
    large = blocks.upsample_nearest(small)
    _, height, width, _ = blocks.dynamic_shape(large)  # an odd last row or column is in no block
    terms.append(2.0**i * tf.reduce_mean(tf.abs(difference[:, :height, :width] - large)))
    difference = small
  terms.append(2.0**_LAPLACIAN_LEVELS * tf.reduce_mean(tf.abs(difference)))
  return tf.add_n(terms)


def census(prediction: Mapping, batch: Mapping) -> tf.Tensor:
  """Returns the soft Hamming distance of census transforms, which ignore brightness (Meister et al., AAAI 2018).

  Of windows of 7x7 pixels, without those that leave the image.
  """
  a, b = (_census(image) for image in (prediction[keys.IMAGE], batch[keys.Y]))
  squared = (a - b) ** 2
  distance = tf.reduce_sum(squared / (0.1 + squared), axis=-1)
  return tf.reduce_mean((distance**2 + 1e-6) ** 0.45)  # the paper's robust penalty


def _census(image):
  """Returns whether each neighbour is brighter or darker than the pixel, softly, `[B, H-6, W-6, 49]` in (-1, 1)."""
  grey = 255.0 * tf.image.rgb_to_grayscale(image)
  size = [1, _CENSUS_WINDOW, _CENSUS_WINDOW, 1]
  windows = tf.image.extract_patches(grey, size, [1, 1, 1, 1], [1, 1, 1, 1], 'VALID')
  difference = windows - windows[..., _CENSUS_WINDOW**2 // 2, tf.newaxis]
  return difference / tf.sqrt(0.81 + difference**2)
