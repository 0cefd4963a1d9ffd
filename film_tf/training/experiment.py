"""A training run from its configuration to its SavedModel. Read it from top to bottom."""

import os
import sys

import gin
import tensorflow as tf

from film_tf import config, files
from film_tf.data import augment, pipeline, synthetic
from film_tf.errors import UserError
from film_tf.exporters import saved_model
from film_tf.losses import losses
from film_tf.model import film_net, weights
from film_tf.training import loop, optimizer
from film_tf.training.checkpoints import Checkpoints
from film_tf.training.summaries import Summaries
from film_tf.training.trainer import Trainer


@gin.configurable('train', denylist=['base_dir'])
def run(
  base_dir: str,
  steps: int = 3_000_000,
  batch_size: int = 8,
  precision: str = 'float32',
  seed: int = 0,
  log_every: int = 100,
  show_every: int = 1000,
  checkpoint_every: int = 1000,
):
  """Trains a network in `base_dir`, or goes on where a run there stopped.

  Leaves there: `config.gin` (what was in force), `checkpoints/`, `events/` (TensorBoard), and at the end `film.npz`
  (weights) and `saved_model/`.

  Args:
    base_dir: a folder for this run alone.
    steps: number of the last step.
    batch_size: examples a step.
    precision: float32, or mixed_bfloat16 (see `FilmNet`).
    seed: of weights and data.
    log_every: steps between scalars.
    show_every: steps between image strips.
    checkpoint_every: steps between checkpoints; a killed run loses what came after the last.

  Raises:
    UserError: the configuration does not work, or is not that of the checkpoints in `base_dir`.
  """
  counts = {'steps': steps, 'batch_size': batch_size, 'log_every': log_every, 'show_every': show_every}
  for name, value in {**counts, 'checkpoint_every': checkpoint_every}.items():
    if not isinstance(value, int) or value < 1:
      raise UserError(f'train.{name} is {value!r}; expected a whole number >= 1')
  if precision not in ('float32', 'mixed_bfloat16'):
    raise UserError(f'train.precision is {precision!r}; expected float32 or mixed_bfloat16')

  tf.keras.utils.set_random_seed(seed)
  trainer = Trainer(film_net.build(dtype=precision), losses.configured(), optimizer.build())
  sources = pipeline.configured(), synthetic.configured(), augment.configured()

  try:
    tf.io.gfile.makedirs(base_dir)
  except tf.errors.OpError as error:
    raise UserError(f'cannot write base_dir {base_dir}: {files.reason(error)}') from error
  checkpoints = Checkpoints(trainer.checkpoint, os.path.join(base_dir, 'checkpoints'))
  restored = checkpoints.restore()
  print(f'going on from {restored}' if restored else f'starting in {base_dir}', file=sys.stderr)
  config.save_operative(os.path.join(base_dir, 'config.gin'))

  batches = pipeline.training(*sources, batch_size, seed, start=trainer.step_number() * batch_size)
  summaries = Summaries(os.path.join(base_dir, 'events'))
  loop.run(
    trainer,
    pipeline.readable(batches, sources[0]),
    steps,
    every=[
      (log_every, lambda step, batch, logs: summaries.scalars(logs, step)),
      (show_every, lambda step, batch, logs: summaries.strip(batch, trainer.predict(batch), step)),
      (checkpoint_every, lambda step, batch, logs: checkpoints.save(step)),
    ],
  )
  checkpoints.save(trainer.step_number())
  summaries.close()

  weights.save(trainer.net, os.path.join(base_dir, 'film.npz'), overwrite=True)
  saved_model.export(trainer.net, os.path.join(base_dir, 'saved_model'), overwrite=True)
