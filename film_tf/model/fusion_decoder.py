"""The fusion decoder (paper, section 3.3)."""

import tensorflow as tf

from film_tf.model import blocks


@tf.keras.utils.register_keras_serializable('film_tf')
class FusionDecoder(tf.keras.layers.Layer):
  """Paints the frame between from two images and their features, aligned to it on every level.

  A U-Net decoder, from the coarsest level:

      coarser -> upsample 2x -> 2x2 conv, linear -> concat(aligned level, .) -> 3x3 conv -> 3x3 conv -> finer
      finest -> linear 1x1 conv in float32 -> RGB, not clipped; or more outputs

  Level i has `filters` 2^i channels, from `specialized_levels` on always `filters` 2^specialized_levels.

  Args:
    aligned_channels: channels of the aligned levels, finest first.
    filters: channels of the finest level.
    specialized_levels: level from which the channels no longer double.
    outputs: channels of what is painted.
    initializer: of the last kernel.
  """

  def __init__(
    self,
    aligned_channels,
    filters: int = 64,
    specialized_levels: int = 3,
    outputs: int = 3,
    initializer: str = 'glorot_uniform',
    **kwargs,
  ):
    super().__init__(autocast=False, **kwargs)
    self.aligned_channels = tuple(aligned_channels)
    self.filters = filters
    self.specialized_levels = specialized_levels
    self.outputs = outputs
    self.initializer = initializer
    widths = [filters * 2 ** min(i, specialized_levels) for i in range(len(self.aligned_channels) - 1)]
    channels = [*widths, self.aligned_channels[-1]]
    self.levels = []  # three convolutions a level, finest first
    for i, width in enumerate(widths):
      for name, size, inputs in [
        ('up', 2, channels[i + 1]), ('conv_0', 3, self.aligned_channels[i] + width), ('conv_1', 3, width)
      ]:  # fmt: skip
        self.levels.append(blocks.conv(width, size, inputs, f'level_{i}_{name}', self.dtype_policy))
    self.rgb = blocks.conv(outputs, 1, channels[0], 'rgb', 'float32', initializer)
    self.built = True

  @property
  def convs(self) -> dict:
    """Returns every convolution by its name, finest level first, the one to RGB last."""
    return {conv.name: conv for conv in [*self.levels, self.rgb]}

  def call(self, aligned: list[tf.Tensor]) -> tf.Tensor:
    """Turns aligned levels `[B, H/2^i, W/2^i, aligned_channels[i]]` into an image `[B, H, W, outputs]`, float32."""
    return self.rgb(self.features(aligned))

  def features(self, aligned: list[tf.Tensor]) -> tf.Tensor:
    """Turns aligned levels into what the image is painted from, `[B, H, W, filters]`."""
    x = aligned[-1]
    for i in reversed(range(len(aligned) - 1)):
      x = self.decode(i, aligned[i], x)
    return x

  def decode(self, level: int, aligned: tf.Tensor, coarser: tf.Tensor) -> tf.Tensor:
    """Returns the features of one level, from what is aligned to it and those of the level that is coarser."""
    up, *convs = self.levels[3 * level : 3 * level + 3]
    x = tf.concat([aligned, up(blocks.upsample_nearest(coarser))], axis=-1)
    for conv in convs:
      x = blocks.leaky_relu(conv(x))
    return x

  def get_config(self):
    return {
      **super().get_config(),
      'aligned_channels': self.aligned_channels,
      'filters': self.filters,
      'specialized_levels': self.specialized_levels,
      'outputs': self.outputs,
      'initializer': self.initializer,
    }
