"""Losses of pixels, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from film_tf import metrics
from film_tf.losses import pixels

RANDOM = np.random.default_rng(0)
PREDICTION = {key: RANDOM.random((2, 37, 45, 3), np.float32) for key in ('image', 'x0_warped', 'x1_warped')}
BATCH = {'y': RANDOM.random((2, 37, 45, 3), np.float32)}
DIFFERENCE = PREDICTION['image'] - BATCH['y']


def test_l1_and_l2_are_mean_differences():
  np.testing.assert_allclose(pixels.l1(PREDICTION, BATCH), np.abs(DIFFERENCE).mean(), rtol=1e-5)
  np.testing.assert_allclose(pixels.l2(PREDICTION, BATCH), (DIFFERENCE**2).mean(), rtol=1e-5)


def test_rms_is_the_mean_of_each_images_own():
  expected = np.sqrt((DIFFERENCE**2).mean(axis=(1, 2, 3))).mean()
  np.testing.assert_allclose(pixels.rms(PREDICTION, BATCH), expected, rtol=1e-4)


def test_ssim_is_what_similarity_lacks_to_one():
  expected = 1 - metrics.ssim(PREDICTION['image'], BATCH['y']).numpy().mean()
  np.testing.assert_allclose(pixels.ssim(PREDICTION, BATCH), expected, rtol=1e-5)
  np.testing.assert_allclose(pixels.ssim({'image': BATCH['y']}, BATCH), 0, atol=1e-5)


@pytest.mark.parametrize('loss', [pixels.rms, pixels.ssim])
def test_of_equal_images_the_slope_is_a_number(loss):
  image = tf.constant(BATCH['y'])
  with tf.GradientTape() as tape:
    tape.watch(image)
    value = loss({'image': image}, BATCH)
  assert np.isfinite(tape.gradient(value, image)).all()


def test_warped_is_the_mean_of_both_warped_images_where_they_are_seen():
  still, right = np.zeros((2, 37, 45, 2), np.float32), np.zeros((2, 37, 45, 2), np.float32)
  right[..., 0] = 10.0  # its half reads beyond the last 5 columns
  flows = {'backward_flow_pyramid': [right], 'forward_flow_pyramid': [still]}
  batch = {**BATCH, 'time': np.full((2, 1), 0.5, np.float32)}
  first, second = (np.abs(PREDICTION[key] - BATCH['y']) for key in ('x0_warped', 'x1_warped'))
  first[:, :, -5:] = 0
  np.testing.assert_allclose(pixels.warped({**PREDICTION, **flows}, batch), (first + second).mean() / 2, rtol=1e-5)


def test_flow_is_the_mean_distance_over_levels_and_directions():
  """A flow that is off by (3, 4) pixels on the finest level is off by 5, and by half of it a level on."""
  truth = RANDOM.random((2, 8, 8, 2)).astype(np.float32)
  coarse = truth.reshape(2, 4, 2, 4, 2, 2).mean(axis=(2, 4)) / 2
  off, right = np.float32([3, 4]), np.float32([0, 0])
  prediction = {
    'forward_flow_pyramid': [truth + off, coarse + off / 2],
    'backward_flow_pyramid': [truth + right, coarse + right],
  }
  value = pixels.flow(prediction, {'forward_flow': truth, 'backward_flow': truth})
  np.testing.assert_allclose(value, (5 + 2.5 + 0 + 0) / 4, rtol=1e-5)


def test_middle_flow_is_that_of_the_frame_between_and_its_opposite():
  truth = RANDOM.random((2, 8, 8, 2)).astype(np.float32)
  off = np.float32([3, 4])
  prediction = {'forward_flow_pyramid': [truth + off], 'backward_flow_pyramid': [-truth]}
  np.testing.assert_allclose(pixels.middle_flow(prediction, {'middle_flow': truth}), 5 / 2, rtol=1e-5)


def test_unknown_flow_costs_and_teaches_nothing():
  truth = RANDOM.random((2, 8, 8, 2)).astype(np.float32)
  truth[1] = np.nan
  predicted = tf.constant(np.nan_to_num(truth) + np.float32([3, 4]))
  with tf.GradientTape() as tape:
    tape.watch(predicted)
    levels = [predicted, tf.nn.avg_pool2d(predicted, 2, 2, 'VALID') / 2]
    prediction = {'forward_flow_pyramid': levels, 'backward_flow_pyramid': levels}
    value = pixels.flow(prediction, {'forward_flow': truth, 'backward_flow': truth})
  np.testing.assert_allclose(value, (5 + 2.5) / 2 / 2, rtol=1e-5)
  gradient = tape.gradient(value, predicted).numpy()
  assert (gradient[0] != 0).any()
  np.testing.assert_array_equal(gradient[1], 0)


def test_laplacian_weighs_what_each_level_loses():
  level, expected = DIFFERENCE, 0.0
  for i in range(5):
    height, width = level.shape[1] // 2, level.shape[2] // 2
    level = level[:, : 2 * height, : 2 * width]
    small = level.reshape(2, height, 2, width, 2, 3).mean(axis=(2, 4))
    expected += 2**i * np.abs(level - small.repeat(2, axis=1).repeat(2, axis=2)).mean()
    level = small
  expected += 32 * np.abs(level).mean()
  np.testing.assert_allclose(pixels.laplacian(PREDICTION, BATCH), expected, rtol=1e-4)


def census_of(image):
  grey = 255 * image @ np.float32([0.2989, 0.587, 0.114])
  height, width = grey.shape[1] - 6, grey.shape[2] - 6
  centre = grey[:, 3:-3, 3:-3]
  shifted = [grey[:, y : y + height, x : x + width] - centre for y in range(7) for x in range(7)]
  return np.stack([d / np.sqrt(0.81 + d**2) for d in shifted], axis=-1)


def test_census_is_the_soft_hamming_distance():
  squared = (census_of(PREDICTION['image']) - census_of(BATCH['y'])) ** 2
  distance = (squared / (0.1 + squared)).sum(axis=-1)
  expected = ((distance**2 + 1e-6) ** 0.45).mean()
  np.testing.assert_allclose(pixels.census(PREDICTION, BATCH), expected, rtol=1e-4)


def test_census_does_not_see_brightness():
  brighter = {'image': BATCH['y'] + np.float32(0.1)}
  np.testing.assert_allclose(pixels.census(brighter, BATCH), pixels.census({'image': BATCH['y']}, BATCH), rtol=1e-3)


@pytest.mark.parametrize('name', ['l1', 'l2', 'laplacian', 'census'])
def test_what_is_right_costs_nothing_or_next_to(name):
  assert getattr(pixels, name)({'image': BATCH['y']}, BATCH) < 3e-3
