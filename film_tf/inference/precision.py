"""Chooses in how many bits a network's convolutions run."""

import os

import tensorflow as tf

from film_tf.errors import UserError
from film_tf.model import weights
from film_tf.model.film_net import FilmNet

PRECISIONS = ('auto', 'float32', 'bfloat16', 'float16')
_NATIVE = {'bfloat16': ('amx_bf16', 'avx512_bf16'), 'float16': ('amx_fp16', 'avx512_fp16')}  # of a processor


def converted(net: FilmNet, precision: str) -> FilmNet:
  """Returns a network with the same weights, in which convolutions run in `precision`.

  Flow, coordinates, images and what is made of them stay float32. Between float32 and bfloat16 film_mini's
  images of the sample photographs differ by 68 dB.

  Args:
    net: the network.
    precision: `float32`, `bfloat16`, `float16`, or `auto`: bfloat16 where the device has it natively, else float32.

  Raises:
    UserError: it is none of these, or the device does not have it.
  """
  if precision not in PRECISIONS:
    raise UserError(f'precision is {precision!r}; expected one of {", ".join(PRECISIONS)}')
  if precision == 'auto':
    precision = 'bfloat16' if _is_native('bfloat16') else 'float32'
  if precision == 'float16' and not _is_native('float16'):
    raise UserError('precision is float16, which this processor does not have; use bfloat16, float32 or auto')
  if net.compute_dtype == precision:
    return net
  other = FilmNet(net.options, name=net.name, dtype=policy(precision))
  weights.assign(other, {name: variable.numpy() for name, variable in weights.named(net).items()}, net.name)
  return other


def policy(precision: str) -> str:
  """Returns Keras' name of the policy by which a network's convolutions run in `precision`."""
  return precision if precision == 'float32' else f'mixed_{precision}'


def _is_native(precision):
  """Whether the device on which networks run computes with these 16 bits, rather than converts them."""
  if tf.config.list_physical_devices('TPU'):
    return precision == 'bfloat16'
  if gpus := tf.config.list_physical_devices('GPU'):
    capability = tf.config.experimental.get_device_details(gpus[0]).get('compute_capability', (0, 0))
    return capability >= ((8, 0) if precision == 'bfloat16' else (7, 0))
  if not os.path.exists('/proc/cpuinfo'):
    return False
  with open('/proc/cpuinfo') as file:
    flags = next((line.split() for line in file if line.startswith('flags')), [])
  return any(flag in flags for flag in _NATIVE[precision])
