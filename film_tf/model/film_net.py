"""FILM: the frame between two frames (Reda et al., ECCV 2022, arXiv 2202.04901)."""

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

from film_tf import keys
from film_tf.model import blocks, pyramid
from film_tf.model.bilateral_flow_pyramid import BilateralFlowPyramid
from film_tf.model.feature_pyramid import FeaturePyramid
from film_tf.model.flow_pyramid import FlowPyramid
from film_tf.model.fusion_decoder import FusionDecoder
from film_tf.model.options import Options, configured
from film_tf.model.second_look import SecondLook
from film_tf.model.warp import inside, warp

_UNSEEN = 1e-3  # weight of what a flow reads beyond an image's border, against 1 within
_ENDS = 1e-3  # added to the distance in time from either image, of which the logarithm is taken


@tf.keras.utils.register_keras_serializable('film_tf')
class FilmNet(tf.keras.Model):
  """Turns two images into the one between them.

      x0 -> features 0 --+-> flow 0->1 --+-> align both to the middle -> fuse -> image
      x1 -> features 1 --+-> flow 1->0 --+

  Five options, not in the paper, are for small networks. With `options.residual_fusion` the decoder paints, beside RGB,
  how much of either warped image to take, and the image is that mix and the RGB added, so that it need not learn to
  copy. With `options.bilateral_flow` flow is estimated once, at the frame between, and starts from Lucas-Kanade steps,
  so that it need not learn to match; forward and backward flow are then that flow and its opposite. With
  `options.search` it looks for motion that those steps miss, and with `options.propagation` it keeps to the edges of
  what moves. With `options.second_look` each image is read at several places a pixel, so that the network can blur, or
  blend, what cannot be known.

  Call it with a dict of `x0`, `x1` (`[B, H, W, 3]` RGB in [0, 1], H and W >= 1) and `time` (`[B, 1]` in [0, 1]; the
  published network is trained at 0.5 only, and so are ours without `options.any_time`). It returns a dict with `image`
  `[B, H, W, 3]`, float32, not clipped; and with `options.use_aux_outputs`:

  - `x0_warped`, `x1_warped`: both images aligned to the middle, `[B, H, W, 3]`
  - `forward_flow_pyramid`, `backward_flow_pyramid`: flow x0 -> x1 and x1 -> x0, `[B, ceil(H/2^i), ceil(W/2^i), 2]`
    in pixels of their own level, cut to the fusion levels
  - `forward_residual_flow_pyramid`, `backward_residual_flow_pyramid`: what each level added, all levels

  Any size works: inside, images are padded to a multiple of `options.alignment` by repeating their border.

  It is a Keras model: `compile(optimizer, loss='mae')`, then `fit` on a data set of (what it is called with, the true
  image between), whose loss and metrics are those of `image`. `film_tf.train` does more.

  Args:
    options: `Options`, or a dict of them; published sizes by default.
    dtype: a Keras dtype policy. Under `mixed_bfloat16` and `mixed_float16` convolutions run in 16 bits, while images,
      flow, warp coordinates and outputs stay float32.
  """

  def __init__(self, options: Options | Mapping | None = None, **kwargs):
    super().__init__(autocast=False, **kwargs)
    options = Options() if options is None else options
    self.options = o = options if isinstance(options, Options) else Options(**options)
    features = [o.feature_channels(i) for i in range(o.pyramid_levels)]
    aligned = [2 * (3 + channels + 2) for channels in features[: o.fusion_pyramid_levels]]
    part = {'dtype': self.dtype_policy}
    self.feature_pyramid = FeaturePyramid(o.filters, o.sub_levels, name='feature_pyramid', **part)
    self.flow_pyramid = (BilateralFlowPyramid if o.bilateral_flow else FlowPyramid)(
      features[: o.specialized_levels + 1], o.flow_convs, o.flow_filters, name='flow_pyramid', **part
    )
    painted = {'outputs': 4, 'initializer': 'zeros'} if o.residual_fusion else {}
    self.fusion_decoder = FusionDecoder(
      aligned, o.filters, o.specialized_levels, name='fusion_decoder', **painted, **part
    )
    self.second_look = SecondLook(o.filters, name='second_look', **part) if o.second_look else None
    self.built = True

  @property
  def convs(self) -> dict:
    """Returns every convolution by its name, as in a weights file: `flow_pyramid/predictor_0/conv_1`."""
    parts = (self.feature_pyramid, self.flow_pyramid, self.fusion_decoder, self.second_look)
    return {f'{part.name}/{name}': conv for part in parts if part for name, conv in part.convs.items()}

  def call(self, inputs: Mapping) -> dict:
    return self.between(self.features(inputs[keys.X0]), self.features(inputs[keys.X1]), inputs[keys.TIME])

  def features(self, image: tf.Tensor) -> dict:
    """Computes all that the network needs to know of one image, once for all its neighbours.

    Args:
      image: `[B, H, W, 3]` RGB in [0, 1].

    Returns:
      A dict: `image` as given, and `features`, the feature pyramid of the padded image.
    """
    return {keys.IMAGE: image, keys.FEATURES: self.feature_pyramid(self.image_pyramid(image))}

  def between(self, features0: Mapping, features1: Mapping, time: tf.Tensor) -> dict:
    """Makes the image between two, from what `features` returned for each.

    Args:
      features0: of the first image.
      features1: of the second.
      time: `[B, 1]`, 0 at the first and 1 at the second.

    Returns:
      What the call returns.
    """
    return self.fuse(features0, features1, self.flows(features0, features1, time), time)

  def flows(self, features0: Mapping, features1: Mapping, time: tf.Tensor) -> dict:
    """Estimates the flow between two images, from what `features` returned for each.

    Args:
      features0: of the first image.
      features1: of the second.
      time: `[B, 1]`, of the frame between. Only `options.bilateral_flow` looks at it.

    Returns:
      `forward_flow_pyramid`, `backward_flow_pyramid` and both residual ones, all levels, of the padded images.
    """
    image0, image1 = features0[keys.IMAGE], features1[keys.IMAGE]
    levels0, levels1 = features0[keys.FEATURES], features1[keys.FEATURES]
    if self.options.bilateral_flow:
      _, height, width, _ = blocks.dynamic_shape(image0)
      images = (self.image_pyramid(image0), self.image_pyramid(image1)) if self.options.propagation else None
      time = broadcast(time)
      forward, forward_residuals = self.flow_pyramid(
        levels0, levels1, time, images, height=height, width=width, searching=self.options.search
      )
      backward, backward_residuals = ([-flow for flow in flows] for flows in (forward, forward_residuals))
    else:
      forward, forward_residuals = self.flow_pyramid(levels0, levels1)
      backward, backward_residuals = self.flow_pyramid(levels1, levels0)
    return {
      keys.FORWARD_FLOW_PYRAMID: forward,
      keys.BACKWARD_FLOW_PYRAMID: backward,
      keys.FORWARD_RESIDUAL_FLOW_PYRAMID: forward_residuals,
      keys.BACKWARD_RESIDUAL_FLOW_PYRAMID: backward_residuals,
    }

  def fuse(self, features0: Mapping, features1: Mapping, flows: Mapping, time: tf.Tensor) -> dict:
    """Makes the image between two, once it is known how everything moves.

    Args:
      features0: of the first image.
      features1: of the second.
      flows: what `flows` returned for both.
      time: `[B, 1]`, 0 at the first and 1 at the second.

    Returns:
      What the call returns.
    """
    image0, image1 = features0[keys.IMAGE], features1[keys.IMAGE]
    levels0, levels1 = features0[keys.FEATURES], features1[keys.FEATURES]
    time = broadcast(time)
    _, height, width, _ = blocks.dynamic_shape(image0)
    images0, images1 = self.image_pyramid(image0), self.image_pyramid(image1)
    fused = self.options.fusion_pyramid_levels
    forward, backward = flows[keys.FORWARD_FLOW_PYRAMID][:fused], flows[keys.BACKWARD_FLOW_PYRAMID][:fused]
    to_x0, to_x1 = [time * flow for flow in backward], [(1.0 - time) * flow for flow in forward]
    warped0 = [warp(level, flow) for level, flow in zip(images0, to_x0, strict=False)]
    warped1 = [warp(level, flow) for level, flow in zip(images1, to_x1, strict=False)]
    aligned = [
      self.align(warped0[i], warp(levels0[i], to_x0[i]), warped1[i], warp(levels1[i], to_x1[i]), to_x0[i], to_x1[i])
      for i in range(fused)
    ]
    decoded = self.fusion_decoder.features(aligned)
    pairs = [(images0[0], images1[0]), (warped0[0], warped1[0]), (to_x0[0], to_x1[0])]
    pyramids = {keys.IMAGE: [self.paint(decoded, *pairs, time, height=height, width=width)]}
    if self.options.use_aux_outputs:
      pyramids |= {keys.X0_WARPED: warped0[:1], keys.X1_WARPED: warped1[:1], **flows}
      pyramids |= {keys.FORWARD_FLOW_PYRAMID: forward, keys.BACKWARD_FLOW_PYRAMID: backward}
    cropped = {key: pyramid.crop(levels, image0) for key, levels in pyramids.items()}
    return {key: levels if key.endswith('_pyramid') else levels[0] for key, levels in cropped.items()}

  def align(self, *parts: tf.Tensor) -> tf.Tensor:
    """Returns one level of what the decoder reads: image and features of both, warped, and the flows that did it."""
    return tf.concat([tf.cast(part, self.compute_dtype) for part in parts], axis=-1)

  def paint(self, decoded, images, warped, flows, time, *, height, width, top: tf.Tensor | int = 0) -> tf.Tensor:
    """Makes the frame between, or a band of its rows, of what is aligned to it.

    `decoded` are the decoder's finest features, `[B, h, W, filters]`, and `time` is `[B, 1, 1, 1]`; all else is as of
    the call of `SecondLook`.
    """
    painted = self.fusion_decoder.rgb(decoded)
    if self.options.residual_fusion:  # the nearer image counts more, which the decoder cannot know
      painted += tf.pad(tf.math.log((1.0 - time + _ENDS) / (time + _ENDS)), [[0, 0], [0, 0], [0, 0], [3, 0]])
    if self.second_look:
      return self.second_look(decoded, painted, images, warped, flows, height=height, width=width, top=top)
    if self.options.residual_fusion:
      return mix(painted, *warped, *(inside(flow, height, width, top) for flow in flows))
    return painted

  def image_pyramid(self, image: tf.Tensor) -> list[tf.Tensor]:
    """Returns the padded image on every level."""
    return pyramid.image_pyramid(pyramid.pad_to_multiple(image, self.options.alignment), self.options.pyramid_levels)

  def compute_loss(self, x=None, y=None, y_pred=None, *args, **kwargs):
    """Is called by `fit` and `evaluate`: the loss that was compiled, of the image."""
    return super().compute_loss(x, y, y_pred[keys.IMAGE], *args, **kwargs)

  def compute_metrics(self, x, y, y_pred, *args, **kwargs):
    """Is called by `fit` and `evaluate`: the metrics that were compiled, of the image."""
    return super().compute_metrics(x, y, y_pred[keys.IMAGE], *args, **kwargs)

  def get_config(self):
    return {**super().get_config(), 'options': dataclasses.asdict(self.options)}


def broadcast(time: tf.Tensor) -> tf.Tensor:
  """Turns times `[B, 1]` into `[B, 1, 1, 1]` float32, to multiply flow with."""
  return tf.cast(time, tf.float32)[:, :, tf.newaxis, tf.newaxis]


def mix(painted: tf.Tensor, warped0: tf.Tensor, warped1: tf.Tensor, seen0: tf.Tensor, seen1: tf.Tensor) -> tf.Tensor:
  """Adds what is painted to a mix of both warped images, its shares painted too, less of what no image has seen."""
  share = tf.sigmoid(painted[..., 3:])
  share0, share1 = share * (seen0 + _UNSEEN), (1.0 - share) * (seen1 + _UNSEEN)
  return painted[..., :3] + (share0 * warped0 + share1 * warped1) / (share0 + share1)


def build(**kwargs) -> FilmNet:
  """Makes a network with the sizes that gin configured; `kwargs` (dtype, name) go to `FilmNet`."""
  return FilmNet(configured(), **kwargs)
