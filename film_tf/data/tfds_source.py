"""Reads data sets built with TensorFlow Datasets, by names such as tfds:xiph_triplet/2k:test."""

import glob
import os

import tensorflow as tf

from film_tf import files, keys
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
  folder = os.environ.get('TFDS_DATA_DIR') or None
  looked = folder or '~/tensorflow_datasets'
  built = os.path.join(glob.escape(os.path.expanduser(looked)), glob.escape(builder_name), '**', '*.json')
  for path in glob.glob(built, recursive=True):
    files.check_no_pipe(path)
  try:
    builder = tfds.builder(builder_name, data_dir=folder, try_gcs=False)
  except tfds.core.registered.DatasetNotFoundError as error:
    raise UserError(f'source {name}: {_first_line(error)} (looked in {looked}; build it first)') from error
  except Exception as error:  # whatever TFDS meets in damaged files of a data set, such as a bare KeyError
    raise UserError(f'source {name}: {_first_line(error)} (looked in {looked}); build it again') from error
  _check_features(name, builder.info.features)
  try:
    instructions = builder.info.splits[split].file_instructions
  except (ValueError, AssertionError, KeyError) as error:
    there = ', '.join(builder.info.splits) or 'none'
    raise UserError(f'source {name}: there is no split {split} ({_first_line(error)}); splits are {there}') from error
  _check(name, instructions)
  skip = {frame: tfds.decode.SkipDecoding() for frame in records.FRAMES}
  return RecordFiles(
    files=[instruction.filename for instruction in instructions],
    skips=[instruction.skip for instruction in instructions],
    counts=[instruction.take for instruction in instructions],
    parse=lambda record: records.from_tfds(builder.info.features.deserialize_example(record, decoders=skip)),
  )


def _check_features(name, features):
  """Raises where a data set is not of triplets."""
  there = set(features) if hasattr(features, 'keys') else set()
  if missing := [key for key in (*records.FRAMES, keys.PATH) if key not in there]:
    raise UserError(f'source {name} has no {", ".join(missing)}; expected a data set of triplets, as in datasets/')


def _check(name, instructions):
  """Raises where a file is missing or empty, or no triplet is meant."""
  if not sum(instruction.take for instruction in instructions):
    raise UserError(f'source {name} has no triplets')
  for instruction in instructions:
    try:
      length = tf.io.gfile.stat(instruction.filename).length
    except tf.errors.OpError as error:
      raise UserError(f'source {name}: cannot read {instruction.filename}: {files.reason(error)}') from error
    if instruction.take and not length:
      raise UserError(
        f'source {name}: {instruction.filename} is empty, {instruction.take} triplets are missing; build it again'
      )


def _first_line(error):
  return ' '.join(str(error).strip('\'"').splitlines()[:1]) or type(error).__name__
