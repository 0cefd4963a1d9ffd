"""Reads both images again, once it is known how they move; not in the paper."""

import numpy as np
import tensorflow as tf

from film_tf.model import blocks
from film_tf.model.propagation import unlikeness
from film_tf.model.warp import inside, warp

_ALONG = (1.0, 0.5, 1.5, 0.0)  # where each image is read: at these shares of its flow; at 0 nothing has moved
_PRIOR = np.log([0.97, 0.01, 0.01, 0.01])  # how much each counts until it is learned
_STILL = 12.0  # logit by which places at 0 count more where both images are the same ...
_ALIKE = 3.0 / 255.0  # ... which falls to nothing where they differ by this
_UNSEEN = 1e-3  # weight of what is read beyond an image's border, against 1 within


@tf.keras.utils.register_keras_serializable('film_tf')
class SecondLook(tf.keras.layers.Layer):
  """Reads each image at several places a pixel and mixes what is found there.

  Where motion is uneven or cannot be known, a frame that is likely is worse in the mean than the mean of those that
  are: places along the flow, ahead and behind, make its blur, and the unmoved images make a blend. Two 3x3 convolutions
  look at the decoder's features, both images as they are and as they are warped, and the flow; a linear 1x1 tells how
  far off each place is, how much it counts, and what all of it lacks. Untrained it changes next to nothing, but that
  where both images are the same they are blended.

  Args:
    inputs: channels of the decoder's features.
    filters: of the convolutions.
  """

  def __init__(self, inputs: int, filters: int = 32, **kwargs):
    super().__init__(autocast=False, **kwargs)
    self.inputs = inputs
    self.filters = filters
    self.stack = [
      blocks.conv(filters, 3, channels, f'conv_{i}', self.dtype_policy)
      for i, channels in enumerate((inputs + 4 * 3 + 2, filters))
    ]
    self.head = blocks.conv(3 + 2 * 3 * len(_ALONG), 1, filters, 'head', 'float32', 'zeros')
    self.built = True

  @property
  def convs(self) -> dict:
    """Returns every convolution by its name, in the order in which data meets them."""
    return {conv.name: conv for conv in [*self.stack, self.head]}

  def call(
    self,
    features: tf.Tensor,
    painted: tf.Tensor,
    images: list[tf.Tensor],
    warped: list[tf.Tensor],
    flows: list[tf.Tensor],
    *,
    height: tf.Tensor | int,
    width: tf.Tensor | int,
    top: tf.Tensor | int = 0,
  ) -> tf.Tensor:
    """Makes the frame between, or a band of its rows.

    Args:
      features: of the decoder, `[B, h, W, inputs]`.
      painted: by the decoder, `[B, h, W, 4]`: what the mix lacks, and how much more the first image counts, a logit.
      images: both, whole, `[B, H, W, 3]`.
      warped: both, warped by `flows`, `[B, h, W, 3]`.
      flows: from the frame between to either, `[B, h, W, 2]`.
      height: of the images without their padding, in pixels.
      width: likewise.
      top: the first of the rows.

    Returns:
      `[B, h, W, 3]` float32.
    """
    lacking, reads = self.reads(features, painted, images, warped, flows, height=height, width=width, top=top)
    made = lacking
    for image, place, share in reads:
      with tf.control_dependencies([made]):  # one after the other, for each takes memory
        made += share * warp(image, place, top)
    return made

  def reads(self, features, painted, images, warped, flows, *, height, width, top=0):
    """Tells where both images are read again; arguments are those of the call.

    Returns:
      What all that is read lacks, `[B, h, W, 3]`, and the reads, those of the first image first: the image, its flow
      `[B, h, W, 2]` and its share `[B, h, W, 1]`, which are 1 in all.
    """
    rows = blocks.dynamic_shape(features)[1]
    unmoved = [image[:, top : top + rows] for image in images]
    known = [features, *unmoved, *warped, flows[1]]
    x = tf.concat([tf.cast(part, self.compute_dtype) for part in known], axis=-1)
    for conv in self.stack:
      x = blocks.leaky_relu(conv(x))
    lacking, *told = tf.split(self.head(x), [3] + 2 * len(_ALONG) * [3], axis=-1)
    moved = tf.minimum(unlikeness(*unmoved) / _ALIKE, 1.0)
    rgb, mix = tf.split(painted, [3, 1], axis=-1)
    places, logits = [], []
    for image, flow, favour in zip(images, flows, (mix, 0.0), strict=True):
      for along, prior in zip(_ALONG, _PRIOR, strict=True):
        offset, logit = tf.split(told[len(places)], [2, 1], axis=-1)
        if along == 0.0:
          offset *= moved  # or equal images would not be copied
        place = along * flow + offset
        places.append((image, place))
        logit += _STILL * (1.0 - moved) if along == 0.0 else 0.0
        logits.append(favour + logit + prior + tf.math.log(inside(place, height, width, top) + _UNSEEN))
    shares = tf.split(tf.nn.softmax(tf.concat(logits, axis=-1)), len(places), axis=-1)
    return moved * (rgb + lacking), [(*place, share) for place, share in zip(places, shares, strict=True)]

  def get_config(self):
    return {**super().get_config(), 'inputs': self.inputs, 'filters': self.filters}
