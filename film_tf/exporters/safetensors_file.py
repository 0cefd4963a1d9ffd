"""Writes `.safetensors` with the names and the layout of ComfyUI's FILM."""

import dataclasses
import os

import numpy as np
import safetensors.numpy

from film_tf import files
from film_tf.errors import UserError
from film_tf.exporters.function import check_weights
from film_tf.importers import names
from film_tf.model.film_net import FilmNet
from film_tf.model.options import Options

_FREE = {'use_aux_outputs'}  # options that weights do not depend on


def export(net: FilmNet, path: str | os.PathLike, overwrite: bool = False, dtype: str = 'float32'):
  """Writes the weights as ComfyUI reads them, which builds FILM in the published sizes only.

  Args:
    net: the network.
    path: a name that ends in .safetensors.
    overwrite: replace an existing file.
    dtype: of the weights: float32 or float16.

  Raises:
    UserError: the network has other sizes, `path` exists or cannot be written, or a weight is not finite in `dtype`.
  """
  files.check(path, overwrite)
  check_published(net.options)
  check_weights(net, dtype)
  data = safetensors.numpy.save(tensors(net, dtype), metadata={'format': 'pt'})
  with files.atomic_write(path, overwrite) as temporary, files.file_system(path).GFile(temporary, 'wb') as file:
    file.write(data)


def check_published(options: Options):
  """Raises where sizes are not the published ones.

  Raises:
    UserError: as said.
  """
  here, published = dataclasses.asdict(options), dataclasses.asdict(Options())
  others = [name for name in here if here[name] != published[name] and name not in _FREE]
  if others:
    told = ', '.join(f'{name}={here[name]} (published {published[name]})' for name in others)
    raise UserError(f'ComfyUI builds FILM in its published sizes only; this network has {told}; take another format')


def tensors(net: FilmNet, dtype: str = 'float32') -> dict[str, np.ndarray]:
  """Returns the weights by ComfyUI's names, kernels as `[outputs, inputs, height, width]`."""
  o, arrays = net.options, {}
  parts = names.Parts(2 * o.sub_levels, tuple(convs + 2 for convs in o.flow_convs), o.fusion_pyramid_levels - 1)
  for there, here in zip(names.comfyui(parts), names.here(parts), strict=True):
    kernel = net.convs[here].kernel.numpy().transpose(3, 2, 0, 1)
    arrays[f'{there}.weight'] = np.ascontiguousarray(kernel, dtype)
    arrays[f'{there}.bias'] = net.convs[here].bias.numpy().astype(dtype)
  return arrays
