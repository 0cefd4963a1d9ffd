import functools

import numpy as np
import pytest
import tensorflow as tf

from film_tf import keys
from film_tf.data import synthetic
from film_tf.data.scenes import Scenes
from film_tf.errors import UserError
from film_tf.model.warp import warp
from tests.data import triplets


@functools.cache  # several tests look at the same scenes
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
  for key in (keys.FORWARD_FLOW, keys.BACKWARD_FLOW, keys.MIDDLE_FLOW):
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


@pytest.mark.parametrize('bending', [0.0, 0.5])
@pytest.mark.parametrize('max_motion', [0.0, 3.0, 64.0])
def test_nothing_moves_farther_than_asked_and_some_moves_nearly_as_far(max_motion, bending):
  examples = take(Scenes(32, 48, 3, max_motion, bending), 60)
  flows = [example[key] for example in examples for key in (keys.FORWARD_FLOW, keys.BACKWARD_FLOW)]
  farthest = max(np.linalg.norm(flow, axis=-1).max() for flow in flows)
  assert farthest <= max_motion * (1 + 1e-5) + 1e-4
  assert farthest >= 0.85 * max_motion


def translation(scenes, d):
  """The layers of a drawn scene, all moving by d pixels and nothing else."""
  layers = synthetic.draw(scenes, tf.constant([5, 1], tf.int64))
  still = {key: tf.zeros_like(layers[key]) for key in ('g', 'crest')}
  return {**layers, **still, 'd': tf.zeros_like(layers['d']) + d}


def test_a_scene_that_moves_by_whole_pixels_is_a_shift(monkeypatch):
  scenes = Scenes(40, 48, 3)
  layers = translation(scenes, [6.0, -4.0])
  monkeypatch.setattr(synthetic, 'draw', lambda *_: layers)
  example = synthetic.triplet(scenes, tf.constant([5, 1], tf.int64))
  x0, y, x1 = (example[key].numpy() for key in (keys.X0, keys.Y, keys.X1))
  np.testing.assert_allclose(x0[4:, :-6], x1[:-4, 6:], atol=2e-3)  # x1 shows it 6 to the right and 4 up
  np.testing.assert_allclose(x0[2:, :-3], y[:-2, 3:], atol=2e-3)
  for key in (keys.FORWARD_FLOW, keys.MIDDLE_FLOW):
    np.testing.assert_allclose(example[key], np.broadcast_to([6.0, -4.0], (40, 48, 2)), atol=1e-3)
  np.testing.assert_allclose(example[keys.BACKWARD_FLOW], np.broadcast_to([-6.0, 4.0], (40, 48, 2)), atol=1e-3)


@pytest.mark.parametrize('bending', [0.0, 0.5])
def test_flow_leads_from_each_frame_to_the_other(bending):
  """Reading x1 along the forward flow gives x0, but for what is covered, leaves the picture, or lies on an edge."""
  for example in take(Scenes(96, 96, 3, 10.0, bending), 8):
    for a, b, flow in [(keys.X0, keys.X1, keys.FORWARD_FLOW), (keys.X1, keys.X0, keys.BACKWARD_FLOW)]:
      aligned = warp(example[b][np.newaxis], example[flow][np.newaxis])[0].numpy()
      error, unaligned = np.abs(aligned - example[a]).mean(-1), np.abs(example[b] - example[a]).mean(-1)
      assert np.median(error) < 0.02, np.median(error)
      assert error.mean() < 0.5 * unaligned.mean() + 0.01


@pytest.mark.parametrize('bending', [0.0, 0.5])
def test_the_middle_is_halfway_along_the_flow(bending):
  for example in take(Scenes(96, 96, 0, 10.0, bending), 6):  # a background alone, nothing covered
    to_middle = warp(example[keys.Y][np.newaxis], example[keys.FORWARD_FLOW][np.newaxis] / 2)[0].numpy()
    assert np.abs(to_middle - example[keys.X0])[12:-12, 12:-12].mean() < 0.02


@pytest.mark.parametrize('bending', [0.0, 0.5])
def test_the_middle_is_read_from_both_frames_along_its_flow(bending):
  """But for what is covered in one of them or outside, and what lies on an edge."""
  for example in take(Scenes(96, 96, 3, 10.0, bending), 8):
    half = example[keys.MIDDLE_FLOW][np.newaxis] / 2
    for key, flow in [(keys.X0, -half), (keys.X1, half)]:
      aligned = warp(example[key][np.newaxis], flow)[0].numpy()
      error, unaligned = (np.abs(image - example[keys.Y]).mean(-1) for image in (aligned, example[key]))
      assert np.median(error) < 0.02, np.median(error)
      assert error.mean() < 0.5 * unaligned.mean() + 0.01


@pytest.mark.parametrize('bending', [0.0, 0.5])
def test_at_any_time_both_frames_are_read_along_the_flow(bending):
  examples = take(Scenes(96, 96, 3, 10.0, bending, any_time=True), 8)
  times = [float(example[keys.TIME][0]) for example in examples]
  assert 0.125 <= min(times) < 0.35
  assert 0.65 < max(times) <= 0.875
  for example, time in zip(examples, times, strict=True):
    for key, share in [(keys.X0, -time), (keys.X1, 1.0 - time)]:
      aligned = warp(example[key][np.newaxis], share * example[keys.MIDDLE_FLOW][np.newaxis])[0].numpy()
      error, unaligned = (np.abs(image - example[keys.Y]).mean(-1) for image in (aligned, example[key]))
      assert np.median(error) < 0.02, np.median(error)
      assert error.mean() < 0.5 * unaligned.mean() + 0.01


def test_any_time_changes_nothing_but_what_is_between():
  for one, other in zip(take(Scenes(32, 32), 4), take(Scenes(32, 32, any_time=True), 4), strict=True):
    for key in (keys.X0, keys.X1, keys.FORWARD_FLOW, keys.BACKWARD_FLOW):
      np.testing.assert_array_equal(one[key], other[key])
    assert (one[keys.Y] != other[keys.Y]).any()


def test_bending_is_no_affine_motion():
  """The best affine fit of a background's flow leaves something over where it bends, and nothing where it does not."""
  y, x = np.mgrid[:64, :64]
  places = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3).astype(np.float64)
  for bending, least, most in [(0.0, 0.0, 1e-3), (0.5, 0.1, 32.0)]:
    left = []
    for example in take(Scenes(64, 64, 0, 32.0, bending), 8):
      flow = example[keys.FORWARD_FLOW].reshape(-1, 2)
      left.append(np.abs(flow - places @ np.linalg.lstsq(places, flow, rcond=None)[0]).max())
    assert least <= max(left) <= most


@pytest.mark.parametrize('time', [-0.7, -0.5, 0.2, 0.5, 0.7])
def test_where_a_layer_is_and_what_is_there_agree(time):
  """With the strongest bending, and at the ends of the longest exposure."""
  scenes = Scenes(64, 64, 3, 40.0, bending=0.5)
  places = synthetic._pixel_grid(64, 64)
  for number in range(8):
    layers = synthetic.draw(scenes, tf.constant([7, number], tf.int64))
    inside = synthetic._to_layer(scenes, layers, places, time)
    np.testing.assert_allclose(synthetic._from_layer(layers, inside, time), [places] * len(inside), atol=0.02)


def test_what_moves_is_blurred_and_what_stands_still_is_not():
  for motion in (0.0, 16.0):
    sharp, blurred = (take(Scenes(48, 48, 2, motion, blur=blur), 16) for blur in (0.0, 1.0))
    smoother = []
    for one, other in zip(sharp, blurred, strict=True):
      np.testing.assert_array_equal(one[keys.FORWARD_FLOW], other[keys.FORWARD_FLOW])
      for key in (keys.X0, keys.Y, keys.X1):
        slopes = [np.abs(np.diff(example[key], axis=0)).mean() for example in (one, other)]
        smoother.append(slopes[1] / slopes[0])
        assert abs(one[key].mean() - other[key].mean()) < 0.05
    if motion:
      assert 0.1 < np.mean(np.array(smoother) < 0.999) < 0.4  # one scene in four
    else:
      np.testing.assert_allclose(smoother, 1.0, rtol=1e-5)


def test_light_changes_evenly_and_noise_spares_the_truth():
  plain, lit, noisy = (
    take(Scenes(32, 32, 2, 0.0, **options), 12) for options in ({}, {'lighting': 0.3}, {'noise': 0.1})
  )
  changes = []
  for before, after, grain in zip(plain, lit, noisy, strict=True):
    np.testing.assert_array_equal(before[keys.Y], after[keys.Y])
    np.testing.assert_array_equal(before[keys.Y], grain[keys.Y])
    inside = (after[keys.X0] % 1 > 0) & (after[keys.X1] % 1 > 0)  # neither was clipped
    np.testing.assert_allclose((after[keys.X0] + after[keys.X1])[inside] / 2, after[keys.Y][inside], atol=1e-5)
    changes.append(np.abs(after[keys.X0] - before[keys.X0]).mean())
    grains = grain[keys.X0] - before[keys.X0], grain[keys.X1] - before[keys.X1]
    assert grains[0].std() < 0.1
    assert abs(np.corrcoef(grains[0].ravel(), grains[1].ravel())[0, 1]) < 0.1
  assert max(changes) > 0.05


def test_photographs_are_textures(tmp_path):
  """Three scenes in four show nothing but colours of the photographs; a run goes on with the very next example."""
  scenes = Scenes(32, 32, 2, 8.0, photographs=triplets.write(tmp_path, [3, 2]))  # their blue is one value each
  blues = {triplets.frame(number, 1)[0, 0, 2] for number in range(5)}
  examples = take(scenes, 60, seed=3)
  shown = [np.ptp(example[keys.Y][..., 2]) < 1e-5 for example in examples]
  assert 0.6 < np.mean(shown) < 0.9
  assert {round(255 * e[keys.Y][0, 0, 2]) for e, of in zip(examples, shown, strict=True) if of} == blues
  assert all(np.ptp(e[keys.Y][..., 0]) > 0.05 for e, of in zip(examples, shown, strict=True) if of)
  for one, other in zip(examples[41:45], take(scenes, 4, seed=3, start=41), strict=True):
    for key in one:
      np.testing.assert_array_equal(one[key], other[key])


def test_a_photograph_that_moves_by_whole_pixels_is_a_shift(monkeypatch):
  scenes = Scenes(40, 48, 0, photographs='any')
  layers = translation(scenes, [6.0, -4.0])
  layers |= {'photographed': tf.constant(True), 'zoom': tf.ones_like(layers['zoom'])}
  monkeypatch.setattr(synthetic, 'draw', lambda *_: layers)
  photograph = tf.random.stateless_uniform((30, 20, 3), (1, 2))  # smaller than the scene: it repeats
  example = synthetic.triplet(scenes, tf.constant([5, 1], tf.int64), photograph)
  x0, y, x1 = (example[key].numpy() for key in (keys.X0, keys.Y, keys.X1))
  np.testing.assert_allclose(x0[4:, :-6], x1[:-4, 6:], atol=2e-3)
  np.testing.assert_allclose(x0[2:, :-3], y[:-2, 3:], atol=2e-3)
  assert y.std() > 0.1


def test_shapes_cover_each_other_and_move_apart():
  """There are scenes with several motions, and with none but the background's."""
  spreads = [np.ptp(example[keys.FORWARD_FLOW], axis=(0, 1)).max() for example in take(Scenes(64, 64, 3, 30.0), 30)]
  assert sum(spread > 5 for spread in spreads) > 10
  assert min(spreads) < 5


@pytest.mark.parametrize(
  ('wrong', 'part'),
  [
    ({'max_motion': 65.0}, '65'),
    ({'max_motion': -1.0}, '-1'),
    ({'height': 0}, 'height is 0'),
    ({'shapes': -1}, '-1'),
    ({'bending': 0.6}, 'bending is 0.6'),
    ({'blur': 1.5}, 'blur is 1.5'),
    ({'lighting': -0.1}, 'lighting is -0.1'),
    ({'noise': 2.0}, 'noise is 2.0'),
  ],
)
def test_wrong_scenes_are_refused(wrong, part):
  with pytest.raises(UserError, match=part):
    Scenes(**wrong)
