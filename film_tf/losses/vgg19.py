"""VGG-19 (Simonyan and Zisserman, 2015) as FILM uses it: five feature maps, with average in place of max pooling."""

import os

import gin
import numpy as np
import tensorflow as tf

from film_tf import files
from film_tf.errors import UserError

BLOCKS = (2, 2, 4, 4, 2)  # convolutions, up to conv5_2
FILTERS = [64] * 2 + [128] * 2 + [256] * 4 + [512] * 6
MEAN = (123.68, 116.779, 103.939)  # of ImageNet, RGB
_ADDRESS = 'https://www.vlfeat.org/matconvnet/models/imagenet-vgg-verydeep-19.mat'


class Vgg19:
  """Computes features of images with fixed weights.

  Args:
    weights: kernel `[3, 3, in, out]` and bias `[out]` of each convolution from conv1_1 to conv5_2, for RGB.
  """

  def __init__(self, weights: list[tuple[np.ndarray, np.ndarray]]):
    self.weights = [(tf.constant(kernel, tf.float32), tf.constant(bias, tf.float32)) for kernel, bias in weights]

  def __call__(self, images: tf.Tensor) -> list[tf.Tensor]:
    """Computes features of images `[B, H, W, 3]` in [0, 1]: conv1_2, conv2_2, conv3_2, conv4_2, conv5_2 after ReLU.

    Feature map i is `[B, H / 2^i, W / 2^i, C]`, sizes rounded up.
    """
    x = images * 255.0 - tf.constant(MEAN)
    weights, features = iter(self.weights), []
    for block, convolutions in enumerate(BLOCKS):
      if block:
        x = tf.nn.avg_pool2d(x, 2, 2, 'SAME')
      for i in range(convolutions):
        kernel, bias = next(weights)
        x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, 'SAME') + bias)
        if i == 1:
          features.append(x)
    return features


@gin.configurable('vgg19')
def load(file: str = 'imagenet-vgg-verydeep-19.mat') -> Vgg19:
  """Makes the network with ImageNet's weights.

  Args:
    file: `imagenet-vgg-verydeep-19.mat` of MatConvNet, as FILM was trained with; or Keras' weights, a `.h5` file or
      `imagenet` to download them.

  Raises:
    UserError: there is no such file, or it has something else in it.
  """
  if file != 'imagenet' and not os.path.isfile(file):
    raise UserError(
      f'vgg19.file is {file}, which is no file; get imagenet-vgg-verydeep-19.mat from {_ADDRESS}, or take '
      "Keras' weights by vgg19.file = 'imagenet'"
    )
  return Vgg19(_from_mat(file) if file.endswith('.mat') else _from_keras(file))


def _from_mat(file):
  try:
    from scipy import io  # an extra
  except ImportError as error:
    raise UserError(f"reading {file} needs SciPy; pip install '.[vgg]'") from error
  try:
    layers = io.loadmat(file, squeeze_me=True).get('layers')
  except Exception as error:  # whatever SciPy meets in a damaged file, even an UnboundLocalError
    raise UserError(f'{file} is not the VGG-19 of MatConvNet: {files.reason(error)}') from error
  if layers is None:
    raise UserError(f'{file} is not the VGG-19 of MatConvNet: it has no layers')
  try:  # by their name: the order of the fields changed between releases
    found = [layer['weights'].item() for layer in layers if 'weights' in layer.dtype.names]
    found = [tuple(weights) for weights in found if np.size(weights)]
    weights = [(np.asarray(kernel), np.asarray(bias).reshape(-1)) for kernel, bias in found[: sum(BLOCKS)]]
    if [kernel.shape[-1] for kernel, _ in weights] != FILTERS:
      raise ValueError('its convolutions are others')
  except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
    raise UserError(f'{file} is not the VGG-19 of MatConvNet: {files.reason(error)}') from error
  return weights


def _from_keras(file):
  try:
    net = tf.keras.applications.VGG19(include_top=False, weights=file)
  except Exception as error:  # a bare one where it cannot be downloaded
    raise UserError(f"{file} is not Keras' VGG-19 without its top: {files.reason(error)}") from error
  layers = [layer for layer in net.layers if isinstance(layer, tf.keras.layers.Conv2D)]
  weights = [tuple(np.asarray(value) for value in layer.get_weights()) for layer in layers[: sum(BLOCKS)]]
  (first, bias), *others = weights
  return [(first[:, :, ::-1], bias), *others]  # Keras' takes BGR
