"""Runs a training from its configuration to its SavedModel. Read it from top to bottom."""

import functools
import os
import signal
import sys

import gin
import tensorflow as tf

from film_tf import config, files, stopping
from film_tf.data import augment, pipeline, scenes
from film_tf.errors import UserError
from film_tf.exporters import saved_model
from film_tf.losses import losses
from film_tf.model import film_net, weights
from film_tf.training import checkpoints, evaluation, loop, optimizer
from film_tf.training import strategy as strategies
from film_tf.training.summaries import Summaries
from film_tf.training.trainer import Trainer

PRECISIONS = ('float32', 'mixed_bfloat16', 'mixed_float16')
_SHOWN = 4  # examples in a strip


@gin.configurable('train', denylist=['base_dir', 'strategy', 'init_from'])
def run(
  base_dir: str,
  strategy: tf.distribute.Strategy | None = None,
  init_from: str | None = None,
  steps: int = 3_000_000,
  batch_size: int = 8,
  accumulate: int = 1,
  precision: str = 'float32',
  compiled: bool = False,
  deterministic: bool = False,
  seed: int = 0,
  inner_steps: int = 10,
  log_every: int = 100,
  show_every: int = 1000,
  checkpoint_every: int = 1000,
  keep: int = 3,
  keep_every_hours: float = 0.0,
):
  """Trains a network in `base_dir`, or goes on where a run there stopped.

  Leaves there: `config.gin` (what was in force), `commands.txt` (each start, with versions), `checkpoints/`, `events/`
  (TensorBoard), and at the end `film.npz` (weights, averaged where `optimizer.average` is set) and `saved_model/`; with
  `evaluation.sources` also `evaluation.csv`, `best.npz` and at the end `best_saved_model/`. SIGTERM and Ctrl-C save
  first; the same command goes on.

  Args:
    base_dir: a folder for this run alone.
    strategy: where it runs; one device by default.
    init_from: what to start from instead of random weights, to fine-tune it; see `checkpoints.initialise`.
    steps: number of the last step.
    batch_size: examples a step, over all devices.
    accumulate: parts that each device's share is cut into, one computed after the other, to save memory.
    precision: float32, mixed_bfloat16 or mixed_float16 (see `FilmNet`).
    compiled: whether XLA compiles the step.
    deterministic: whether the same run gives the same bits on the same machine, a little slower.
    seed: of weights and data.
    inner_steps: steps without coming back to Python.
    log_every: steps between scalars.
    show_every: steps between image strips.
    checkpoint_every: steps between checkpoints; a killed run loses what came after the last.
    keep: checkpoints that are kept, the newest.
    keep_every_hours: hours between checkpoints that are kept for good; 0 is none.

  Raises:
    UserError: the configuration does not work, is not that of the checkpoints in `base_dir`, or the loss is not finite.
    SystemExit: it was asked to stop, and has saved: 0 after SIGTERM, 130 after Ctrl-C.
  """
  counts = {'steps': steps, 'batch_size': batch_size, 'accumulate': accumulate, 'inner_steps': inner_steps}
  counts |= {'log_every': log_every, 'show_every': show_every, 'checkpoint_every': checkpoint_every, 'keep': keep}
  for name, value in counts.items():
    if not isinstance(value, int) or value < 1:
      raise UserError(f'train.{name} is {value!r}; expected a whole number >= 1')
  if precision not in PRECISIONS:
    raise UserError(f'train.precision is {precision!r}; expected {", ".join(PRECISIONS)}')
  strategy = strategy or tf.distribute.get_strategy()
  parts = strategy.num_replicas_in_sync * accumulate
  if batch_size % parts:
    raise UserError(f'train.batch_size is {batch_size}; expected a multiple of {parts}, devices times train.accumulate')

  sources = data, drawn, _ = pipeline.configured(), scenes.configured(), augment.configured()
  loss = losses.configured()
  of_flow = {'flow', 'middle_flow'} & loss.weights.keys()
  if of_flow and not data.has_flow:
    raise UserError(
      f'loss.weights has {of_flow.pop()}, which only synthetic data have; data.sources is {dict(data.sources)}'
    )

  tf.keras.utils.set_random_seed(seed)
  if deterministic:
    tf.config.experimental.enable_op_determinism()
  with strategy.scope():
    net = film_net.build(dtype=precision)
    if {'flow', 'middle_flow', 'warped'} & loss.weights.keys() and not net.options.use_aux_outputs:
      raise UserError('losses flow, middle_flow and warped need model.use_aux_outputs = True')
    if init_from:
      checkpoints.initialise(net, init_from)
    trainer = Trainer(
      net,
      loss,
      optimizer.configured(),
      steps,
      accumulate=accumulate,
      compiled=compiled,
      timed=not deterministic,
      strategy=strategy,
    )

  chief = strategies.is_chief(strategy)
  try:
    tf.io.gfile.makedirs(base_dir)
  except tf.errors.OpError as error:
    raise UserError(f'cannot write base_dir {base_dir}: {files.reason(error)}') from error
  saved = checkpoints.Checkpoints(trainer.checkpoint, os.path.join(base_dir, 'checkpoints'), keep, keep_every_hours)
  restored = saved.restore()
  print(f'going on from {restored}' if restored else f'starting in {base_dir}', file=sys.stderr)
  summaries = Summaries(os.path.join(base_dir, 'events') if chief else None)
  measured = evaluation.configured()
  evaluate = evaluation.Evaluator(measured, trainer, base_dir if chief else None, summaries)
  if chief:
    config.save_operative(os.path.join(base_dir, 'config.gin'))
    note = f'from step {trainer.step_number()}, on {strategies.describe(strategy)}'
    config.save_command(os.path.join(base_dir, 'commands.txt'), note)

  def batches_of(context):
    batch = context.get_per_replica_batch_size(batch_size)
    return pipeline.training(*sources, batch, seed, trainer.step_number() * batch_size, context)

  @functools.cache  # the same every time
  def shown():
    return next(iter(pipeline.training(*sources, _SHOWN, seed)))

  def show(step, logs):
    if chief:
      with trainer.averaged():
        summaries.strip(shown(), trainer.predict(shown()), step)

  def save(step, logs):
    if chief:
      saved.save(step)

  every = [  # the same on all workers, which must take their steps together
    (log_every, lambda step, logs: summaries.scalars(logs, step)),
    (show_every, show),
    (checkpoint_every, save),
    (measured.every, lambda step, logs: evaluate(step)),
  ]
  try:
    with pipeline.readable([*data.sources, drawn.photographs]), stopping.listening() as stop:
      batches = iter(strategy.distribute_datasets_from_function(batches_of))
      loop.run(trainer, batches, batch_size, steps, inner_steps, every, lambda: trainer.agree(stop.asked is not None))
  except loop.NotFiniteError as error:
    good = f'the last good checkpoint is {saved.newest()}' if saved.newest() else 'there is no checkpoint yet'
    raise UserError(f'{error}; {good}') from error
  save(trainer.step_number(), {})
  if trainer.step_number() < steps:
    asked = stop.asked.name if stop.asked else 'another worker was asked to stop'
    print(f'{asked}: saved step {trainer.step_number()}; the same command goes on from it', file=sys.stderr)
    sys.exit(130 if stop.asked == signal.SIGINT else 0)

  evaluate(trainer.step_number())
  summaries.close()
  if chief:
    with trainer.averaged():
      weights.save(trainer.net, os.path.join(base_dir, 'film.npz'), overwrite=True)
      saved_model.export(trainer.net, os.path.join(base_dir, 'saved_model'), overwrite=True)
    if measured.sources:
      best = weights.load(os.path.join(base_dir, 'best.npz'))
      saved_model.export(best, os.path.join(base_dir, 'best_saved_model'), overwrite=True)
