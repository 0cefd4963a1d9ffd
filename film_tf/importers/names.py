"""The names of FILM's convolutions: here, in the original, and in the PyTorch programs that run its weights."""

import dataclasses
import re
from collections.abc import Callable, Iterable

import numpy as np

_FUSION = re.compile(r'fusion/conv2d(?:_(\d+))?/(\w+)')


@dataclasses.dataclass(frozen=True)
class Parts:
  """How many convolutions the parts of a network have."""

  extractor: int
  predictors: tuple[int, ...]  # of each flow predictor, finest first, shared last
  levels: int  # of the decoder, three convolutions each; one more paints

  def of(self, name: Callable[[str, int, int], str]) -> list[str]:
    """Returns the names of all convolutions in the original's order of creation.

    Args:
      name: a function of the part, and of two numbers: of the predictor or level, and of the convolution in it.
    """
    *specialized, shared = self.predictors
    return [
      *(name('extractor', 0, i) for i in range(self.extractor)),
      *(name('predictor', s, j) for s, convs in enumerate(specialized) for j in range(convs)),
      *(name('shared', 0, j) for j in range(shared)),
      *(name('decoder', level, j) for level in range(self.levels) for j in range(3)),
      name('rgb', 0, 0),
    ]


def here(parts: Parts) -> list[str]:
  """Returns the names in film_tf, those of `FilmNet.convs`."""
  forms = {
    'extractor': 'feature_pyramid/conv_{1}',
    'predictor': 'flow_pyramid/predictor_{0}/conv_{1}',
    'shared': 'flow_pyramid/predictor_shared/conv_{1}',
    'rgb': 'fusion_decoder/rgb',
  }
  decoder = ('up', 'conv_0', 'conv_1')
  return parts.of(
    lambda part, i, j: f'fusion_decoder/level_{i}_{decoder[j]}' if part == 'decoder' else forms[part].format(i, j)
  )


def original(parts: Parts) -> list[str]:
  """Returns the names of variables in the original's models."""
  forms = {
    'extractor': 'feat_net/sub_extractor/cfeat_conv_{1}',
    'predictor': 'predict_flow/flow_predictor_{0}/conv_{1}',
    'shared': 'predict_flow/flow_predictor_shared/conv_{1}',
  }

  def name(part, i, j):
    if part in forms:
      return forms[part].format(i, j)
    number = 3 * parts.levels if part == 'rgb' else 3 * i + j
    return f'fusion/conv2d_{number}' if number else 'fusion/conv2d'

  return parts.of(name)


def counted_from_zero(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
  """Returns the arrays of the original by the names of its first model.

  Keras counts the convolutions of a program that have no name. Those of its second model are `fusion/conv2d_13` ...
  """
  numbers = sorted({int(found[1] or 0) for found in map(_FUSION.fullmatch, arrays) if found})
  if len(numbers) % 3 != 1:  # as three a level and one more are; some are missing
    return arrays

  def name(found):
    number = int(found[1] or 0) - numbers[0]
    return f'fusion/conv2d_{number}/{found[2]}' if number else f'fusion/conv2d/{found[2]}'

  return {_FUSION.sub(name, there): array for there, array in arrays.items()}


def port(parts: Parts) -> list[str]:
  """Returns the names in the PyTorch port of dajes, `film_net_fp32.pt`."""
  return _pytorch(parts, '0')


def comfyui(parts: Parts) -> list[str]:
  """Returns the names in ComfyUI's `.safetensors`."""
  return _pytorch(parts, 'conv')


def _pytorch(parts, conv):
  """Returns the names in PyTorch, where the coarsest predictor and level come first."""
  forms = {
    'extractor': 'extract.extract_sublevels.convs.{2}.{3}.{4}',
    'predictor': 'predict_flow._predictors.{0}._convs.{1}.{4}',
    'shared': 'predict_flow._predictor._convs.{1}.{4}',
    'decoder': 'fuse.convs.{0}.{1}.{4}',
    'rgb': 'fuse.output_conv',
  }
  coarsest = {'predictor': len(parts.predictors) - 2, 'decoder': parts.levels - 1}
  return parts.of(lambda part, i, j: forms[part].format(coarsest.get(part, 0) - i, j, j // 2, j % 2, conv))


def parts_of_original(names: Iterable[str]) -> Parts:
  """Returns the parts of a network of which some variables have these names, of the original."""
  predictors = _highest(names, r'predict_flow/flow_predictor_(\d+)/')
  convs = [_highest(names, rf'predict_flow/flow_predictor_{i}/conv_(\d+)/') for i in [*range(predictors), 'shared']]
  fusion = max(_highest(names, r'fusion/conv2d_(\d+)/'), 1)
  return Parts(_highest(names, r'feat_net/sub_extractor/cfeat_conv_(\d+)/'), tuple(convs), (fusion + 1) // 3)


def parts_of_pytorch(names: Iterable[str]) -> Parts:
  """Returns the parts of a network of which some tensors have these names, of the port or of ComfyUI."""
  predictors = _highest(names, r'predict_flow\._predictors\.(\d+)\.')
  order = [f's.{i}' for i in reversed(range(predictors))] + ['']
  convs = [_highest(names, rf'predict_flow\._predictor{i}\._convs\.(\d+)\.') for i in map(re.escape, order)]
  extractor = 2 * _highest(names, r'extract\.extract_sublevels\.convs\.(\d+)\.')
  return Parts(extractor, tuple(convs), _highest(names, r'fuse\.convs\.(\d+)\.'))


def _highest(names, pattern):
  """Returns one more than the highest number that a pattern finds at the start of names, 0 where it finds none."""
  return max((int(found[1]) + 1 for found in (re.match(pattern, name) for name in names) if found), default=0)
