"""Whole jobs: frames one by one, loops, folders, animations, what is planned, and what memory cannot hold."""

import dataclasses
import os
import threading
import time

import numpy as np
import pytest
from PIL import Image

import film_tf
from film_tf.data import motion
from film_tf.errors import UserError
from film_tf.inference import memory
from film_tf.inference.interpolator import Interpolator
from film_tf.media import animation
from film_tf.model.film_net import FilmNet
from film_tf.render import inputs, job
from film_tf.render.outputs import EncodingOptions
from film_tf.render.request import request
from tests.conftest import TINY
from tests.media.videos import picture
from tests.render.interpolated import decoded


def test_frames_one_by_one_are_those_of_the_file(tmp_path, interpolator, clip):
  frames = list(film_tf.interpolated_frames(clip, interpolator, fps=10, start=1, stop=3))
  film_tf.interpolate_video(clip, tmp_path / 'a', interpolator, fps='10', start='1', stop='3')
  assert len(frames) == 20
  for frame, image in zip(frames, decoded(tmp_path / 'a'), strict=True):
    np.testing.assert_array_equal(frame.pixels, image)


def test_a_generator_that_nobody_asks_any_more_ends_its_threads(interpolator, clip):
  before = threading.active_count()
  frames = film_tf.interpolated_frames(clip, interpolator)
  next(frames)
  frames.close()
  deadline = time.monotonic() + 5
  while threading.active_count() > before and time.monotonic() < deadline:
    time.sleep(0.01)
  assert threading.active_count() == before


@pytest.fixture
def photos(tmp_path):
  for i in range(3):
    Image.fromarray(picture(8 * i)).save(tmp_path / f'p{i}.png')
  return [tmp_path / f'p{i}.png' for i in range(3)]


@pytest.mark.parametrize('any_time', [False, True])
def test_times_are_met_as_the_network_was_trained(tmp_path, photos, any_time):
  net = FilmNet(dataclasses.replace(TINY, bilateral_flow=True, any_time=any_time))
  film_tf.save_weights(net, tmp_path / 'net.npz')
  made = {
    time: [frame.pixels for frame in film_tf.interpolated_frames(photos, tmp_path / 'net.npz', times=2, time=time)]
    for time in ('auto', 'halve', 'direct')
  }
  np.testing.assert_array_equal(made['auto'], made['direct' if any_time else 'halve'])
  assert (np.array(made['halve']) != made['direct']).any()
  given = list(film_tf.interpolated_frames(photos, Interpolator(tmp_path / 'net.npz'), times=2))
  np.testing.assert_array_equal([frame.pixels for frame in given], made['auto'])


@pytest.mark.parametrize(
  ('options', 'part'),
  [
    ({'at_cut': 'holt'}, 'at_cut=holt'),
    ({'duplicates': 'no'}, 'duplicates=no'),
    ({'images': 'tiff'}, 'images=tiff'),
  ],
)
def test_misspelt_options_are_told(tmp_path, interpolator, clip, options, part):
  with pytest.raises(UserError, match=part):
    film_tf.interpolate_video(clip, tmp_path / 'a', interpolator, **options)


def test_a_loop_leads_back_to_the_first(tmp_path, interpolator, photos, clip, monkeypatch):
  monkeypatch.setattr(motion, 'is_cut', lambda *args: False)
  frames = [frame.pixels for frame in film_tf.interpolated_frames(photos, interpolator, multiply=2, loop=True)]
  assert len(frames) == 6
  np.testing.assert_array_equal(frames[5], interpolator.between(picture(16), picture(0)))
  times = [frame.time for frame in film_tf.interpolated_frames(clip, interpolator, multiply=2, loop=True)]
  assert len(times) == 300
  film_tf.interpolate_video(photos, tmp_path / 'a.gif', interpolator, multiply=2, loop=True)
  assert animation.length(tmp_path / 'a.gif') == 6


def test_chosen_shares(tmp_path, interpolator, photos):
  film_tf.interpolate_video(photos[:2], tmp_path / 'quarter.png', interpolator, at=[0.25])
  (quarter,) = interpolator.at(picture(0), picture(8), [0.25])
  np.testing.assert_array_equal(decoded_still(tmp_path / 'quarter.png'), quarter)
  film_tf.interpolate_video(photos, tmp_path / 'a', interpolator, at=['0.25', '0.5'])
  assert len(decoded(tmp_path / 'a')) == 7
  np.testing.assert_array_equal(decoded(tmp_path / 'a')[1], quarter)
  with pytest.raises(UserError, match=r'0.5, 0.25'):
    film_tf.interpolate_video(photos, tmp_path / 'b', interpolator, at=[0.5, 0.25])


def decoded_still(path):
  return np.asarray(Image.open(path))


@pytest.mark.parametrize(('images', 'most'), [('png', 0), ('jpg', 12), ('webp', 30)])
def test_folders_of_images(tmp_path, interpolator, photos, images, most):
  film_tf.interpolate_video(photos, tmp_path / 'a', interpolator, images=images)
  names = sorted(os.listdir(tmp_path / 'a'))
  assert names == [f'frame_{i:04d}.{images}' for i in range(5)]
  assert np.abs(decoded_still(tmp_path / 'a' / names[4]).astype(int) - picture(16)).max() <= most


def test_transparent_photographs(tmp_path, interpolator, photos):
  rgba = np.dstack([picture(8), np.full((48, 64), 128, np.uint8)])
  Image.fromarray(rgba).save(photos[1])
  film_tf.interpolate_video(photos, tmp_path / 'a', interpolator)
  frames = decoded(tmp_path / 'a')
  assert {frame.shape for frame in frames} == {(48, 64, 4)}
  assert [round(frame[..., 3].mean()) for frame in frames] == pytest.approx([255, 191, 128, 191, 255], abs=1)
  for output, part in (('a.mp4', 'no transparency here'), ('a.jpg', 'JPEG')):
    with pytest.raises(UserError, match=part):
      film_tf.interpolate_video(photos[:2], tmp_path / output, interpolator)


def test_animations_come_and_go(tmp_path, interpolator, photos, monkeypatch):
  monkeypatch.setattr(motion, 'is_cut', lambda *args: False)
  film_tf.interpolate_video(photos, tmp_path / 'a.gif', interpolator, multiply=2, fps=10)
  film_tf.interpolate_video(tmp_path / 'a.gif', tmp_path / 'b.webp', interpolator, multiply=2)
  frames = list(animation.read(tmp_path / 'b.webp'))
  assert len(frames) == 9
  assert float(frames[-1].time + frames[-1].duration) == pytest.approx(0.5, abs=2e-3)
  film_tf.interpolate_video(tmp_path / 'a.gif', tmp_path / 'b.mp4', interpolator, fps=20)
  assert len(decoded(tmp_path / 'b.mp4')) == 10


def test_what_is_planned_is_what_is_made(tmp_path, interpolator, clip, monkeypatch):
  planned = job.Job(inputs.find_one([clip]), str(tmp_path / 'a.mp4'), request(fps=60, stop=2), EncodingOptions())
  lines = planned.describe(interpolator).splitlines()
  assert '50 frames of 64x48' in lines[0]
  assert 'about 120 frames, 60.000 a second' in lines[1]
  calls, at = [], interpolator._model.at
  monkeypatch.setattr(interpolator._model, 'at', lambda *args: (calls.append(1) or made for made in at(*args)))
  planned.run(interpolator)
  assert f'network: {len(calls)} times' in lines[2]
  assert 'GB' in lines[3]


def test_a_picture_that_memory_cannot_hold_is_refused_before_the_work(tmp_path, interpolator, monkeypatch):
  """20,000 pixels wide and 8,000 high, here with the memory of a telephone."""
  monkeypatch.setattr(memory, 'free', lambda: 10**9)
  monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 10**9)
  for name in ('a.png', 'b.png'):
    Image.new('1', (20000, 8000)).save(tmp_path / name)
  with pytest.raises(UserError, match=r'20000x8000 pixels need at least \d+\.\d GB of memory .* 0\.9 GB are free'):
    film_tf.interpolate_video([tmp_path / 'a.png', tmp_path / 'b.png'], tmp_path / 'c.png', interpolator)


def test_a_picture_20000_pixels_wide(tmp_path, interpolator):
  wide = np.tile(picture(0, 32, 80), (1, 250, 1))
  for name in ('a.png', 'b.png'):
    Image.fromarray(wide).save(tmp_path / name)
  pair = [tmp_path / 'a.png', tmp_path / 'b.png']
  film_tf.interpolate_video(pair, tmp_path / 'c.png', interpolator)
  assert decoded_still(tmp_path / 'c.png').shape == (32, 20000, 3)
  for name, part in (('c.mp4', 'libx264 cannot encode 20000x32'), ('c.webp', 'more than WEBP holds')):
    with pytest.raises(UserError, match=part):
      film_tf.interpolate_video(pair, tmp_path / name, interpolator)
  assert sorted(os.listdir(tmp_path)) == ['a.png', 'b.png', 'c.png']


def test_options_are_keywords_and_errors_speak_python(tmp_path, clip):
  with pytest.raises(TypeError, match="'tims'"):
    film_tf.interpolate_video(clip, tmp_path / 'a.mp4', tims=2)
  with pytest.raises(UserError, match=r'^times=2 and multiply=3 all say which frames; give one of them$'):
    film_tf.interpolate_video(clip, tmp_path / 'a.mp4', times=2, multiply=3)
  (tmp_path / 'b.mp4').write_text('mine')
  with pytest.raises(UserError, match=r'or add overwrite=True$'):
    film_tf.interpolate_video(clip, tmp_path / 'b.mp4')
  with pytest.raises(UserError, match=r'clip--final\.mp4'):
    film_tf.interpolate_video(tmp_path / 'clip--final.mp4', tmp_path / 'c.mp4')
