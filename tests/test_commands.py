"""The commands, as processes, with the mistakes that people make."""

import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import film_tf
from film_tf import cli, files
from film_tf.media import image_file
from film_tf.media.frame import Frame
from film_tf.media.video_reader import VideoReader
from tests.conftest import ROOT, assert_user_error, command
from tests.media.videos import encode, packets, picture

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)


@pytest.fixture
def folder(tmp_path, tiny) -> pathlib.Path:
  """Two frames and a model."""
  Image.fromarray(PIXELS).save(tmp_path / 'a.png')
  Image.fromarray(PIXELS[::-1]).save(tmp_path / 'b.png')
  film_tf.save_weights(tiny, tmp_path / 'net.npz')
  return tmp_path


def interpolate(folder, *words):
  return command('film_tf.interpolate', *words, cwd=folder)


@pytest.mark.parametrize('name', ['mid.png', 'mid.jpg', 'mid.webp', 'new/mid.png'])
def test_interpolate_writes_a_still(folder, name):
  result = interpolate(folder, 'a.png', 'b.png', '--model=net.npz', f'--output={name}')
  assert result.returncode == 0, result.stderr
  assert result.stdout.strip() == name
  with Image.open(folder / name) as image:
    assert image.size == (32, 24)


def test_interpolate_writes_a_gif_and_a_folder(folder):
  assert interpolate(folder, 'a.png', 'b.png', '--model=net.npz', '--times=2', '--output=all.gif').returncode == 0
  with Image.open(folder / 'all.gif') as gif:
    assert gif.n_frames == 5
  assert interpolate(folder, 'a.png', 'b.png', '--model=net.npz', '--times=2', '--output=all/').returncode == 0
  names = sorted(path.name for path in (folder / 'all').iterdir())
  assert names == [f'frame_{i:04d}.png' for i in range(5)]
  np.testing.assert_array_equal(np.asarray(Image.open(folder / 'all' / names[0])), PIXELS)
  np.testing.assert_array_equal(np.asarray(Image.open(folder / 'all' / names[4])), PIXELS[::-1])


def test_interpolate_takes_and_writes_videos(folder):
  encode(folder / 'clip.mp4', map(picture, range(6)), sound=0.2)
  assert interpolate(folder, 'clip.mp4', '--model=net.npz', '--fps=60', '--output=out.mkv').returncode == 0
  assert len(list(VideoReader(folder / 'out.mkv').frames())) == 15  # of 0.24 s
  assert len(packets(folder / 'out.mkv', 'audio')) == len(packets(folder / 'clip.mp4', 'audio'))
  words = ['clip.mp4', '--model=net.npz', '--slow=2', '--stop=0.12', '--output=slow/']
  assert interpolate(folder, *words).returncode == 0
  assert len(list((folder / 'slow').iterdir())) == 6
  assert interpolate(folder, 'a.png', 'b.png', '--model=net.npz', '--multiply=3', '--output=all.mp4').returncode == 0
  frames_of = list(VideoReader(folder / 'all.mp4').frames())
  assert len(frames_of) == 4
  assert np.abs(frames_of[0].pixels.astype(int) - PIXELS).mean() < 60  # noise, at half the colours
  assert np.abs(frames_of[0].pixels.mean() - PIXELS.mean()) < 3


def test_export_then_interpolate(folder):
  assert command('film_tf.export', '--model=net.npz', '--output=saved', cwd=folder).returncode == 0
  ways = {'net': ('net.npz', '--precision=float32'), 'saved': ('saved',), 'half': ('saved', '--flow_scale=0.5')}
  for name, (model, *options) in ways.items():
    result = interpolate(folder, 'a.png', 'b.png', f'--model={model}', f'--output={name}.png', *options)
    assert result.returncode == 0, result.stderr
  one, other, half = (np.asarray(Image.open(folder / f'{name}.png')).astype(int) for name in ways)
  assert np.abs(one - other).max() <= 1
  assert np.abs(half - other).max() > 1
  assert_user_error(command('film_tf.export', '--model=net.npz', '--output=saved', cwd=folder), 'saved', 'exists')


GOOD = ['a.png', 'b.png', '--model=net.npz', '--output=out.png']


@pytest.mark.slow
@pytest.mark.parametrize(
  ('words', 'parts'),
  [
    (['a.png', 'none.png', *GOOD[2:]], ['no such file', 'none.png']),
    (['a.png', *GOOD[2:]], ['a.png', 'one image', 'two']),
    (['a.png', 'small.png', *GOOD[2:]], ['a.png', '32x24', 'small.png', '5x4']),
    (['a.png', 'deep.png', *GOOD[2:]], ['8 bits', '16 bits']),
    (['a.png', 'folder', *GOOD[2:]], ['folder', 'without images']),
    (['net.npz', *GOOD[2:]], ['net.npz', 'cannot be read']),
    ([*GOOD[:2], 'clip2.mp4', *GOOD[2:]], ['a.png', 'clip2.mp4', '{name}']),
    ([*GOOD[:2], '--model=none', '--output=out.png'], ['none']),
    ([*GOOD[:2], '--model=a.png', '--output=out.png'], ['a.png', 'weights']),
    (GOOD[:2], ['--output']),
    ([*GOOD[:3], '--output=a.png'], ['a.png', 'is an input too']),
    ([*GOOD[:3], '--output=out.bmp'], ['out.bmp', '.png']),
    ([*GOOD[:3], '--output=a.png/out.png'], ['cannot write', 'a.png/out.png']),
    ([*GOOD[:3], '--output=/proc/out.png'], ['cannot write', '/proc/out.png']),
    ([*GOOD[:3], '--output=folder'], ['folder', 'exists', 'not empty']),
    ([*GOOD[:3], '--output=c.png'], ['c.png', 'exists', '--overwrite']),
    ([*GOOD, '--times=2'], ['out.png', '3 are wanted', '.gif']),
    ([*GOOD, '--at=0.25,2'], ['--at=2 is too much']),
    ([*GOOD, '--at=soon'], ['--at=soon']),
    ([*GOOD, '--at=0.5', '--times=1'], ['--times=1', '--at=0.5']),
    ([*GOOD, '--crf=3'], ['--crf', 'out.png']),
    (['clip2.mp4', '--output=out.mp4', '--codec=none'], ['no encoder none']),
    (['clip2.mp4', '--output=out.webm', '--codec=libx264'], ['out.webm', 'libx264']),
    (['clip2.mp4', '--output=out.mp4', '--start=3', '--stop=2'], ['--start=3', '--stop=2']),
    (['clip2.mp4', '--output=out.mp4', '--start=99'], ['clip2.mp4', '99.0 s']),
    (['clip2.mp4', '--output=out.mp4', '--ftps=60'], ['ftps', '--help']),
    ([*GOOD, '--times=2', '--multiply=3'], ['--times=2', '--multiply=3']),
    ([*GOOD, '--slow=2'], ['--slow', 'videos']),
    (['clip.mp4', *GOOD[2:]], ['clip.mp4', 'no such file']),
    (['clip2.mp4', '--output=out.mp4', '--times=2', '--fps=60'], ['--times', '--fps']),
    (['clip2.mp4', '--output=out.mp4', '--fps=fast'], ['--fps=fast', '24000/1001']),
    (['clip2.mp4', '--output=out.mp4', '--fps=0'], ['--fps=0', 'more than 0']),
    ([*GOOD, '--times=0'], ['times']),
    ([*GOOD, '--times=many'], ['times', 'many']),
    ([*GOOD, '--tims=2'], ['tims', '--help']),
  ],
  ids=str,
)
def test_mistakes_are_one_line_and_leave_nothing(folder, words, parts):
  (folder / 'folder').mkdir()
  (folder / 'folder' / '._a.png').write_text('what macOS leaves')
  (folder / 'c.png').write_bytes(b'not ours')
  Image.fromarray(PIXELS[:4, :5]).save(folder / 'small.png')
  image_file.write(folder / 'deep.png', Frame(PIXELS.astype(np.uint16) * 257))
  encode(folder / 'clip2.mp4', map(picture, range(3)))
  before = sorted(folder.rglob('*'))
  assert_user_error(interpolate(folder, *words), *parts)
  assert sorted(folder.rglob('*')) == before


def test_overwrite_replaces(folder):
  Image.fromarray(PIXELS).save(folder / 'c.png')
  assert interpolate(folder, *GOOD[:3], '--output=c.png', '--overwrite').returncode == 0
  assert not np.array_equal(np.asarray(Image.open(folder / 'c.png')), PIXELS)


def test_several_inputs_and_what_is_there_already(folder):
  encode(folder / 'clip.mp4', map(picture, range(4)))
  (folder / 'photos').mkdir()
  for i in (2, 10):
    Image.fromarray(picture(i)).save(folder / 'photos' / f'{i}.png')
  words = ['*.mp4', 'photos', 'a.png', 'b.png', '--model=net.npz', '--output=out/{name}.mp4']
  result = interpolate(folder, *words)
  assert result.returncode == 0, result.stderr
  names = ['a.mp4', 'clip.mp4', 'photos.mp4']
  assert sorted(path.name for path in (folder / 'out').iterdir()) == names
  assert sorted(result.stdout.split()) == [f'out/{name}' for name in names]
  (folder / 'out' / 'photos.mp4').unlink()
  result = interpolate(folder, *words, '--resume')
  assert result.returncode == 0, result.stderr
  assert 'out/clip.mp4 is there already' in result.stderr
  assert (folder / 'out' / 'photos.mp4').exists()


def test_one_that_fails_does_not_keep_the_others_waiting(folder):
  encode(folder / 'a.mkv', map(picture, range(60)), sound=2)
  (folder / 'a.mkv').write_bytes((folder / 'a.mkv').read_bytes()[:9000])
  encode(folder / 'b.mkv', map(picture, range(4)))
  result = interpolate(folder, 'a.mkv', 'b.mkv', '--model=net.npz', '--output={name}.gif')
  assert result.returncode == 2
  assert 'a.mkv' in result.stderr.splitlines()[-1]
  assert (folder / 'b.gif').exists()


def test_a_dry_run_says_what_would_be_and_makes_nothing(folder):
  encode(folder / 'clip.mp4', map(picture, range(10)))
  before = sorted(folder.rglob('*'))
  result = interpolate(folder, 'clip.mp4', '--model=net.npz', '--output=out.mp4', '--fps=60', '--dry_run')
  assert result.returncode == 0, result.stderr
  for part in ('10 frames of 64x48', 'out.mp4: about 24 frames', 'network', 'memory: about'):
    assert part in result.stdout
  assert sorted(folder.rglob('*')) == before


def test_new_frames_say_how_near_they_are_to_their_time(folder):
  encode(folder / 'clip.mp4', map(picture, range(4)))
  result = interpolate(folder, 'clip.mp4', '--model=net.npz', '--output=out.mp4', '--multiply=3')
  assert 'new frames are within 0.42 ms of their time' in result.stderr  # 1/96 of 40 ms


@pytest.mark.slow
@pytest.mark.parametrize(
  ('words', 'parts'),
  [
    ([], ['--base_dir']),
    (['--base_dir=run'], ['--gin_configs', 'gin/film_mini.gin']),
    (['--base_dir=run', '--gin_configs=none.gin'], ['none.gin', 'gin/film_mini.gin']),
    (['--base_dir=run', '--gin_configs=gin/film_mini.gin,none.gin'], ['none.gin in']),
    (['--base_dir=run', '--gin_configs=gin/film_mini.gin', '--gin_configs=none.gin'], ['none.gin in']),
    (['--base_dir=run', '--gin_configs=gin/film_mini.gin', '--gin_bindings=model.filtres = 3'], ['filtres']),
    (['--base_dir=run', '--gin_configs=gin/film_demo.gin', '--gin_bindings=model.filters = 0'], ['filters is 0']),
    (['--base_dir=run', '--gin_configs=gin/film_mini.gin', '--gin_bindings=train.steps = 0'], ['train.steps is 0']),
    (['--base_dir=run', '--gin_configs=gin/film_mini.gin', '--gin_bindings=train.precision = "half"'], ['half']),
    (['--base_dir=run', 'film_mini.gin'], ['film_mini.gin']),
    (['--base_dir=/proc/run', '--gin_configs=gin/film_demo.gin'], ['cannot write', '/proc/run']),
    (['--base_dir=run', '--gin_config=film_mini.gin'], ['gin_config']),
  ],
  ids=str,
)
def test_mistakes_in_training_are_one_line(words, parts, tmp_path):
  assert_user_error(command('film_tf.train', *words, cwd=tmp_path), *parts)
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('name', ['train', 'interpolate', 'export'])
def test_help_shows_usage_and_flags(name, tmp_path):
  result = command(f'film_tf.{name}', '--help', cwd=tmp_path)
  assert f'python -m film_tf.{name}' in result.stdout
  for flag in {'train': ['--base_dir', '--gin_configs', '--gin_bindings']}.get(name, ['--model', '--output']):
    assert flag in result.stdout.replace('--[no]', '--')


def test_a_full_disk_where_it_prints_is_one_line(tmp_path):
  with open('/dev/full', 'w') as full:
    words = [sys.executable, '-m', 'film_tf.export', '--help']
    result = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT)
  assert_user_error(result, 'cannot write what is printed: No space left on device')


def test_a_name_that_cannot_be_printed_does_not_end_what_is_done(folder):
  (folder / 'dätä').mkdir()
  for i in range(2):
    Image.fromarray(picture(i)).save(folder / 'dätä' / f'{i}.png')
  words = [sys.executable, '-m', 'film_tf.interpolate', 'dätä', '--model=net.npz', '--output=mädchen.gif']
  environment = {**os.environ, 'PYTHONIOENCODING': 'ascii:strict', 'PYTHONPATH': str(ROOT)}
  result = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
  assert result.returncode == 0, result.stderr
  assert result.stdout == 'm\\xe4dchen.gif\n'


def test_a_tilde_is_the_home_folder(folder, monkeypatch):
  (folder / 'home').mkdir()
  monkeypatch.setenv('HOME', str(folder / 'home'))
  words = ['--model=net.npz', '--format=npz', '--output=~/a.npz']
  result = command('film_tf.export', *words, cwd=folder)
  assert result.returncode == 0, result.stderr
  assert (folder / 'home' / 'a.npz').exists()


def test_a_second_signal_at_once_is_the_same_wish_and_later_ends_at_once(monkeypatch):
  """An exception while another is on its way could leave a lock of a pool of threads closed for ever."""
  monkeypatch.setattr(cli, '_asked', [])
  monkeypatch.setattr(files, 'unfinished', ['something'])
  monkeypatch.setattr(os, '_exit', lambda code: pytest.fail(f'exit {code}', pytrace=False))
  with pytest.raises(KeyboardInterrupt):
    cli._stop(signal.SIGINT, None)
  cli._stop(signal.SIGTERM, None)
  cli._asked[0] -= 2.0
  with pytest.raises(pytest.fail.Exception, match='exit 143'):
    cli._stop(signal.SIGTERM, None)
