"""The command `interpolate` where a person or a disk does what nobody expects."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest
from PIL import Image

import film_tf
from film_tf.errors import UserError
from film_tf.media.video_reader import VideoReader
from film_tf.render import inputs
from film_tf.render.job import Job
from film_tf.render.outputs import EncodingOptions
from film_tf.render.request import request
from tests.conftest import ROOT, command
from tests.media.videos import encode, packets, picture


@pytest.fixture
def folder(tmp_path, tiny, monkeypatch) -> pathlib.Path:
  """A video, two images and a model."""
  monkeypatch.chdir(tmp_path)
  encode('clip.mp4', map(picture, range(6)))
  for i in range(2):
    Image.fromarray(picture(8 * i)).save(f'{i}.png')
  film_tf.save_weights(tiny, 'net.npz')
  return tmp_path


def job(source, output, overwrite=False, resume=False, encoding=None, **wanted):
  sources = [source] if isinstance(source, str) else source
  return Job(
    inputs.find_one(sources), output, request(**wanted), EncodingOptions(**(encoding or {})), overwrite, resume
  )


def interpolate(folder, *words):
  return command('film_tf.interpolate', *words, '--model=net.npz', cwd=folder)


def test_names_with_a_colon_and_other_odd_ones(folder, interpolator):
  for name in ('12:31:00.mp4', 'what? 100%d.mp4', '-a.mp4'):
    os.rename('clip.mp4', name)
    film_tf.interpolate_video(name, f'of {name}', interpolator)
    assert len(list(VideoReader(f'of {name}').frames())) == 11
    os.rename(name, 'clip.mp4')


@pytest.mark.parametrize(
  ('output', 'part'),
  [
    ('', 'is no name'),
    ('/', 'is no name'),
    ('x' * 250 + '.mp4', 'shorter'),
    ('clip.mp4', 'is an input too'),
    ('.', 'input'),
    ('notes', 'notes is a file, which a folder of images does not replace'),
    ('net.npz/', 'net.npz is a file, which a folder'),
  ],
)
def test_places_where_nothing_can_go(folder, output, part):
  (folder / 'notes').write_text('mine')
  before = sorted(folder.rglob('*'))
  with pytest.raises(UserError, match=part):
    job('clip.mp4', output, overwrite=True)
  assert sorted(folder.rglob('*')) == before


def test_an_input_is_never_replaced(folder):
  os.link('clip.mp4', 'same.mp4')
  os.symlink('0.png', 'link.png')
  for source, output in (('clip.mp4', 'same.mp4'), (['0.png', '1.png'], 'link.png'), (['0.png', '1.png'], '1.png')):
    with pytest.raises(UserError, match='is an input too, and would be lost'):
      job(source, output, overwrite=True)


def test_an_empty_folder_is_a_fine_output(folder, interpolator):
  (folder / 'out').mkdir()
  film_tf.interpolate_video('clip.mp4', 'out', interpolator)
  assert len(os.listdir('out')) == 11
  with pytest.raises(UserError, match='not empty'):
    job('clip.mp4', 'out', overwrite=True)


@pytest.mark.parametrize(
  ('wanted', 'part'),
  [
    ({'start': '1e300'}, 'start=1e300 is too much'),
    ({'fps': '1e9'}, 'fps=1e9 is too much'),
    ({'slow': '1e9'}, 'slow=1e9 is too much'),
    ({'fps': 99999, 'slow': 9999}, 'for each that is given'),
    ({'times': 60}, 'times=60 is out of range'),
    ({'multiply': 10**9}, 'multiply=1000000000 is out of range'),
    ({'cut': 2.0}, 'cut=2.0'),
    ({'damaged': 'no'}, 'damaged=no'),
    ({'at': []}, 'at is empty'),
    ({'sound': 'stretch'}, 'sound=stretch is for --slow; add it'),
  ],
)
def test_numbers_out_of_all_bounds(folder, wanted, part):
  with pytest.raises(UserError, match=part):
    job('clip.mp4', 'out.mp4', **wanted)


def test_plans_are_computed_and_not_enumerated(folder, interpolator):
  began = time.monotonic()
  assert 'frames' in job('clip.mp4', 'out.mp4', fps=100000).describe(interpolator)
  assert time.monotonic() - began < 30


def test_pipes_empty_lists_and_hidden_files(folder):
  os.mkfifo('pipe.mp4')
  (folder / 'empty.txt').write_text('\n\n')
  (folder / 'photos').mkdir()
  for name in ('1.png', '2.png'):
    Image.fromarray(picture(0)).save(folder / 'photos' / name)
  (folder / 'photos' / '._1.png').write_text('what macOS leaves')
  with pytest.raises(UserError, match=r'pipe.mp4 is a pipe or a device'):
    inputs.find(['pipe.mp4'])
  with pytest.raises(UserError, match=r'empty.txt lists nothing'):
    inputs.find(['empty.txt'])
  assert inputs.find(['photos'])[0].paths == ('photos/1.png', 'photos/2.png')


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become somebody else for a moment')
def test_a_folder_that_cannot_be_read():
  with tempfile.TemporaryDirectory(dir='/tmp') as place, contextlib.chdir(place):
    os.chmod(place, 0o755)
    os.mkdir('locked', 0o700)
    os.seteuid(65534)
    try:
      with pytest.raises(UserError, match='locked cannot be read: Permission denied'):
        inputs.find(['locked'])
    finally:
      os.seteuid(0)


def test_heic_without_its_reader_is_one_line(folder):
  (folder / 'a.heic').write_bytes(b'\0\0\0\x18ftypheic')
  with pytest.raises(UserError, match=r'a.heic (is HEIC, which needs pillow-heif; pip install|is not an image)'):
    job(['a.heic', '0.png'], 'out.png')


def test_a_bad_file_among_good_ones(folder):
  (folder / 'bad.mp4').write_text('no video')
  (folder / 'worse.mp4').write_bytes(b'')
  result = interpolate(folder, '*.mp4', '--output=out/{name}.mp4', '--multiply=1')
  assert result.returncode == 2
  assert os.listdir(folder / 'out') == ['clip.mp4']
  assert [part in result.stderr for part in ('bad.mp4 cannot be read', 'worse.mp4 cannot be read', 'Traceback')] == [
    True, True, False,
  ]  # fmt: skip


def noisy(path, count=60):
  random = np.random.default_rng(0)
  frames = [np.clip(picture(i) + random.integers(-9, 9, (48, 64, 3)), 0, 255).astype(np.uint8) for i in range(count)]
  return encode(path, frames, codec='mpeg4', sound=count / 25)


def test_one_damaged_frame_does_not_end_a_film(folder, interpolator, capsys):
  noisy('a.mkv')
  data = bytearray((folder / 'a.mkv').read_bytes())
  packet = packets('a.mkv', 'video')[30][0]
  at = data.index(packet)
  data[at : at + len(packet)] = b'\0' * len(packet)
  (folder / 'bad.mkv').write_bytes(bytes(data))
  with pytest.raises(UserError, match='damaged=skip'):
    film_tf.interpolate_video('bad.mkv', 'out.mp4', interpolator)
  frames = list(film_tf.interpolated_frames('bad.mkv', interpolator, damaged='skip'))
  whole = list(film_tf.interpolated_frames('a.mkv', interpolator))
  assert [frame.time for frame in frames] == [frame.time for frame in whole]
  assert sum(frame.made for frame in frames) > sum(frame.made for frame in whole)
  report = film_tf.interpolate_video('bad.mkv', 'skipped.mp4', interpolator, damaged='skip')
  assert any('bad.mkv has damaged frames, the last one after 1.160 s' in note for note in report.notes)


def test_all_that_was_made_of_a_truncated_video_is_kept(folder, interpolator):
  noisy('a.mkv', 100)
  data = (folder / 'a.mkv').read_bytes()
  (folder / 'cut.mkv').write_bytes(data[: len(data) * 2 // 3])
  with pytest.raises(UserError, match=r'cut.mkv .*what comes before is in .*so_far.mp4'):
    film_tf.interpolate_video('cut.mkv', 'out.mp4', interpolator)
  given = 0
  with contextlib.suppress(UserError):
    for _ in VideoReader('cut.mkv').frames():
      given += 1
  made = len(list(VideoReader('out.mp4.parts/so_far.mp4').frames()))
  assert made == 2 * given - 1
  assert made % 64
  ends = packets('out.mp4.parts/so_far.mp4', 'audio')[-1][1]
  assert float(ends) <= given / 25


def test_what_is_there_already_but_of_other_flags_is_told(folder, interpolator):
  film_tf.interpolate_video('clip.mp4', 'out.mp4', interpolator)
  assert film_tf.interpolate_video('clip.mp4', 'out.mp4', interpolator, resume=True).notes == []
  report = film_tf.interpolate_video('clip.mp4', 'out.mp4', interpolator, resume=True, multiply=5)
  assert 'out.mp4 is of other flags: it has 11 frames, not about 30' in report.notes[0]
  assert len(list(VideoReader('out.mp4').frames())) == 11


def test_parts_that_are_left_beside_an_output_are_told_before_the_work(folder):
  (folder / 'out.mp4').write_text('of another time')
  (folder / 'out.mp4.parts').mkdir()
  (folder / 'out.mp4.parts' / '000000.mp4').write_text('a part')
  with pytest.raises(UserError, match=r'out.mp4 exists already'):
    job('clip.mp4', 'out.mp4', resume=True)
  with pytest.raises(UserError, match=r'damaged is for videos'):
    job(['0.png', '1.png'], 'out.png', damaged='skip')


def test_streams_that_are_closed(folder):
  words = f'{sys.executable} -m film_tf.interpolate clip.mp4 --model=net.npz --multiply=1 --output'
  environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
  for number, closed in enumerate(('>&-', '2>&-', '<&- >&- 2>&-')):
    result = subprocess.run(
      f'{words}={number}.mp4 {closed}', shell=True, env=environment, capture_output=True, text=True
    )
    assert (result.returncode, 'Traceback' in result.stderr) == (0, False), result.stderr
    assert len(list(VideoReader(f'{number}.mp4').frames())) == 6


@pytest.mark.slow
@pytest.mark.parametrize('seconds', [1.0, 2.0, 4.0])
def test_ctrl_c_while_loading_is_one_line(folder, seconds):
  words = [sys.executable, '-m', 'film_tf.interpolate', 'clip.mp4', '--output=out.mp4', '--times=5']
  process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env={**os.environ, 'PYTHONPATH': str(ROOT)})
  time.sleep(seconds)
  process.send_signal(signal.SIGINT)
  _, said = process.communicate(timeout=120)
  assert process.returncode in (130, -signal.SIGINT)
  assert 'Traceback' not in said
  lines = said.strip().splitlines()
  assert len(lines) == 1 or lines[-1].startswith('stopped after')  # on a fast machine it is loaded by then


def test_what_goes_to_a_file_has_no_carriage_returns(folder):
  result = interpolate(folder, 'clip.mp4', '--output=out.mkv', '--codec=libx265')
  assert result.returncode == 0, result.stderr
  assert '\r' not in result.stderr
  assert 'x265' not in result.stderr
