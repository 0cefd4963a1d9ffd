"""Takes training steps, on one device or many."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from film_tf import keys, metrics
from film_tf.errors import UserError
from film_tf.losses.losses import Loss
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.training.optimizer import OptimizerOptions, adam

_GROW_AFTER = 2000  # steps without overflow, after which float16 gradients are scaled twice as much


class Trainer:
  """Trains a network, with all that changes meanwhile. Make it, and its network, in the scope of `strategy`.

  Each replica computes the gradient of its part of a batch, its loss divided by the number of replicas; gradients are
  summed over all replicas, so a step is the same on any number of devices, and every replica takes it.

  Args:
    net: what to train.
    loss: what to minimise.
    optimizer: how.
    steps: of the whole run, for the learning rate.
    accumulate: parts that a replica's batch is cut into and worked through one after the other, to save memory.
    compiled: whether XLA compiles forward and backward pass.
    frozen: parts of the network that keep their weights, by name, such as `flow_pyramid`.
    timed: whether the waiting for batches is timed, which TensorFlow's op determinism forbids.
    strategy: where it runs; TensorFlow's default is one device.

  Attributes:
    state: every variable that a step changes.
    checkpoint: the state, for `tf.train.CheckpointManager`.
  """

  def __init__(
    self,
    net: FilmNet,
    loss: Loss,
    optimizer: OptimizerOptions,
    steps: int,
    accumulate: int = 1,
    compiled: bool = False,
    frozen: Sequence[str] = (),
    timed: bool = True,
    strategy: tf.distribute.Strategy | None = None,
  ):
    self.net, self.loss, self.optimizer, self.strategy = net, loss, optimizer, strategy or tf.distribute.get_strategy()
    self._steps, self._accumulate, self._timed = steps, accumulate, timed
    self._gradients = tf.function(self.gradients, jit_compile=True, autograph=False) if compiled else self.gradients
    named = weights.variables(net)
    self.weights = list(named.values())
    self._trained = [weight for name, weight in named.items() if name.split('/')[0] not in frozen]
    if not self._trained:
      raise UserError(f'train.frozen is {list(frozen)}, all parts of the network; leave one out to train it')
    self.m, self.v = _zeros_like(self.weights), _zeros_like(self.weights)
    self.averages = [tf.Variable(w, trainable=False) for w in self.weights] if optimizer.average else []
    self.step = tf.Variable(0, trainable=False)  # int32, for JAX would make that of int64
    # Float16 gradients underflow, so their loss is scaled as far up as they do not overflow.
    self._scaled = net.compute_dtype == 'float16'
    self._first_scale = 2.0**15 if self._scaled else 1.0
    self.scale = tf.Variable(self._first_scale, trainable=False)
    self.steps_since_overflow = tf.Variable(0, trainable=False)
    # The names in a checkpoint are a file format.
    self.checkpoint = tf.train.Checkpoint(
      weights=self.weights,
      means=self.m,
      squares=self.v,
      averages=self.averages,
      scale=self.scale,
      calm=self.steps_since_overflow,
      taken=self.step,
    )
    self.state = [*self.weights, *self.m, *self.v, *self.averages, self.scale, self.steps_since_overflow, self.step]
    # Grappler's remapper cannot fuse a LeakyReLU whose gradient is needed: it fails, logs an error, changes nothing.
    tf.config.optimizer.set_experimental_options({'remapping': False})

  def restart_scaling(self):
    """Scales losses as at the start of a run, where one goes on in another precision."""
    self.scale.assign(self._first_scale)
    self.steps_since_overflow.assign(0)

  def step_number(self) -> int:
    """Returns how many steps have been taken."""
    return int(self.step.numpy())

  @tf.function(reduce_retracing=True)
  def run(self, batches: Iterator[Mapping], count: tf.Tensor) -> dict:
    """Takes `count` steps, at least one, without coming back to Python.

    Returns:
      What to log of the last step: scalars by name. `finite` is 0 where loss or gradient were not, in any of the steps;
      such a step changes nothing but the count. `last_finite`: which of the steps, counted from 1, was the last whose
      loss and gradient were finite; 0 is none. `waited`: the seconds in which the host waited for batches; the devices
      waited no longer, for they may have been busy meanwhile.
    """
    batch, waited = self._next(batches, [])
    logs = self._step(batch)
    finite, last = logs['finite'], logs['finite']
    for i in tf.range(1, count):
      batch, more = self._next(batches, list(logs.values()))
      logs = self._step(batch)
      finite, waited = tf.minimum(finite, logs['finite']), waited + more
      last = tf.where(logs['finite'] > 0.0, tf.cast(i + 1, tf.float32), last)
    return {**logs, 'finite': finite, 'last_finite': last, **({'waited': waited} if self._timed else {})}

  @tf.function(reduce_retracing=True, autograph=False)
  def predict(self, batch: Mapping) -> dict:
    """Returns what the network makes of a batch, without a step."""
    return self.net(batch, training=False)

  @property
  def alone(self) -> bool:
    """Says whether there are no other workers, on other machines or in other processes."""
    return not isinstance(self.strategy, tf.distribute.MultiWorkerMirroredStrategy)

  def agree(self, stop: bool) -> bool:
    """Returns whether any worker says yes, such as to stop; all must ask at the same step."""
    if not self.alone:
      stop = bool(self._votes(tf.constant(float(stop))) > 0)
    return stop

  @tf.function(autograph=False)
  def _votes(self, vote):
    return self.strategy.reduce('SUM', self.strategy.run(lambda: vote), axis=None)

  def not_finite(self) -> int:
    """Returns how many of the weights, or of their averages, have an element that is not finite."""
    return sum(not np.isfinite(weight.numpy()).all() for weight in [*self.weights, *self.averages])

  @contextlib.contextmanager
  def averaged(self):
    """Gives the network the averaged weights for a while, where there are any: to show, measure and export them."""
    kept = [weight.numpy() for weight in self.weights] if self.averages else []
    _assign(self.weights[: len(kept)], self.averages)
    try:
      yield
    finally:
      _assign(self.weights[: len(kept)], kept)

  def _next(self, batches, done):
    """Returns the next batch, asked for when the tensors `done` are there, and the seconds that it took."""
    if not self._timed:
      return next(batches), tf.constant(0.0, tf.float64)
    with tf.control_dependencies(done):
      asked = tf.timestamp()
    with tf.control_dependencies([asked]):
      batch = next(batches)
    with tf.control_dependencies(tf.nest.flatten(batch, expand_composites=True)):
      return batch, tf.timestamp() - asked

  @tf.function(reduce_retracing=True, autograph=False)  # traced once, though `run` has it twice
  def _step(self, batch):
    logs = self.strategy.run(self._on_replica, (batch,))
    return {name: self.strategy.experimental_local_results(value)[0] for name, value in logs.items()}

  def _on_replica(self, batch):
    replicas = tf.distribute.get_replica_context()
    gradients, logs = self._gradients(batch)
    gradients = replicas.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    logs = replicas.all_reduce(tf.distribute.ReduceOp.MEAN, logs)
    values, logs = self.updated(gradients, logs)
    replicas.merge_call(_update, (self.state, values))
    return logs

  def updated(self, gradients: list[tf.Tensor], logs: dict) -> tuple[list[tf.Tensor], dict]:
    """Returns what a step with these gradients makes of `state`, and its logs; nothing is changed yet."""
    norm = tf.linalg.global_norm(gradients)
    finite = tf.math.is_finite(norm) & tf.math.is_finite(logs['loss'])
    rate = self.optimizer.rate(self.step, self._steps)
    old = [self.weights, self.m, self.v, self.averages]
    changed = adam(*old[:1], self.optimizer.clip(gradients, norm), *old[1:3], self.step, rate)
    averages = self.optimizer.averaged(self.averages, changed[0], self.step) if self.averages else []
    variables, values = tf.nest.flatten(old), tf.nest.flatten([*changed, averages])
    values = [tf.where(finite, value, variable) for variable, value in zip(variables, values, strict=True)]
    logs = {**logs, 'gradient_norm': norm, 'learning_rate': rate, 'finite': tf.cast(finite, tf.float32)}
    scaling = [tf.identity(self.scale), tf.identity(self.steps_since_overflow)]
    if self._scaled:
      logs['loss_scale'] = scaling[0]
      grown = finite & (self.steps_since_overflow + 1 >= _GROW_AFTER)
      factor = tf.where(finite, tf.where(grown, 2.0, 1.0), 0.5)
      scaling = [self.scale * factor, tf.where(finite & ~grown, self.steps_since_overflow + 1, 0)]
    return [*values, *scaling, self.step + 1], logs

  def gradients(self, batch: Mapping) -> tuple[list[tf.Tensor], dict]:
    """Returns gradients of a replica's loss over the number of replicas, and logs, part by part of the batch."""
    if self._accumulate == 1:
      return self._gradients_of_part(batch)
    parts = {key: tf.reshape(x, (self._accumulate, -1, *x.shape[1:])) for key, x in batch.items()}

    def add(i, total):
      part = self._gradients_of_part({key: x[i] for key, x in parts.items()})
      return i + 1, tf.nest.map_structure(tf.add, total, part)

    first = self._gradients_of_part({key: x[0] for key, x in parts.items()})
    _, total = tf.while_loop(lambda i, _: i < self._accumulate, add, (1, first))
    return tf.nest.map_structure(lambda value: value / self._accumulate, total)

  def _gradients_of_part(self, batch):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
      tape.watch(self._trained)
      prediction = self.net(batch, training=True)
      loss, terms = self.loss(prediction, batch, self.step)
      scaled = loss * self.scale / self.strategy.num_replicas_in_sync
    zero = tf.UnconnectedGradients.ZERO  # of what is frozen; and a loss of flow alone leaves the decoder out
    gradients = tape.gradient(scaled, self.weights, unconnected_gradients=zero)
    gradients = [gradient / self.scale for gradient in gradients]
    psnr = tf.reduce_mean(metrics.psnr(prediction[keys.IMAGE], batch[keys.Y]))
    return gradients, {'loss': loss, 'psnr': psnr, **terms}


def _zeros_like(variables):
  return [tf.Variable(tf.zeros(variable.shape), trainable=False) for variable in variables]


def _assign(variables, values):
  for variable, value in zip(variables, values, strict=True):
    variable.assign(value)


def _update(strategy, variables, values):
  """Gives variables their new values on every replica."""
  for variable, value in zip(variables, values, strict=True):
    strategy.extended.update(variable, lambda v, x: v.assign(x), args=(value,), group=False)
