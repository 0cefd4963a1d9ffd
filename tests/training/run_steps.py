"""Trains a tiny network for some steps on logical CPUs, and prints the losses and the sum of its weights as JSON."""

import json
import sys

import tensorflow as tf

from film_tf.data import augment, pipeline, scenes
from film_tf.distribution import strategy as strategies
from film_tf.losses.losses import Loss
from film_tf.model.film_net import FilmNet
from film_tf.training.optimizer import OptimizerOptions
from film_tf.training.trainer import Trainer
from tests import forked
from tests.conftest import SHALLOW

BATCH, STEPS = 8, 20


def main(devices, options):
  if devices > 1:
    forked.logical_cpus(devices)
  tf.config.optimizer.set_experimental_options({'disable_meta_optimizer': False})  # as users have it
  strategy = strategies.build(options.pop('strategy', 'mirrored' if devices > 1 else 'one_device'))
  tf.keras.utils.set_random_seed(0)
  with strategy.scope():
    net = FilmNet(SHALLOW)
    adam = OptimizerOptions(1e-3, clip_norm=1.0, average=0.9)
    trainer = Trainer(net, Loss({'l1': 1.0, 'flow': 0.1}), adam, STEPS, strategy=strategy, **options)
  drawn = scenes.Scenes(32, 32, 2, 4.0)

  def batches_of(context):
    batch = context.get_per_replica_batch_size(BATCH)
    return pipeline.training(pipeline.Data(), drawn, augment.Augmentation(), batch, 0, 0, context)

  batches = iter(strategy.distribute_datasets_from_function(batches_of))
  losses = [float(trainer.run(batches, tf.constant(1))['loss']) for _ in range(STEPS)]
  with trainer.averaged():
    weights = float(sum(tf.reduce_sum(tf.abs(weight)) for weight in trainer.weights))
  print(json.dumps({'losses': losses, 'weights': weights, 'devices': strategy.num_replicas_in_sync}))


if __name__ == '__main__':
  main(int(sys.argv[1]), json.loads(sys.argv[2]))
