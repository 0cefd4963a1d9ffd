"""Reads the variables of TensorFlow's checkpoints, of training and of SavedModels, without running their graphs."""

import contextlib
import glob
import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2, trackable_object_graph_pb2

from film_tf import files
from film_tf.errors import UserError

_OBJECTS = '_CHECKPOINTABLE_OBJECT_GRAPH'
_OF_TRAINING = ('.OPTIMIZER_SLOT', 'optimizer/', 'save_counter/', 'step/')  # in the keys of what is no weight


@contextlib.contextmanager
def reader(prefix: str) -> Iterator[Any]:
  """Yields TensorFlow's reader of a checkpoint, whose path may have characters of patterns.

  TensorFlow would look for files that match `lr[1e-4]/step-10`; it gets links of plain names.

  Args:
    prefix: of the files, or their folder, which stands for its newest.

  Raises:
    UserError: one of them is a pipe.
    tf.errors.OpError and others: there is none, or it is damaged.
  """
  with contextlib.ExitStack() as stack:
    bare = prefix.rstrip('/')
    paths = [] if '://' in prefix else [bare, *glob.glob(f'{glob.escape(bare)}.*')]
    for path in paths:
      files.check_no_pipe(path)
    if {*prefix} & {*'*?[\\'} and paths:
      folder = stack.enter_context(tempfile.TemporaryDirectory())
      for path in paths:
        os.symlink(os.path.abspath(path), os.path.join(folder, f'checkpoint{path[len(bare) :]}'))
      prefix = os.path.join(folder, 'checkpoint')
    yield tf.train.load_checkpoint(prefix)


def read(prefix: str) -> dict[str, np.ndarray]:
  """Returns all variables but those that only training needs, by the names that they had in their program.

  Args:
    prefix: of the files: `saved_model/variables/variables`, `train/ckpt-1000`.

  Raises:
    UserError: the files cannot be read, or not to their end.
  """
  with _legible(prefix) as file:
    graph = trackable_object_graph_pb2.TrackableObjectGraph.FromString(file.get_tensor(_OBJECTS))
    saved = [attribute for node in graph.nodes for attribute in node.attributes]
    return {
      attribute.full_name: file.get_tensor(attribute.checkpoint_key)
      for attribute in saved
      if not any(mark in attribute.checkpoint_key for mark in _OF_TRAINING)
    }


def read_list(prefix: str, name: str, count: int) -> list[np.ndarray]:
  """Returns the first variables of a list that an object has by its name; the rest is as of `read`."""
  with _legible(prefix) as file:
    return [file.get_tensor(f'{name}/{i}/.ATTRIBUTES/VARIABLE_VALUE') for i in range(count)]


@contextlib.contextmanager
def _legible(prefix):
  """Yields what `reader` does, and raises a UserError where that or what is read from it fails."""
  try:
    with reader(prefix) as file:
      yield file
  except (IndexError, RuntimeError, ValueError, tf.errors.OpError) as error:  # whatever the reader makes of it
    raise UserError(f'cannot read the variables {prefix}.*: {files.reason(error)}; get all files again') from error


def is_exported(folder: str | os.PathLike) -> bool:
  """Returns whether a SavedModel is one that film_tf exported: it has the functions of `saved_model.Served`."""
  try:
    with open(os.path.join(folder, 'saved_model.pb'), 'rb') as file:
      graphs = saved_model_pb2.SavedModel.FromString(file.read()).meta_graphs
  except (OSError, DecodeError):  # whoever needs the graph says what is wrong
    return False
  roots = [graph.object_graph_def.nodes[0] for graph in graphs if graph.object_graph_def.nodes]
  return any({'features', 'between'} <= {child.local_name for child in root.children} for root in roots)
