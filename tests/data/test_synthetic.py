import numpy as np
import pytest
import tensorflow as tf

from film_tf import keys
from film_tf.data import synthetic
from film_tf.data.synthetic import Scenes
from film_tf.errors import UserError
from film_tf.model.warp import warp


def take(scenes, count, seed=0, start=0):
  return [
    {key: value.numpy() for key, value in example.items()}
    for example in synthetic.triplets(scenes, seed, start).take(count)
  ]


def test_shapes_types_and_range():
  (example,) = take(Scenes(40, 56), 1)
  for key in (keys.X0, keys.Y, keys.X1):
    assert example[key].shape == (40, 56, 3)
    assert example[key].dtype == np.float32
    assert example[key].min() >= 0
    assert example[key].max() <= 1
    assert example[key].std() > 0.01
  for key in (keys.FORWARD_FLOW, keys.BACKWARD_FLOW):
    assert example[key].shape == (40, 56, 2)
  assert example[keys.TIME] == [0.5]


def test_an_example_is_a_function_of_seed_and_number():
  scenes = Scenes(16, 16)
  first = take(scenes, 6, seed=3)
  again = take(scenes, 2, seed=3, start=4)
  for one, other in zip(first[4:], again, strict=True):
    for key in one:
      np.testing.assert_array_equal(one[key], other[key])
  other_seed = take(scenes, 1, seed=4)[0]
  pictures = [example[keys.X0].tobytes() for example in [*first, other_seed]]
  assert len(set(pictures)) == 7


@pytest.mark.parametrize('max_motion', [0.0, 3.0, 64.0])
def test_nothing_moves_farther_than_asked_and_some_moves_nearly_as_far(max_motion):
  flows = [e[key] for e in take(Scenes(32, 48, 3, max_motion), 60) for key in (keys.FORWARD_FLOW, keys.BACKWARD_FLOW)]
  farthest = max(np.linalg.norm(flow, axis=-1).max() for flow in flows)
  assert farthest <= max_motion * (1 + 1e-5) + 1e-4
  assert farthest >= 0.85 * max_motion


def translation(scenes, d):
  """The layers of a drawn scene, all moving by d pixels and nothing else."""
  layers = synthetic.draw(scenes, tf.constant([5, 1], tf.int64))
  return {**layers, 'd': tf.zeros_like(layers['d']) + d, 'g': tf.zeros_like(layers['g'])}


def test_a_scene_that_moves_by_whole_pixels_is_a_shift(monkeypatch):
  scenes = Scenes(40, 48, 3)
  layers = translation(scenes, [6.0, -4.0])
  monkeypatch.setattr(synthetic, 'draw', lambda *_: layers)
  example = synthetic.triplet(scenes, tf.constant([5, 1], tf.int64))
  x0, y, x1 = (example[key].numpy() for key in (keys.X0, keys.Y, keys.X1))
  np.testing.assert_allclose(x0[4:, :-6], x1[:-4, 6:], atol=2e-3)  # x1 shows it 6 to the right and 4 up
  np.testing.assert_allclose(x0[2:, :-3], y[:-2, 3:], atol=2e-3)
  np.testing.assert_allclose(example[keys.FORWARD_FLOW], np.broadcast_to([6.0, -4.0], (40, 48, 2)), atol=1e-3)
  np.testing.assert_allclose(example[keys.BACKWARD_FLOW], np.broadcast_to([-6.0, 4.0], (40, 48, 2)), atol=1e-3)


def test_flow_leads_from_each_frame_to_the_other():
  """Reading x1 along the forward flow gives x0, but for what is covered, leaves the picture, or lies on an edge."""
  for example in take(Scenes(96, 96, 3, 10.0), 8):
    for a, b, flow in [(keys.X0, keys.X1, keys.FORWARD_FLOW), (keys.X1, keys.X0, keys.BACKWARD_FLOW)]:
      aligned = warp(example[b][np.newaxis], example[flow][np.newaxis])[0].numpy()
      error, unaligned = np.abs(aligned - example[a]).mean(-1), np.abs(example[b] - example[a]).mean(-1)
      assert np.median(error) < 0.02, np.median(error)
      assert error.mean() < 0.5 * unaligned.mean() + 0.01


def test_the_middle_is_halfway_along_the_flow():
  for example in take(Scenes(96, 96, 0, 10.0), 6):  # a background alone, nothing covered
    to_middle = warp(example[keys.Y][np.newaxis], example[keys.FORWARD_FLOW][np.newaxis] / 2)[0].numpy()
    assert np.abs(to_middle - example[keys.X0])[12:-12, 12:-12].mean() < 0.02


def test_shapes_cover_each_other_and_move_apart():
  """There are scenes with several motions, and with none but the background's."""
  spreads = [np.ptp(example[keys.FORWARD_FLOW], axis=(0, 1)).max() for example in take(Scenes(64, 64, 3, 30.0), 30)]
  assert sum(spread > 5 for spread in spreads) > 10
  assert min(spreads) < 5


@pytest.mark.parametrize(
  ('wrong', 'part'),
  [({'max_motion': 65.0}, '65'), ({'max_motion': -1.0}, '-1'), ({'height': 0}, '0x256'), ({'shapes': -1}, '-1')],
)
def test_wrong_scenes_are_refused(wrong, part):
  with pytest.raises(UserError, match=part):
    Scenes(**wrong)
