"""Writes a source of triplets as TFRecord shards, which the original FILM reads too.

Run it so, in the checkout:

  python -m datasets.export_tfrecord tfds:vimeo90k_triplet:train --output=/data/vimeo90k_train@200

The source is a built data set, or whatever else `data.sources` takes. Order is kept: shard 0 has the first triplets.
"""

import io
import itertools
import os

import tqdm
from absl import flags
from PIL import Image

from film_tf import cli, files, keys
from film_tf.errors import UserError

OUTPUT = flags.DEFINE_string('output', None, 'prefix@N for N files prefix-00000-of-0000N, or the name of one file.')
DATA_DIR = flags.DEFINE_string('data_dir', None, 'Folder of built data sets. [$TFDS_DATA_DIR, ~/tensorflow_datasets]')
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replaces files that exist.')
flags.mark_flag_as_required('output')


def main(words):
  if len(words) != 1:
    raise UserError(f'{len(words)} sources given; expected one, such as tfds:vimeo90k_triplet:train')
  if DATA_DIR.value:
    os.environ['TFDS_DATA_DIR'] = DATA_DIR.value
  export(words[0], OUTPUT.value, OVERWRITE.value)


def export(source: str, output: str, overwrite: bool = False):
  """Copies the triplets of a source, see `film_tf.data.sources`, into the files that `output` names.

  Raises:
    UserError: there is no such source, it has fewer triplets than there are to be files, or a file exists.
  """
  cli.load_tensorflow()
  import tensorflow as tf

  from film_tf.data import sources

  triplets = sources.ordered(source)
  count = int(triplets.cardinality())
  if count < 0:  # TFRecord files do not say how many they hold
    count = int(triplets.reduce(tf.constant(0, tf.int64), lambda n, _: n + 1))
  paths = sources.names(output)
  if count < len(paths):
    raise UserError(f'{source} has {count} triplets, too few for {len(paths)} files')
  for path in paths:
    files.check(path, overwrite)
  remaining = iter(tqdm.tqdm(triplets, total=count, unit='triplet', mininterval=1.0))
  for i, path in enumerate(paths):
    share = count * (i + 1) // len(paths) - count * i // len(paths)
    with files.atomic_write(path, overwrite) as temporary, tf.io.TFRecordWriter(temporary) as writer:
      for example in itertools.islice(remaining, share):
        writer.write(_record(example))
  print(f'{count} triplets in {len(paths)} files: {output}')


def _record(example):
  from film_tf.data import records

  frames = tuple(example[key].numpy() for key in (keys.X0, keys.Y, keys.X1))
  width, height = Image.open(io.BytesIO(frames[0])).size
  return records.encode(records.Triplet(example[keys.PATH].numpy().decode(), frames, height, width))


if __name__ == '__main__':
  cli.run(main)
