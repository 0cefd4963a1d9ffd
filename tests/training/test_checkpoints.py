"""Who removes what a killed save left behind: the next save, not those who only read."""

import tensorflow as tf

from film_tf.training import checkpoints
from film_tf.training.checkpoints import Checkpoints


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
