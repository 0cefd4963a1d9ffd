"""Trains FILM.

Run it so:

  python -m film_tf.train --gin_configs=gin/film_mini.gin --base_dir=runs/mini

Run it again to go on where it stopped. Watch it with: tensorboard --logdir runs
"""

from film_tf import cli  # first, for it quiets TensorFlow

from absl import flags  # isort: skip

from film_tf import config
from film_tf.training import experiment

BASE_DIR = flags.DEFINE_string('base_dir', None, 'Folder for this run: checkpoints, events, the exported model.')
flags.mark_flag_as_required('base_dir')
flags.adopt_module_key_flags(config)


def main(words):
  if words:
    cli.fail(f'unexpected words {" ".join(words)}; options start with --')
  config.parse_flags()
  experiment.run(BASE_DIR.value)


if __name__ == '__main__':
  cli.run(main)
