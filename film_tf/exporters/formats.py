"""The formats that a network can be exported to, in one table. Importing it loads no TensorFlow."""

import dataclasses
import importlib.util
import os
import re

from film_tf import files
from film_tf.errors import UserError

_LARGEST = 16_384  # pixels of a side


@dataclasses.dataclass(frozen=True)
class Format:
  """What `python -m film_tf.export --format=...` needs to know of a format before TensorFlow is loaded."""

  writer: str  # the function that writes it: of the network, the path, `overwrite`, and `size` or `dtype` below
  suffix: str = ''  # of its file; '' is a folder
  folder: files.FolderKind | None = None  # what the folder is
  extra: str = ''  # of film_tf's packages, that it is written with
  packages: tuple[str, ...] = ()  # in that extra
  sized: bool = False  # made for images of one size
  dtypes: tuple[str, ...] = ('float32',)  # of the weights in it


STABLEHLO = files.FolderKind('a StableHLO program', 'network.mlir', ('weights.npz',))
_HALF = ('float32', 'float16')
FORMATS = {
  'saved_model': Format('film_tf.exporters.saved_model.export', folder=files.SAVED_MODEL),
  'npz': Format('film_tf.model.weights.save', '.npz', dtypes=_HALF),
  'keras': Format('film_tf.exporters.keras_file.export', '.keras'),
  'safetensors': Format(
    'film_tf.exporters.safetensors_file.export',
    '.safetensors',
    extra='safetensors',
    packages=('safetensors',),
    dtypes=_HALF,
  ),
  'onnx': Format('film_tf.exporters.onnx_file.export', '.onnx', extra='onnx', packages=('tf2onnx',), dtypes=_HALF),
  'tflite': Format('film_tf.exporters.tflite_file.export', '.tflite', sized=True, dtypes=_HALF),
  'stablehlo': Format('film_tf.exporters.stablehlo.export', folder=STABLEHLO, sized=True),
}


def check(name: str, path: str, overwrite: bool = False, size: str | None = None, dtype: str = 'float32') -> dict:
  """Checks all that can be known before TensorFlow is loaded.

  Args:
    name: of the format.
    path: where it will be written.
    overwrite: replace what is there.
    size: of the images, such as '448x256', for formats that are made for one.
    dtype: of the weights in the file.

  Returns:
    What the format's writer takes besides the network and the path.

  Raises:
    UserError: something does not fit the format, a package is missing, or `path` cannot be written.
  """
  chosen = FORMATS[name]
  _check_name(name, path)
  options = {'overwrite': overwrite}
  if chosen.sized:
    if size is None:
      raise UserError(f'{name} is made for images of one size; name it, such as --size=448x256 (width x height)')
    options['size'] = _parsed(size)
  elif size is not None:
    raise UserError(f'--size={size} is of no use: {name} takes images of any size; leave it out')
  if dtype not in chosen.dtypes:
    can = [other for other, one in FORMATS.items() if dtype in one.dtypes]
    raise UserError(f'{name} keeps its weights as {chosen.dtypes[0]}, not {dtype}; {", ".join(can)} can')
  if len(chosen.dtypes) > 1:
    options['dtype'] = dtype
  if missing := [package for package in chosen.packages if importlib.util.find_spec(package) is None]:
    raise UserError(f"{name} is written with {', '.join(missing)}; pip install '.[{chosen.extra}]'")
  files.check(path, overwrite, chosen.folder)
  return options


def export(name: str, net, path: str | os.PathLike, **options):
  """Writes a `FilmNet` in the format `name`; `options` are what `check` returned.

  Raises:
    UserError: the format cannot hold this network, or `path` exists or cannot be written.
  """
  module, _, function = FORMATS[name].writer.rpartition('.')
  getattr(importlib.import_module(module), function)(net, path, **options)


def _check_name(name, path):
  suffix = FORMATS[name].suffix
  if suffix and not path.endswith(suffix):
    raise UserError(f'{path} does not end in {suffix}, as a file of the format {name} does; name it so')
  others = [other for other, one in FORMATS.items() if one.suffix and path.endswith(one.suffix)]
  if not suffix and others:
    raise UserError(f'{path} is named like a file of another format; add --format={others[0]}, or take another name')


def _parsed(size):
  """Returns (width, height)."""
  found = re.fullmatch(r'(\d{1,5})x(\d{1,5})', size)
  sides = tuple(map(int, found.groups())) if found else (0,)
  if not all(1 <= side <= _LARGEST for side in sides):
    raise UserError(f'--size={size} is no size; expected width x height, 1 to {_LARGEST} pixels each, such as 448x256')
  return sides
