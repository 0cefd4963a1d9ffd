"""Writes a source of triplets as TFRecord shards, which the original FILM reads too.

Run it so, in the checkout:

  python -m datasets.export_tfrecord tfds:vimeo90k_triplet:train --output=/data/vimeo90k_train@200

The source is a built data set, or whatever else `data.sources` takes. Order is kept: shard 0 has the first triplets.
"""

import contextlib
import itertools
import os

import tqdm
from absl import flags

from film_tf import cli, files, keys, locks
from film_tf.data import shards
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
  paths = shards.names(output)
  for path in paths:
    files.check(path, overwrite)
  if not source.startswith('tfds:'):
    shards.find(source)
  cli.load_tensorflow()
  import tensorflow as tf

  from film_tf.data import pipeline, sources

  read = sources.find(source).files
  if both := _same_files(read, paths):
    raise UserError(f'{output} would replace {both[0]}, which is of the source {source} itself; choose another name')
  triplets = sources.ordered(source)
  with contextlib.ExitStack() as stack, pipeline.readable([source]):  # all files are renamed at the end
    count = int(triplets.cardinality())
    if count < 0:  # TFRecord files do not say how many they hold
      count = int(triplets.reduce(tf.constant(0, tf.int64), lambda n, _: n + 1))
    if count < len(paths):
      raise UserError(f'{source} has {count} triplets, too few for {len(paths)} files')
    stack.enter_context(_lock(output))
    remaining = iter(tqdm.tqdm(triplets, total=count, unit='triplet', mininterval=1.0))
    for i, path in enumerate(paths):
      share = count * (i + 1) // len(paths) - count * i // len(paths)
      with tf.io.TFRecordWriter(stack.enter_context(files.atomic_write(path, overwrite))) as writer:
        for example in itertools.islice(remaining, share):
          writer.write(_record(example, source))
  print(f'{count} triplets in {len(paths)} files: {output}')


def _lock(output):
  """Keeps others from the files of `output`, or these would be mixed."""
  if '://' in output:
    return contextlib.nullcontext()
  folder, name = os.path.split(output)
  os.makedirs(folder or '.', exist_ok=True)
  return locks.held(os.path.join(folder, f'.{name}.lock'), output)


def _same_files(some, others):
  """Returns those of `others` that are files of `some`, by whatever name or link."""

  def identity(path):
    if '://' in path or not os.path.exists(path):
      return path
    found = os.stat(path)
    return found.st_dev, found.st_ino

  known = set(map(identity, some))
  return [path for path in others if identity(path) in known]


def _record(example, source):
  """Returns an example as a record, after a look at its frames."""
  import tensorflow as tf

  from film_tf.data import records

  path = example[keys.PATH].numpy().decode('utf-8', 'surrogateescape')
  frames = tuple(example[key].numpy() for key in (keys.X0, keys.Y, keys.X1))
  try:
    sizes = [tuple(tf.io.decode_image(frame, channels=3, expand_animations=False).shape[:2]) for frame in frames]
  except tf.errors.InvalidArgumentError as error:
    raise UserError(f'triplet {path!r} of {source} is damaged, a frame cannot be decoded') from error
  time = float(example[keys.TIME])
  if not 0 < time < 1:
    raise UserError(f'triplet {path!r} of {source} is at time {time}, and should be between 0 and 1')
  if len(set(sizes)) > 1:
    raise UserError(f'triplet {path!r} of {source} has frames of different sizes, {sizes}')
  return records.encode(records.Triplet(path, frames, *sizes[0], time))


if __name__ == '__main__':
  cli.run(main)
