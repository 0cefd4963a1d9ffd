"""One training step."""

from collections.abc import Mapping

import tensorflow as tf

from film_tf import keys, metrics
from film_tf.losses.losses import Loss
from film_tf.model.film_net import FilmNet


class Trainer:
  """A network, its loss and its optimizer; the step counter is the optimizer's.

  Attributes:
    net, loss, optimizer: as given.
    checkpoint: all state that a run needs to go on.
  """

  def __init__(self, net: FilmNet, loss: Loss, optimizer: tf.keras.optimizers.Optimizer):
    self.net, self.loss, self.optimizer = net, loss, optimizer
    optimizer.build(net.trainable_variables)  # so that a checkpoint finds every variable before the first step
    self.checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer)
    # Grappler's remapper cannot fuse a LeakyReLU whose gradient is needed: it fails, logs an error, changes nothing.
    tf.config.optimizer.set_experimental_options({'remapping': False})

  def step_number(self) -> int:
    """How many steps have been taken."""
    return int(self.optimizer.iterations)

  @tf.function(reduce_retracing=True)
  def step(self, batch: Mapping) -> dict:
    """Takes one step on a batch (`film_tf.keys`) and returns what to log of it: scalars by name."""
    with tf.GradientTape() as tape:
      prediction = self.net(batch, training=True)
      loss, terms = self.loss(prediction, batch, self.optimizer.iterations)
    variables = self.net.trainable_variables
    gradients = tape.gradient(loss, variables)
    self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
    psnr = tf.reduce_mean(metrics.psnr(prediction[keys.IMAGE], batch[keys.Y]))
    return {'loss': loss, 'psnr': psnr, 'gradient_norm': tf.linalg.global_norm(gradients), **terms}

  @tf.function(reduce_retracing=True)
  def predict(self, batch: Mapping) -> dict:
    """What the network makes of a batch, without a step."""
    return self.net(batch, training=False)
