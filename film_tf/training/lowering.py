"""Lowers the whole training step to one StableHLO program, to run it where there is no TensorFlow.

That it can be lowered is the proof that nothing in it keeps it from a TPU.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from film_tf import files
from film_tf.exporters import stablehlo
from film_tf.training.trainer import Trainer


@dataclasses.dataclass(frozen=True)
class Step:
  """A program that takes the arrays of `state`, then those of `batch`, and returns the new state, then `logs`.

  Both are in order; part of the state may be constants, such as those of VGG-19, which come back as they were.
  """

  program: str  # StableHLO
  state: dict[str, np.ndarray]
  batch: dict[str, np.ndarray]  # the example that it was made for; its shapes are fixed
  logs: tuple[str, ...]  # names of the scalars

  def save(self, folder: str):
    """Writes `step.mlir`, `state.npz` and `batch.npz` to a new folder.

    Raises:
      UserError: it exists, or cannot be written.
    """
    with files.atomic_write(folder) as temporary:
      tf.io.gfile.makedirs(temporary)
      with open(f'{temporary}/step.mlir', 'w') as file:
        file.write(self.program)
      np.savez(f'{temporary}/state.npz', **self.state)
      np.savez(f'{temporary}/batch.npz', **self.batch)


def lower(trainer: Trainer, batch: Mapping[str, np.ndarray]) -> Step:
  """Lowers forward pass, losses, gradient, Adam and averages: a pure function of (state, batch).

  Args:
    trainer: on one device; its state is the example, and stays as it is.
    batch: an example batch.

  Raises:
    UserError: this TensorFlow is too old.
  """
  batch = {name: np.asarray(batch[name]) for name in sorted(batch)}
  held = [tf.Variable(value) for value in batch.values()]
  names = []

  def traced(constants):
    @tf.function(jit_compile=True, autograph=False)
    def step():
      # What a function captures become arguments of the program, in the order in which they are first read.
      for variable in trainer.state:
        variable.read_value()
      kept = [tf.identity(constant) for constant in constants]
      example = dict(zip(batch, [variable.read_value() for variable in held], strict=True))
      values, logs = trainer.updated(*trainer.gradients(example))
      names[:] = logs
      return [*values, *kept, *logs.values()]

    return step

  step = traced([])
  captured = step.get_concrete_function().captured_inputs
  constants = [tensor for tensor in captured if tensor.dtype != tf.resource]
  program = stablehlo.program(traced(constants) if constants else step)
  state = [*trainer.state, *constants]
  return Step(program, {f'{i:04d}': value.numpy() for i, value in enumerate(state)}, batch, tuple(names))
