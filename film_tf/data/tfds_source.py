"""Reads data sets built with TensorFlow Datasets, by names such as tfds:xiph_triplet/2k:test."""

import os

from film_tf.data import records
from film_tf.data.records import RecordFiles
from film_tf.errors import UserError


def find(name: str) -> RecordFiles:
  """Finds the files of a built data set, and how to read a record of them.

  Args:
    name: tfds:NAME:SPLIT, where NAME may have a configuration, and SPLIT may be a slice such as train[:90%].

  Raises:
    UserError: tensorflow-datasets is not installed, or there is no such data set, configuration or split.
  """
  try:
    import tensorflow_datasets as tfds  # an extra, and slow to import
  except ImportError as error:
    raise UserError(f'source {name} needs tensorflow-datasets ({error}); pip install tensorflow-datasets') from error
  if name.count(':') < 2:
    raise UserError(f'source {name}: expected tfds:NAME:SPLIT, such as {name}:train')
  _, builder_name, split = name.split(':', 2)  # a slice has colons of its own
  folder = os.environ.get('TFDS_DATA_DIR')
  try:
    builder = tfds.builder(builder_name, data_dir=folder, try_gcs=False)
    instructions = builder.info.splits[split].file_instructions
  except (ValueError, AssertionError, KeyError, tfds.core.registered.DatasetNotFoundError) as error:
    reason = ' '.join(str(error).strip('\'"').splitlines()[:1])
    looked = folder or '~/tensorflow_datasets'
    raise UserError(f'source {name}: {reason} (looked in {looked}; build it first)') from error
  skip = {frame: tfds.decode.SkipDecoding() for frame in records.FRAMES}
  return RecordFiles(
    files=[instruction.filename for instruction in instructions],
    skips=[instruction.skip for instruction in instructions],
    counts=[instruction.take for instruction in instructions],
    parse=lambda record: records.from_tfds(builder.info.features.deserialize_example(record, decoders=skip)),
  )
