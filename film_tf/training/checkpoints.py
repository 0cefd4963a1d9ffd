"""Saving and restoring a run."""

import tensorflow as tf

from film_tf.errors import UserError


class Checkpoints:
  """The checkpoints of one run, in `folder`, named by step; older than the newest `keep` are removed.

  Written whole: a run that is killed while saving has the checkpoint before.
  """

  def __init__(self, checkpoint: tf.train.Checkpoint, folder: str, keep: int = 3):
    self._manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=keep, checkpoint_name='step')

  def restore(self) -> str | None:
    """Restores the newest checkpoint, if there is one, and returns its path.

    Raises:
      UserError: it is not a checkpoint of this network, or cannot be read.
    """
    newest = self._manager.latest_checkpoint
    if newest is None:
      return None
    try:
      self._manager.checkpoint.restore(newest).assert_consumed()
    except (AssertionError, ValueError, tf.errors.OpError) as error:
      cause = str(error).strip().splitlines()[0]
      raise UserError(
        f'checkpoint {newest} does not fit this run ({cause}); use the configuration that wrote it, or another base_dir'
      ) from error
    return newest

  def save(self, step: int):
    """Saves the present state as that of `step`."""
    self._manager.save(checkpoint_number=step)
