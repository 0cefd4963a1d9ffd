"""Files of weights as other programs write them, made here."""

import io
import pickle
import zipfile

import numpy as np
import safetensors.numpy
import tensorflow as tf

from film_tf.importers import names
from film_tf.model import weights


def parts_of(net):
  o = net.options
  return names.Parts(2 * o.sub_levels, tuple(convs + 2 for convs in o.flow_convs), o.fusion_pyramid_levels - 1)


def pairs(net, there):
  """Yields the other program's name of every convolution, its kernel and its bias."""
  parts = parts_of(net)
  arrays = {name: variable.numpy() for name, variable in weights.named(net).items()}
  for name, here in zip(there(parts), names.here(parts), strict=True):
    yield name, arrays[f'{here}/kernel'], arrays[f'{here}/bias']


class Released(tf.Module):
  """A model with the variables of the original, called as that is; what it makes is a mean."""

  def __init__(self, net):
    super().__init__()
    self.weights = [
      tf.Variable(value, name=f'{name}/{kind}')
      for name, *both in pairs(net, names.original)
      for kind, value in zip(('kernel', 'bias'), both, strict=True)
    ]

  @tf.function
  def __call__(self, inputs, training=False):
    return {'image': (inputs['x0'] + inputs['x1']) / 2.0}


def saved_model(net, path):
  """Writes a SavedModel as the original's are."""
  model, image = Released(net), tf.TensorSpec([None, None, None, 3])
  inputs = {'x0': image, 'x1': image, 'time': tf.TensorSpec([None, 1])}
  model.__call__.get_concrete_function(inputs, training=False)
  tf.saved_model.save(model, str(path))
  return path


def checkpoint(net, path):
  """Writes a checkpoint as the original's training does, with its step; returns the prefix."""
  step = tf.Variable(7, name='step', trainable=False)
  return tf.train.Checkpoint(model=Released(net), step=step).save(str(path / 'ckpt'))


def state_dict(net, there):
  """Returns arrays by the names of PyTorch."""
  arrays = {}
  for name, kernel, bias in pairs(net, there):
    arrays[f'{name}.weight'] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
    arrays[f'{name}.bias'] = bias
  return arrays


def comfyui(net, path, dtype='float32'):
  arrays = {name: array.astype(dtype) for name, array in state_dict(net, names.comfyui).items()}
  safetensors.numpy.save_file(arrays, str(path))
  return path


class Evil:
  """What an attacker puts into a pickle."""

  def __reduce__(self):
    import os

    return os.mkdir, ('was_run',)


def evil_torch_file(path):
  """Writes an archive as `torch.save` does, whose pickle would make a folder."""
  content = io.BytesIO()
  pickle.dump({'weight': Evil()}, content)
  with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr('archive/data.pkl', content.getvalue())
  return path
