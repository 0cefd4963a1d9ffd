import dataclasses
from fractions import Fraction

import numpy as np
import pytest
import tensorflow as tf

import film_tf
from film_tf.errors import UserError
from film_tf.inference.bands import Bands
from film_tf.inference.interpolator import Interpolator
from film_tf.media import image_file
from film_tf.media.frame import Frame
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.model.warp import warp
from tests import conftest

BILATERAL = dataclasses.replace(conftest.TINY, bilateral_flow=True, residual_fusion=True)


def as_type(image, dtype):
  scale = {'uint8': 255, 'uint16': 65535}.get(dtype)
  return np.round(image * scale).astype(dtype) if scale else image.astype(dtype)


@pytest.mark.parametrize('dtype', ['uint8', 'uint16', 'float32', 'float64'])
@pytest.mark.parametrize('batched', [False, True])
def test_shape_and_type_are_kept_and_the_network_is_called(interpolator, tiny, dtype, batched):
  pair = conftest.pair(2, 21, 34)
  a, b = (as_type(pair[key] if batched else pair[key][0], dtype) for key in ('x0', 'x1'))
  before = a.copy(), b.copy()
  middle = interpolator.between(a, b)
  assert (middle.shape, middle.dtype) == (a.shape, a.dtype)
  np.testing.assert_array_equal((a, b), before)
  batch = {'x0': pair['x0'], 'x1': pair['x1'], 'time': np.full((2, 1), 0.5, np.float32)}
  expected = np.clip(tiny(batch)['image'], 0, 1)
  unit, atol = {'uint8': (1 / 255, 0.05), 'uint16': (1 / 65535, 1e-3)}.get(dtype, (1, 1e-5))
  np.testing.assert_allclose(middle * unit, expected if batched else expected[0], atol=atol)


def test_recursion_makes_each_frame_from_its_neighbours(interpolator):
  a, b = (conftest.pair(1, 20, 20)[key][0] for key in ('x0', 'x1'))
  frames = [a, *interpolator.recurse(a, b, 3), b]
  assert len(frames) == 9
  for step in (4, 2, 1):
    for i in range(step, 8, 2 * step):
      np.testing.assert_allclose(frames[i], interpolator.between(frames[i - step], frames[i + step]), atol=1e-4)


def test_every_frame_goes_through_the_extractor_once(interpolator, monkeypatch):
  a, b = (conftest.pair(1, 20, 20)[key][0] for key in ('x0', 'x1'))
  calls, features = [], interpolator._model.features
  monkeypatch.setattr(interpolator._model, 'features', lambda image: calls.append(1) or features(image))
  assert len(list(interpolator.recurse(a, b, 3))) == 7
  assert len(calls) == 2 + 3  # the ends, and the frames that others are made from


def test_all_kinds_of_model_agree(interpolator, tiny, tmp_path):
  a, b = (conftest.pair(1, 20, 20)[key][0] for key in ('x0', 'x1'))
  film_tf.save_weights(tiny, tmp_path / 'net.npz')
  film_tf.export_saved_model(tiny, tmp_path / 'model')
  expected = interpolator.between(a, b)
  for model in (tmp_path / 'net.npz', str(tmp_path / 'net.npz')):
    np.testing.assert_allclose(Interpolator(model).between(a, b), expected, atol=1e-5)
  batch = {'x0': a[np.newaxis], 'x1': b[np.newaxis], 'time': np.full((1, 1), 0.5, np.float32)}
  expected = np.clip(tiny(batch)['image'][0], 0, 1)  # whose warps are not compiled, like those of the SavedModel
  np.testing.assert_allclose(Interpolator(tmp_path / 'model').between(a, b), expected, atol=1e-5)
  with pytest.raises(UserError, match=r'is a SavedModel, which has its precision; give its weights'):
    Interpolator(tmp_path / 'model', precision='bfloat16')


def test_one_trace_serves_all_sizes(interpolator):
  for size in (5, 6, 30):
    interpolator.between(np.zeros((size, size, 3), np.uint8), np.zeros((size, size, 3), np.uint8))
  network = interpolator.bounded._networks[None]
  assert [part.experimental_get_tracing_count() for part in (network.features, network.flows, network.fuse)] == [
    1,
    1,
    1,
  ]


@pytest.mark.parametrize(
  ('a', 'b', 'part'),
  [
    (np.zeros((4, 5, 3)), np.zeros((4, 6, 3)), r'\(4, 6, 3\)'),
    (np.zeros((4, 5, 3)), np.zeros((4, 5, 3), np.uint8), 'uint8'),
    (np.zeros((4, 5)), np.zeros((4, 5)), r'\(4, 5\)'),
    (np.zeros((4, 5, 5)), np.zeros((4, 5, 5)), r'\(4, 5, 5\)'),
    (np.zeros((4, 5, 4)), np.zeros((4, 5, 3)), r'\(4, 5, 4\)'),
    (np.zeros((0, 5, 3)), np.zeros((0, 5, 3)), r'\(0, 5, 3\)'),
    (np.zeros((4, 5, 3), np.int32), np.zeros((4, 5, 3), np.int32), 'int32'),
    ('none.png', 'b.png', 'none.png'),
    ([0], [1], 'list'),
  ],
)
def test_what_is_no_pair_of_frames_is_named(interpolator, a, b, part):
  with pytest.raises(UserError, match=part):
    interpolator.between(a, b)


def test_wrong_times_are_refused_before_any_work(interpolator):
  frame = np.zeros((4, 5, 3))
  with pytest.raises(UserError, match='0'):
    interpolator.recurse(frame, frame, 0)


def test_a_missing_model_is_named(tmp_path):
  with pytest.raises(UserError, match='nothing'):
    Interpolator(tmp_path / 'nothing')


def test_mixed_precision_networks_serve(interpolator, tiny, tmp_path):
  film_tf.save_weights(tiny, tmp_path / 'net.npz')
  net = film_tf.load_weights(tmp_path / 'net.npz', dtype='mixed_bfloat16')
  a, b = (conftest.pair(1, 20, 20)[key][0] for key in ('x0', 'x1'))
  assert 0 < np.abs(Interpolator(net).between(a, b) - interpolator.between(a, b)).mean() < 0.02
  assert tf.keras.mixed_precision.global_policy().name == 'float32'


def test_shares_are_met_by_halving_and_shared_midpoints_are_made_once(interpolator, monkeypatch):
  a, b = (conftest.pair(1, 20, 20)[key][0] for key in ('x0', 'x1'))
  all_of_them = list(interpolator.recurse(a, b, 3))
  calls, at = [], interpolator.bounded.at
  monkeypatch.setattr(interpolator.bounded, 'at', lambda *args: calls.append(1) or at(*args))
  some = list(interpolator.at(a, b, [Fraction(1, 8), Fraction(3, 8), Fraction(3, 4)]))
  for image, i in zip(some, (1, 3, 6), strict=True):
    np.testing.assert_array_equal(image, all_of_them[i - 1])
  assert len(calls) == 5  # 1/2, 1/4, 1/8, 3/8, 3/4


@pytest.mark.parametrize('fractions', [[0], [1], [0.75, 0.25], [-0.5], ['half']])
def test_shares_that_are_not_between_or_do_not_increase_are_refused(interpolator, fractions):
  frame = np.zeros((4, 5, 3))
  with pytest.raises(UserError, match=str(fractions[0])):
    interpolator.at(frame, frame, fractions)


def test_a_share_is_met_by_what_halving_reaches_next_to_it(interpolator):
  a, b = (conftest.pair(1, 20, 20)[key][0] for key in ('x0', 'x1'))
  told = []
  third, half = interpolator.at(a, b, [1 / 3, 0.5], lambda done, total: told.append((done, total)))
  (expected,) = interpolator.at(a, b, [Fraction(11, 32)])
  np.testing.assert_array_equal(third, expected)
  np.testing.assert_array_equal(half, interpolator.between(a, b))
  assert told == [(1, 2), (2, 2)]


def test_shares_that_are_near_each_other_are_told_apart_by_halving_more_often(interpolator):
  a, b = (conftest.pair(1, 20, 20)[key][0] for key in ('x0', 'x1'))
  third, near = interpolator.at(a, b, [1 / 3, 0.34])
  expected = interpolator.at(a, b, [Fraction(21, 64), Fraction(22, 64)])
  for image, other in zip((third, near), expected, strict=True):
    np.testing.assert_array_equal(image, other)


def test_files_are_read(interpolator, tmp_path):
  a, b = (np.round(255 * conftest.pair(1, 20, 20)[key][0]).astype(np.uint8) for key in ('x0', 'x1'))
  for name, image in (('a.png', a), ('b.png', b)):
    image_file.write(tmp_path / name, Frame(image))
  np.testing.assert_array_equal(
    interpolator.between(tmp_path / 'a.png', str(tmp_path / 'b.png')), interpolator.between(a, b)
  )


def rgba(alpha, seed=0):
  image = np.round(255 * conftest.pair(1, 24, 30, seed)['x0'][0])
  return np.dstack([image, np.broadcast_to(alpha, (24, 30))]).astype(np.uint8)


def test_opaque_images_are_made_as_without_alpha(interpolator):
  a, b = rgba(255), rgba(255, 1)
  middle = interpolator.between(a, b)
  np.testing.assert_array_equal(middle[..., :3], interpolator.between(a[..., :3], b[..., :3]))
  assert (middle[..., 3] == 255).all()


def test_what_is_transparent_does_not_colour_what_is_not(interpolator):
  """Whatever lies hidden under alpha 0 changes nothing, and what is seen is that of premultiplied colours."""
  hole = np.where(np.arange(30) < 15, 255, 0)
  a, b = rgba(hole), rgba(hole, 1)
  middle = interpolator.between(a, b)
  a[:, 15:, :3], b[:, 15:, :3] = 255, 7
  np.testing.assert_array_equal(interpolator.between(a, b), middle)
  alpha = middle[..., 3:] / 255
  assert alpha.min() == 0 and alpha.max() == 1  # noqa: PT018
  black = [np.round(image[..., :3] * (image[..., 3:] / 255)).astype(np.uint8) for image in (a, b)]
  expected = np.minimum(interpolator.between(*black), middle[..., 3:])
  np.testing.assert_allclose(middle[..., :3] * alpha, expected, atol=1.01)


def test_still_transparent_images_stay_what_they_are(mini):
  soft = np.linspace(0, 255, 30)
  image = rgba(soft)
  image[..., :3] = 100
  middle = mini.between(image, image).astype(int)
  np.testing.assert_allclose(middle[..., 3], image[..., 3], atol=2)
  seen = image[..., 3] > 40
  np.testing.assert_allclose(middle[..., :3][seen], 100, atol=12)


@pytest.mark.parametrize('options', [conftest.TINY, BILATERAL], ids=['published', 'bilateral'])
def test_direct_goes_to_each_time_with_the_flow_of_one_estimate_where_that_suffices(options, monkeypatch):
  net = FilmNet(options)
  for variable in weights.named(net).values():
    variable.assign(np.random.default_rng(1).normal(0, 0.2, variable.shape))
  interpolator = Interpolator(net)
  pair = conftest.pair(1, 20, 24)
  a, b = pair['x0'][0], pair['x1'][0]
  network = interpolator.bounded._networks[None]
  calls, flows = [], network.flows
  monkeypatch.setattr(network, 'flows', lambda *args: calls.append(1) or flows(*args))
  fractions = [Fraction(1, 3), Fraction(1, 2), Fraction(5, 7)]
  made = list(interpolator.at(a, b, fractions, direct=True))
  assert len(calls) == (3 if options.bilateral_flow else 1)
  for fraction, image in zip(fractions, made, strict=True):
    expected = net({**pair, 'time': np.float32([[fraction]])})['image'][0]
    np.testing.assert_allclose(image, np.clip(expected, 0, 1), atol=1e-4)
  alpha = np.float32(np.linspace(0.2, 1, 20 * 24)).reshape(20, 24, 1)
  (transparent,) = interpolator.at(np.dstack([a, alpha]), np.dstack([a, alpha]), [0.3], direct=True)
  batch = {'x0': (a * alpha)[np.newaxis], 'x1': (a * alpha)[np.newaxis], 'time': np.float32([[0.3]])}
  made = net(batch)
  backward, forward = made['backward_flow_pyramid'][0], made['forward_flow_pyramid'][0]
  expected = 0.7 * warp(alpha[np.newaxis], 0.3 * backward) + 0.3 * warp(alpha[np.newaxis], 0.7 * forward)
  np.testing.assert_allclose(transparent[..., 3:], expected[0], atol=1e-4)


def test_direct_is_the_same_of_a_saved_model_and_in_bands(tmp_path):
  net = FilmNet(BILATERAL)
  film_tf.export_saved_model(net, tmp_path / 'model')
  a, b = (conftest.pair(1, 40, 24)[key][0] for key in ('x0', 'x1'))
  whole, banded = Interpolator(net), Interpolator(net)
  banded.bounded._bands[1, 40, 24] = Bands(16, 1)
  expected = list(whole.at(a, b, [0.2, 0.7], direct=True))
  for other in (Interpolator(tmp_path / 'model'), banded):
    for image, like in zip(other.at(a, b, [0.2, 0.7], direct=True), expected, strict=True):
      np.testing.assert_allclose(image, like, atol=1e-4)


@pytest.mark.parametrize('any_time', [False, True])
def test_a_network_says_whether_it_was_trained_for_any_time(any_time, tmp_path):
  """And the frames are made that way unless asked otherwise, whatever its file."""
  net = FilmNet(dataclasses.replace(BILATERAL, any_time=any_time))
  film_tf.save_weights(net, tmp_path / 'net.npz')
  film_tf.export_saved_model(net, tmp_path / 'model')
  a, b = (conftest.pair(1, 40, 24)[key][0] for key in ('x0', 'x1'))
  expected, other = (list(Interpolator(net).at(a, b, [0.25], direct=way)) for way in (any_time, not any_time))
  assert np.abs(expected[0] - other[0]).max() > 1e-3
  for model in (net, tmp_path / 'net.npz', tmp_path / 'model'):
    interpolator = Interpolator(model)
    assert interpolator.any_time == any_time
    np.testing.assert_allclose(list(interpolator.at(a, b, [0.25])), expected, atol=1e-4)


@pytest.mark.parametrize('left', [0.0, 0.5, 0.999])
def test_a_saved_model_that_is_cut_off(left, tmp_path):
  film_tf.export_saved_model(FilmNet(conftest.TINY), tmp_path / 'model')
  (path,) = (tmp_path / 'model' / 'variables').glob('*.data-*')
  path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
  with pytest.raises(UserError, match='cannot read a SavedModel'):
    Interpolator(tmp_path / 'model')
