"""Whole jobs: what is cut off goes on, whatever the output, and ends as if nothing had happened."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

import film_tf
from film_tf.data import motion
from film_tf.errors import UserError
from film_tf.inference import memory
from film_tf.media import animation
from film_tf.media.video_reader import VideoReader
from film_tf.render import inputs, job
from film_tf.render.outputs import EncodingOptions
from film_tf.render.parts import Parts
from film_tf.render.request import request
from tests.conftest import ROOT, command, on_small_disk
from tests.media.videos import encode, packets, picture


@pytest.fixture
def clip(tmp_path):
  """A video of 150 frames, with sound."""
  return encode(tmp_path / 'clip.mp4', map(picture, range(150)), sound=6)


def decoded(path):
  if os.path.isdir(path):
    return [np.asarray(Image.open(os.path.join(path, name))) for name in sorted(os.listdir(path))]
  frames = animation.read(path) if animation.length(path) else VideoReader(path).frames()
  return [frame.pixels for frame in frames]


def assert_same(path, other):
  ours, theirs = decoded(path), decoded(other)
  assert len(ours) == len(theirs)
  for one, two in zip(ours, theirs, strict=True):
    np.testing.assert_array_equal(one, two)


def stopped_after(count):
  """A progress callback that presses Ctrl-C."""

  def progress(done, total):
    if done == count:
      os.kill(os.getpid(), signal.SIGINT)

  return progress


@pytest.mark.parametrize('output', ['a.mp4', 'a.webm', 'a.gif', 'a.webp', 'a'])
def test_ctrl_c_leaves_what_is_finished_and_resume_goes_on(tmp_path, interpolator, output):
  clip = encode(tmp_path / 'clip.mp4', map(picture, range(90)), sound=4)
  options = {'fps': 50}
  path, whole = str(tmp_path / output), str(tmp_path / f'whole_{output}')
  assert film_tf.interpolate_video(clip, whole, interpolator, **options).frames == 180
  with pytest.raises(film_tf.Interrupted) as stopped:
    film_tf.interpolate_video(clip, path, interpolator, progress=stopped_after(100), **options)
  assert not os.path.exists(path)
  assert 100 <= stopped.value.done <= 102
  assert len(decoded(stopped.value.so_far)) == stopped.value.done
  with pytest.raises(UserError, match=f'{output}.parts is left .* resume=True'):
    film_tf.interpolate_video(clip, path, interpolator, **options)
  with pytest.raises(UserError, match='begun with fps 50, and now it is 24'):
    film_tf.interpolate_video(clip, path, interpolator, resume=True, fps=24)
  told = []
  film_tf.interpolate_video(clip, path, interpolator, resume=True, progress=lambda *now: told.append(now), **options)
  # A codec's part that was cut short is made again, or it would not be encoded as it would have been.
  assert told[0] == (64 if output.endswith(('.mp4', '.webm')) else stopped.value.done, 180)
  assert told[-1] == (180, 180)
  assert not os.path.exists(f'{path}.parts')
  ours, theirs = decoded(path), decoded(whole)
  assert (
    len(ours) == len(theirs) == (180 if output not in ('a.gif', 'a.webp') else len(theirs))
  )  # where equal ones are one
  np.testing.assert_array_equal(ours, theirs)
  if output == 'a.mp4':
    assert [frame.time for frame in VideoReader(path).frames()] == [f.time for f in VideoReader(whole).frames()]
    assert packets(path, 'audio') == packets(whole, 'audio')


@pytest.mark.parametrize('output', ['a.mp4', 'a.gif', 'frames', 'a.png'])
@pytest.mark.parametrize('left', [None, ['complete.json']], ids=str)
def test_parts_that_are_left_of_a_finished_output_are_removed(tmp_path, interpolator, output, left, monkeypatch):
  """As of a kill before they were removed, and while they were."""
  photos = []
  for i in range(2):
    photos.append(tmp_path / f'{i}.png')
    Image.fromarray(picture(i)).save(photos[-1])
  path, parts = tmp_path / output, tmp_path / f'{output}.parts'
  monkeypatch.setattr(Parts, 'remove', Parts.close)
  film_tf.interpolate_video(photos, path, interpolator)
  monkeypatch.undo()
  assert parts.is_dir()
  for one in [] if left is None else parts.iterdir():
    if one.name not in left:
      shutil.rmtree(one) if one.is_dir() else one.unlink()
  before = path.stat().st_ino
  assert film_tf.interpolate_video(photos, path, interpolator, resume=True).frames == 0
  assert not parts.exists()
  assert path.stat().st_ino == before


def test_resume_names_the_option_with_which_a_finished_output_was_not_made(tmp_path, interpolator):
  clip, path = encode(tmp_path / 'clip.mp4', map(picture, range(8))), tmp_path / 'a.mp4'
  try:
    os.setxattr(clip, 'user.any', b'')
  except OSError:
    pytest.skip('this file system has no attributes of files')
  film_tf.interpolate_video(clip, path, interpolator, crf=20)
  assert not film_tf.interpolate_video(clip, path, interpolator, crf=20, resume=True).notes
  film_mini = film_tf.Interpolator('film_mini')
  report = film_tf.interpolate_video(clip, path, film_mini, crf=12, codec='libx265', resume=True)
  told = '\n'.join(report.notes)
  for part in (
    'model film_',
    f'now it is {film_mini.identity}',
    'crf 20, and now it is 12',
    'codec None, and now it is',
  ):
    assert part in told
  assert 'makes it again' in told


def test_an_older_output_is_not_taken_for_that_of_its_parts(tmp_path, interpolator):
  """What was to be replaced, and then was interrupted, is neither replaced unasked nor called finished."""
  clip, path = encode(tmp_path / 'clip.mp4', map(picture, range(90))), tmp_path / 'a.mp4'
  path.write_bytes(b'older')
  with pytest.raises(film_tf.Interrupted):
    film_tf.interpolate_video(clip, path, interpolator, overwrite=True, progress=stopped_after(80))
  with pytest.raises(UserError, match=r'a.mp4 exists already'):
    film_tf.interpolate_video(clip, path, interpolator, resume=True)
  assert film_tf.interpolate_video(clip, path, interpolator, resume=True, overwrite=True).frames == 179
  assert not (tmp_path / 'a.mp4.parts').exists()


@pytest.mark.slow
@pytest.mark.parametrize('output', ['a.mp4', 'a.webm', 'frames'])
def test_sigkill_then_resume_decodes_to_the_same_frames(tmp_path, tiny, output):
  encode(tmp_path / 'clip.mp4', (picture(i, 64, 96) for i in range(200)), sound=8)
  film_tf.save_weights(tiny, tmp_path / 'net.npz')
  words = ['film_tf.interpolate', 'clip.mp4', '--model=net.npz', '--multiply=2']
  environment = {**os.environ, 'PYTHONPATH': str(ROOT)}

  def run(name, *more):
    return command(*words, f'--output={name}', *more, cwd=tmp_path)

  assert run(f'whole_{output}').returncode == 0
  parts = tmp_path / f'{output}.parts'
  finished = {}
  for target in (1, 3):  # killed twice, while a part is under way
    process = subprocess.Popen(
      [sys.executable, '-m', *words, f'--output={output}', '--resume'],
      cwd=tmp_path,
      env=environment,
      stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (parts / f'{target:06d}.json').exists() and process.poll() is None and time.monotonic() < deadline:
      time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / output).exists()
    assert (parts / f'{target:06d}.json').exists()
    assert all(path.stat().st_mtime_ns == time for path, time in finished.items())  # none is made again
    finished = {path: path.stat().st_mtime_ns for path in parts.glob('0*.json')}
  result = run(output, '--resume')
  assert result.returncode == 0, result.stderr
  assert_same(str(tmp_path / output), str(tmp_path / f'whole_{output}'))
  again = run(output, '--resume')
  assert again.returncode == 0
  assert 'is there already' in again.stderr


@pytest.mark.slow
@pytest.mark.parametrize(('output', 'size'), [('disk/a.mp4', '1500k'), ('disk/a', '3m'), ('disk/a.gif', '3m')])
def test_a_full_disk_is_one_line_and_room_lets_it_go_on(tmp_path, tiny, output, size):
  film_tf.save_weights(tiny, tmp_path / 'net.npz')
  random = np.random.default_rng(0)
  encode(tmp_path / 'clip.mp4', [random.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(100)])
  command = f'{sys.executable} -m film_tf.interpolate clip.mp4 --model=net.npz --output={output}'
  script = (
    f'{command} 2>first; echo ended with $?; ls disk; mount -o remount,size=90m disk;'
    f'{command} --resume && cp -r {output} . && {command.replace("disk/", "whole_")}'
  )
  result = on_small_disk(script, size, tmp_path)
  assert result.returncode == 0, result.stderr
  last = (tmp_path / 'first').read_text().splitlines()[-1]
  assert 'No space left on device' in last
  assert '--resume goes on' in last
  assert 'Traceback' not in (tmp_path / 'first').read_text()
  name = output.removeprefix('disk/')
  assert f'ended with 2\n{name}.parts\n' in result.stdout
  assert_same(str(tmp_path / name), str(tmp_path / f'whole_{name}'))


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
  planned = job.Job(inputs.find_one([clip]), str(tmp_path / 'a.mp4'), request(fps=60), EncodingOptions())
  lines = planned.describe(interpolator).splitlines()
  assert '150 frames of 64x48' in lines[0]
  assert 'about 360 frames, 60.000 a second' in lines[1]
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
    Image.new('RGB', (20000, 8000)).save(tmp_path / name)
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
