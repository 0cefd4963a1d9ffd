from fractions import Fraction

import pytest

from film_tf.errors import UserError
from film_tf.inference import timeline
from film_tf.inference.timeline import (
  MAX_HALVINGS,
  Grid,
  Moment,
  Subdivision,
  division,
  fraction_of,
  midpoints,
  nearest,
  number,
)


def all_moments(clock, times, end):
  """Of a video with frames at `times`."""
  pairs = zip(times, [*times[1:], end], strict=True)
  return [m for begin, end_of in pairs for m in clock.moments(begin, end_of, last=begin == times[-1])]


@pytest.mark.parametrize('count', [2, 7])
@pytest.mark.parametrize('parts', [1, 2, 3, 8])
def test_n_frames_become_parts_times_n_minus_1_and_1(count, parts):
  times = [Fraction(i, 24) for i in range(count)]
  moments = all_moments(division(parts), times, Fraction(count, 24))
  assert moments == [Moment(Fraction(i, 24 * parts), Fraction(i, 24 * parts)) for i in range(parts * (count - 1) + 1)]


def test_a_division_keeps_uneven_times():
  times = [Fraction(0), Fraction(1, 10), Fraction(4, 10)]
  assert [m.shown for m in all_moments(division(2), times, Fraction(5, 10))] == [
    0,
    Fraction(1, 20),
    Fraction(1, 10),
    Fraction(1, 4),
    Fraction(4, 10),
  ]


@pytest.mark.parametrize('fps', [Fraction(60), Fraction(24000, 1001), Fraction(25, 2), Fraction(1, 3)])
@pytest.mark.parametrize('slow', [Fraction(1), Fraction(4), Fraction(1, 2), Fraction(7, 3)])
def test_a_grid_has_exactly_one_frame_for_every_tick_whatever_the_input(fps, slow):
  """After ten hours too: times neither drift nor collide."""
  uneven = [Fraction(0), Fraction(1, 30), Fraction(1, 25), Fraction(7, 9), Fraction(5, 4)]
  shown = [moment.shown for moment in all_moments(Grid(fps, slow), uneven, Fraction(2))]
  assert shown == [i / fps for i in range(len(shown))]
  assert len(shown) / fps >= 2 * slow > (len(shown) - 1) / fps  # every tick before the end
  late = Grid(fps, slow).moments(Fraction(36_000), Fraction(36_010), last=False)
  assert abs(len(late) - 10 * slow * fps) < 1
  for moment in late:
    assert moment.source * slow == moment.shown
    assert (moment.shown * fps).denominator == 1


def test_a_grid_starts_with_the_first_frame_of_an_input_that_starts_late():
  moments = Grid(Fraction(10), start=Fraction(5)).moments(Fraction(5), Fraction(6), last=True)
  assert moments[1] == Moment(Fraction(51, 10), Fraction(51, 10))
  assert len(moments) == 10


def test_halvings_meet_a_time_to_a_64th_of_the_interval():
  for i in range(100):
    fraction = nearest(
      fraction_of(Moment(Fraction(0), 3 + Fraction(i, 100) / 7), Fraction(3), Fraction(3) + Fraction(1, 7))
    )
    assert abs(fraction - Fraction(i, 100)) <= Fraction(1, 2 ** (MAX_HALVINGS + 1))
    assert 2**MAX_HALVINGS % fraction.denominator == 0


@pytest.mark.parametrize(
  ('clock', 'part'),
  [
    (lambda: division(0), '0'),
    (lambda: Subdivision((Fraction(1, 2), Fraction(1, 4))), '0.5, 0.25'),
    (lambda: Subdivision((Fraction(1),)), '1'),
    (lambda: Subdivision((Fraction(1, 3), Fraction(1, 3) + Fraction(1, 10**300))), 'more than 16 halvings'),
    (lambda: Subdivision((Fraction(1, 2**1000),)), 'more than 16 halvings'),
    (lambda: Grid(Fraction(0)), '0.0'),
    (lambda: Grid(Fraction(1), Fraction(-1)), '-1'),
  ],
)
def test_what_makes_no_sense_is_refused(clock, part):
  with pytest.raises(UserError, match=part):
    clock()


def test_shares_lie_between_every_two_frames_and_none_after_the_last():
  times = [Fraction(0), Fraction(1), Fraction(3)]
  shown = [m.shown for m in all_moments(Subdivision((Fraction(1, 4), Fraction(1, 2))), times, Fraction(4))]
  assert shown == [0, Fraction(1, 4), Fraction(1, 2), 1, Fraction(3, 2), 2, 3]
  assert division(2).moments(Fraction(3), Fraction(3), last=True) == []  # the first frame again, that ends a loop


def test_midpoints_are_those_on_the_way():
  assert midpoints([Fraction(1, 2)]) == {Fraction(1, 2)}
  assert midpoints([Fraction(3, 8)]) == {Fraction(1, 2), Fraction(1, 4), Fraction(3, 8)}
  assert len(midpoints(Fraction(i, 8) for i in range(9))) == 7


@pytest.mark.parametrize(
  ('given', 'meant'),
  [
    ('23.976', Fraction(24000, 1001)),
    (29.97, Fraction(30000, 1001)),
    ('59.94', Fraction(60000, 1001)),
    ('24000/1001', Fraction(24000, 1001)),
    (60, Fraction(60)),
    ('12.5', Fraction(25, 2)),
  ],
)
def test_rates_are_what_broadcasters_mean(given, meant):
  assert number(given, 'fps') == meant


@pytest.mark.parametrize('given', ['fast', '0', '-1', '1/0', 'nan', 'inf', ''])
def test_what_is_no_rate_is_refused(given):
  with pytest.raises(UserError, match=f'fps={given}'):
    number(given, 'fps')


@pytest.mark.parametrize(
  ('name', 'given'),
  [
    *(('fps', given) for given in ('1e99999999', '1E-99_999_999', '1' * 101)),
    *(('start', given) for given in ('1:-5:-10', '-1:30', '-0:30', '1:60', '1:60:00', '1:-5')),
    ('at', '1e400'),
  ],
)
def test_what_is_no_number_or_too_much_is_refused_at_once(name, given):
  with pytest.raises(UserError, match=f'{name}={given} is '):
    number(given, name)


def test_a_clock_has_hours_minutes_and_seconds():
  for given, seconds in (('90:00', 5400), ('1:02:03.5', Fraction(7447, 2)), ('75', 75), ('0:59.5', Fraction(119, 2))):
    assert number(given, 'stop') == seconds


def test_photographs_are_halved_as_often_as_asked():
  """2^N - 1 different frames; only a new rate stops at five halvings."""
  for times in (1, 5, 6, 7, 10):
    clock = timeline.division(2**times)
    reached = [timeline.nearest(fraction, clock.halvings) for fraction in clock.fractions]
    assert reached == list(clock.fractions)
    assert len(timeline.midpoints(reached)) == 2**times - 1
  clock = timeline.division(100)
  assert len({timeline.nearest(fraction, clock.halvings) for fraction in clock.fractions}) == 99


@pytest.mark.parametrize('fraction', [Fraction(1, 1000), Fraction(999, 1000), Fraction(1, 70)])
def test_a_time_near_a_given_frame_is_not_that_frame(fraction):
  clock = Subdivision((fraction,))
  assert 0 < timeline.nearest(fraction, clock.halvings) < 1


def test_new_rates_and_few_fractions_are_halved_five_times():
  assert timeline.division(3).halvings == timeline.Grid(Fraction(60)).halvings == timeline.MAX_HALVINGS
