"""Turns FILM's weights, from wherever they are, into a weights file of film_tf (.npz).

  python -m film_tf.convert film_net/Style/saved_model --name=film_style     then --model=film_style everywhere
  python -m film_tf.convert film_net_fp16.safetensors --output=film.npz
  python -m film_tf.convert kaggle:google/film/tensorFlow2/film/1 --name=film_style     downloads it: '.[hub]'

SOURCE is a SavedModel of the original or a checkpoint of its training, a .safetensors file as ComfyUI has it, a state
dict of PyTorch, the port's TorchScript file, or a SavedModel that film_tf exported. Nothing in it is run, but with
--verify. --name puts the weights into the user's cache folder, where --model= finds them by that name.
"""

import math
import sys

from absl import flags

from film_tf import cli, files
from film_tf.errors import UserError
from film_tf.importers import released, sources

OUTPUT = flags.DEFINE_string('output', None, 'A weights file to write (.npz).')
NAME = flags.DEFINE_enum('name', None, list(released.NAMES), 'Keeps the weights for --model= by this name.')
VERIFY = flags.DEFINE_bool(
  'verify', False, 'Runs the program in SOURCE too, and says by how much an image differs. Only if you trust it.'
)
LEVELS = flags.DEFINE_integer(
  'pyramid_levels', 7, 'Of the network. Weights do not tell it; 7 is published.', lower_bound=1, upper_bound=12
)
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replaces a file that exists.')


def main(words):
  if len(words) != 1:
    raise UserError(f'{len(words)} sources are given; expected one: python -m film_tf.convert SOURCE --output=FILE.npz')
  outputs = [OUTPUT.value] if OUTPUT.value else []
  outputs += [released.place(NAME.value)] if NAME.value else []
  if not outputs:
    raise UserError(f'--output=FILE.npz is missing, or --name=, one of {", ".join(released.NAMES)}')
  if OUTPUT.value and not OUTPUT.value.endswith('.npz'):
    raise UserError(f'--output={OUTPUT.value}; expected a name that ends in .npz')
  for output in outputs:
    files.check(output, OVERWRITE.value)
  source = sources.find(released.fetch(words[0]))
  cli.load_tensorflow()
  from film_tf.importers import comparison, network
  from film_tf.model import weights

  if VERIFY.value:
    comparison.check(source)
  net = network.load(source, LEVELS.value)
  if VERIFY.value:
    difference = comparison.largest_difference(net, source)
    print(f'an image differs from that of {source.path} by {difference:.1e} at most, of values in [0, 1]')
  count = sum(math.prod(variable.shape) for variable in weights.named(net).values())
  print(f'{count:,} weights; {net.options}', file=sys.stderr)
  for output in outputs:
    weights.save(net, output, overwrite=OVERWRITE.value)
    print(output)


if __name__ == '__main__':
  cli.run(main)
