"""Builds data sets for tests."""

import importlib

import tensorflow_datasets as tfds

from datasets import dummy


def builder(name, data_dir, **options):
  return importlib.import_module(f'datasets.{name}.{name}_dataset_builder').Builder(data_dir=data_dir, **options)


def build(name, root, data_dir, **options):
  """The builder of `name`, after it has built what is in `root`."""
  made = builder(name, data_dir, **options)
  made.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=root))
  return made


def examples(made, split, **options):
  """The examples of a split as NumPy dicts, in order."""
  config = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
  return list(tfds.as_numpy(made.as_dataset(split=split, read_config=config, **options)))


def layout(name, root):
  dummy.LAYOUTS[name](root)
  return root
