"""The outer loop: steps, and what happens every so many of them."""

import itertools
import sys
from collections.abc import Callable, Iterable, Sequence

import tqdm

from film_tf import keys
from film_tf.training.trainer import Trainer


def run(
  trainer: Trainer,
  batches: Iterable[dict],
  steps: int,
  every: Sequence[tuple[int, Callable[[int, dict, dict], None]]],
):
  """Trains until step `steps`, with a line that shows progress, loss and examples a second.

  Args:
    trainer: continues from its step.
    batches: the batches from that step on.
    steps: number of the last step.
    every: pairs (n, f): after each n-th step, `f(step, batch, logs)` with the batch and what the step returned.
  """
  interval = 0.5 if sys.stderr.isatty() else 30.0  # a log file needs no more
  examples = 0
  with tqdm.tqdm(initial=trainer.step_number(), total=steps, unit='step', mininterval=interval) as bar:
    for batch in itertools.islice(batches, max(0, steps - trainer.step_number())):
      logs = trainer.step(batch)
      step = trainer.step_number()
      examples += len(batch[keys.X0])
      if bar.update() or step == steps:
        rate = examples / bar.format_dict['elapsed']
        bar.set_postfix_str(f'loss {logs["loss"]:.4f}, {logs["psnr"]:.2f} dB, {rate:.1f} examples/s')
      for n, action in every:
        if step % n == 0:
          action(step, batch, logs)
