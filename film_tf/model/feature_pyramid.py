"""The scale-agnostic feature pyramid (paper, section 3.1)."""

import tensorflow as tf

from film_tf.model import blocks, pyramid


@tf.keras.utils.register_keras_serializable('film_tf')
class FeaturePyramid(tf.keras.layers.Layer):
  """Extracts features that mean the same on every level, with one extractor for all scales and both images.

  The extractor S runs from every level of the image pyramid, two 3x3 convolutions a depth, pooling between depths:

      image level   depth 0    depth 1    depth 2       feature level i = all S on its diagonal
          0          S00        S01        S02           0: S00
          1          S10        S11        S12           1: S10 S01
          2          S20        S21        S22           2: S20 S11 S02

  From level `sub_levels - 1` on a level holds every depth, so that one flow predictor serves all of them.

  Args:
    filters: k, the channels at depth 0; depth j has k 2^j.
    sub_levels: depths of the extractor.
  """

  def __init__(self, filters: int = 64, sub_levels: int = 4, **kwargs):
    super().__init__(autocast=False, **kwargs)
    self.filters = filters
    self.sub_levels = sub_levels
    self.extractor = []
    inputs = 3
    for depth in range(sub_levels):
      for _ in range(2):
        outputs = filters * 2**depth
        self.extractor.append(blocks.conv(outputs, 3, inputs, f'conv_{len(self.extractor)}', self.dtype_policy))
        inputs = outputs
    self.built = True

  @property
  def convs(self) -> dict:
    """Returns every convolution by its name, in the order in which data meets them."""
    return {conv.name: conv for conv in self.extractor}

  def call(self, images: list[tf.Tensor]) -> list[tf.Tensor]:
    """Turns an image pyramid, `[B, H/2^i, W/2^i, 3]` finest first, into features, k, 3k, 7k, 15k, 15k ... channels."""
    extracted = [self.extract(image, min(self.sub_levels, len(images) - i)) for i, image in enumerate(images)]
    return [
      tf.concat([extracted[i - depth][depth] for depth in range(min(i + 1, self.sub_levels))], axis=-1)
      for i in range(len(images))
    ]

  def extract(self, image: tf.Tensor, depths: int) -> list[tf.Tensor]:
    """Returns the features of depths 0 .. `depths - 1` of one level of the image pyramid: a row of the table."""
    features = [self.extract_depth(0, image)]
    for depth in range(1, depths):
      features.append(self.extract_depth(depth, pyramid.average_pool(features[-1])))
    return features

  def extract_depth(self, depth: int, x: tf.Tensor) -> tf.Tensor:
    """Returns the features of one depth, from the image or the pooled features of the depth before."""
    for conv in self.extractor[2 * depth : 2 * depth + 2]:
      x = blocks.leaky_relu(conv(x))
    return x

  def get_config(self):
    return {**super().get_config(), 'filters': self.filters, 'sub_levels': self.sub_levels}
