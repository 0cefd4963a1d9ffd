import weakref
from fractions import Fraction

import numpy as np
import pytest

from film_tf.data import motion
from film_tf.errors import UserError
from film_tf.inference import sequence
from film_tf.inference.timeline import Grid, division
from film_tf.media.frame import Frame
from film_tf.render.request import AT_CUT
from tests import conftest

RANDOM = np.random.default_rng(0)


def pictures(count, height=40, width=48, seed=0):
  """Smooth frames, each another."""
  found = [conftest.pair(1, height, width, seed + i)['x0'][0] for i in range(count)]
  return [np.round(255 * image).astype(np.uint8) for image in found]


def at(pixels, fps=10):
  return [Frame(image, Fraction(i, fps), Fraction(1, fps)) for i, image in enumerate(pixels)]


@pytest.fixture
def interpolator(interpolator, monkeypatch):
  """The shared one, where no two frames are a cut."""
  monkeypatch.setattr(motion, 'is_cut', lambda *args: False)
  return interpolator


def test_frames_between_are_those_of_the_interpolator(interpolator):
  given = pictures(3)
  made = list(sequence.interpolate(at(given), division(4), interpolator))
  assert [frame.time for frame in made] == [Fraction(i, 40) for i in range(9)]
  assert [frame.made for frame in made] == [i % 4 != 0 for i in range(9)]
  expected = [given[0], *interpolator.recurse(*given[:2], 2), given[1], *interpolator.recurse(*given[1:], 2), given[2]]
  for frame, image in zip(made, expected, strict=True):
    np.testing.assert_array_equal(frame.pixels, image)


def test_direct_times_are_exact(interpolator):
  given = pictures(3)
  made = list(sequence.interpolate(at(given), Grid(Fraction(25), direct=True), interpolator))
  assert [frame.timing_error for frame in made] == [0] * len(made)
  (expected,) = interpolator.at(*given[:2], [Fraction(2, 5)], direct=True)
  np.testing.assert_array_equal(made[1].pixels, expected)
  assert max(frame.timing_error for frame in sequence.interpolate(at(given), Grid(Fraction(25)), interpolator)) > 0


def test_every_given_frame_goes_through_the_extractor_once(interpolator, monkeypatch):
  calls, features = [], interpolator.features
  monkeypatch.setattr(interpolator, 'features', lambda image: calls.append(1) or features(image))
  assert len(list(sequence.interpolate(at(pictures(5)), division(2), interpolator))) == 9
  assert len(calls) == 5


def test_a_grid_shows_given_frames_where_they_fall_on_it(interpolator):
  given = pictures(4)
  made = list(sequence.interpolate(at(given), Grid(Fraction(15)), interpolator))
  assert [frame.time for frame in made] == [Fraction(i, 15) for i in range(6)]
  assert [frame.made for frame in made] == [False, True, True, False, True, False]
  np.testing.assert_array_equal(made[3].pixels, given[2])
  np.testing.assert_array_equal(made[5].pixels, given[3])  # after the last frame it is held


def test_fewer_frames_than_given_make_none(interpolator, monkeypatch):
  monkeypatch.setattr(interpolator, 'features', lambda image: pytest.fail('nothing to be made'))
  made = list(sequence.interpolate(at(pictures(6)), Grid(Fraction(5)), interpolator))
  assert [frame.time for frame in made] == [0, Fraction(1, 5), Fraction(2, 5)]


def test_only_a_few_frames_are_held(interpolator):
  class Watched(np.ndarray):
    pass

  alive = weakref.WeakValueDictionary()
  most = 0

  def endless():
    nonlocal most
    for i in range(60):
      image = pictures(1, seed=i % 3)[0].view(Watched)
      alive[i] = image
      most = max(most, len(alive))
      yield Frame(image, Fraction(i, 10))

  for _ in sequence.interpolate(endless(), division(2), interpolator):
    pass
  assert most <= 4


@pytest.mark.parametrize('at_cut', AT_CUT)
def test_nothing_is_made_across_a_cut(interpolator, at_cut, monkeypatch):
  monkeypatch.undo()  # here they are
  dark, bright = (RANDOM.integers(low, low + 100, (64, 64, 3), np.uint8) for low in (0, 150))
  made = list(sequence.interpolate(at([dark, bright]), division(4), interpolator, at_cut=at_cut))
  for i, frame in enumerate(made):
    if at_cut == 'hold':
      expected = bright if i == 4 else dark
    else:
      expected = np.round(dark + (bright.astype(float) - dark) * i / 4)
    np.testing.assert_allclose(frame.pixels, expected, atol=0.51)
    assert not frame.made
  for options in ({'at_cut': None}, {'at_cut': at_cut, 'cut_threshold': 1.0}):
    made = list(sequence.interpolate(at([dark, bright]), division(4), interpolator, **options))
    assert all(frame.made for frame in made[1:4])


def test_duplicates_are_left_out_and_what_is_between_goes_in_even_steps(interpolator):
  a, b, c = pictures(3)
  again = np.clip(a.astype(int) + RANDOM.integers(0, 2, a.shape) * (RANDOM.random(a.shape) < 0.5), 0, 255)
  given = at([a, again.astype(np.uint8), b, c])
  made = list(sequence.interpolate(given, division(2), interpolator, duplicates='retime'))
  assert [frame.time for frame in made] == [0, Fraction(1, 10), Fraction(2, 10), Fraction(5, 20), Fraction(3, 10)]
  np.testing.assert_array_equal(made[1].pixels, interpolator.between(a, b))
  assert len(list(sequence.interpolate(given, division(2), interpolator))) == 7


def test_a_picture_that_stands_still_is_no_duplicate_to_leave_out(interpolator):
  (a, b), count = pictures(2), 12
  made = list(sequence.interpolate(at([a] * count + [b]), division(1), interpolator, duplicates='retime'))
  assert made[-1].time == Fraction(count, 10)
  assert len(made) == 4  # of frames 0, 4, 8 and the last
  still = list(sequence.interpolate(at([a] * 3), division(1), interpolator, duplicates='retime'))
  assert [frame.time for frame in still] == [0, Fraction(2, 10)]


def test_sixteen_bits_stay_sixteen_bits(interpolator):
  given = [image.astype(np.uint16) * 257 for image in pictures(2)]
  made = list(sequence.interpolate(at(given), division(2), interpolator))
  assert {frame.pixels.dtype.name for frame in made} == {'uint16'}
  assert (made[1].pixels % 257 != 0).any()


@pytest.mark.parametrize(
  ('frames', 'parts'),
  [
    (
      [Frame(np.zeros((4, 5, 3), np.uint8), Fraction(0)), Frame(np.zeros((4, 6, 3), np.uint8), Fraction(1))],
      ['1.000 s', '6x4', '5x4'],
    ),
    (
      [Frame(np.zeros((4, 5, 3), np.uint8), Fraction(1)), Frame(np.zeros((4, 5, 3), np.uint8), Fraction(1))],
      ['1.000000 s'],
    ),
  ],
)
def test_frames_that_do_not_fit_are_named(interpolator, frames, parts):
  with pytest.raises(UserError) as error:
    list(sequence.interpolate(frames, division(2), interpolator))
  assert all(part in error.value.message for part in parts)


def test_no_frames_are_no_frames(interpolator):
  assert list(sequence.interpolate([], division(2), interpolator)) == []
  assert len(list(sequence.interpolate(at(pictures(1)), division(2), interpolator))) == 1


@pytest.mark.parametrize('clock', [division(3), Grid(Fraction(15))])
@pytest.mark.parametrize('duplicates', ['keep', 'retime'])
def test_a_sequence_goes_on_from_any_place(interpolator, clock, duplicates):
  a, b, c = pictures(3)
  given = at([a, b, b, c])
  whole = list(sequence.interpolate(given, clock, interpolator, duplicates=duplicates))
  for i, frame in enumerate(whole):
    since = [other for other in given if other.time >= frame.position.time]
    remaining = list(sequence.interpolate(since, clock, interpolator, duplicates=duplicates, skip=frame.position.count))
    assert [other.time for other in remaining] == [other.time for other in whole[i + 1 :]]
    for one, other in zip(remaining, whole[i + 1 :], strict=True):
      np.testing.assert_array_equal(one.pixels, other.pixels)


def test_what_halving_does_not_reach_is_said(interpolator):
  made = list(sequence.interpolate(at(pictures(2)), division(3), interpolator))
  assert [frame.timing_error for frame in made] == [0, Fraction(1, 960), Fraction(1, 960), 0]  # 1/3 is 11/32 less 1/96
