"""Tests the search for missed motion, against NumPy and on scenes whose motion is known."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.model import lucas_kanade
from film_tf.model.film_net import FilmNet
from film_tf.model.options import Options
from film_tf.model.search import displacement
from film_tf.model.warp import warp
from tests.model.test_bilateral_flow_pyramid import SMALL, assert_residuals_add_up
from tests.model.test_lucas_kanade import smooth

RANDOM = np.random.default_rng(0)
WINDOW = np.exp(-0.5 * (np.arange(-4, 5) / 2.0) ** 2)
WINDOW = np.outer(WINDOW, WINDOW) / np.outer(WINDOW, WINDOW).sum()


def maps(*size):
  a, b = RANDOM.random((2, *size, 4), np.float32)
  return a, b, np.float32(RANDOM.random((*size, 1)) < 0.7)


def slow(a, b, seen):
  """Pixel by pixel, motion by motion, window by window, for one example."""
  _, height, width, _ = a.shape
  moved = np.zeros((1, height, width, 2))

  def inside(y, x):
    return 0 <= y < height and 0 <= x < width and seen[0, y, x, 0]

  for y in range(height):
    for x in range(width):
      shares, motions = [], []
      for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
          total = weight = 0.0
          for j in range(max(y - 4, 0), min(y + 5, height)):
            for i in range(max(x - 4, 0), min(x + 5, width)):
              if inside(j - dy, i - dx) and inside(j + dy, i + dx):
                w = WINDOW[j - y + 4, i - x + 4]
                total, weight = total + w * np.abs(a[0, j - dy, i - dx] - b[0, j + dy, i + dx]).mean(), weight + w
          share = (total / weight + 2e-3) ** -6.0 if weight > 0.3 else 0.0
          shares.append(share * (np.exp(2.0) if dx == dy == 0 else 1.0))
          motions.append((2.0 * dx, 2.0 * dy))
      if sum(shares):
        moved[0, y, x] = np.array(shares) @ np.array(motions) / sum(shares)
  return moved


def test_motions_count_by_how_well_they_fit():
  a, b, seen = maps(1, 9, 12)
  np.testing.assert_allclose(displacement(a, b, seen), slow(a, b, seen), atol=1e-3)


@pytest.mark.parametrize(('dx', 'dy'), [(2.0, 0.0), (-2.0, 2.0), (0.0, -2.0)])
def test_it_finds_what_moves_two_pixels(dx, dy):
  a, b = (smooth(32, 40, 3, t * dx, t * dy) for t in (-0.5, 0.5))
  found = displacement(a, b, np.ones((1, 32, 40, 1), np.float32)).numpy()
  np.testing.assert_allclose(found[0, 8:-8, 8:-8], np.broadcast_to([dx, dy], (16, 24, 2)), atol=0.1)


@pytest.mark.parametrize('size', [(1, 1), (1, 9), (2, 3), (16, 16)])
def test_what_is_the_same_in_both_stays(size):
  a = RANDOM.random((2, *size, 4), np.float32)
  np.testing.assert_allclose(displacement(a, a, np.ones((2, *size, 1), np.float32)), 0.0, atol=1e-3)


def test_where_nothing_is_seen_nothing_moves():
  a, b, _ = maps(1, 12, 12)
  np.testing.assert_allclose(displacement(a, b, np.zeros((1, 12, 12, 1), np.float32)), 0.0, atol=1e-6)


def test_it_is_the_same_in_graphs_of_unknown_size_and_in_pipelines():
  inputs = maps(2, 11, 14)
  eager = displacement(*inputs)
  specs = [tf.TensorSpec([None] * 3 + [x.shape[-1]], tf.float32) for x in inputs]
  np.testing.assert_allclose(tf.function(displacement, input_signature=specs)(*inputs), eager, atol=1e-5)
  mapped = next(iter(tf.data.Dataset.from_tensors(inputs).map(displacement)))
  np.testing.assert_allclose(mapped, eager, atol=1e-5)


def test_it_brings_fine_texture_within_the_reach_of_slopes():
  """Noise of some 6 pixels' length moves by 3: Lucas and Kanade alone take it for something else."""
  noise = tf.nn.avg_pool2d(RANDOM.standard_normal((1, 48, 56, 8)).astype(np.float32), 3, 1, 'SAME')
  a, b = noise[:, :, 3:], noise[:, :, :-3]
  seen = np.ones((*a.shape[:3], 1), np.float32)
  flow = displacement(a, b, seen)
  searched = flow + lucas_kanade.displacement(warp(a, -0.5 * flow), warp(b, 0.5 * flow), seen)
  errors = [np.abs(v - [3.0, 0.0])[0, 8:-8, 8:-8].mean() for v in (lucas_kanade.displacement(a, b, seen), searched)]
  assert errors[1] < 0.5 * errors[0]


def test_residuals_still_add_up_to_the_flow(images):
  assert_residuals_add_up(FilmNet(dataclasses.replace(SMALL, search=True)), images)


def test_it_needs_flow_of_the_frame_between():
  with pytest.raises(UserError, match='search=True needs bilateral_flow=True'):
    Options(search=True)
