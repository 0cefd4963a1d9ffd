"""Runs the outer loop: steps, and what happens every so many of them."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf
import tqdm

from film_tf.stopping import Stop
from film_tf.training.trainer import Trainer

_PATIENCE = 2.0  # seconds after which somebody who asks to stop is heard


class NotFiniteError(ArithmeticError):
  """The loss or its gradient is not finite any more.

  Attributes:
    first: the step number at which that began. States after fewer steps led to a finite loss.
  """

  def __init__(self, message: str, first: int):
    super().__init__(message)
    self.first = first


def run(
  trainer: Trainer,
  batches: Iterator[dict],
  batch_size: int,
  steps: int,
  inner_steps: int,
  every: Sequence[tuple[int, Callable[[int, dict], None]]],
  stop: Stop,
):
  """Trains until step `steps`, or until asked to stop, with a line that shows progress, loss and examples a second.

  Adds to the logs `examples_per_second` and `input_wait`, the share of the time in which the trainer waited for
  batches (where the trainer times that), both since something of `every` was done before.

  Args:
    trainer: continues from its step.
    batches: the batches from that step on.
    batch_size: examples in each, over all replicas.
    steps: number of the last step.
    inner_steps: at most so many at once, before anything here is done.
    every: pairs (n, f): after each n-th step, `f(step, logs)` with what the step returned.
    stop: looked at after every `inner_steps`, or sooner where these take long; told how long the next steps take.

  Raises:
    NotFiniteError: loss or gradient are not finite.
  """
  interval = 0.5 if sys.stderr.isatty() else 30.0  # a log file needs no more
  step = trainer.step_number()
  good = step - 1  # the newest state that is known to lead to a finite loss; that of the start is not
  pace = _PATIENCE  # seconds a step
  taken, spent, waited = 0, 0.0, 0.0
  with tqdm.tqdm(initial=step, total=steps, unit='step', mininterval=interval) as bar:
    while step < steps and not trainer.agree(stop.asked is not None):
      count = min([inner_steps, steps - step, *(n - step % n for n, _ in every)])
      if trainer.alone:  # several workers must take the same number
        count = max(1, min(count, round(_PATIENCE / pace)))
      stop.within = pace * count
      began = time.perf_counter()
      logs = {name: float(value) for name, value in trainer.run(batches, tf.constant(count)).items()}
      seconds, stop.within = time.perf_counter() - began, None
      pace = seconds / count
      spent += seconds
      taken += count
      if last := int(logs.pop('last_finite')):
        good = step + last - 1
      step += count
      if not logs['finite'] and logs.get('loss_scale', 0.0) < 1.0:  # float16 overflows now and then, and scales down
        raise NotFiniteError(
          f'loss {logs["loss"]} and gradient norm {logs["gradient_norm"]} at step {step} or just before', good + 1
        )
      logs['examples_per_second'] = taken * batch_size / spent
      if 'waited' in logs:
        waited += logs.pop('waited')
        logs['input_wait'] = waited / spent
      if bar.update(count) or step == steps:
        bar.set_postfix_str(
          f'loss {logs["loss"]:.4f}, {logs["psnr"]:.2f} dB, {logs["examples_per_second"]:.1f} examples/s'
        )
      if any(step % n == 0 for n, _ in every):
        taken, spent, waited = 0, 0.0, 0.0
      for n, action in every:
        if step % n == 0:
          action(step, logs)
