"""Pictures of flow, features and amounts."""

import numpy as np

from film_tf.inspection import colours


def test_flow_has_the_usual_colours():
  """Of Baker et al.: right is red, down yellow, left cyan, up violet; rest is white, and too long is darker."""
  flow = np.array([[[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0], [0.0, -2.0], [0.0, 0.0], [1.0, 0.0], [5.0, 0.0]]])
  drawn = colours.of_flow(flow, radius=2.0)[0]
  expected = [(255, 0, 0), (255, 234, 0), (0, 197, 255), (103, 0, 255), (255, 255, 255), (255, 128, 128), (191, 0, 0)]
  np.testing.assert_allclose(drawn, expected, atol=1)
  assert drawn.dtype == np.uint8


def test_the_wheel_has_the_colours_of_its_directions():
  wheel = colours.wheel(101)
  np.testing.assert_array_equal(wheel[50, 50], [255, 255, 255])
  np.testing.assert_array_equal(wheel[0, 0], [255, 255, 255])
  for row, column, direction in ((50, 100, (1, 0)), (100, 50, (0, 1)), (50, 0, (-1, 0)), (0, 50, (0, -1))):
    np.testing.assert_allclose(wheel[row, column], colours.of_flow(np.array([[direction]]), 1.0)[0, 0], atol=4)


def test_sizes_are_lengths_in_pixels():
  flow = np.zeros((10, 10, 2))
  flow[0, :5] = 3.0, 4.0
  assert colours.size(flow)[::2] == (0.25, 5.0)
  flow[0] = 3.0, 4.0
  assert colours.size(flow) == (0.5, 5.0, 5.0)


def test_a_feature_has_one_colour_on_every_level():
  random = np.random.default_rng(0)
  fine = random.normal(size=(16, 24, 12))
  fine[..., 3] *= 5.0
  coarse = random.normal(size=(4, 6, 12))
  coarse[1, 2] = fine[7, 9]
  (one, other), share = colours.of_features([fine, coarse])
  np.testing.assert_array_equal(one[7, 9], other[1, 2])
  assert 0.3 < share < 0.9
  (alone,), _ = colours.of_features([coarse])
  assert np.abs(alone.astype(int) - other).max() > 5  # with a basis of its own it looks different


def test_colours_of_features_are_their_principal_components():
  random = np.random.default_rng(0)
  hidden = random.normal(size=(400, 3)) * [9.0, 3.0, 1.0]
  maps = (hidden @ np.linalg.qr(random.normal(size=(8, 3)))[0].T + 7.0).reshape(20, 20, 8)
  (drawn,), share = colours.of_features([maps])
  assert np.isclose(share, 1.0)
  for channel, component in zip(drawn.reshape(400, 3).T, hidden.T, strict=True):
    assert abs(np.corrcoef(channel, component)[0, 1]) > 0.98


def test_features_without_variance_or_with_few_channels_are_drawn_too():
  for shape in ((1, 1, 5), (3, 2, 1), (2, 2, 2)):
    (drawn,), _ = colours.of_features([np.ones(shape)])
    assert drawn.shape == (*shape[:2], 3)


def test_sides_have_their_colours():
  a, b = np.array([[1.0, 0.0, 0.0, 0.5]]), np.array([[0.0, 1.0, 0.0, 0.5]])
  drawn = colours.of_sides(a, b, top=1.0)[0]
  np.testing.assert_array_equal(drawn[:2], colours.SIDES)
  np.testing.assert_array_equal(drawn[2], [255, 255, 255])
  np.testing.assert_array_equal(drawn[3], colours.SIDES.mean(axis=0).round())
  np.testing.assert_array_equal(colours.of_share(a)[0, :2], colours.SIDES)


def test_amounts_go_from_black_to_pale_and_what_is_marked_is_magenta():
  np.testing.assert_array_equal(
    colours.of_amounts(np.array([[0.0, 2.0, 9.0]]), 2.0)[0, ::2], [[0, 0, 0], [255, 255, 200]]
  )
  marked = colours.marked(np.full((1, 2, 3), 0.5, np.float32), np.array([[True, False]]))[0].astype(int)
  assert marked[0, 0] > marked[0, 2] > marked[0, 1]
  assert np.ptp(marked[1]) == 0
