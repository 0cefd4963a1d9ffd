"""What is in a run's folder decides how it goes on, whatever was killed, lost or changed meanwhile."""

import os

import numpy as np
import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.losses.losses import Loss
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.model.options import Options
from film_tf.training import checkpoints, run_folder
from film_tf.training.checkpoints import Checkpoints
from film_tf.training.optimizer import OptimizerOptions
from film_tf.training.settings import Train
from film_tf.training.trainer import Trainer
from tests.conftest import TINY

CONFIG = """
import film_tf.training.experiment

# Parameters for model:
model.filters = 4
model.flow_convs = [1, 1]
model.use_aux_outputs = True
model.gone = 3

optimizer.learning_rate = 0.0001
optimizer.average = 0.9
train.steps = 30
train.precision = \\
    'float32'
loss.weights = %macro
"""


def make(folder, keep=3, hours=0.0):
  variable = tf.Variable(0.0)
  return Checkpoints(tf.train.Checkpoint(value=variable), str(folder), keep, hours), variable


def fill(folder, steps, **options):
  saved, variable = make(folder, **options)
  for step in steps:
    variable.assign(step)
    saved.save(step)


@pytest.mark.parametrize('harm', [None, b'', b'\xff\xfe\x00', b'nonsense: {', b'model_checkpoint_path: "step-7"'])
def test_the_files_say_what_is_there_and_not_the_state_file(harm, tmp_path):
  fill(tmp_path, [10, 20, 30])
  if harm is None:
    (tmp_path / 'checkpoint').unlink()
  else:
    (tmp_path / 'checkpoint').write_bytes(harm)
  newest = checkpoints.newest_whole(str(tmp_path))
  assert newest == str(tmp_path / 'step-30')
  saved, variable = make(tmp_path)
  saved.restore(newest)
  assert variable.numpy() == 30
  variable.assign(40)
  saved.save(40)
  assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / 'step-40')
  assert checkpoints.newest_whole(str(tmp_path)) == str(tmp_path / 'step-40')
  if harm != b'model_checkpoint_path: "step-7"':
    assert [checkpoints.step_of(path) for path in checkpoints.found(str(tmp_path))] == [40, 30, 20]


def test_what_is_kept_for_good_is_kept_though_the_state_file_is_lost(tmp_path):
  fill(tmp_path, [10, 20, 30, 40, 50], keep=2, hours=1e-9)
  assert len(checkpoints.found(str(tmp_path))) == 5
  (tmp_path / 'checkpoint').unlink()
  fill(tmp_path, [60, 70, 80, 90], keep=2, hours=5.0)
  assert {10, 20, 30} <= {checkpoints.step_of(path) for path in checkpoints.found(str(tmp_path))}


def test_a_damaged_newest_one_is_passed_over_and_all_damaged_are_an_error(tmp_path, capfd):
  fill(tmp_path, [10, 20])
  (tmp_path / 'step-20.data-00000-of-00001').write_bytes(b'')
  assert checkpoints.newest_whole(str(tmp_path)) == str(tmp_path / 'step-10')
  assert 'step-20 is damaged' in capfd.readouterr().err
  (tmp_path / 'step-10.index').write_bytes(b'')
  with pytest.raises(UserError, match=r'no checkpoint can be read, of .*step-20, .*step-10'):
    checkpoints.newest_whole(str(tmp_path))


@pytest.mark.parametrize('name', ['lr[1e-4]', 'a]b', r'back\slash', 'a*'])
def test_who_starts_from_a_checkpoint_may_have_put_it_where_its_path_is_a_pattern(name, tmp_path, capfd):
  net = FilmNet(TINY)
  trainer = Trainer(net, Loss(), OptimizerOptions(), 40)
  trainer.step.assign(10)
  Checkpoints(trainer.checkpoint, str(tmp_path / 'run' / checkpoints.FOLDER)).save(10)
  (tmp_path / 'run').rename(tmp_path / name)
  for given in (name, f'{name}/checkpoints', f'{name}/checkpoints/step-10'):
    other = FilmNet(TINY)
    checkpoints.initialise(other, str(tmp_path / given))
    for variable, expected in zip(weights.named(other).values(), weights.named(net).values(), strict=True):
      np.testing.assert_array_equal(variable, expected)
  assert 'damaged' not in capfd.readouterr().err


def test_who_starts_from_a_run_takes_its_newest_whole_checkpoint(tmp_path):
  trainer = Trainer(FilmNet(TINY), Loss(), OptimizerOptions(), 40)
  saved = Checkpoints(trainer.checkpoint, str(tmp_path / 'checkpoints'))
  trainer.step.assign(10)
  saved.save(10)
  expected = [weight.numpy() for weight in trainer.weights]
  trainer.weights[0].assign_add(tf.ones_like(trainer.weights[0]))
  trainer.step.assign(20)
  saved.save(20)
  (tmp_path / 'checkpoints' / 'step-20.data-00000-of-00001').write_bytes(b'')
  net = FilmNet(TINY)
  checkpoints.initialise(net, str(tmp_path))
  for variable, value in zip(weights.named(net).values(), expected, strict=True):
    np.testing.assert_array_equal(variable, value)


@pytest.mark.parametrize('name', run_folder.RESULTS)
def test_results_without_checkpoints_are_not_written_over(name, tmp_path):
  run_folder.check_not_started_over(str(tmp_path))
  (tmp_path / name).touch()
  with pytest.raises(UserError, match=f'has {name} of a run, but no checkpoint to go on from'):
    run_folder.check_not_started_over(str(tmp_path))


def changes(folder, **options):
  return run_folder.changes(str(folder), 'step-30', options)


@pytest.mark.parametrize(
  ('options', 'parts'),
  [
    ({'model': Options(**{**TINY.__dict__, 'filters': 6})}, 'model.filters = 4, and now it is 6'),
    ({'model': Options(**{**TINY.__dict__, 'flow_convs': (2, 1)})}, r'flow_convs = \[1, 1\], and now it is \[2, 1\]'),
    ({'optimizer': OptimizerOptions()}, 'optimizer.average = 0.9, and now it is 0.0'),
  ],
)
def test_another_network_or_no_averages_are_refused_with_both_values(options, parts, tmp_path):
  (tmp_path / 'config.gin').write_text(CONFIG)
  with pytest.raises(UserError, match=f'step-30 was written with .*{parts}'):
    changes(tmp_path, **options)


def test_what_may_change_is_said(tmp_path):
  (tmp_path / 'config.gin').write_text(CONFIG)
  assert changes(tmp_path, model=TINY, optimizer=OptimizerOptions(average=0.9), train=Train(steps=30)) == []
  other = Options(**{**TINY.__dict__, 'use_aux_outputs': False})
  optimizer = OptimizerOptions(1e-3, average=0.99)
  found = changes(tmp_path, model=other, optimizer=optimizer, train=Train(steps=40, precision='mixed_float16'))
  assert found == [
    'model.use_aux_outputs = False (was True)',
    'optimizer.learning_rate = 0.001 (was 0.0001)',
    'optimizer.average = 0.99 (was 0.9)',
    'train.steps = 40 (was 30)',
    "train.precision = 'mixed_float16' (was 'float32')",
  ]


def test_old_runs_without_a_readable_config_go_on(tmp_path):
  assert changes(tmp_path, model=TINY) == []
  for value in ('{[1]: 2}', '(' * 5000):
    (tmp_path / 'config.gin').write_text(f'model.filters = {value}\n')
    assert changes(tmp_path, model=TINY) == []
  (tmp_path / 'config.gin').write_bytes(b'\xff\xfe')
  assert changes(tmp_path, model=TINY) == []


def test_only_one_trainer_has_the_folder(tmp_path):
  with run_folder.claimed(str(tmp_path / 'run'), chief=True):
    with (
      pytest.raises(UserError, match=r'base_dir .*run is in use by process'),
      run_folder.claimed(str(tmp_path / 'run'), chief=True),
    ):
      pass
    with run_folder.claimed(str(tmp_path / 'run'), chief=False):
      pass


@pytest.mark.parametrize('name', ['checkpoints', 'events'])
def test_what_cannot_be_written_is_noticed_before_the_first_step(name, tmp_path):
  (tmp_path / name).touch()
  with pytest.raises(UserError, match=f'cannot write .*{name}'):
    run_folder.prepare(str(tmp_path))


@pytest.mark.parametrize('name', ['saved_model', 'best_saved_model', 'film.npz', 'commands.txt'])
def test_what_no_result_may_replace_is_noticed_before_the_first_step(name, tmp_path):
  (tmp_path / name).mkdir()
  (tmp_path / name / 'mine').touch()
  with pytest.raises(UserError, match=f'{name} is '):
    run_folder.prepare(str(tmp_path))


def test_only_pipes_that_would_be_read_are_in_the_way(tmp_path):
  folder = tmp_path / 'a]b'  # no pattern without a [
  (folder / 'checkpoints').mkdir(parents=True)
  for name in ('mine', 'checkpoints/mine'):
    os.mkfifo(folder / name)
  run_folder.check(str(folder))
  for name in (*run_folder.RESULTS, 'commands.txt', '.lock', 'checkpoints/step-3.index', 'checkpoints/checkpoint'):
    os.mkfifo(folder / name)
    with pytest.raises(UserError, match=f'{name} is a pipe or a device'):
      run_folder.check(str(folder))
    (folder / name).unlink()


def test_a_bucket_has_no_lock_and_that_is_said(capfd):
  with run_folder.claimed('ram://run', chief=True):
    pass
  assert 'base_dir ram://run is in a bucket, which has no locks' in capfd.readouterr().err
