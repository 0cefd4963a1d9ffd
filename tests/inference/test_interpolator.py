from fractions import Fraction

import numpy as np
import pytest
import tensorflow as tf

import film_tf
from film_tf.errors import UserError
from film_tf.inference.interpolator import Interpolator
from tests import conftest


def as_type(image, dtype):
  scale = {'uint8': 255, 'uint16': 65535}.get(dtype)
  return np.round(image * scale).astype(dtype) if scale else image.astype(dtype)


@pytest.mark.parametrize('dtype', ['uint8', 'uint16', 'float32', 'float64'])
@pytest.mark.parametrize('batched', [False, True])
def test_shape_and_type_are_kept_and_the_network_is_called(tiny, dtype, batched):
  pair = conftest.pair(2, 21, 34)
  a, b = (as_type(pair[key] if batched else pair[key][0], dtype) for key in ('x0', 'x1'))
  before = a.copy(), b.copy()
  middle = Interpolator(tiny).between(a, b)
  assert (middle.shape, middle.dtype) == (a.shape, a.dtype)
  np.testing.assert_array_equal((a, b), before)
  batch = {'x0': pair['x0'], 'x1': pair['x1'], 'time': np.full((2, 1), 0.5, np.float32)}
  expected = np.clip(tiny(batch)['image'], 0, 1)
  unit, atol = {'uint8': (1 / 255, 0.05), 'uint16': (1 / 65535, 1e-3)}.get(dtype, (1, 1e-5))
  np.testing.assert_allclose(middle * unit, expected if batched else expected[0], atol=atol)


def test_recursion_makes_each_frame_from_its_neighbours(tiny):
  a, b = (conftest.pair(1, 20, 20)[key][0] for key in ('x0', 'x1'))
  interpolator = Interpolator(tiny)
  frames = [a, *interpolator.recurse(a, b, 3), b]
  assert len(frames) == 9
  for step in (4, 2, 1):
    for i in range(step, 8, 2 * step):
      np.testing.assert_allclose(frames[i], interpolator.between(frames[i - step], frames[i + step]), atol=1e-4)


def test_every_frame_goes_through_the_extractor_once(tiny, monkeypatch):
  a, b = (conftest.pair(1, 20, 20)[key][0] for key in ('x0', 'x1'))
  interpolator = Interpolator(tiny)
  calls, features = [], interpolator._model.features
  monkeypatch.setattr(interpolator._model, 'features', lambda image: calls.append(1) or features(image))
  assert len(list(interpolator.recurse(a, b, 3))) == 7
  assert len(calls) == 2 + 3  # the ends, and the frames that others are made from


def test_all_kinds_of_model_agree(tiny, tmp_path):
  a, b = (conftest.pair(1, 20, 20)[key][0] for key in ('x0', 'x1'))
  film_tf.save_weights(tiny, tmp_path / 'net.npz')
  film_tf.export_saved_model(tiny, tmp_path / 'model')
  expected = Interpolator(tiny).between(a, b)
  for model in (tmp_path / 'net.npz', str(tmp_path / 'net.npz'), tmp_path / 'model'):
    np.testing.assert_allclose(Interpolator(model).between(a, b), expected, atol=1e-5)


def test_one_trace_serves_all_sizes(tiny):
  interpolator = Interpolator(tiny)
  for size in (5, 6, 30):
    interpolator.between(np.zeros((size, size, 3), np.uint8), np.zeros((size, size, 3), np.uint8))
  assert interpolator._model.between.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
  ('a', 'b', 'part'),
  [
    (np.zeros((4, 5, 3)), np.zeros((4, 6, 3)), r'\(4, 6, 3\)'),
    (np.zeros((4, 5, 3)), np.zeros((4, 5, 3), np.uint8), 'uint8'),
    (np.zeros((4, 5)), np.zeros((4, 5)), r'\(4, 5\)'),
    (np.zeros((4, 5, 4)), np.zeros((4, 5, 4)), r'\(4, 5, 4\)'),
    (np.zeros((0, 5, 3)), np.zeros((0, 5, 3)), r'\(0, 5, 3\)'),
    (np.zeros((4, 5, 3), np.int32), np.zeros((4, 5, 3), np.int32), 'int32'),
    ('a.png', 'b.png', 'str'),
  ],
)
def test_what_is_no_pair_of_frames_is_named(tiny, a, b, part):
  with pytest.raises(UserError, match=part):
    Interpolator(tiny).between(a, b)


def test_wrong_times_are_refused_before_any_work(tiny):
  frame = np.zeros((4, 5, 3))
  with pytest.raises(UserError, match='0'):
    Interpolator(tiny).recurse(frame, frame, 0)


def test_a_missing_model_is_named(tmp_path):
  with pytest.raises(UserError, match='nothing'):
    Interpolator(tmp_path / 'nothing')


def test_mixed_precision_networks_serve(tiny, tmp_path):
  film_tf.save_weights(tiny, tmp_path / 'net.npz')
  net = film_tf.load_weights(tmp_path / 'net.npz', dtype='mixed_bfloat16')
  a, b = (conftest.pair(1, 20, 20)[key][0] for key in ('x0', 'x1'))
  assert 0 < np.abs(Interpolator(net).between(a, b) - Interpolator(tiny).between(a, b)).mean() < 0.02
  assert tf.keras.mixed_precision.global_policy().name == 'float32'


def test_shares_are_met_by_halving_and_shared_midpoints_are_made_once(tiny, monkeypatch):
  a, b = (conftest.pair(1, 20, 20)[key][0] for key in ('x0', 'x1'))
  interpolator = Interpolator(tiny)
  all_of_them = list(interpolator.recurse(a, b, 3))
  calls, between = [], interpolator._model.between
  monkeypatch.setattr(interpolator._model, 'between', lambda *args: calls.append(1) or between(*args))
  some = list(interpolator.at(a, b, [Fraction(1, 8), Fraction(3, 8), Fraction(3, 4)]))
  for image, i in zip(some, (1, 3, 6), strict=True):
    np.testing.assert_array_equal(image, all_of_them[i - 1])
  assert len(calls) == 5  # 1/2, 1/4, 1/8, 3/8, 3/4


@pytest.mark.parametrize('shares', [[Fraction(1, 3)], [Fraction(0)], [Fraction(1)], [Fraction(3, 4), Fraction(1, 4)]])
def test_shares_that_halving_does_not_meet_are_refused(tiny, shares):
  frame = np.zeros((4, 5, 3))
  with pytest.raises(UserError, match=str(shares[0])):
    Interpolator(tiny).at(frame, frame, shares)
