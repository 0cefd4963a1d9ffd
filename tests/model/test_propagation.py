"""Tests borrowed flow, against NumPy and on scenes whose motion is known."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.model.film_net import FilmNet
from film_tf.model.options import Options
from film_tf.model.propagation import propagate
from film_tf.model.warp import warp
from tests import conftest
from tests.model.test_bilateral_flow_pyramid import SMALL, assert_residuals_add_up
from tests.model.test_lucas_kanade import smooth

RANDOM = np.random.default_rng(0)
HALF = np.full((1, 1, 1, 1), 0.5, np.float32)
WINDOW = np.exp(-0.5 * np.arange(-2, 3.0) ** 2)
WINDOW = np.outer(WINDOW, WINDOW) / np.outer(WINDOW, WINDOW).sum()


def slow(flow, image0, image1):
  """Pixel by pixel and side by side, for one example halfway."""
  _, height, width, _ = flow.shape
  lent, errors = [], []
  for dy, dx in [(0, 0), (-4, 0), (4, 0), (0, -4), (0, 4)]:
    rows, columns = np.clip(np.arange(height) + dy, 0, height - 1), np.clip(np.arange(width) + dx, 0, width - 1)
    moved = flow[:, rows][:, :, columns]
    unlike = np.abs(warp(image0, -0.5 * moved).numpy() - warp(image1, 0.5 * moved).numpy()).mean(-1)
    padded = np.pad(unlike[0], 2)
    errors.append([[(padded[y : y + 5, x : x + 5] * WINDOW).sum() for x in range(width)] for y in range(height)])
    lent.append(moved[0])
  shares = (np.array(errors) + 2 / 255) ** -3.0
  return (shares[..., np.newaxis] * np.array(lent)).sum(0)[np.newaxis] / shares.sum(0)[..., np.newaxis]


def test_flow_counts_by_how_well_it_fits():
  flow = RANDOM.uniform(-3, 3, (1, 11, 14, 2)).astype(np.float32)
  image0, image1 = RANDOM.random((2, 1, 11, 14, 3), np.float32)
  np.testing.assert_allclose(propagate(flow, image0, image1, HALF), slow(flow, image0, image1), atol=1e-4)


@pytest.mark.parametrize('size', [(1, 1), (1, 9), (2, 3), (16, 16)])
def test_the_same_flow_everywhere_stays(size):
  flow = np.full((2, *size, 2), 1.5, np.float32)
  image0, image1 = RANDOM.random((2, 2, *size, 3), np.float32)
  np.testing.assert_allclose(propagate(flow, image0, image1, HALF), flow, atol=1e-5)


def test_what_does_not_move_gets_rid_of_its_neighbours_flow():
  """Of a still picture half has flow 6, by mistake: 4 pixels from its edge it is gone, or nearly."""
  picture = 0.5 + 0.5 * smooth(32, 32, 3, 0.0, 0.0)
  flow = np.zeros((1, 32, 32, 2), np.float32)
  flow[:, :, 16:, 0] = 6.0
  made = propagate(flow, picture, picture, HALF).numpy()
  assert made[0, 8:-8, 17:20, 0].mean() < 1.0
  np.testing.assert_allclose(made[0, :, 24:, 0], 6.0, atol=1e-4)


def test_it_is_the_same_in_graphs_of_unknown_size_and_in_pipelines():
  flow = RANDOM.uniform(-3, 3, (2, 11, 14, 2)).astype(np.float32)
  image0, image1 = RANDOM.random((2, 2, 11, 14, 3), np.float32)
  inputs = flow, image0, image1, np.full((2, 1, 1, 1), 0.5, np.float32)
  eager = propagate(*inputs)
  specs = [tf.TensorSpec([None] * 3 + [x.shape[-1]], tf.float32) for x in inputs]
  np.testing.assert_allclose(tf.function(propagate, input_signature=specs)(*inputs), eager, atol=1e-5)
  mapped = next(iter(tf.data.Dataset.from_tensors(inputs).map(propagate)))
  np.testing.assert_allclose(mapped, eager, atol=1e-5)


def test_residuals_still_add_up_to_the_flow(images):
  assert_residuals_add_up(FilmNet(dataclasses.replace(SMALL, propagation=True)), images)


def test_it_needs_flow_of_the_frame_between():
  with pytest.raises(UserError, match='propagation=True needs bilateral_flow=True'):
    Options(propagation=True)
  assert not conftest.TINY.propagation
