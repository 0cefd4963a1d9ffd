"""Measures a network on whole data sets while it is trained, and keeps its best weights."""

import contextlib
import csv
import dataclasses
import io
import math
import os
import sys

import gin
import numpy as np
import tensorflow as tf
import tqdm

from film_tf import fields, files, keys, metrics
from film_tf.data import pipeline
from film_tf.errors import UserError
from film_tf.fields import Count, CountOr0
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.training import checkpoints
from film_tf.training.summaries import Summaries
from film_tf.training.trainer import Trainer

_COLUMNS = ('step', 'source', 'examples', 'psnr', 'ssim')
_FRAMES = (keys.X0, keys.Y, keys.X1, keys.TIME)


@dataclasses.dataclass(frozen=True)
class Evaluation:
  """What a run is measured on.

  Raises:
    UserError: a value is out of range.
  """

  sources: tuple[str, ...] = ()  # see `film_tf.data.sources`; by the first the best weights are chosen
  examples: CountOr0 = 0  # of each source, its first; 0 is all
  every: Count = 10_000  # steps; the last step is measured too

  def __post_init__(self):
    fields.check(self, 'evaluation')


configured = gin.external_configurable(Evaluation, name='evaluation')
"""`Evaluation` from gin: `evaluation.sources = ['tfds:vimeo90k_triplet:test']`."""


class Evaluator:
  """Measures the (averaged) network on all devices; every worker calls it at the same steps.

  Keeps in the folder of the run `evaluation.csv`, a row a source and step, and `best.npz`, the weights with the best
  mean PSNR on the first source.

  Args:
    evaluation: on what.
    trainer: of the network.
    base_dir: the folder; None writes nothing, as workers that are not the chief.
    summaries: gets the means.

  Raises:
    UserError: `evaluation.csv` is damaged.
  """

  def __init__(self, evaluation: Evaluation, trainer: Trainer, base_dir: str | None, summaries: Summaries):
    self._evaluation, self._trainer, self._base_dir, self._summaries = evaluation, trainer, base_dir, summaries
    self._measured = -1  # the last step that was
    if evaluation.sources and base_dir:
      _read(self._path)

  def __call__(self, step: int):
    """Measures step number `step`, where there are sources and it has not just done so.

    Raises:
      UserError: a source cannot be read, or the results cannot be written.
    """
    if not self._evaluation.sources or step == self._measured:
      return
    self._measured = step
    with self._trainer.averaged():
      rows = [self._row(name, step) for name in self._evaluation.sources]
      if self._base_dir:
        self._keep(rows)

  def go_on(self, step: int):
    """Makes up for what a killed run did not get to, after it had saved `step`; forgets what it measured later.

    Where that had the best weights, or `best.npz` is lost or damaged, it gets the best of those of earlier checkpoints,
    if there are any.

    Raises:
      UserError: as of a call.
    """
    if not self._evaluation.sources:
      return
    missing = False  # of workers only the chief knows
    if self._base_dir:
      before = _read(self._path)
      known = [row for row in before if int(row['step']) <= step]
      if self._step_of_best(before) > step or (known and not self._has_best()):
        self._best_of(known)
      if known != before:
        self._write(known)
      missing = step % self._evaluation.every == 0 and not any(int(row['step']) == step for row in known)
    if self._trainer.agree(missing):
      self(step)

  @property
  def _path(self):
    return os.path.join(self._base_dir, 'evaluation.csv')

  @property
  def _best(self):
    return os.path.join(self._base_dir, 'best.npz')

  def _score(self, row):
    """Returns by what the best weights are chosen; NaN compares with nothing."""
    psnr = float(row['psnr'])
    return psnr if row['source'] == self._evaluation.sources[0] and not math.isnan(psnr) else -math.inf

  def _step_of_best(self, rows):
    """Returns of which step the weights in `best.npz` are: it says so itself, or else that of the best score."""
    noted = weights.noted(self._best)
    return int(noted if noted.isdecimal() else max(rows, key=self._score)['step'] if rows else 0)

  def _has_best(self):
    try:
      weights.read(self._best)
    except UserError as error:
      print(f'{error.message}; it is made anew of the checkpoints', file=sys.stderr)
      return False
    return True

  def _best_of(self, rows):
    """Gives `best.npz` the best weights of those that were measured and are in a checkpoint, or removes it."""
    net = FilmNet(self._trainer.net.options)
    for row in sorted(rows, key=self._score, reverse=True):
      with contextlib.suppress(UserError):  # it is gone, or damaged
        checkpoints.initialise(net, os.path.join(self._base_dir, checkpoints.FOLDER, f'step-{row["step"]}'))
        break
    else:
      if tf.io.gfile.exists(self._best):
        tf.io.gfile.remove(self._best)
      return
    weights.save(net, self._best, overwrite=True, note=row['step'])

  def _row(self, name, step):
    strategy = self._trainer.strategy
    total = np.zeros(3)
    with pipeline.readable([name]):
      for batch, counts in strategy.distribute_datasets_from_function(lambda worker: self._examples(name, worker)):
        found = self._measure(batch, counts).numpy()
        total += found
        if found[0] < strategy.num_replicas_in_sync:
          break
    examples, psnr, ssim = total[0], *total[1:] / max(total[0], 1.0)
    if not examples:
      raise UserError(f'evaluation.sources has {name}, which has no triplets')
    return dict(zip(_COLUMNS, (step, name, int(examples), psnr, ssim), strict=True))

  @tf.autograph.experimental.do_not_convert
  def _examples(self, name, worker):
    """Yields every example once, with 1; then the first again and again, with 0, until all workers are done."""
    examples = pipeline.evaluation(name).map(lambda example: {key: example[key] for key in _FRAMES})
    real = examples.take(self._evaluation.examples or -1).map(lambda example: (example, tf.ones(1)))
    blank = examples.take(1).repeat().map(lambda example: (example, tf.zeros(1)))
    return real.concatenate(blank).shard(worker.num_input_pipelines, worker.input_pipeline_id)

  @tf.function(reduce_retracing=True, autograph=False)  # photographs have many sizes
  def _measure(self, batch, counts):
    """Returns the number of examples on all replicas, and the sums of their PSNR and SSIM: `[3]`."""

    def on_replica(batch, counts):
      image = self._trainer.net(batch, training=False)[keys.IMAGE]
      values = [tf.ones(1), metrics.psnr(image, batch[keys.Y]), metrics.ssim(image, batch[keys.Y])]
      return tf.reduce_sum(counts * tf.stack(values), axis=1)

    strategy = self._trainer.strategy
    return strategy.reduce('SUM', strategy.run(on_replica, (batch, counts)), axis=None)

  def _keep(self, rows):
    step = rows[0]['step']
    before = [row for row in _read(self._path) if int(row['step']) < step]  # later ones are of a run that was killed
    of_best = self._step_of_best(before)  # not of the best score, where the weights of that are gone
    known = max((self._score(row) for row in before if int(row['step']) == of_best), default=-math.inf)
    best = rows[0]['psnr'] > known or not tf.io.gfile.exists(self._best)
    if best:
      weights.save(self._trainer.net, self._best, overwrite=True, note=str(step))
    self._write([*before, *rows])
    for row in rows:
      self._summaries.scalars({f'evaluation/{key}/{row["source"]}': row[key] for key in ('psnr', 'ssim')}, step)
      text = f'step {step}: {row["psnr"]:.3f} dB, SSIM {row["ssim"]:.4f} on {row["examples"]} of {row["source"]}'
      tqdm.tqdm.write(text + (', the best so far' if best and row is rows[0] else ''), file=sys.stderr)

  def _write(self, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    files.write_text(self._path, text.getvalue())


def _read(path):
  """Returns the rows of evaluation.csv, none where there is no such file."""
  if not tf.io.gfile.exists(path):
    return []
  try:
    with tf.io.gfile.GFile(path) as file:
      reader = csv.DictReader(io.StringIO(file.read()), strict=True)
    rows = list(reader)
    if tuple(reader.fieldnames or ()) != _COLUMNS:
      raise ValueError(f'its first line is not {",".join(_COLUMNS)}')
    for row in rows:
      if row.keys() != set(_COLUMNS):
        raise ValueError(f'step {row["step"]} has more than {len(_COLUMNS)} columns')
      _ = int(row['step']), float(row['psnr']), row['source'].strip()
  except (csv.Error, KeyError, TypeError, ValueError, AttributeError, tf.errors.OpError) as error:
    raise UserError(f'{path} is damaged ({files.reason(error)}); mend it, or move it away') from error
  return rows
