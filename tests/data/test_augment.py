import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from film_tf.data import augment
from film_tf.data.augment import Augmentation
from film_tf.errors import UserError

RANDOM = np.random.default_rng(0)
FRAMES = RANDOM.integers(0, 256, (3, 40, 52, 3), np.uint8)
NOTHING = {'quarter_turns': False, 'flip': False, 'rotation_probability': 0.0, 'time_reversal': False}
SEED = tf.constant([1, 2], tf.int64)


def augmented(frames, seed, options):
  return augment.augment(frames, 0.5, seed, options)[0]


def reversed_alone(frames, seed):
  return augment.reverse_time(frames, tf.constant(0.5), seed)[0]


def draw(function, count=10_000):
  """What `function` makes of seeds [7, 0] to [7, count), inside tf.data."""
  seeds = tf.data.Dataset.range(count).map(lambda i: tf.stack([tf.constant(7, tf.int64), i]))
  return np.stack([value.numpy() for value in seeds.map(function, tf.data.AUTOTUNE).batch(1000)]).reshape(count, -1)


def frequency(function, frames):
  """How often each different result appears, of all draws."""
  results = draw(lambda seed: function(tf.constant(frames), seed))
  _, counts = np.unique(results, axis=0, return_counts=True)
  return counts / len(results)


@pytest.mark.parametrize(
  ('function', 'shares'),
  [(augment.flip, [0.5] * 2), (reversed_alone, [0.5] * 2), (augment.quarter_turn, [0.25] * 4)],
)
def test_each_outcome_is_as_frequent_as_it_says(function, shares):
  frames = RANDOM.random((3, 2, 2, 1), np.float32)
  np.testing.assert_allclose(frequency(function, frames), shares, atol=0.03 * max(shares))


def test_rotation_happens_half_of_the_time_and_fills_its_range():
  options = Augmentation(crop=25, quarter_turns=False, flip=False)
  frames = np.zeros((3, 25, 25, 1), np.float32)
  frames[:, 11:14, 20:23] = 1  # a dot to the right of the centre says how it was turned
  values = draw(lambda seed: augment.crop(frames, seed, options)[0]).reshape(-1, 25, 25)
  upright = (values == frames[0, ..., 0]).all(axis=(1, 2))
  assert abs(upright.mean() - 0.5) < 0.015
  y, x = np.mgrid[:25, :25] - 12
  turned = values[~upright]
  angle = np.degrees(np.arctan2((turned * y).sum(axis=(1, 2)), (turned * x).sum(axis=(1, 2))))
  assert 44 < np.abs(angle).max() < 46
  assert abs(np.mean(angle > 0) - 0.5) < 0.03
  assert abs(np.mean(np.abs(angle) < 22.5) - 0.5) < 0.03


@pytest.mark.parametrize('probability', [0.0, 1.0])
def test_crops_are_turned_and_mirrored_in_all_eight_ways(probability):
  """Whether they are cut out, or sampled as if turned by a small angle, here of 0 degrees."""
  options = Augmentation(crop=3, rotation_probability=probability, rotation_degrees=0.0)
  frames = RANDOM.random((3, 3, 3, 1), np.float32)
  results = draw(lambda seed: augment.crop(frames, seed, options)[0])
  ways, counts = np.unique(np.round(results, 4), axis=0, return_counts=True)
  turned = [np.rot90(image, k) for image in (frames[0], frames[0][:, ::-1]) for k in range(4)]
  assert {tuple(way) for way in ways} == {tuple(np.round(way.ravel(), 4)) for way in turned}
  np.testing.assert_allclose(counts / 10_000, 0.125, atol=0.01)


def test_upright_crops_are_cut_out_and_all_places_are_as_likely():
  options = Augmentation(crop=38, **NOTHING)
  results = draw(lambda seed: augment.crop(FRAMES, seed, options)[0, 0, 0], 9000)
  corners, counts = np.unique(results, axis=0, return_counts=True)
  assert len(corners) == 3 * 15
  assert {tuple(c) for c in np.round(corners * 255).astype(int)} == {
    tuple(FRAMES[0, y, x]) for y in range(3) for x in range(15)
  }  # fmt: skip
  assert counts.min() > 0.7 * 9000 / 45


@pytest.mark.parametrize('degrees', [-45, -10, 0, 30, 45])
def test_rotated_crop_is_scipys_rotation(degrees):
  frames = ndimage.gaussian_filter(RANDOM.random((3, 61, 61, 3)), (0, 2, 2, 0)).astype(np.float32)
  crop = augment.rotated_crop(frames, tf.constant([30.0, 30.0]), np.radians(degrees), 31)
  expected = ndimage.rotate(frames, degrees, axes=(1, 2), reshape=False, order=1)[:, 15:46, 15:46]
  np.testing.assert_allclose(crop, expected, atol=1e-4)


@pytest.mark.parametrize('degrees', [-45, -10, 0, 30, 45])
def test_rotated_crop_is_tensorflow_addons_rotate(degrees):
  addons = pytest.importorskip('tensorflow_addons', reason='needs the extra `addons`: TensorFlow 2.15')
  frames = RANDOM.random((3, 61, 61, 3)).astype(np.float32)
  crop = augment.rotated_crop(frames, tf.constant([30.0, 30.0]), np.radians(degrees), 31)
  expected = addons.image.rotate(frames, np.radians(degrees), 'bilinear')[:, 15:46, 15:46]
  np.testing.assert_allclose(crop, expected, atol=1e-5)


@pytest.mark.parametrize('size', [(40, 52), (30, 30)])
def test_nothing_is_black_even_where_the_frames_are_small(size):
  frames = np.full((3, *size, 3), 200, np.uint8)
  options = Augmentation(crop=30, rotation_probability=1.0)
  values = draw(lambda seed: tf.reduce_min(augmented(frames, seed, options)), 500)
  np.testing.assert_allclose(values, 200 / 255, rtol=1e-5)


def test_rotated_crops_stay_inside_where_there_is_room():
  frames = np.zeros((3, 100, 120, 1), np.float32)
  frames[:, 1:-1, 1:-1] = 1  # a black frame around, which a mirrored or outer pixel would show
  options = Augmentation(crop=50, rotation_probability=1.0)
  values = draw(lambda seed: tf.reduce_mean(augment.crop(frames, seed, options)), 500)
  assert np.mean(values > 0.98) == 1.0


def test_all_three_frames_are_treated_alike_but_for_time():
  frames = np.broadcast_to(FRAMES[:1], FRAMES.shape).copy()
  options = Augmentation(crop=24, colour_jitter=0.3)
  for i in range(20):
    result = augmented(frames, tf.constant([i, 0], tf.int64), options)
    np.testing.assert_array_equal(result[0], result[1])
    np.testing.assert_array_equal(result[0], result[2])


def test_the_middle_stays_the_middle():
  frames = FRAMES[:, :24, :24].copy()
  middles = draw(lambda seed: augmented(frames, seed, Augmentation(crop=24, rotation_probability=0.0))[1], 200)
  allowed = {np.rot90(f, k).tobytes() for f in (frames[1], frames[1][:, ::-1]) for k in range(4)}
  assert {np.round(m * 255).astype(np.uint8).tobytes() for m in middles} <= allowed


def test_frames_that_are_swapped_have_their_time_turned_about():
  frames = np.stack([np.full((8, 8, 3), value, np.float32) for value in (0.0, 0.25, 1.0)])
  options = Augmentation(crop=8, rotation_probability=0.0)

  def first_and_time(seed):
    made, time = augment.augment(frames, 0.25, seed, options)
    return tf.stack([made[0, 0, 0, 0], time])

  ways, counts = np.unique(draw(first_and_time, 1000), axis=0, return_counts=True)
  np.testing.assert_array_equal(ways, [[0.0, 0.25], [1.0, 0.75]])
  assert counts.min() > 400
  _, time = augment.augment(frames, 0.25, SEED, Augmentation(crop=8, **NOTHING))
  assert time == 0.25


def test_it_is_pure_and_the_same_in_every_way_it_is_run():
  options = Augmentation(crop=24, colour_jitter=0.2)
  before = FRAMES.copy()
  eager = augmented(tf.constant(FRAMES), SEED, options)
  unknown = tf.TensorSpec([3, None, None, 3], tf.uint8)
  graph = tf.function(lambda f: augmented(f, SEED, options), input_signature=[unknown])(FRAMES)
  dataset = next(iter(tf.data.Dataset.from_tensors(FRAMES).map(lambda f: augmented(f, SEED, options))))
  np.testing.assert_allclose(graph, eager, atol=1e-5)
  np.testing.assert_allclose(dataset, eager, atol=1e-5)
  np.testing.assert_array_equal(FRAMES, before)


def test_turned_off_it_is_a_crop():
  result = augmented(FRAMES[:, :24, :24], SEED, Augmentation(crop=24, **NOTHING))
  np.testing.assert_allclose(result, FRAMES[:, :24, :24] / 255, atol=1e-6)


def test_motion_range_counts_what_moves_farthest(way):
  coarse = np.random.default_rng(1).random((12, 12, 3)).astype(np.float32)
  big = tf.image.resize(coarse, (96, 96), 'bicubic').numpy()
  frames = np.stack([big[16:80, 16 - x : 80 - x] for x in (0, 4, 8)])
  assert way(lambda f: augment.in_motion_range(f, 6.0, 10.0), frames)
  assert not way(lambda f: augment.in_motion_range(f, 10.0, 20.0), frames)
  assert not way(lambda f: augment.in_motion_range(f, 0.0, 6.0), frames)


def test_colour_jitter_stays_in_range_and_changes_colour():
  results = draw(lambda seed: augment.colour_jitter(FRAMES[:, :4, :4] / np.float32(255), seed, 0.4), 300)
  assert results.min() >= 0
  assert results.max() <= 1
  assert results.mean(axis=1).std() > 0.02


def test_frames_that_are_too_small_are_an_error():
  with pytest.raises(tf.errors.InvalidArgumentError, match='smaller than augmentation'):
    augmented(FRAMES, SEED, Augmentation(crop=41))


@pytest.mark.parametrize(
  'wrong',
  [
    {'crop': 0},
    {'crop': 2.5},
    {'rotation_probability': 2.0},
    {'rotation_degrees': -1.0},
    {'colour_jitter': 1.0},
    {'motion_range': 5.0},
    {'motion_range': (5.0, 5.0)},
    {'motion_range': (1.0, 5.0), 'crop': 16},
  ],
)
def test_wrong_options_are_refused(wrong):
  with pytest.raises(UserError, match='augmentation'):
    Augmentation(**wrong)
