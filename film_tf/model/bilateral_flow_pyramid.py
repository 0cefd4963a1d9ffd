"""Estimates flow as seen from the frame between; not in the paper. Bilateral motion: Park et al., BMBC, ECCV 2020."""

import tensorflow as tf

from film_tf.model import lucas_kanade, pyramid
from film_tf.model.flow_pyramid import FlowPyramid
from film_tf.model.propagation import propagate
from film_tf.model.warp import inside, warp


@tf.keras.utils.register_keras_serializable('film_tf')
class BilateralFlowPyramid(FlowPyramid):
  """Estimates how what is in the frame between two images moves from the first to the second, coarse to fine.

  On every level the features of both are warped to the frame between by the flow so far; a step of Lucas and Kanade
  aligns them better, as optical flow without learning does; and the level's predictor, which also sees that step and
  where either image is seen, corrects it. Predictors share weights as in `FlowPyramid`; untrained they correct nothing.
  Given the images, too, every pixel then borrows flow from beside it where that fits better.
  """

  _HINTS = 4  # the step, and whether either image is seen
  _INITIALIZER = 'zeros'

  def call(
    self,
    levels0: list[tf.Tensor],
    levels1: list[tf.Tensor],
    time: tf.Tensor,
    images: tuple[list[tf.Tensor], list[tf.Tensor]] | None = None,
    *,
    height: tf.Tensor | int,
    width: tf.Tensor | int,
  ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """Finds the flow.

    Args:
      levels0: feature pyramid of the first image.
      levels1: of the second.
      time: `[B, 1, 1, 1]` float32, where between them.
      images: the image pyramids of both, to propagate flow by; see `propagation`.
      height: of the images without their padding, in pixels.
      width: likewise.

    Returns:
      The flows and the residuals, as of `FlowPyramid`, at the pixels of the frame between.
    """
    flows, residuals = [], []
    for level in reversed(range(len(levels0))):
      flow = pyramid.upsample_flow(flows[0]) if flows else tf.zeros_like(levels0[level][..., :2], tf.float32)
      to_x0, to_x1 = -time * flow, (1.0 - time) * flow
      seen0, seen1 = (inside(to, height / 2**level, width / 2**level) for to in (to_x0, to_x1))
      warped0, warped1 = warp(levels0[level], to_x0), warp(levels1[level], to_x1)
      residual = self.residual(level, warped0, warped1, seen0, seen1)
      refined = flow + residual
      if images:
        refined = propagate(refined, images[0][level], images[1][level], time)
      flows.insert(0, refined)
      residuals.insert(0, refined - flow if images else residual)
    return flows, residuals

  def residual(self, level, warped0, warped1, seen0, seen1):
    """Predicts what the flow of a level lacks, from the features of both, warped, and where `inside` has seen them."""
    step = self.step(warped0, warped1, seen0, seen1)
    return step + self._predictor(level)(warped0, warped1, step, seen0, seen1)

  def step(self, warped0, warped1, seen0, seen1):
    """Returns the step of Lucas and Kanade of a level, `[B, h, W, 2]`: the part of `residual` that is not learned."""
    # Of both only the channels that every level has, extracted on its own scale.
    own0, own1 = (tf.cast(x[..., : self.feature_channels[0]], tf.float32) for x in (warped0, warped1))
    return lucas_kanade.displacement(own0, own1, seen0 * seen1)
