"""Runs a training from its configuration to its SavedModel. Read it from top to bottom."""

import functools
import os
import signal
import sys

import tensorflow as tf

from film_tf import config, stopping
from film_tf.data import augment, pipeline, scenes
from film_tf.distribution import strategy as strategies
from film_tf.errors import UserError
from film_tf.exporters import saved_model
from film_tf.losses import losses
from film_tf.model import film_net, options, weights
from film_tf.training import checkpoints, evaluation, loop, optimizer, run_folder, settings
from film_tf.training.summaries import Summaries
from film_tf.training.trainer import Trainer

_SHOWN = 4  # examples in a strip


def run(base_dir: str, strategy: tf.distribute.Strategy | None = None, init_from: str | None = None):
  """Trains a network in `base_dir`, or goes on where a run there stopped.

  Leaves there: `config.gin` (what was in force), `commands.txt` (each start, with versions), `checkpoints/`, `events/`
  (TensorBoard), and at the end `film.npz` (weights, averaged where `optimizer.average` is set) and `saved_model/`; with
  `evaluation.sources` also `evaluation.csv`, `best.npz` and at the end `best_saved_model/`. SIGTERM and Ctrl-C save
  first; the same command goes on. While it runs no other trainer can use the folder.

  Args:
    base_dir: a folder for this run alone.
    strategy: where it runs; one device by default.
    init_from: what to start from instead of random weights, to fine-tune it; see `checkpoints.initialise`. It is
      not read where a run goes on.

  Raises:
    UserError: the configuration does not work, or is not that of the checkpoints in `base_dir`; another trainer is at
      work there; or the loss is not finite.
    SystemExit: it was asked to stop, and has saved: 0 after SIGTERM, 130 after Ctrl-C.
  """
  if not base_dir:
    raise UserError('base_dir is empty; give the run a folder')
  strategy = strategy or tf.distribute.get_strategy()
  with stopping.listening() as stop:
    if strategies.is_chief(strategy):
      run_folder.check(base_dir)
    train, measured, sources, loss = _configured(strategy)
    tf.keras.utils.set_random_seed(train.seed)
    if train.deterministic:
      tf.config.experimental.enable_op_determinism()
    with strategy.scope():
      net = film_net.build(dtype=train.precision)
      if {'flow', 'middle_flow', 'warped'} & loss.weights.keys() and not net.options.use_aux_outputs:
        raise UserError('losses flow, middle_flow and warped need model.use_aux_outputs = True')
      if init_from and not checkpoints.found(os.path.join(base_dir, checkpoints.FOLDER)):
        checkpoints.initialise(net, init_from)
      trainer = Trainer(
        net,
        loss,
        optimizer.configured(),
        train.steps,
        accumulate=train.accumulate,
        compiled=train.compiled,
        frozen=train.frozen,
        timed=not train.deterministic,
        strategy=strategy,
      )
    with run_folder.claimed(base_dir, strategies.is_chief(strategy)), strategies.together(strategy):
      _train(base_dir, trainer, train, measured, sources, init_from, stop)


def _configured(strategy):
  """Returns what gin configures, checked for what does not go together."""
  train, measured = settings.configured(), evaluation.configured()
  options.configured(), optimizer.configured()  # what is wrong there is said before data sets are looked for
  parts = strategy.num_replicas_in_sync * train.accumulate
  if train.batch_size % parts:
    raise UserError(
      f'train.batch_size is {train.batch_size}; expected a multiple of {parts}, devices times train.accumulate'
    )
  sources = data, drawn, augmentation = pipeline.configured(), scenes.configured(), augment.configured()
  loss = losses.configured()
  of_flow = {'flow', 'middle_flow'} & loss.weights.keys()
  if of_flow and not data.has_flow:
    raise UserError(
      f'loss.weights has {of_flow.pop()}, which only synthetic data have; data.sources is {dict(data.sources)}'
    )
  sides = {'synthetic.height': drawn.height, 'synthetic.width': drawn.width} if data.has_flow else {}
  if data.sources.keys() - {'synthetic'}:
    sides['augmentation.crop'] = augmentation.crop
  for name, side in sides.items():
    if side < loss.smallest:
      raise UserError(f'{name} is {side} pixels; the losses {", ".join(loss.weights)} need {loss.smallest} or more')
  photographs = [drawn.photographs] if drawn.photographs else []
  for name in dict.fromkeys([*(data.sources.keys() - {'synthetic'}), *photographs, *measured.sources]):
    pipeline.check(name)
  return train, measured, sources, loss


def _train(base_dir, trainer, train, measured, sources, init_from, stop):
  """Goes on from the newest checkpoint, or starts; trains, and leaves what `run` promises."""
  strategy, chief = trainer.strategy, strategies.is_chief(trainer.strategy)
  data, drawn, augmentation = sources
  folder = os.path.join(base_dir, checkpoints.FOLDER)
  saved = checkpoints.Checkpoints(trainer.checkpoint, folder, train.keep, train.keep_every_hours)
  restored = checkpoints.newest_whole(folder)
  if restored:
    now = {'model': trainer.net.options, 'optimizer': trainer.optimizer, 'train': train, 'data': data}
    now |= {'synthetic': drawn, 'augmentation': augmentation, 'loss': trainer.loss, 'evaluation': measured}
    changed = run_folder.changes(base_dir, restored, now)
    saved.restore(restored)
    if any(one.startswith('train.precision ') for one in changed):
      trainer.restart_scaling()
    _tell(restored, trainer, train, init_from, changed)
  else:
    if chief:
      run_folder.check_not_started_over(base_dir)
    print(f'starting in {base_dir}', file=sys.stderr)
  if chief:
    run_folder.prepare(base_dir)
  summaries = Summaries(os.path.join(base_dir, 'events') if chief else None)
  evaluate = evaluation.Evaluator(measured, trainer, base_dir if chief else None, summaries)
  if chief:
    config.save_operative(os.path.join(base_dir, 'config.gin'))
    note = f'from step {trainer.step_number()}, on {strategies.describe(strategy)}'
    config.save_command(os.path.join(base_dir, 'commands.txt'), note)

  def batches_of(context):
    batch = context.get_per_replica_batch_size(train.batch_size)
    start = trainer.step_number() * train.batch_size
    return pipeline.training(*sources, batch, train.seed, start, context)

  @functools.cache  # the same every time
  def shown():
    return next(iter(pipeline.training(*sources, _SHOWN, train.seed)))

  def show(step, logs):
    if chief:
      with trainer.averaged():
        summaries.strip(shown(), trainer.predict(shown()), step)

  def save(step, logs):
    if bad := trainer.not_finite():  # on all workers, who have the same
      raise loop.NotFiniteError(f'{bad} weights are not finite after step {step}', step)
    if chief:
      saved.save(step)

  every = [  # the same on all workers, which must take their steps together
    (train.log_every, lambda step, logs: summaries.scalars(logs, step)),
    (train.show_every, show),
    (train.checkpoint_every, save),
  ]
  if measured.sources:  # what is measured is saved before, so that a killed run can measure it again
    every += [(measured.every, save), (measured.every, lambda step, logs: evaluate(step))]
  try:
    if restored:
      evaluate.go_on(trainer.step_number())
    with pipeline.readable([*data.sources, drawn.photographs]):
      batches = iter(strategy.distribute_datasets_from_function(batches_of))
      loop.run(trainer, batches, train.batch_size, train.steps, train.inner_steps, every, stop)
    save(trainer.step_number(), {})
  except loop.NotFiniteError as error:
    good = saved.newest(before=error.first)
    advice = f'the last good checkpoint is {good}' if good else 'there is no checkpoint yet from before that'
    raise UserError(f'{error}; {advice}; change what made it so, and start in another base_dir') from error
  if trainer.step_number() < train.steps:
    asked = stop.asked.name if stop.asked else 'another worker was asked to stop'
    print(f'{asked}: saved step {trainer.step_number()}; the same command goes on from it', file=sys.stderr)
    sys.exit(130 if stop.asked == signal.SIGINT else 0)

  evaluate(trainer.step_number())
  summaries.close()
  if chief:
    _export(base_dir, trainer, bool(measured.sources))


def _tell(restored, trainer, train, init_from, changed):
  """Says from where a run goes on, and what is not as one may think."""
  print(f'going on from {restored}', file=sys.stderr)
  if init_from:
    print(f'--init_from={init_from} is not used again: the run has weights of its own by now', file=sys.stderr)
  if changed:
    print(f'changed since the last start: {", ".join(changed)}', file=sys.stderr)
  if trainer.step_number() > train.steps:
    print(f'train.steps is {train.steps}, and step {trainer.step_number()} is taken: no more are', file=sys.stderr)


def _export(base_dir, trainer, measured):
  with trainer.averaged():
    weights.save(trainer.net, os.path.join(base_dir, 'film.npz'), overwrite=True)
    saved_model.export(trainer.net, os.path.join(base_dir, 'saved_model'), overwrite=True)
  if measured:
    best = weights.load(os.path.join(base_dir, 'best.npz'))
    saved_model.export(best, os.path.join(base_dir, 'best_saved_model'), overwrite=True)
