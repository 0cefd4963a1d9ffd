"""What was there is there after a kill, a full disk or a damaged file; and the same command then does its work."""

import os
import pathlib
import random
import shlex
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from tests import faults
from tests.conftest import ROOT, TINY, assert_user_error, command
from tests.data import triplets
from tests.datasets.build_tree import layout
from tests.forked import Process, start
from tests.small_disk import SmallDisk
from tests.training import runs

BUILD = ['vimeo90k_triplet', '--manual_dir=root', '--data_dir=built']


@pytest.fixture
def built(tmp_path):
  """A built data set, and what it was built from."""
  layout('vimeo90k_triplet', tmp_path / 'root')
  assert command('datasets.build', *BUILD, cwd=tmp_path).returncode == 0
  return tmp_path / 'built' / 'vimeo90k_triplet'


@pytest.mark.slow
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_build_that_is_stopped_leaves_the_old_data_set_and_nothing_for_long(number, built, tmp_path):
  before = faults.snapshot(built)
  frame = tmp_path / 'root/vimeo_triplet/sequences/00003/0010/im3.png'
  frame.rename(tmp_path / 'frame')
  Image.new('RGB', (8000, 8000)).save(frame)  # takes about a second to read
  process = Process('datasets.build', *BUILD, '--overwrite', cwd=tmp_path)
  faults.wait_until(lambda: any(built.glob('.1.0.0.building/**/*incomplete*')), process)
  process.send_signal(signal.SIGSTOP)  # in the middle, for as long as others take
  second = command('datasets.build', *BUILD, '--overwrite', cwd=tmp_path)
  assert_user_error(second, '1.0.0 is in use by process', process.pid)
  process.send_signal(number)
  process.send_signal(signal.SIGCONT)
  assert 'Traceback' not in process.communicate(timeout=300)[1]
  assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
  (tmp_path / 'frame').replace(frame)
  now = faults.snapshot(built)
  assert {name: data for name, data in now.items() if name.startswith('1.0.0')} == before
  if number == signal.SIGTERM:
    assert now == before
  assert_user_error(command('datasets.build', *BUILD, cwd=tmp_path), 'exists already')
  again = command('datasets.build', *BUILD, '--overwrite', cwd=tmp_path)
  assert again.returncode == 0, again.stderr
  assert faults.snapshot(built).keys() == before.keys()


@pytest.mark.slow
def test_a_full_disk_while_building_keeps_the_old_data_set(tmp_path):
  layout('vimeo90k_triplet', tmp_path / 'root')
  words = ['datasets.build', *BUILD[:2], '--data_dir=disk/built']
  with SmallDisk(tmp_path, '150k') as disk:
    assert disk.command(*words).returncode == 0
    before = faults.snapshot(disk.path)
    assert before
    assert_user_error(disk.command(*words, '--overwrite'), 'No space left')
    assert faults.snapshot(disk.path) == before


@pytest.mark.slow
def test_damaged_weights_are_told_by_every_command_that_reads_them(tmp_path):
  weights.save(FilmNet(TINY), tmp_path / 'net.npz')
  for way in faults.damages(tmp_path / 'net.npz'):
    result = command('film_tf.export', '--model=net.npz', '--output=new', cwd=tmp_path)
    if way != 'a byte flipped' or result.returncode:  # which may be of no importance to a zip file
      assert_user_error(result, 'net.npz')
      assert not (tmp_path / 'new').exists()


@pytest.mark.slow
def test_damaged_records_are_told_by_every_command_that_reads_them(tmp_path):
  triplets.write(tmp_path, [3])
  for _ in faults.damages(tmp_path / 'set-00000-of-00001'):
    for module, words in [
      ('eval.run', ['--model=blend', '--data=set@1']),
      ('datasets.export_tfrecord', ['set@1', '--output=new']),
    ]:
      result = command(module, *words, cwd=tmp_path)
      assert result.returncode == 2, result.stderr
      assert 'Traceback' not in result.stderr
      assert 'set' in result.stderr.splitlines()[-1]
      assert not (tmp_path / 'new').exists()


@pytest.mark.slow
def test_a_second_trainer_is_refused_and_a_kill_while_measuring_loses_nothing(tmp_path):
  """The killed run, resumed, leaves the evaluation.csv and best.npz of one that nobody killed."""
  name = triplets.write(tmp_path, [30])
  bindings = ['train.steps = 8', f'evaluation.sources = ["{name}"]', 'evaluation.every = 4']
  bindings += ['train.show_every = 1000', 'train.checkpoint_every = 8']
  _, *words = runs.words(tmp_path / 'run', *bindings)
  process = Process('film_tf.train', *words, cwd=tmp_path)
  faults.wait_until((tmp_path / 'run' / 'checkpoints' / 'step-4.index').exists, process)
  assert_user_error(command('film_tf.train', *words, cwd=tmp_path), 'run is in use by process', process.pid)
  assert not (tmp_path / 'run' / 'evaluation.csv').exists()  # it measures 30 triplets, which takes a while
  faults.kill(process, signal.SIGKILL)
  result = command('film_tf.train', *words, cwd=tmp_path)
  assert result.returncode == 0, result.stderr
  assert 'step-4' in result.stderr
  _, *words = runs.words(tmp_path / 'whole', *bindings)
  assert command('film_tf.train', *words, cwd=tmp_path).returncode == 0
  for file in ('evaluation.csv', 'best.npz', 'film.npz'):
    assert (tmp_path / 'run' / file).read_bytes() == (tmp_path / 'whole' / file).read_bytes(), file


@pytest.mark.slow
@pytest.mark.parametrize('again', [False, True], ids=['once', 'twice'])
def test_ctrl_c_is_answered_at_once_and_the_second_ends_it(again, tmp_path):
  """As soon as the run has begun, and with many steps in one call."""
  bindings = ['train.steps = 100_000', 'train.inner_steps = 3000', 'train.log_every = 3000', 'train.show_every = 3000']
  _, *words = runs.words(tmp_path / 'run', *bindings, 'train.checkpoint_every = 3000')
  process = Process('film_tf.train', *words, cwd=tmp_path)
  faults.wait_until(lambda: 'starting in' in process.told(), process)
  process.send_signal(signal.SIGINT)
  faults.wait_until(lambda: 'SIGINT: saving and ending' in process.told(), process)
  if again:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
  else:
    told = process.communicate(timeout=300)[1]
    assert process.returncode == 130
    assert 'the same command goes on from it' in told


def loading(module, *words, cwd):
  """Starts `python -m module ...`, which has yet to load all that it needs."""
  environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
  arguments, pipe = [sys.executable, '-m', module, *words], subprocess.PIPE
  return subprocess.Popen(arguments, cwd=cwd, env=environment, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize(
  'module', ['film_tf.export', 'film_tf.interpolate', 'film_tf.train', 'eval.run', 'datasets.build']
)
def test_ctrl_c_while_modules_are_loaded_has_no_traceback(module, tmp_path):
  for library in ('absl', 'numpy'):  # found here first
    (tmp_path / f'{library}.py').write_text('import os, signal; os.kill(os.getpid(), signal.SIGINT)')
  process = loading(module, cwd=tmp_path)
  assert process.communicate(timeout=60) == ('', '')
  assert process.returncode == -signal.SIGINT


def test_ctrl_c_while_tensorflow_is_loaded_is_one_word(tmp_path):
  process = loading('film_tf.export', '--output=new', cwd=tmp_path)
  maps = pathlib.Path(f'/proc/{process.pid}/maps')
  faults.wait_until(lambda: 'tensorflow' in maps.read_text())
  assert faults.kill(process, signal.SIGINT) == 'interrupted\n'
  assert process.returncode == 130


def test_a_full_disk_costs_tensorboard_and_not_the_run(tmp_path):
  script = """
from film_tf.training.summaries import Summaries
summaries = Summaries('disk/events')
for step in range(3000):
  summaries.scalars({f'a name that is long enough to fill a disk {i}': 1.0 for i in range(20)}, step)
summaries.close()
print('done')
"""
  (tmp_path / 'summarise.py').write_text(script)
  with SmallDisk(tmp_path, '64k') as disk:
    result = disk.command('summarise')
  assert result.stdout == 'done\n', result.stderr
  assert result.stderr.count('nothing more goes to TensorBoard') == 1


@pytest.mark.slow
def test_a_log_on_a_full_disk_costs_what_it_would_have_said_and_not_the_run(tmp_path):
  _, *words = runs.words(tmp_path / 'run', 'train.steps = 2')
  process = start('film_tf.train', *words, cwd=tmp_path, told=[tmp_path / 'stdout', '/dev/full'])
  process.join(300)
  assert process.exitcode == 0
  assert (tmp_path / 'run' / 'film.npz').exists()


def test_who_reads_no_further_is_no_error(tmp_path):
  triplets.write(tmp_path, [3])
  words = shlex.join([sys.executable, '-m', 'eval.run', '--model=repeat', '--data=set@1'])
  environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
  result = subprocess.run(f'{words} | true', shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
  assert 'Traceback' not in result.stderr
  assert 'Exception' not in result.stderr


@pytest.mark.slow
def test_an_export_that_is_killed_at_some_moment_leaves_the_old_or_the_new_one(tmp_path):
  weights.save(FilmNet(TINY), tmp_path / 'net.npz')
  words = ['film_tf.export', '--model=net.npz', '--output=saved']
  assert command(*words, cwd=tmp_path).returncode == 0
  before = faults.snapshot(tmp_path / 'saved').keys()
  for share in (0.3, 0.6, 0.9):
    process = Process(*words, '--overwrite', cwd=tmp_path)
    faults.wait_until(lambda: any(tmp_path.glob('.*.saved')), process)
    time.sleep(share * random.Random(0).random())
    faults.kill(process, signal.SIGKILL)
    assert_user_error(command(*words, cwd=tmp_path), 'saved exists already')  # and puts back what is aside
    assert faults.snapshot(tmp_path / 'saved').keys() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ['net.npz', 'saved']
