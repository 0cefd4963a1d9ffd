"""Estimates flow as seen from the frame between; not in the paper. Bilateral motion: Park et al., BMBC, ECCV 2020."""

import functools

import tensorflow as tf

from film_tf.model import lucas_kanade, pyramid, search
from film_tf.model.flow_pyramid import FlowPyramid
from film_tf.model.propagation import propagate
from film_tf.model.warp import inside, warp

SEARCHED_FROM = 2  # the finest level that is searched: on finer ones what is coarser has left less than a pixel or two


@tf.keras.utils.register_keras_serializable('film_tf')
class BilateralFlowPyramid(FlowPyramid):
  """Estimates how what is in the frame between two images moves from the first to the second, coarse to fine.

  On every level the features of both are warped to the frame between by the flow so far; a step of Lucas and Kanade
  aligns them better, as optical flow without learning does; and the level's predictor, which also sees that step and
  where either image is seen, corrects it. Predictors share weights as in `FlowPyramid`; untrained they correct nothing.
  Asked to search, coarse levels first look for motion that slopes do not see. Given the images, too, every pixel then
  borrows flow from beside it where that fits better.
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
    searching: bool = False,
  ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """Finds the flow.

    Args:
      levels0: feature pyramid of the first image.
      levels1: of the second.
      time: `[B, 1, 1, 1]` float32, where between them.
      images: the image pyramids of both, to propagate flow by; see `propagation`.
      height: of the images without their padding, in pixels.
      width: likewise.
      searching: whether coarse levels are searched; see `search`.

    Returns:
      The flows and the residuals, as of `FlowPyramid`, at the pixels of the frame between.
    """
    flows, residuals = [], []
    for level in reversed(range(len(levels0))):
      start = pyramid.upsample_flow(flows[0]) if flows else tf.zeros_like(levels0[level][..., :2], tf.float32)
      size = height / 2**level, width / 2**level
      read = functools.partial(aligned, levels0[level], levels1[level], time, size)
      flow, known = start, read(start)
      if searching and level >= SEARCHED_FROM:
        flow += self.jump(*known)
        known = read(flow)
      residual = self.residual(level, *known)
      flow += residual
      if images:
        flow = propagate(flow, images[0][level], images[1][level], time)
      flows.insert(0, flow)
      residuals.insert(0, flow - start if images or searching else residual)
    return flows, residuals

  def jump(self, warped0, warped1, seen0, seen1):
    """Returns what the search of a level finds, `[B, h, W, 2]`, from what `residual` is given."""
    return search.displacement(*self._own(warped0, warped1), seen0 * seen1)

  def residual(self, level, warped0, warped1, seen0, seen1):
    """Predicts what the flow of a level lacks, from the features of both, warped, and where `inside` has seen them."""
    step = self.step(warped0, warped1, seen0, seen1)
    return step + self._predictor(level)(warped0, warped1, step, seen0, seen1)

  def step(self, warped0, warped1, seen0, seen1):
    """Returns the step of Lucas and Kanade of a level, `[B, h, W, 2]`: the part of `residual` that is not learned."""
    return lucas_kanade.displacement(*self._own(warped0, warped1), seen0 * seen1)

  def _own(self, *levels):
    """Returns of features the channels that every level has, extracted on its own scale."""
    return [tf.cast(x[..., : self.feature_channels[0]], tf.float32) for x in levels]


def aligned(level0, level1, time, size, flow):
  """Returns features of both images at the frame between, to which a flow warps them, and where it has seen them."""
  to_x0, to_x1 = -time * flow, (1.0 - time) * flow
  return warp(level0, to_x0), warp(level1, to_x1), inside(to_x0, *size), inside(to_x1, *size)
