"""The scale-agnostic residual flow pyramid (paper, section 3.2)."""

from collections.abc import Sequence

import tensorflow as tf

from film_tf.model import blocks, pyramid
from film_tf.model.warp import warp


@tf.keras.utils.register_keras_serializable('film_tf')
class FlowPredictor(tf.keras.layers.Layer):
  """Predicts a residual flow from a feature level, the other image's features warped to it, and what else is known.

  `num_convs` 3x3 convolutions of `filters`, a 1x1 of half as many, all leaky ReLU, and a linear 1x1 of 2 in float32.

  Args:
    inputs: channels of all inputs together.
    num_convs: number of 3x3 convolutions.
    filters: their channels.
    initializer: of the last kernel.
  """

  def __init__(self, inputs: int, num_convs: int = 3, filters: int = 32, initializer: str = 'glorot_uniform', **kwargs):
    super().__init__(autocast=False, **kwargs)
    self.inputs = inputs
    self.num_convs = num_convs
    self.filters = filters
    self.initializer = initializer
    self.stack = []
    for outputs, size in [(filters, 3)] * num_convs + [(filters // 2, 1)]:
      self.stack.append(blocks.conv(outputs, size, inputs, f'conv_{len(self.stack)}', self.dtype_policy))
      inputs = outputs
    self.head = blocks.conv(2, 1, inputs, f'conv_{len(self.stack)}', 'float32', initializer)
    self.built = True

  @property
  def convs(self) -> dict:
    return {conv.name: conv for conv in [*self.stack, self.head]}

  def call(self, *inputs: tf.Tensor) -> tf.Tensor:
    x = tf.concat([tf.cast(x, self.compute_dtype) for x in inputs], axis=-1)
    for conv in self.stack:
      x = blocks.leaky_relu(conv(x))
    return self.head(x)

  def get_config(self):
    return {
      **super().get_config(),
      'inputs': self.inputs,
      'num_convs': self.num_convs,
      'filters': self.filters,
      'initializer': self.initializer,
    }


@tf.keras.utils.register_keras_serializable('film_tf')
class FlowPyramid(tf.keras.layers.Layer):
  """Estimates flow coarse to fine; each level only corrects what the coarser ones found.

  On every level the flow so far is upsampled, the other image's features are warped by it, and the level's predictor
  adds a residual. The finest levels have their own predictors; all coarser ones share the last.

  Args:
    feature_channels: channels of the feature levels that each predictor reads, finest first, shared last.
    flow_convs: 3x3 convolutions of each predictor.
    flow_filters: their channels.
  """

  _HINTS = 0  # channels that a predictor reads besides features
  _INITIALIZER = 'glorot_uniform'  # of a predictor's last kernel

  def __init__(self, feature_channels: Sequence[int], flow_convs: Sequence[int], flow_filters: Sequence[int], **kwargs):
    super().__init__(autocast=False, **kwargs)
    self.feature_channels = tuple(feature_channels)
    self.flow_convs = tuple(flow_convs)
    self.flow_filters = tuple(flow_filters)
    names = [f'predictor_{i}' for i in range(len(self.flow_convs) - 1)] + ['predictor_shared']
    sizes = zip(self.feature_channels, self.flow_convs, self.flow_filters, strict=True)
    self.predictors = [
      FlowPredictor(2 * channels + self._HINTS, convs, filters, self._INITIALIZER, name=name, dtype=self.dtype_policy)
      for name, (channels, convs, filters) in zip(names, sizes, strict=True)
    ]
    self.built = True

  @property
  def convs(self) -> dict:
    """Returns every convolution by its name, finest predictor first."""
    return {f'{p.name}/{name}': conv for p in self.predictors for name, conv in p.convs.items()}

  def call(self, own: list[tf.Tensor], other: list[tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """Finds the flow from one image to the other.

    Args:
      own: feature pyramid of the image whose pixels the flow is for.
      other: feature pyramid of the image that it points into.

    Returns:
      The flows and the residuals, two pyramids of `[B, H/2^i, W/2^i, 2]` float32 in pixels of their own level.
    """
    coarsest = len(own) - 1
    flow = self.residual(coarsest, own[-1], other[-1])
    flows, residuals = [flow], [flow]
    for level in reversed(range(coarsest)):
      flow = pyramid.upsample_flow(flow)
      residual = self.residual(level, own[level], warp(other[level], flow))
      flow = flow + residual
      flows.insert(0, flow)
      residuals.insert(0, residual)
    return flows, residuals

  def residual(self, level: int, *inputs: tf.Tensor) -> tf.Tensor:
    """Predicts what the flow of a level lacks, `[B, h, W, 2]`, from its features and the other image's, warped."""
    return self._predictor(level)(*inputs)

  def _predictor(self, level):
    return self.predictors[min(level, len(self.predictors) - 1)]

  def get_config(self):
    return {
      **super().get_config(),
      'feature_channels': self.feature_channels,
      'flow_convs': self.flow_convs,
      'flow_filters': self.flow_filters,
    }
