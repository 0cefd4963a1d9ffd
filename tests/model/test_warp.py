import numpy as np
import pytest
import tensorflow as tf

from film_tf.model.warp import inside, warp
from tests import conftest


def slow_warp(image, flow):
  """The definition, a pixel at a time."""
  batch, height, width, _ = image.shape
  out = np.zeros(image.shape, np.float64)
  for b, y, x in np.ndindex(batch, height, width):
    query = np.clip([y + flow[b, y, x, 1], x + flow[b, y, x, 0]], 0, [height - 1, width - 1])
    (top, left), (wy, wx) = np.floor(query).astype(int), query - np.floor(query)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    image_b = image[b].astype(np.float64)
    upper = (1 - wx) * image_b[top, left] + wx * image_b[top, right]
    lower = (1 - wx) * image_b[bottom, left] + wx * image_b[bottom, right]
    out[b, y, x] = (1 - wy) * upper + wy * lower
  return out


def random_case(height=9, width=11, channels=4, reach=15.0):
  random = np.random.default_rng(0)
  image = random.random((2, height, width, channels), np.float32)
  return image, random.uniform(-reach, reach, (2, height, width, 2)).astype(np.float32)


def test_equals_the_definition_far_outside_too(way):
  image, flow = random_case()
  np.testing.assert_allclose(way(warp, image, flow), slow_warp(image, flow), atol=1e-5)


def test_compiles(way):
  image, flow = random_case()
  np.testing.assert_allclose(conftest.compiled(warp, image, flow), slow_warp(image, flow), atol=1e-5)


@pytest.mark.parametrize('size', [(1, 1), (1, 7), (7, 1), (2, 2)])
def test_smallest_images(size):
  image, flow = random_case(*size)
  np.testing.assert_allclose(warp(image, flow), slow_warp(image, flow), atol=1e-5)


def test_zero_flow_is_identity(way):
  image, flow = random_case()
  np.testing.assert_array_equal(way(warp, image, 0 * flow), image)


def test_whole_flow_is_a_shift():
  image, flow = random_case()
  flow = np.broadcast_to(np.float32([2, -1]), flow.shape)  # reads from the right and from above
  np.testing.assert_array_equal(warp(image, flow)[:, 1:, :-2], image[:, :-1, 2:])


def test_features_may_be_bfloat16_and_coordinates_stay_exact():
  """Column 300 read by a flow of 1.5 is the mean of 301 and 302; in bfloat16 300 itself is not a whole number."""
  stripes = tf.cast(tf.tile((tf.range(400) % 2)[tf.newaxis, tf.newaxis, :, tf.newaxis], (1, 2, 1, 1)), tf.bfloat16)
  out = warp(stripes, tf.constant([1.5, 0.0]) * tf.ones((1, 2, 400, 2)))
  assert out.dtype == tf.bfloat16
  np.testing.assert_array_equal(tf.cast(out, tf.float32)[0, :, :398, 0], 0.5)


def test_gradient_is_that_of_the_definition():
  image, flow = random_case(5, 6, 2, 3.0)
  flow = np.floor(flow) + 0.25 + 0.5 * (flow - np.floor(flow))  # away from the kinks
  with tf.GradientTape() as tape:
    x = tf.constant(flow)
    tape.watch(x)
    total = tf.reduce_sum(warp(image, x) ** 2)
  gradient, step = tape.gradient(total, x).numpy(), 1e-3
  for index in [(0, 2, 3, 0), (0, 2, 3, 1), (1, 1, 1, 0), (1, 4, 5, 1)]:
    up, down = flow.astype(np.float64), flow.astype(np.float64)
    up[index] += step
    down[index] -= step
    expected = ((slow_warp(image, up) ** 2).sum() - (slow_warp(image, down) ** 2).sum()) / (2 * step)
    np.testing.assert_allclose(gradient[index], expected, rtol=2e-3, atol=1e-3)


def test_equals_tensorflow_addons():
  addons = pytest.importorskip('tensorflow_addons', reason='needs the extra `addons`: TensorFlow 2.15')
  for reach in (0.9, 5.0, 50.0):
    image, flow = random_case(12, 17, 5, reach)
    expected = addons.image.dense_image_warp(image, -flow[..., ::-1])
    np.testing.assert_allclose(warp(image, flow), expected, atol=1e-6)


def test_flow_that_is_no_number_gives_no_number(way):
  """And does not read outside the image, which would end a training run without a word of its loss."""
  flow = np.zeros((1, 4, 5, 2), np.float32)
  flow[0, 1, 2] = np.nan
  flow[0, 3, 3] = np.inf, -np.inf
  warped = way(warp, np.random.default_rng(0).random((1, 4, 5, 3), np.float32), flow).numpy()
  assert np.isnan(warped[0, 1, 2]).all()
  assert np.isfinite(np.delete(warped[0].reshape(20, 3), [7, 18], axis=0)).all()


def test_inside_is_where_the_flow_reads_within_the_image(way):
  _, flow = random_case(reach=6.0)
  y, x = np.mgrid[:9, :11]
  x, y = np.round(x + flow[..., 0]), np.round(y + flow[..., 1])
  expected = (x >= 0) & (x <= 9) & (y >= 0) & (y <= 6)
  found = way(lambda flow: inside(flow, 7, 10), flow).numpy()
  np.testing.assert_array_equal(found, expected[..., np.newaxis])
  assert 0.1 < found.mean() < 0.9
