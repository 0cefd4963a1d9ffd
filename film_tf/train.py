"""Trains FILM.

Run it so:

  python -m film_tf.train --gin_configs=gin/film_mini.gin --base_dir=runs/mini

Run it again to go on where it stopped. Watch it with: tensorboard --logdir runs

On all GPUs of a machine, on many machines (TF_CONFIG or SLURM), on a TPU:

  python -m film_tf.train ... --strategy=mirrored
  python -m film_tf.train ... --strategy=multi_worker
  python -m film_tf.train ... --tpu=local
"""

from absl import flags

from film_tf import cli, config

STRATEGIES = ('auto', 'one_device', 'mirrored', 'multi_worker', 'tpu')  # `strategy.NAMES`, which loads TensorFlow

BASE_DIR = flags.DEFINE_string('base_dir', None, 'Folder for this run: checkpoints, events, the exported model.')
STRATEGY = flags.DEFINE_enum('strategy', 'auto', STRATEGIES, 'Where to run; auto takes what there is.')
TPU = flags.DEFINE_string('tpu', None, 'Name or address of a TPU, or local on a TPU VM.')
WAIT = flags.DEFINE_float(
  'wait_for_workers', 600.0, 'Seconds after which other workers that cannot be reached end it.', lower_bound=0.0
)
INIT_FROM = flags.DEFINE_string(
  'init_from', None, "Starts from weights, film_tf's (.npz) or FILM's, a run, or a checkpoint."
)
flags.mark_flag_as_required('base_dir')
flags.adopt_module_key_flags(config)


def main(words):
  cli.no_arguments(words)
  config.configs_of_flags()
  cli.load_tensorflow()
  from film_tf.distribution import strategy
  from film_tf.training import experiment

  config.parse_flags()
  experiment.run(BASE_DIR.value, strategy.build(STRATEGY.value, TPU.value, WAIT.value), INIT_FROM.value)


if __name__ == '__main__':
  cli.run(main)
