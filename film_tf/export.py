"""Writes a weights file as a SavedModel, for serving.

Run it so:

  python -m film_tf.export --output=saved_model
  python -m film_tf.export --model=runs/mini/film.npz --output=saved_model
"""

from absl import flags

from film_tf import cli, files
from film_tf.model import pretrained

MODEL = flags.DEFINE_string('model', 'film_mini', 'film_mini, or a weights file (.npz).')
OUTPUT = flags.DEFINE_string('output', None, 'Folder to write.')
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replaces a folder that exists.')
flags.mark_flag_as_required('output')


def main(words):
  cli.no_arguments(words)
  files.check(OUTPUT.value, OVERWRITE.value, files.SAVED_MODEL)
  pretrained.find(MODEL.value)
  cli.load_tensorflow()
  from film_tf.exporters import saved_model
  from film_tf.model import weights

  saved_model.export(weights.load(MODEL.value), OUTPUT.value, OVERWRITE.value)
  print(OUTPUT.value)


if __name__ == '__main__':
  cli.run(main)
