"""The sizes that define one FILM network."""

import dataclasses

import gin

from film_tf.errors import UserError


@dataclasses.dataclass(frozen=True)
class Options:
  """Sizes of a FILM network; the defaults are the published ones (Reda et al. 2022, section 4 and appendix).

  Raises:
    UserError: the sizes contradict each other.
  """

  pyramid_levels: int = 7  # levels of the image, feature and flow pyramids
  fusion_pyramid_levels: int = 5  # finest levels that the fusion decoder uses
  specialized_levels: int = 3  # finest levels with weights of their own; all coarser ones share
  sub_levels: int = 4  # depths of the sub-tree extractor, and of a complete feature level
  filters: int = 64  # channels of the finest extracted feature; doubles with depth
  flow_convs: tuple[int, ...] = (3, 3, 3, 3)  # 3x3 convolutions a flow predictor, finest first, shared last
  flow_filters: tuple[int, ...] = (32, 64, 128, 256)  # their channels
  bilateral_flow: bool = False  # estimate flow at the frame between, from Lucas-Kanade steps; not in the paper
  residual_fusion: bool = False  # paint only what a mix of both warped images lacks; not in the paper
  use_aux_outputs: bool = True  # also return warped images and flow pyramids

  def __post_init__(self):
    for field in ('flow_convs', 'flow_filters'):
      if isinstance(getattr(self, field), list):  # as gin and JSON bring them
        object.__setattr__(self, field, tuple(getattr(self, field)))
    for field in dataclasses.fields(self):
      value = getattr(self, field.name)
      if field.type is bool:
        ok, expected = isinstance(value, bool), 'True or False'
      elif field.type is int:
        ok, expected = _is_count(value), 'a whole number >= 1'
      else:
        ok, expected = isinstance(value, tuple) and all(map(_is_count, value)), 'a list of whole numbers >= 1'
      if not ok:
        raise UserError(f'model option {field.name} is {value!r}; expected {expected}')

    predictors = self.specialized_levels + 1
    for field in ('flow_convs', 'flow_filters'):
      if len(getattr(self, field)) != predictors:
        raise UserError(
          f'{field} has {len(getattr(self, field))} entries; specialized_levels={self.specialized_levels} '
          f'needs {predictors}: one a specialized level, and one shared by the coarser levels'
        )
    if self.pyramid_levels <= self.specialized_levels:
      raise UserError(
        f'pyramid_levels={self.pyramid_levels} must be greater than specialized_levels={self.specialized_levels}'
      )
    if self.fusion_pyramid_levels > self.pyramid_levels:
      raise UserError(
        f'fusion_pyramid_levels={self.fusion_pyramid_levels} must not exceed pyramid_levels={self.pyramid_levels}'
      )
    if self.specialized_levels < self.sub_levels - 1:
      raise UserError(
        f'specialized_levels={self.specialized_levels} must be at least sub_levels - 1 = {self.sub_levels - 1}: '
        'finer levels have fewer feature channels and cannot share a flow predictor'
      )
    if min(self.flow_filters) < 2:
      raise UserError(f'flow_filters={self.flow_filters}; expected 2 or more each, since the last is halved')

  @property
  def alignment(self) -> int:
    """Height and width are padded to a multiple of this, so that every level halves exactly."""
    return 2 ** (self.pyramid_levels - 1)

  def feature_channels(self, level: int) -> int:
    """Channels of feature pyramid level `level`: k, 3k, 7k, 15k, 15k, ... as published."""
    return self.filters * (2 ** min(level + 1, self.sub_levels) - 1)


def _is_count(value) -> bool:
  return isinstance(value, int) and not isinstance(value, bool) and value >= 1


configured = gin.external_configurable(Options, name='model')
"""`Options` with its defaults from gin: `model.filters = 16`."""
