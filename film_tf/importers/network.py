"""Makes a network of weights from anywhere: their names, sizes and shapes are checked, nothing is left over."""

import os
from collections.abc import Mapping

import numpy as np

from film_tf.errors import UserError
from film_tf.importers import exported, names, safetensors_file, sources, tensorflow_file, torch_file
from film_tf.importers.sources import Source
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.model.options import Options

_TOLD = 8  # lines of what does not fit
PYRAMID_LEVELS = Options().pyramid_levels


def load(model: str | os.PathLike | Source, pyramid_levels: int = PYRAMID_LEVELS, **kwargs) -> FilmNet:
  """Makes a network with the weights of a model.

  Args:
    model: what `sources.find` takes, or has found: a name, a weights file (.npz) or SavedModel of film_tf, or FILM's
      weights as a SavedModel or checkpoint of the original, as `.safetensors` or as a PyTorch file. No code in it is
      run.
    pyramid_levels: of weights that are not film_tf's, which have no part for each level to tell it by.
    **kwargs: dtype and name, for `FilmNet`.

  Raises:
    UserError: there is no such model, it cannot be read, or it is not FILM.
  """
  source = model if isinstance(model, Source) else sources.find(model)
  if source.kind == sources.NPZ:
    return weights.load(source.path, **kwargs)
  if source.kind == sources.PICKLE:
    torch_file.refuse(source.path)
  if source.kind == sources.SAVED_MODEL and tensorflow_file.is_exported(source.path):
    return exported.read(source.path, **kwargs)
  if source.kind in (sources.SAVED_MODEL, sources.CHECKPOINT):
    within = ('variables', 'variables') if source.kind == sources.SAVED_MODEL else ()
    arrays = names.counted_from_zero(tensorflow_file.read(os.path.join(source.path, *within)))
    parts = names.parts_of_original(arrays)
    table = _table(names.original(parts), parts, '/kernel', '/bias')
  else:
    arrays = (safetensors_file if source.kind == sources.SAFETENSORS else torch_file).read(source.path)
    arrays = _within(arrays)
    parts = names.parts_of_pytorch(arrays)
    there = names.comfyui(parts) if any('.conv.' in name for name in arrays) else names.port(parts)
    table = _table(there, parts, '.weight', '.bias')
  return _assembled(arrays, table, parts, source.path, pyramid_levels, kwargs)


def _within(arrays):
  """Returns a state dict without what it is wrapped in, such as `state_dict.` or `module.`, and what is beside it."""
  start = 'extract.extract_sublevels.'
  wrapped = next((name[: name.index(start)] for name in arrays if start in name), '')
  return {name.removeprefix(wrapped): array for name, array in arrays.items() if name.startswith(wrapped)}


def _table(there, parts, kernel, bias):
  """Returns the names of arrays here by those there."""
  endings = {kernel: '/kernel', bias: '/bias'}
  return {
    f'{other}{ending}': f'{ours}{endings[ending]}'
    for other, ours in zip(there, names.here(parts), strict=True)
    for ending in endings
  }


def _assembled(arrays, table, parts, path, pyramid_levels, kwargs):
  """Returns the network that `arrays`, by the names of `table`, are the weights of."""
  if not table.keys() & arrays.keys():
    first = f'; the first is {next(iter(arrays))}' if arrays else ''
    raise UserError(f"{path} holds no FILM: its {len(arrays)} arrays have not the names of FILM's{first}")
  counts = {'feature extractor': parts.extractor, 'flow predictor': min(parts.predictors), 'decoder': parts.levels}
  lines = [f'a {part} is missing' for part, count in counts.items() if not count]
  lines += [f'{name} is missing' for name in table if name not in arrays]
  lines += [f"{name} is not FILM's" for name in arrays if name not in table]
  if not lines:
    lines = [
      f'{name} has {array.ndim} axes'
      for name, array in arrays.items()
      if array.ndim != (4 if table[name].endswith('/kernel') else 1)
    ]
  _check(lines, path)
  pytorch = any(name.endswith('.weight') for name in table)
  ours = {
    table[name]: array.transpose(2, 3, 1, 0) if pytorch and array.ndim == 4 else array for name, array in arrays.items()
  }
  _check(
    [
      f'{name} has {ours[here].shape[-1]} outputs, its bias {ours[bias].size}'
      for name, here in table.items()
      if ours[here].shape[-1] != ours[bias := here.replace('/kernel', '/bias')].size
    ],
    path,
  )
  net = FilmNet(_options(ours, parts, path, pyramid_levels), **kwargs)
  shapes = {name: tuple(variable.shape) for name, variable in weights.named(net).items()}
  _check(
    [
      f"{name} is {list(ours[here].shape)}, FILM's of these sizes {list(shapes[here])}"
      for name, here in table.items()
      if ours[here].shape != shapes[here]
    ],
    path,
  )
  weights.assign(net, ours, path)
  return net


def _options(arrays: Mapping[str, np.ndarray], parts, path, pyramid_levels) -> Options:
  """Returns the sizes that follow from the shapes."""
  predictors = [*(f'predictor_{i}' for i in range(len(parts.predictors) - 1)), 'predictor_shared']
  try:
    return Options(
      pyramid_levels=pyramid_levels,
      fusion_pyramid_levels=parts.levels + 1,
      specialized_levels=len(parts.predictors) - 1,
      sub_levels=parts.extractor // 2,
      filters=arrays['feature_pyramid/conv_0/kernel'].shape[-1],
      flow_convs=tuple(convs - 2 for convs in parts.predictors),
      flow_filters=tuple(arrays[f'flow_pyramid/{name}/conv_0/kernel'].shape[-1] for name in predictors),
    )
  except UserError as error:
    raise UserError(f'{path} has sizes that no FILM has: {error.message}') from error


def _check(lines, path):
  """Raises what does not fit, a line each."""
  if not lines:
    return
  told = [*lines[:_TOLD], *([f'and {len(lines) - _TOLD} more'] if len(lines) > _TOLD else [])]
  separator = ' ' if len(lines) == 1 else '\n  '
  raise UserError(f'{path} does not fit FILM:{separator}{separator.join(told)}')
