"""Writes a network in the format that another program needs.

  python -m film_tf.export --output=saved_model                                a SavedModel, for TensorFlow
  python -m film_tf.export --format=onnx --output=film.onnx                    for ONNX Runtime and others
  python -m film_tf.export --format=tflite --size=448x256 --output=film.tflite for phones
  python -m film_tf.export --model=runs/mini/film.npz --output=saved_model     a network of your own

docs/formats.md has a table of the formats, with what each can do and how far it is from TensorFlow.
"""

from absl import flags

from film_tf import cli
from film_tf.exporters import formats
from film_tf.importers import sources

MODEL = flags.DEFINE_string('model', 'film_mini', "film_mini, film_style, or a weights file, film_tf's or FILM's.")
FORMAT = flags.DEFINE_enum('format', 'saved_model', list(formats.FORMATS), 'Format to write.')
OUTPUT = flags.DEFINE_string('output', None, 'File to write; for saved_model and stablehlo a folder.')
SIZE = flags.DEFINE_string('size', None, 'Width x height of the images, such as 448x256; for tflite and stablehlo.')
DTYPE = flags.DEFINE_enum(
  'dtype', 'float32', ['float32', 'float16'], 'Type of the weights in the file; float16 halves it.'
)
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replaces an output that exists.')
flags.mark_flag_as_required('output')


def main(words):
  cli.no_arguments(words)
  options = formats.check(FORMAT.value, OUTPUT.value, OVERWRITE.value, SIZE.value, DTYPE.value)
  sources.find(MODEL.value)
  cli.load_tensorflow()
  from film_tf.importers import network

  formats.export(FORMAT.value, network.load(MODEL.value), OUTPUT.value, **options)
  print(OUTPUT.value)


if __name__ == '__main__':
  cli.run(main)
