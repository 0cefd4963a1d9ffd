"""Estimates flow on images of half the size, which is faster; frames are made of the images as they are."""

from collections.abc import Mapping

import tensorflow as tf

from film_tf import keys
from film_tf.inference.bands import Features
from film_tf.model import pyramid

_HALF = 'half'  # features of the image of half the size


class HalfFlow:
  """Offers `features`, `flows`, `fuse` and `between` of a network, its flow estimated between images of half the size.

  Level i of that flow is level i + 1 of the full size; the finest is its double. Images and features of the full size
  are warped by it and fused, so that what is sharp stays sharp.

  Args:
    full: a `Served`, a `BandedNet` or what `saved_model.load` returns: makes frames.
    half: likewise, or the same: estimates flow.
  """

  def __init__(self, full, half):
    self._full, self._half = full, half

  def features(self, image: tf.Tensor) -> dict:
    """Computes the features of one image, `[B, H, W, 3]` in [0, 1], and those of the image of half the size."""
    small = pyramid.average_pool(pyramid.pad_to_multiple(tf.convert_to_tensor(image), 2))
    return {**self._full.features(image), _HALF: self._half.features(small)}

  def flows(self, features0: Mapping, features1: Mapping, time: tf.Tensor) -> dict:
    """Estimates the flow between two images, as `FilmNet.flows`; what the finest level added is doubled, too."""
    found = self._half.flows(features0[_HALF], features1[_HALF], time)
    levels = features0[keys.FEATURES]
    _, height, width, _ = (levels.images if isinstance(levels, Features) else levels)[0].shape
    return {
      key: [
        flow[:, : height >> i, : width >> i] for i, flow in enumerate([pyramid.upsample_flow(flows[0]), *flows[:-1]])
      ]
      for key, flows in found.items()
    }

  def fuse(self, features0: Mapping, features1: Mapping, flows: Mapping, time: tf.Tensor) -> dict:
    """Makes the image between two, as `FilmNet.fuse`."""
    pair = ({key: one[key] for key in (keys.IMAGE, keys.FEATURES)} for one in (features0, features1))
    return self._full.fuse(*pair, flows, time)

  def between(self, features0: Mapping, features1: Mapping, time: tf.Tensor) -> dict:
    """Makes the image between two, as `FilmNet.between`."""
    return self.fuse(features0, features1, self.flows(features0, features1, time), time)
