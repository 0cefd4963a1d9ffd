import numpy as np
import pytest
import tensorflow as tf

from film_tf.model.lucas_kanade import displacement
from tests import conftest


def slow_displacement(a, b, weight):
  """The definition: least squares in every window, each pixel of it a row a channel."""
  batch, height, width, _ = a.shape
  a, b = a.astype(np.float64), b.astype(np.float64)
  padded = np.pad((a + b) / 2, [(0, 0), (1, 1), (1, 1), (0, 0)], 'symmetric')
  slopes = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2, (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2
  out = np.zeros((batch, height, width, 2))
  offsets = range(-4, 5)
  gaussian = np.array([[np.exp(-(i * i + j * j) / 18) for j in offsets] for i in offsets])
  gaussian /= gaussian.sum()
  for n, y, x in np.ndindex(batch, height, width):
    rows, values = [np.sqrt(1e-5) * np.eye(2)], [np.zeros(2)]  # damping as two more equations
    for i in offsets:
      for j in offsets:
        if 0 <= y + i < height and 0 <= x + j < width:
          at = n, y + i, x + j
          scale = np.sqrt(gaussian[i + 4, j + 4] * weight[at][0] / a.shape[-1])
          rows.append(scale * np.stack([slope[at] for slope in slopes], axis=-1))
          values.append(scale * (a[at] - b[at]))
    out[n, y, x] = np.linalg.lstsq(np.concatenate(rows), np.concatenate(values), rcond=None)[0]
  return np.clip(out, -1.5, 1.5)


def smooth(height, width, channels, dx=0.0, dy=0.0, seed=0):
  """Waves of some pixels, moved by (dx, dy)."""
  random = np.random.default_rng(seed)
  y, x = np.mgrid[:height, :width]
  waves = random.uniform(-0.5, 0.5, (channels, 6, 2))
  phases = random.uniform(0, 6, (channels, 6))
  angle = waves[..., 0] * (x - dx)[..., np.newaxis, np.newaxis] + waves[..., 1] * (y - dy)[..., np.newaxis, np.newaxis]
  return np.sin(angle + phases).mean(-1)[np.newaxis].astype(np.float32)


def random_case(height=10, width=13, channels=3):
  random = np.random.default_rng(0)
  a, b = random.random((2, 2, height, width, channels), np.float32)
  return a, b, random.random((2, height, width, 1), np.float32)


def test_equals_the_definition(way):
  case = random_case()
  np.testing.assert_allclose(way(displacement, *case), slow_displacement(*case), atol=2e-4)


def test_compiles():
  case = random_case()
  np.testing.assert_allclose(conftest.compiled(displacement, *case), slow_displacement(*case), atol=2e-4)


@pytest.mark.parametrize('size', [(1, 1), (1, 5), (2, 2)])
def test_smallest_images(size):
  case = random_case(*size)
  np.testing.assert_allclose(displacement(*case), slow_displacement(*case), atol=2e-4)


@pytest.mark.parametrize(('dx', 'dy'), [(0.5, 0.0), (0.0, -0.3), (-0.7, 0.6)])
def test_finds_a_small_motion(dx, dy):
  a, b = smooth(40, 48, 4), smooth(40, 48, 4, dx, dy)
  found = displacement(a, b, np.ones((1, 40, 48, 1), np.float32))[0, 6:-6, 6:-6]
  np.testing.assert_allclose(found, np.broadcast_to([dx, dy], found.shape), atol=0.08)


def test_nothing_moves_where_there_is_no_texture_or_no_weight():
  flat = np.full((1, 20, 20, 3), 0.4, np.float32)
  ones = np.ones((1, 20, 20, 1), np.float32)
  np.testing.assert_array_equal(displacement(flat, flat + 0.2, ones), 0)
  np.testing.assert_array_equal(displacement(smooth(20, 20, 3), smooth(20, 20, 3, 0.5), 0 * ones), 0)


def test_pixels_without_weight_do_not_count():
  a, b, weight = smooth(30, 30, 3), smooth(30, 30, 3, 0.5), np.ones((1, 30, 30, 1), np.float32)
  weight[:, :, 20:] = 0
  spoilt = b.copy()
  spoilt[:, :, 22:] = 7.0  # from column 21 on the slope is another
  np.testing.assert_allclose(
    displacement(a, spoilt, weight)[:, :, :20], displacement(a, b, weight)[:, :, :20], atol=1e-6
  )


def test_swapping_turns_it_about():
  a, b, weight = random_case()
  np.testing.assert_allclose(displacement(a, b, weight), -displacement(b, a, weight), atol=1e-5)


def test_gradients_are_finite():
  flat = tf.zeros((1, 8, 8, 2))
  with tf.GradientTape() as tape:
    tape.watch(flat)
    value = tf.reduce_sum(displacement(flat, 1.0 - flat, tf.ones((1, 8, 8, 1))) ** 2)
  assert np.isfinite(tape.gradient(value, flat)).all()
