"""Jobs that are cut off, by Ctrl-C, a kill or a full disk: they go on, and end as if nothing had happened."""

import os
import shutil
import signal

import numpy as np
import pytest
from PIL import Image

import film_tf
from film_tf.errors import UserError
from film_tf.media.video_reader import VideoReader
from film_tf.model.film_net import FilmNet
from film_tf.render.parts import Parts
from tests import faults
from tests.conftest import SHALLOW, command
from tests.forked import Process
from tests.media.videos import encode, packets, picture
from tests.render.interpolated import assert_same, decoded
from tests.small_disk import SmallDisk


def stopped_after(count):
  """A progress callback that presses Ctrl-C."""

  def progress(done, total):
    if done == count:
      os.kill(os.getpid(), signal.SIGINT)

  return progress


@pytest.mark.parametrize('output', ['a.mp4', 'a.webm', 'a.gif', 'a.webp', 'a'])
def test_ctrl_c_leaves_what_is_finished_and_resume_goes_on(tmp_path, interpolator, output):
  clip = encode(tmp_path / 'clip.mp4', map(picture, range(60)), sound=2)
  options = {'fps': 50}
  path, whole = str(tmp_path / output), str(tmp_path / f'whole_{output}')
  assert film_tf.interpolate_video(clip, whole, interpolator, **options).frames == 120
  with pytest.raises(film_tf.Interrupted) as stopped:
    film_tf.interpolate_video(clip, path, interpolator, progress=stopped_after(80), **options)
  assert not os.path.exists(path)
  assert 80 <= stopped.value.done <= 82
  assert len(decoded(stopped.value.so_far)) == stopped.value.done
  with pytest.raises(UserError, match=f'{output}.parts is left .* resume=True'):
    film_tf.interpolate_video(clip, path, interpolator, **options)
  with pytest.raises(UserError, match='begun with fps 50, and now it is 24'):
    film_tf.interpolate_video(clip, path, interpolator, resume=True, fps=24)
  told = []
  film_tf.interpolate_video(clip, path, interpolator, resume=True, progress=lambda *now: told.append(now), **options)
  # A codec's part that was cut short is made again, or it would not be encoded as it would have been.
  assert told[0] == (64 if output.endswith(('.mp4', '.webm')) else stopped.value.done, 120)
  assert told[-1] == (120, 120)
  assert not os.path.exists(f'{path}.parts')
  ours, theirs = decoded(path), decoded(whole)
  assert len(ours) == len(theirs) == (len(theirs) if output in ('a.gif', 'a.webp') else 120)  # there equal ones are one
  np.testing.assert_array_equal(ours, theirs)
  if output == 'a.mp4':
    assert [frame.time for frame in VideoReader(path).frames()] == [f.time for f in VideoReader(whole).frames()]
    assert packets(path, 'audio') == packets(whole, 'audio')


@pytest.mark.parametrize('output', ['a.mp4', 'a.gif', 'frames', 'a.png'])
@pytest.mark.parametrize('left', [None, ['complete.json'], []], ids=str)
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


def test_resume_names_the_option_with_which_a_finished_output_was_not_made(tmp_path, interpolator, tiny):
  clip, path = encode(tmp_path / 'clip.mp4', map(picture, range(8))), tmp_path / 'a.mp4'
  try:
    os.setxattr(clip, 'user.any', b'')
  except OSError:
    pytest.skip('this file system has no attributes of files')
  film_tf.interpolate_video(clip, path, interpolator, crf=20)
  assert not film_tf.interpolate_video(clip, path, interpolator, crf=20, resume=True).notes
  (half,) = film_tf.interpolate_video(clip, path, film_tf.Interpolator(tiny, flow_scale=0.5), crf=20, resume=True).notes
  assert f'was made with model {interpolator.identity}, and now it is {interpolator.identity} with flow at half' in half
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
def test_sigkill_then_resume_decodes_to_the_same_frames(tmp_path, output):
  encode(tmp_path / 'clip.mp4', (picture(i, 64, 96) for i in range(140)), sound=5)
  film_tf.save_weights(FilmNet(SHALLOW), tmp_path / 'net.npz')
  words = ['film_tf.interpolate', 'clip.mp4', '--model=net.npz', '--multiply=2']

  def run(name, *more):
    return command(*words, f'--output={name}', *more, cwd=tmp_path)

  assert run(f'whole_{output}').returncode == 0
  parts = tmp_path / f'{output}.parts'
  finished = {}
  for target in (1, 3):  # killed twice, while a part is under way
    process = Process(*words, f'--output={output}', '--resume', cwd=tmp_path)
    faults.wait_until((parts / f'{target:06d}.json').exists, process)
    faults.kill(process, signal.SIGKILL)
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
@pytest.mark.parametrize(('output', 'size'), [('a.mp4', '1500k'), ('a', '3m'), ('a.gif', '3m')])
def test_a_full_disk_is_one_line_and_room_lets_it_go_on(tmp_path, output, size):
  film_tf.save_weights(FilmNet(SHALLOW), tmp_path / 'net.npz')
  random = np.random.default_rng(0)
  encode(tmp_path / 'clip.mp4', [random.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(100)])
  words = ['film_tf.interpolate', 'clip.mp4', '--model=net.npz']
  with SmallDisk(tmp_path, size) as disk:
    result = disk.command(*words, f'--output=disk/{output}')
    assert result.returncode == 2, result.stderr
    last = result.stderr.splitlines()[-1]
    assert 'No space left on device' in last
    assert '--resume goes on' in last
    assert 'Traceback' not in result.stderr
    assert [path.name for path in disk.path.iterdir()] == [f'{output}.parts']
    disk.grow('90m')
    result = disk.command(*words, f'--output=disk/{output}', '--resume')
    assert result.returncode == 0, result.stderr
    assert command(*words, f'--output={output}', cwd=tmp_path).returncode == 0
    assert_same(str(disk.path / output), str(tmp_path / output))
