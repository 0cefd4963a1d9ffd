"""The sizes that define one FILM network."""

import dataclasses
from typing import Annotated

import gin

from film_tf import fields
from film_tf.errors import UserError
from film_tf.fields import Range

_Convolutions = Annotated[int, Range(1, 64)]
_Levels = Annotated[int, Range(1, 12)]  # 12 pad images to a multiple of 2048 pixels
_Width = Annotated[int, Range(1, 8192)]


@dataclasses.dataclass(frozen=True)
class Options:
  """Sizes of a FILM network; the defaults are the published ones (Reda et al. 2022, section 4 and appendix).

  Raises:
    UserError: the sizes contradict each other.
  """

  pyramid_levels: _Levels = 7  # levels of the image, feature and flow pyramids
  fusion_pyramid_levels: _Levels = 5  # finest levels that the fusion decoder uses
  specialized_levels: _Levels = 3  # finest levels with weights of their own; all coarser ones share
  sub_levels: _Levels = 4  # depths of the sub-tree extractor, and of a complete feature level
  filters: _Width = 64  # channels of the finest extracted feature; doubles with depth
  flow_convs: tuple[_Convolutions, ...] = (3, 3, 3, 3)  # 3x3, of a flow predictor, finest first, shared last
  flow_filters: tuple[_Width, ...] = (32, 64, 128, 256)  # their channels
  bilateral_flow: bool = False  # estimate flow at the frame between, from Lucas-Kanade steps; not in the paper
  search: bool = False  # with bilateral_flow: look a pixel around on coarse levels for what it missed; not in the paper
  propagation: bool = False  # with bilateral_flow: borrow flow from beside where it fits better; not in the paper
  residual_fusion: bool = False  # paint only what a mix of both warped images lacks; not in the paper
  second_look: bool = False  # with residual_fusion: read both images again, at several places; not in the paper
  any_time: bool = False  # trained for any time between, to which inference then goes at once; not in the paper
  use_aux_outputs: bool = True  # also return warped images and flow pyramids

  def __post_init__(self):
    fields.check(self, 'model')
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
    if self.search and not self.bilateral_flow:
      raise UserError('search=True needs bilateral_flow=True, whose flow it is for')
    if self.propagation and not self.bilateral_flow:
      raise UserError('propagation=True needs bilateral_flow=True, whose flow is that of the frame between')
    if self.second_look and not self.residual_fusion:
      raise UserError('second_look=True needs residual_fusion=True, whose mix it refines')
    if min(self.flow_filters) < 2:
      raise UserError(f'flow_filters={self.flow_filters}; expected 2 or more each, since the last is halved')

  @property
  def alignment(self) -> int:
    """Height and width are padded to a multiple of this, so that every level halves exactly."""
    return 2 ** (self.pyramid_levels - 1)

  @property
  def least_weights(self) -> int:
    """Bounds from below how many weights the network has, by its largest parts, without making it."""
    widest = self.filters * 2 ** (self.sub_levels - 1)
    decoder = [self.filters * 2 ** min(i, self.specialized_levels) for i in range(self.fusion_pyramid_levels - 1)]
    flow = [9 * (n - 1) * width**2 + width**2 // 2 for n, width in zip(self.flow_convs, self.flow_filters, strict=True)]
    return 9 * sum(width**2 for width in [widest, *decoder]) + sum(flow)

  def feature_channels(self, level: int) -> int:
    """Channels of feature pyramid level `level`: k, 3k, 7k, 15k, 15k, ... as published."""
    return self.filters * (2 ** min(level + 1, self.sub_levels) - 1)


configured = gin.external_configurable(Options, name='model')
"""`Options` with its defaults from gin: `model.filters = 16`."""
