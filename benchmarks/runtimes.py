"""Runs a network in every format that `film_tf.export` writes, each by its own runtime, to compare with TensorFlow."""

import importlib.metadata
import pathlib
from collections.abc import Callable

import numpy as np


def of_saved_model(path):
  import tensorflow as tf

  model = tf.saved_model.load(str(path))
  return lambda batch: model(batch, training=False)['image'].numpy()


def of_npz(path):
  from film_tf.model import weights

  return _of(weights.load(path))


def of_keras(path):
  import tensorflow as tf

  from film_tf.model import film_net  # Keras knows it by its name then

  net = tf.keras.models.load_model(path)
  assert isinstance(net, film_net.FilmNet)
  return _of(net)


def of_safetensors(path):
  from film_tf.importers import network

  return _of(network.load(path))


def _of(net):
  return lambda batch: net(batch)['image'].numpy()


def of_onnx(path):
  import onnxruntime

  session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
  return lambda batch: session.run(['image'], dict(batch))[0]


def of_tflite(path):
  from ai_edge_litert.interpreter import Interpreter

  runner = Interpreter(str(path), num_threads=2).get_signature_runner('serving_default')
  return lambda batch: runner(**batch)['image']


def of_stablehlo(path):
  run = run_stablehlo((pathlib.Path(path) / 'network.mlir').read_text())
  with np.load(pathlib.Path(path) / 'weights.npz') as weights:
    constants = list(weights.values())
  return lambda batch: run([*constants, *(batch[name] for name in ('x0', 'x1', 'time'))])[0]


def run_stablehlo(text: str, optimized: bool = True) -> Callable[[list], list]:
  """Returns a function of arrays that runs a StableHLO program under XLA, without TensorFlow.

  Machine code that is not `optimized` is slower, and there in a quarter of the time: for what runs a few times.
  """
  import jax
  from jax._src.interpreters import mlir
  from jax._src.lib import xla_client
  from jax._src.lib.mlir import ir

  with mlir.make_ir_context():
    bytecode = mlir.module_to_bytecode(ir.Module.parse(text))
  device, options = jax.devices()[0], xla_client.CompileOptions()
  if not optimized:
    options.env_option_overrides = [('xla_backend_optimization_level', 0)]
  loaded = device.client.compile_and_load(bytecode, xla_client.DeviceList((device,)), options)

  def run(arguments):
    return [np.asarray(output) for output in loaded.execute([jax.device_put(array, device) for array in arguments])]

  return run


RUNTIMES = {  # of each format, what loads a file, as a function of a batch that returns the image; and whose it is
  'saved_model': (of_saved_model, 'tensorflow'),
  'npz': (of_npz, 'tensorflow'),
  'keras': (of_keras, 'keras'),
  'safetensors': (of_safetensors, 'safetensors'),
  'onnx': (of_onnx, 'onnxruntime'),
  'tflite': (of_tflite, 'ai-edge-litert'),
  'stablehlo': (of_stablehlo, 'jaxlib'),
}


def version(package: str) -> str:
  """Returns a package's version; TensorFlow's, whichever of its builds is installed."""
  if package == 'tensorflow':
    import tensorflow as tf

    return tf.__version__
  return importlib.metadata.version(package)
