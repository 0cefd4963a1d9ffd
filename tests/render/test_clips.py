"""Real videos, where they are at hand: 64 clips that are not part of the repository."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

import film_tf
from film_tf import metrics
from film_tf.data import motion
from film_tf.inference.interpolator import Interpolator
from film_tf.media import animation
from film_tf.media.video_reader import VideoReader
from film_tf.model.film_net import FilmNet
from film_tf.render import inputs, job
from film_tf.render.outputs import EncodingOptions
from film_tf.render.request import request
from tests.conftest import ROOT, SHALLOW
from tests.media.videos import duration, encode, packets, smaller

CLIPS = ROOT.parent / 'shared' / 'data' / 'clips'
pytestmark = [
  pytest.mark.slow,
  pytest.mark.skipif(not CLIPS.exists(), reason=f'the clips are not here: {CLIPS}'),
]


@pytest.fixture(scope='module')
def interpolator():
  """The interpolator of the smallest network: what it makes is not looked at."""
  return Interpolator(FilmNet(SHALLOW))


def times(path):
  return [frame.time for frame in VideoReader(path).frames()]


@pytest.mark.parametrize('name', ['dashcam_road_audio', 'gopro_walk_audio', 'skateboard_dog_audio'])
def test_sound_is_the_same_bytes_at_the_same_time(tmp_path, interpolator, name):
  source = smaller(CLIPS / f'{name}.mp4', tmp_path / 'small.mp4')
  film_tf.interpolate_video(source, tmp_path / 'a.mp4', interpolator, multiply=2)
  assert packets(tmp_path / 'a.mp4', 'audio') == packets(source, 'audio')
  given = times(source)
  assert times(tmp_path / 'a.mp4')[::2] == given
  film_tf.interpolate_video(source, tmp_path / 'b.mp4', interpolator, fps=Fraction(24000, 1001), start=0.5, stop=1)
  assert times(tmp_path / 'b.mp4') == [times(tmp_path / 'b.mp4')[0] + i * Fraction(1001, 24000) for i in range(12)]
  all_of_it = [data for data, _ in packets(source, 'audio')]
  segment = [data for data, _ in packets(tmp_path / 'b.mp4', 'audio')]
  first = all_of_it.index(segment[0])
  assert segment == all_of_it[first : first + len(segment)]
  assert len(segment) == pytest.approx(0.5 * len(all_of_it) / float(duration(source)), abs=2)


@pytest.mark.parametrize('name', ['vfr_fire', 'vfr_kitten'])
def test_uneven_times_and_the_duration_are_kept(tmp_path, interpolator, name):
  source = smaller(CLIPS / f'{name}.mp4', tmp_path / 'small.mp4')
  film_tf.interpolate_video(source, tmp_path / 'a.mp4', interpolator, multiply=2)
  given, found = times(source), times(tmp_path / 'a.mp4')
  assert len({b - a for a, b in itertools.pairwise(given)}) > 1
  assert found[::2] == given
  assert found[1::2] == [(a + b) / 2 for a, b in itertools.pairwise(given)]
  assert abs(duration(tmp_path / 'a.mp4') - duration(source)) <= Fraction(1, 1000)
  film_tf.interpolate_video(source, tmp_path / 'b.mp4', interpolator, fps=25)
  found = times(tmp_path / 'b.mp4')
  assert found == [found[0] + Fraction(i, 25) for i in range(len(found))]
  assert abs(len(found) - 25 * duration(source)) <= 1


@pytest.mark.parametrize(('name', 'cuts'), [('scenecut_bikes', [37, 87]), ('scenecut_bbb', [46])])
def test_nothing_is_made_across_cuts_and_everywhere_else_it_is(tmp_path, interpolator, name, cuts):
  source = smaller(CLIPS / f'{name}.mp4', tmp_path / 'small.mp4')
  frames = list(film_tf.interpolated_frames(source, interpolator, multiply=2))
  assert [i // 2 + 1 for i, frame in enumerate(frames) if i % 2 and not frame.made] == cuts
  for cut in cuts:
    np.testing.assert_array_equal(frames[2 * cut - 1].pixels, frames[2 * cut - 2].pixels)


def test_half_of_a_film_of_60_frames_a_second_and_back(tmp_path, mini):
  """film_mini against repeating and blending."""
  frames = VideoReader(CLIPS / 'bbb_bunny_60fps.mp4').frames()
  whole = [frame.pixels for frame in itertools.islice(frames, 13)]
  encode(tmp_path / 'half.mkv', whole[::2], [Fraction(1000 * i, 30).__round__() for i in range(len(whole[::2]))])
  half = [frame.pixels for frame in VideoReader(tmp_path / 'half.mkv').frames()]
  made = list(film_tf.interpolated_frames(tmp_path / 'half.mkv', mini, multiply=2))
  assert len(made) == len(whole)

  def psnr(images):
    pairs = [(np.float32(a) / 255, np.float32(b) / 255) for a, b in zip(images, whole[1::2], strict=True)]
    return np.mean([float(metrics.psnr(a[np.newaxis], b[np.newaxis])[0]) for a, b in pairs])

  ours = psnr([frame.pixels for frame in made[1::2]])
  repeated = psnr(half[:-1])
  blended = psnr([(a.astype(float) + b) / 2 for a, b in itertools.pairwise(half)])
  print(f'film_mini {ours:.2f} dB, repeating {repeated:.2f}, blending {blended:.2f}')
  assert ours > max(repeated, blended) + 1


def test_drawn_film_that_repeats_its_frames_is_retimed(tmp_path, interpolator):
  """Every frame twice, as films drawn on twos have them."""
  once = [frame.pixels for frame in itertools.islice(VideoReader(CLIPS / 'bbb_wakeup_anim.mp4').frames(), 12)]
  encode(tmp_path / 'twos.mkv', [frame for frame in once for _ in range(2)])
  source = list(VideoReader(tmp_path / 'twos.mkv').frames())
  again = [motion.is_duplicate(a.pixels, b.pixels) for a, b in itertools.pairwise(source)]
  assert again == [i % 2 == 0 for i in range(23)]
  options = {'multiply': 2, 'duplicates': 'retime'}
  frames = list(film_tf.interpolated_frames(tmp_path / 'twos.mkv', interpolator, **options))
  assert [frame.time for frame in frames[:22]] == [Fraction(i, 25) for i in range(22)]  # one for every frame there was
  assert [frame.made for frame in frames[:22]] == [i % 2 == 1 for i in range(22)]


def test_a_gif_keeps_its_times(tmp_path, interpolator):
  source = CLIPS / 'gif_parking_lot.gif'
  film_tf.interpolate_video(source, tmp_path / 'a.webp', interpolator, multiply=2)
  given, found = list(animation.read(source)), list(animation.read(tmp_path / 'a.webp'))
  ends = [frames[-1].time + frames[-1].duration for frames in (given, found)]
  assert abs(ends[0] - ends[1]) <= Fraction(1, 1000)
  assert len(found) <= 2 * len(given) - 1  # equal frames become one
  planned = job.Job(inputs.find_one([source]), str(tmp_path / 'b.gif'), request(), EncodingOptions())
  assert planned.plan.given == 41
