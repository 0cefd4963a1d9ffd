"""What of checkpoints is read, written and removed."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.training import checkpoints
from film_tf.training.checkpoints import Checkpoints, initialise
from tests.conftest import TINY


def test_leftovers_go_when_the_next_checkpoint_is_saved(tmp_path):
  left = tmp_path / 'step-3_temp'
  left.mkdir()
  (left / 'part').write_text('half')
  saved = Checkpoints(tf.train.Checkpoint(value=tf.Variable(1.0)), str(tmp_path))
  assert checkpoints.newest_whole(str(tmp_path)) is None
  assert left.exists()  # another worker's chief may be writing it
  saved.save(5)
  assert not left.exists()
  assert saved.newest().endswith('step-5')


def test_checkpoints_whose_names_are_of_other_steps_are_passed_over(tmp_path, capsys):
  taken = tf.Variable(0)
  saved = Checkpoints(tf.train.Checkpoint(taken=taken), str(tmp_path))
  for step in (4, 8, 12):
    taken.assign(step)
    saved.save(step)
  for suffix in ('.index', '.data-00000-of-00001'):
    names = [tmp_path / f'{name}{suffix}' for name in ('step-8', 'kept', 'step-12')]
    for source, target in [(0, 1), (2, 0), (1, 2)]:
      names[source].rename(names[target])
  assert checkpoints.newest_whole(str(tmp_path)).endswith('step-4')
  told = capsys.readouterr().err
  assert 'step-12 is damaged (its name is of another step: it is of step 8)' in told
  assert 'it is of step 12' in told


def test_a_part_that_a_file_lacks_starts_untrained(tmp_path, capsys):
  before = FilmNet(dataclasses.replace(TINY, residual_fusion=True))
  weights.save(before, tmp_path / 'film.npz')
  after = FilmNet(dataclasses.replace(before.options, second_look=True))
  own = {name: value.numpy() for name, value in weights.named(after).items()}
  initialise(after, str(tmp_path / 'film.npz'))
  assert 'has no second_look' in capsys.readouterr().err
  known = weights.named(before)
  for name, value in weights.named(after).items():
    np.testing.assert_array_equal(value, known.get(name, own[name]), err_msg=name)
  weights.save(after, tmp_path / 'more.npz')
  with pytest.raises(UserError, match='second_look/conv_0/kernel is not in this network'):
    initialise(before, str(tmp_path / 'more.npz'))
