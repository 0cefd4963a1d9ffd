"""Who removes what a killed save left behind: the next save, not those who only read."""

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
