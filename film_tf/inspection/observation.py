"""Runs the layers of a network one after the other on two images, and keeps what passes between them."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from film_tf import keys
from film_tf.model import film_net, pyramid
from film_tf.model.bilateral_flow_pyramid import SEARCHED_FROM, aligned
from film_tf.model.film_net import FilmNet
from film_tf.model.warp import inside, warp

A, B = 0, 1  # the two images, where something is there of each
TIME = 0.5  # at which the frame between is
RETURN = 0.01, 0.5  # of flow and return: share of their squared lengths, and squared pixels, that they may miss by
READ = 0.25  # of a pixel, in all: less counts as nothing

Array = np.ndarray | tf.Tensor
Pair = tuple[np.ndarray, np.ndarray]


class Flow(NamedTuple):
  """A flow of one level, every part `[h, w, 2]` in pixels of the level; `upsampled + residual` is `flow` exactly."""

  upsampled: Array  # the flow of the coarser level in the size of this one; zero on the coarsest
  residual: Array  # what this level adds
  flow: Array
  step: Array | None  # what of the residual is not learned: a step of Lucas and Kanade, and a search before it


@dataclasses.dataclass(frozen=True)
class Level:
  """What a network has on one level of its pyramids, for the `[h, w]` pixels that show the images.

  Attributes:
    images: both images, `[h, w, 3]`.
    features: of both, `[h, w, C]`.
    flows: from A to B and from B to A; of a network with bilateral flow one, seen from the frame between.
    warped: both images moved to the frame between, `[h, w, 3]`.
    hidden: bool `[h, w]`, what of either image has no partner: see `lost` and, with bilateral flow, `unread`.
    blanked: `[H, W]`, how much the result changes where the decoder reads nothing but the mean of this level of A, or
      of B; None where the decoder does not read this level.
  """

  images: Pair
  features: Pair
  flows: list[Flow]
  warped: Pair
  hidden: Pair
  blanked: Pair | None


@dataclasses.dataclass(frozen=True)
class Observation:
  """What a network makes of two images.

  Attributes:
    levels: finest first.
    image: the frame between, `[H, W, 3]`, not clipped.
    blanked: `[H, W]`, how much that changes where the decoder reads nothing but the means of A, or of B, on all levels.
    share: `[H, W]` in [0, 1], of A in the mix of both warped images, in networks that mix them.
  """

  levels: list[Level]
  image: np.ndarray
  blanked: Pair
  share: np.ndarray | None


def observe(
  net: FilmNet, a: np.ndarray, b: np.ndarray, progress: Callable[[int, int], None] = lambda done, total: None
) -> Observation:
  """Makes the frame between two images as the network's call does, layer by layer.

  Args:
    net: the network.
    a: `[H, W, 3]` float32 in [0, 1].
    b: the same shape.
    progress: called with how often the decoder has run, and how often it will.
  """
  size = a.shape[:2]
  images = [net.image_pyramid(tf.constant(image[np.newaxis])) for image in (a, b)]
  known = [net.features(tf.constant(image[np.newaxis])) for image in (a, b)]
  features = [one[keys.FEATURES] for one in known]
  flows = _flows(net, known, size)
  forward = [level.flow for level in flows[0]]
  backward = [level.flow for level in flows[1]] if len(flows) > 1 else [-flow for flow in forward]
  to = [[TIME * flow for flow in backward], [(1.0 - TIME) * flow for flow in forward]]
  warped = [[warp(*both) for both in zip(images[side], to[side], strict=True)] for side in (A, B)]
  if len(flows) > 1:
    hidden = [[lost(*both) for both in zip(*ways, strict=True)] for ways in ((forward, backward), (backward, forward))]
  else:
    hidden = [[unread(flow) for flow in to[side]] for side in (A, B)]

  def visible(level, tensor):
    return tensor[0, : -(-size[0] // 2**level), : -(-size[1] // 2**level)].numpy()

  decoder, fused = _Decoder(net, images, warped, features, to, size), range(net.options.fusion_pyramid_levels)
  image = visible(0, decoder.image())
  tests = [fused, *([level] for level in fused)]

  def change(number, side):
    progress(2 * number + side, 2 * len(tests))
    without = visible(0, decoder.image(side, tests[number]))
    return np.abs(image.clip(0.0, 1.0) - without.clip(0.0, 1.0)).mean(axis=-1)

  changes = [(change(number, A), change(number, B)) for number in range(len(tests))]
  levels = [
    Level(
      *(tuple(visible(i, parts[side][i]) for side in (A, B)) for parts in (images, features)),
      [Flow(*(part if part is None else visible(i, part) for part in way[i])) for way in flows],
      *(tuple(visible(i, parts[side][i]) for side in (A, B)) for parts in (warped, hidden)),
      changes[1 + i] if i in fused else None,
    )
    for i in range(net.options.pyramid_levels)
  ]
  share = decoder.share()
  return Observation(levels, image, changes[0], None if share is None else visible(0, share)[..., 0])


def _flows(net, known, size):
  """Returns the flow of every level, finest first, in each direction that the network has."""
  made = net.flows(*known, tf.fill((1, 1), TIME))
  bilateral = net.options.bilateral_flow
  searching = net.options.search

  def step(level, start):
    if not bilateral:
      return None
    levels = [known[side][keys.FEATURES][level] for side in (A, B)]

    def read(flow):
      return aligned(*levels, TIME, [side / 2**level for side in size], flow)

    flow = start + net.flow_pyramid.jump(*read(start)) if searching and level >= SEARCHED_FROM else start
    step = net.flow_pyramid.step(*read(flow))
    return flow - start + step if searching else step

  forward = made[keys.FORWARD_FLOW_PYRAMID], made[keys.FORWARD_RESIDUAL_FLOW_PYRAMID]
  backward = made[keys.BACKWARD_FLOW_PYRAMID], made[keys.BACKWARD_RESIDUAL_FLOW_PYRAMID]
  return [_parts(*way, step) for way in ([forward] if bilateral else [forward, backward])]


def _parts(flows, residuals, step):
  upsampled = [*map(pyramid.upsample_flow, flows[1:]), tf.zeros_like(flows[-1])]
  steps = [step(level, flow) for level, flow in enumerate(upsampled)]
  return [Flow(*parts) for parts in zip(upsampled, residuals, flows, steps, strict=True)]


class _Decoder:
  """The network from what is warped to the image; what it reads can be replaced."""

  def __init__(self, net, images, warped, features, to, size):
    self._net = net
    self._images, self._to = [levels[0] for levels in images], [flows[0] for flows in to]
    self._size = {'height': size[0], 'width': size[1]}
    self._read = []  # what is aligned on each level: image and features of A, those of B, and both flows
    for i in range(net.options.fusion_pyramid_levels):
      moved = [warp(features[side][i], to[side][i]) for side in (A, B)]
      self._read.append([warped[A][i], moved[A], warped[B][i], moved[B], to[A][i], to[B][i]])

  def image(self, blank=None, levels=()):
    """Returns the image, or that with the image and features of a side replaced by their mean on some levels."""
    read = [
      [_mean(part) if i in levels and place // 2 == blank else part for place, part in enumerate(parts)]
      for i, parts in enumerate(self._read)
    ]
    images = [_mean(image) if 0 in levels and side == blank else image for side, image in enumerate(self._images)]
    decoded = self._net.fusion_decoder.features([self._net.align(*parts) for parts in read])
    time = tf.fill((1, 1, 1, 1), TIME)
    return self._net.paint(decoded, images, [read[0][0], read[0][2]], self._to, time, **self._size)

  def share(self):
    """Returns the share of A in the mix of both images, `[1, H, W, 1]`; None of a network that does not mix them."""
    if not self._net.options.residual_fusion:
      return None
    decoded = self._net.fusion_decoder.features([self._net.align(*parts) for parts in self._read])
    painted, warped = self._net.fusion_decoder.rgb(decoded), [self._read[0][0], self._read[0][2]]
    if self._net.second_look:
      _, reads = self._net.second_look.reads(decoded, painted, self._images, warped, self._to, **self._size)
      return tf.add_n([share for image, _, share in reads if image is self._images[A]])
    unpainted = tf.concat([tf.zeros_like(painted[..., :3]), painted[..., 3:]], axis=-1)
    white = tf.ones_like(painted[..., :1])  # the share is what becomes of white, where B is black
    seen = [inside(flow, *self._size.values()) for flow in self._to]
    return film_net.mix(unpainted, white, tf.zeros_like(white), *seen)


def _mean(x):
  return tf.broadcast_to(tf.reduce_mean(x, axis=(1, 2), keepdims=True), tf.shape(x))


def lost(flow: tf.Tensor, back: tf.Tensor) -> tf.Tensor:
  """Returns where a flow and the one back do not lead to where they started: bool `[B, h, w]`.

  The test of Sundaram, Brox and Keutzer (ECCV 2010): `|f + b|^2 > 0.01 (|f|^2 + |b|^2) + 0.5` with f the flow of a
  pixel and b the flow back, read where f points.

  Args:
    flow: `[B, h, w, 2]`.
    back: the same shape.
  """
  returned = warp(back, flow)
  lengths = tf.reduce_sum(flow**2, axis=-1) + tf.reduce_sum(returned**2, axis=-1)
  share, pixels = RETURN
  return tf.reduce_sum((flow + returned) ** 2, axis=-1) > share * lengths + pixels


def unread(flow: tf.Tensor) -> tf.Tensor:
  """Returns which pixels of an image less than a quarter of is read where it is warped by a flow: bool `[B, h, w]`."""
  pixels = tf.ones_like(flow[..., :1])
  with tf.GradientTape() as tape:
    tape.watch(pixels)
    read = warp(pixels, flow)
  return tape.gradient(read, pixels)[..., 0] < READ
