"""Computes LPIPS (Zhang et al., CVPR 2018), version 0.1 with AlexNet, of weights that the user has."""

import zipfile
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from film_tf import files
from film_tf.errors import UserError
from film_tf.importers import torch_file
from film_tf.model import weights

_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of images in [-1, 1]
_LAYERS = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}
_STRIDES, _PADDINGS = (4, 1, 1, 1, 1), (2, 2, 1, 1, 1)
_POOLED = (1, 2)  # layers before which there is max pooling
_WANTED = (
  "torchvision's AlexNet (alexnet-owt-7be5be79.pth) and LPIPS' own alex.pth of version 0.1, or one .npz with both"
)


class Lpips:
  """Measures how different two images look.

  Args:
    paths: files of PyTorch or .npz, which together have the convolutions of AlexNet (`features.0.weight` ...) and the
      weights of LPIPS (`lin0.model.1.weight` ...).

  Raises:
    UserError: a file cannot be read, or a weight is missing.
  """

  def __init__(self, paths: Sequence[str]):
    tensors = {name: value for path in paths for name, value in _read(path).items()}
    self._convolutions = [
      (
        tf.constant(_find(tensors, f'features.{i}.weight', shape, paths).transpose(2, 3, 1, 0)),
        tf.constant(_find(tensors, f'features.{i}.bias', shape[:1], paths)),
      )
      for i, shape in _LAYERS.items()
    ]
    self._mixes = [
      tf.constant(_find(tensors, f'lin{i}.model.1.weight', (1, shape[0], 1, 1), paths).reshape(-1))
      for i, shape in enumerate(_LAYERS.values())
    ]

  def __call__(self, image: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
    """Returns `[B]`, 0 for equal images; `image` and `reference` are `[B, H, W, 3]` in [0, 1], 31 pixels or more."""
    total = tf.zeros(())
    for a, b, mix in zip(self._features(image), self._features(reference), self._mixes, strict=True):
      difference = (_unit(a) - _unit(b)) ** 2
      total += tf.reduce_mean(tf.einsum('bhwc,c->bhw', difference, mix), axis=(1, 2))
    return total

  def _features(self, images):
    x = (2.0 * images - 1.0 - tf.constant(_SHIFT)) / tf.constant(_SCALE)
    for i, (kernel, bias) in enumerate(self._convolutions):
      if i in _POOLED:
        x = tf.nn.max_pool2d(x, 3, 2, 'VALID')
      n = _PADDINGS[i]
      x = tf.nn.relu(tf.nn.conv2d(x, kernel, _STRIDES[i], [[0, 0], [n, n], [n, n], [0, 0]]) + bias)
      yield x


def _unit(x):
  return x / (tf.norm(x, axis=-1, keepdims=True) + 1e-10)


def _read(path):
  if not path.endswith('.npz'):
    if not zipfile.is_zipfile(path):
      torch_file.refuse(path)
    return torch_file.read(path)
  try:
    with np.load(path, allow_pickle=False) as file:
      return dict(file)
  except (OSError, *weights.DAMAGED) as error:
    raise UserError(f'cannot read {path}: {files.reason(error)}; expected {_WANTED}') from error


def _find(tensors, name, shape, paths):
  """Returns a tensor by its name, before which there may be those of modules."""
  found = [value for known, value in tensors.items() if f'.{known}'.endswith(f'.{name}') and value.shape == shape]
  if not found:
    raise UserError(f'{" and ".join(paths)} have no {name} of shape {list(shape)}; expected {_WANTED}')
  return np.asarray(found[0], np.float32)
