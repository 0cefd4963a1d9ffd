"""Explains the network on two images, in one page: what each of its parts makes of them, level by level.

  python -m film_tf.inspect A.png B.png --output=page.html
  python -m film_tf.inspect A.png B.png --model=film_style --output=page.html     FILM's released weights

The page opens from disk in any browser, without network. It has both image pyramids, features in colours, the flow that
each level adds, what is moved by it, what has no partner, what the decoder took from where, and the result. Images
whose longer side has more than 640 pixels are scaled down, as the page says.
"""

import os
import sys

import tqdm
from absl import flags

from film_tf import cli, files
from film_tf.errors import UserError
from film_tf.importers import sources
from film_tf.inspection import pair

MODEL = flags.DEFINE_string('model', 'film_mini', "film_mini, film_style, or a weights file, film_tf's or FILM's.")
OUTPUT = flags.DEFINE_string('output', None, 'The page, a .html.')
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replaces an output file that exists.')
flags.mark_flag_as_required('output')


def main(words):
  if not OUTPUT.value.endswith('.html'):
    raise UserError(f'--output={OUTPUT.value}; expected a name that ends in .html')
  files.check(OUTPUT.value, OVERWRITE.value)
  source = sources.find(MODEL.value)
  images = pair.read(words)
  cli.load_tensorflow()
  from film_tf.importers import network
  from film_tf.inspection import explanation

  net = network.load(source)
  with tqdm.tqdm(desc=OUTPUT.value, disable=None) as bar:  # on a terminal only

    def progress(done, total):
      bar.total = total
      bar.update(done - bar.n)

    text = explanation.page_of(net, os.path.basename(MODEL.value.rstrip('/')), images, progress)
  with files.atomic_write(OUTPUT.value, OVERWRITE.value) as temporary, open(temporary, 'w', encoding='utf-8') as file:
    file.write(text)
  print(f'{len(text) / 1e6:.1f} MB', file=sys.stderr)
  print(OUTPUT.value)


if __name__ == '__main__':
  cli.run(main)
