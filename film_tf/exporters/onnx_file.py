"""Writes ONNX files, for ONNX Runtime, DirectML, OpenVINO, TensorRT and others."""

import os

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnx import helper, numpy_helper
from tf2onnx.optimizer.back_to_back_optimizer import BackToBackOptimizer
from tf2onnx.optimizer.const_fold_optimizer import ConstFoldOptimizer
from tf2onnx.optimizer.identity_optimizer import IdentityOptimizer
from tf2onnx.optimizer.merge_duplicated_nodes_optimizer import MergeDuplicatedNodesOptimizer

from film_tf import files, keys
from film_tf.exporters.function import check_weights, image_function
from film_tf.model.film_net import FilmNet

_OPSET = 17
_SIDES = ('batch', 'height', 'width')  # names of the open sizes
_WEIGHT = 'ReadVariableOp'  # in the name of a constant that was a variable
# Of tf2onnx's; runtimes themselves do those that take a minute, and are no slower for it, as measured.
_OPTIMIZERS = {
  'fold_constants': ConstFoldOptimizer,
  'merge_duplication': MergeDuplicatedNodesOptimizer,  # or weights that several levels share are there several times
  'remove_identity': IdentityOptimizer,
  'remove_back_to_back': BackToBackOptimizer,
}


def export(net: FilmNet, path: str | os.PathLike, overwrite: bool = False, dtype: str = 'float32'):
  """Writes the network for images of any size, as opset 17.

  It takes `x0`, `x1` `[B, H, W, 3]` and `time` `[B, 1]`, all float32, and returns `image` `[B, H, W, 3]`.

  Args:
    net: the network.
    path: a name that ends in .onnx.
    overwrite: replace an existing file.
    dtype: of the weights in the file: float32, or float16 for half the size. It computes in float32 with either.

  Raises:
    UserError: `path` exists or cannot be written, or a weight is not finite in `dtype`.
  """
  files.check(path, overwrite)
  check_weights(net, dtype)
  model = _converted(image_function(net))
  if dtype == 'float16':
    _halve(model.graph)
  onnx.checker.check_model(model)
  with files.atomic_write(path, overwrite) as temporary, files.file_system(path).GFile(temporary, 'wb') as file:
    file.write(model.SerializeToString())


def _converted(function):
  """Returns the ONNX model of a concrete function."""
  taken = [tensor.name for tensor in function.inputs if tensor.dtype != tf.resource]
  made = [tensor.name for tensor in function.outputs]
  renamed = {name: name.split(':')[0] for name in taken} | {made[0]: keys.IMAGE}
  definition = tf2onnx.tf_loader.from_function(function, taken, made)
  with tf.Graph().as_default() as graph:
    tf.import_graph_def(definition, name='')
    converted = tf2onnx.tfonnx.process_tf_graph(
      graph, opset=_OPSET, input_names=taken, output_names=made, tensors_to_rename=renamed
    )
  converted = tf2onnx.optimizer.optimize_graph(converted, catch_errors=False, optimizers=_OPTIMIZERS)
  model = converted.make_model('FILM: the frame between two frames')
  for value in [*model.graph.input, *model.graph.output]:
    for side, dimension in zip(_SIDES, value.type.tensor_type.shape.dim, strict=False):
      if not dimension.dim_value:
        dimension.dim_param = side
  return model


def _halve(graph):
  """Keeps weights in half as many bytes; they are cast to float32 where they are used. Other constants stay exact."""
  casts = []
  for constant in graph.initializer:
    if _WEIGHT in constant.name:
      array, name = numpy_helper.to_array(constant), constant.name
      constant.CopyFrom(numpy_helper.from_array(array.astype(np.float16), f'{name}_half'))
      casts.append(helper.make_node('Cast', [constant.name], [name], to=onnx.TensorProto.FLOAT))
  nodes = [*casts, *graph.node]
  del graph.node[:]
  graph.node.extend(nodes)
