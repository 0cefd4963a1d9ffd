"""Data sets built with TensorFlow Datasets as sources, by names such as tfds:xiph_triplet/2k:test."""

import os

import tensorflow as tf
from absl import logging

from film_tf.data import records
from film_tf.errors import UserError


def read(name: str, seed: int | None = None, worker: tf.distribute.InputContext | None = None) -> tf.data.Dataset:
  """The triplets of a built data set once, as `film_tf.data.sources` has them.

  Args:
    name: tfds:NAME:SPLIT, where NAME may have a configuration, and SPLIT may be a slice such as train[:90%].
    seed: if given, files are read in an order of this seed, and in another one after every repetition; else triplets
      come in the order in which they were built.
    worker: which of several workers this is.

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
  verbosity = logging.get_verbosity()
  logging.set_verbosity(logging.ERROR)  # TFDS warns that what is shuffled is not in order
  try:
    builder = tfds.builder(builder_name, data_dir=folder, try_gcs=False)
    by_file = worker is None or builder.info.splits[split].num_shards >= worker.num_input_pipelines
    config = tfds.ReadConfig(
      shuffle_seed=seed,
      input_context=worker if by_file else None,
      interleave_cycle_length=1 if seed is None else 16,  # 1: one file after the other
      enable_ordering_guard=False,  # ours are built in order, and shuffled for training all the same
      try_autocache=False,
    )
    skip = {frame: tfds.decode.SkipDecoding() for frame in records.FRAMES}
    examples = builder.as_dataset(split=split, shuffle_files=seed is not None, decoders=skip, read_config=config)
  except (ValueError, AssertionError, KeyError, tfds.core.registered.DatasetNotFoundError) as error:
    reason = ' '.join(str(error).strip('\'"').splitlines()[:1])
    looked = folder or '~/tensorflow_datasets'
    raise UserError(f'source {name}: {reason} (looked in {looked}; build it first)') from error
  finally:
    logging.set_verbosity(verbosity)
  if not by_file:
    examples = examples.shard(worker.num_input_pipelines, worker.input_pipeline_id)
  return examples.map(records.from_tfds, tf.data.AUTOTUNE)
