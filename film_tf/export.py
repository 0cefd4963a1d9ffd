"""Writes a weights file as a SavedModel, for serving.

Run it so:

  python -m film_tf.export --output=saved_model
  python -m film_tf.export --model=runs/mini/film.npz --output=saved_model
"""

from film_tf import cli  # first, for it quiets TensorFlow

from absl import flags  # isort: skip

from film_tf.errors import UserError
from film_tf.exporters import saved_model
from film_tf.model import weights

MODEL = flags.DEFINE_string('model', 'film_mini', 'film_mini, or a weights file (.npz).')
OUTPUT = flags.DEFINE_string('output', None, 'Folder to write.')
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replace a folder that exists.')
flags.mark_flag_as_required('output')


def main(words):
  if words:
    raise UserError(f'unexpected words {" ".join(words)}; options start with --')
  saved_model.export(weights.load(MODEL.value), OUTPUT.value, OVERWRITE.value)
  print(OUTPUT.value)


if __name__ == '__main__':
  cli.run(main)
