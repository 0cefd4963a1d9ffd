"""Reads triplets from sources. A source has a name of one line, so that a gin file or a flag can say it:

synthetic                            scenes drawn on the fly, `film_tf.data.synthetic`
/data/vimeo90k_train@200             200 TFRecord shards, `/data/vimeo90k_train-00000-of-00200` and so on
gs://bucket/train-*.tfrecord         TFRecord files by a pattern
tfds:vimeo90k_triplet:train          a built TFDS data set and its split; tfds:xiph_triplet/2k:test has a config
"""

import tensorflow as tf

from film_tf.data import records, tfds_source
from film_tf.data import shards as shard_files
from film_tf.data.records import RecordFiles
from film_tf.errors import UserError
from film_tf.files import reason

_ALONE = tf.distribute.InputContext()  # one worker


def ordered(name: str) -> tf.data.Dataset:
  """Reads every triplet of a source once, in the order of the files, as evaluation does.

  Returns:
    A dataset of what `records.parse` returns of a record.

  Raises:
    UserError: there is no such source.
  """
  found = find(name)
  dataset = _paths(found).flat_map(_reader(found.counts)).map(found.parse, tf.data.AUTOTUNE)
  return dataset if -1 in found.counts else dataset.apply(tf.data.experimental.assert_cardinality(sum(found.counts)))


def shuffled(
  name: str, seed: int, buffer: int, start: int = 0, worker: tf.distribute.InputContext = _ALONE
) -> tf.data.Dataset:
  """Reads the triplets of a source again and again, for training: a worker's share, in another order every epoch.

  A worker reads its own files where there are enough for all workers, and else every n-th record of each. The order of
  an epoch is a pure function of the seed and of its number, so that a run can go on in its middle: whole epochs are
  left out by arithmetic, and the records since the last one's end are read again. TFRecord files do not say how many
  records they have, so of these a run that goes on reads all once, to count them.

  Args:
    name: of the source.
    seed: the same seed gives the same order.
    buffer: records to draw from.
    start: triplets of its share that the worker has had already.
    worker: which of several workers this is.

  Returns:
    What `ordered` returns, without end.
  """
  found, n, index = find(name), worker.num_input_pipelines, worker.input_pipeline_id
  paths, counts, records_of = _paths(found), found.counts, _reader(found.counts)
  if len(found.files) >= n:
    paths, counts, n, index = paths.shard(n, index), counts[index::n], 1, 0

  def read(number):
    return paths.shuffle(len(found.files), seed=seed + number).interleave(
      lambda *path: records_of(*path).shard(n, index), 16, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )

  once = read(tf.constant(0, tf.int64))
  if not any(True for _ in once.take(1)):
    raise UserError(f'source {name} has too few triplets for {worker.num_input_pipelines} workers')
  if -1 not in counts:
    size = sum(len(range(index, count, n)) for count in counts)
  else:
    size = int(once.reduce(0, lambda count, _: count + 1)) if start else 1
  first, had = divmod(start, size)

  def epoch(number):
    tf.compat.v1.set_random_seed(1)  # of this graph: tf.data cannot join a global seed of 0 to a tensor
    there = read(number).take(1).reduce(False, lambda *_: True)  # or the next epoch, and all after it, are looked at
    with tf.control_dependencies([tf.debugging.Assert(there, [name, 'has no triplets any more'])]):
      number = tf.identity(number)
    return read(number).shuffle(buffer, seed=seed + number)

  epochs = tf.data.Dataset.range(first, tf.int64.max).flat_map(epoch)
  return epochs.skip(had).map(found.parse, tf.data.AUTOTUNE)


def find(name: str) -> RecordFiles:
  """Finds the files of a source.

  Raises:
    UserError: there is no such source.
  """
  if name.startswith('tfds:'):
    return tfds_source.find(name)
  files = shards(name)
  return RecordFiles(files, [0] * len(files), [-1] * len(files), records.parse)


def _paths(found):
  ranges = [tf.constant(numbers, tf.int64) for numbers in (found.skips, found.counts)]
  return tf.data.Dataset.from_tensor_slices((found.files, *ranges))


def _reader(counts):
  """Returns what reads the records of a file; one that has fewer than are known to be in it is an error."""

  def read(path, skip, count):
    part = tf.data.TFRecordDataset(path).skip(skip).take(count)
    return part if -1 in counts else part.apply(tf.data.experimental.assert_cardinality(count))

  return read


def shards(name: str) -> list[str]:
  """Finds the files of `prefix@N`, of a pattern, or the one file.

  Raises:
    UserError: a shard is missing, nothing fits the pattern, or all files are empty.
  """
  files = shard_files.find(name)
  try:
    empty = not any(tf.io.gfile.stat(file).length for file in files)
  except tf.errors.OpError as error:
    raise UserError(f'cannot read source {name}: {reason(error)}') from error
  if empty:
    raise UserError(f'source {name} has no triplets, its files are empty')
  return files


def damaged(name: str) -> list[str]:
  """Returns the files of a source that cannot be read to their end, or how many records they lack; reads all."""
  if name in ('', 'synthetic'):
    return []
  found = find(name)
  return list(filter(None, map(_damage, found.files, found.skips, found.counts)))


def _damage(file, skip, count):
  read = 0
  try:
    for _ in tf.data.TFRecordDataset(file, buffer_size=1 << 20):
      read += 1
  except tf.errors.OpError:
    return file
  return f'{file} ({skip + count - read} of {skip + count} are missing)' if read < skip + count else ''
