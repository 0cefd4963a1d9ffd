"""Runs a network in horizontal bands: the same frame in less memory.

All of FILM but its warps is local. So every level's flow and decoder can be computed for some rows at a time, with as
many more around them as their convolutions reach, while warps read whole maps; joined, the bands are the frame that
the network makes at once, without a seam. The finest features, which take most of the memory, need not be kept: those
of the rows that a warp reads are computed when it reads them.
"""

import dataclasses
import weakref
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from film_tf import keys
from film_tf.model import film_net, pyramid
from film_tf.model.bilateral_flow_pyramid import SEARCHED_FROM
from film_tf.model.film_net import FilmNet
from film_tf.model.propagation import propagate
from film_tf.model.warp import first_rows, inside, warp

_DECODER_HALO = 4  # rows; of a 2x2 convolution after upsampling and two of 3x3, and even
_LUCAS_KANADE_HALO = 5  # rows; of a window of 9x9 and a slope
_SEARCH_HALO = 5  # rows; of a window of 9x9 and 1 pixel
_PROPAGATION_HALO = 6  # rows; of flow 4 pixels away, and a window of 5x5
_SECOND_LOOK_HALO = 4  # rows; of two convolutions, or a window of 5x5; a multiple of 4, as the decoder's rows must be
_DECODED_FROM = 2  # the finest level that the decoder has whole; bands of finer ones are computed when they are read
_EXTRACTOR_HALO = 2  # rows; of two convolutions
_FEATURE_HALO = 4  # rows of a level; two convolutions at each depth reach less than 2 (1 + 1/2 + 1/4 + ...) of them


@dataclasses.dataclass(frozen=True)
class Bands:
  """Says how a frame is cut.

  Attributes:
    rows: of a band, a multiple of 8, on every level: where pixels are half as many, channels are twice as many.
    kept_from: the finest feature level that is kept; finer ones are computed for the rows that are read.
  """

  rows: int
  kept_from: int = 0

  def of(self, height: int, halo: int) -> Iterator[tuple[int, int, int, int]]:
    """Yields first and last row of every band of a level, and the same with a halo around it, last ones excluded."""
    for start in range(0, height, self.rows):
      stop = min(start + self.rows, height)
      yield start, stop, max(start - halo, 0), min(stop + halo, height)


class Features:
  """Features of one image: rows of every level, read from those that are kept or computed."""

  def __init__(self, network: 'BandedNet', images: list[tf.Tensor]):
    self._network, self.images, self.bands = network, images, network.bands

  @property
  def _kept(self):
    return self._network.kept(self)

  def rows(self, level: int, start: int, stop: int) -> tf.Tensor:
    """Returns rows `start` to `stop` of a level: `[B, stop - start, W, C]`."""
    if level in self._kept:
      return self._kept[level][:, start:stop]
    return self._network.feature_rows(self.images, level, start, stop)

  def warp(self, level: int, flow: tf.Tensor, top: int) -> tf.Tensor:
    """Warps a level by the flow of some rows, the first of which is row `top`."""
    if level in self._kept:
      return self._network.warp(self._kept[level], flow, top)
    first, warped = first_rows(flow, self.images[level].shape[1], top).numpy(), None
    blocks = (first - first.min()) // (2 * self._network.bands.rows)
    for block in np.unique(blocks):  # mostly one; a few pixels that read far away cost the rows that they read
      chosen = blocks == block
      start, last = int(first[chosen].min()), int(first[chosen].max()) + 1
      source = self.rows(level, start, min(last + 1, self.images[level].shape[1]))
      here = self._network.warp(source, flow, top, start)
      warped = here if warped is None else tf.where(chosen[..., np.newaxis], here, warped)
    return warped


@dataclasses.dataclass(frozen=True)
class _Pair:
  """Two images between which a frame is made."""

  one: Features
  other: Features
  time: tf.Tensor
  forward: list[tf.Tensor]
  backward: list[tf.Tensor]
  size: tuple[int, int]  # height and width without padding

  @property
  def both(self):
    return self.one, self.other

  def flows(self, level, start, stop):
    """Returns the flows from the frame between to either image, rows `start` to `stop` of a level."""
    return self.time * self.backward[level][:, start:stop], (1.0 - self.time) * self.forward[level][:, start:stop]


class BandedNet:
  """Offers `features`, `flows` and `fuse` of a `FilmNet`, computed in bands.

  Args:
    net: the network.
    bands: how frames are cut.
  """

  def __init__(self, net: FilmNet, bands: Bands):
    self._net, self.bands = net, bands
    self._kept = weakref.WeakKeyDictionary()  # levels of the two images that were read last: recursion has more of them
    self._warp = _of_any_size(warp)
    self._extract = _of_any_size(net.feature_pyramid.extract)
    self._extract_depth = _of_any_size(net.feature_pyramid.extract_depth)
    self._residual = _of_any_size(net.flow_pyramid.residual)
    self._jump = _of_any_size(net.flow_pyramid.jump) if net.options.search else None
    self._decode = _of_any_size(net.fusion_decoder.decode)
    self._paint = _of_any_size(self._painted)
    self._propagate = _of_any_size(propagate)

  def features(self, image: tf.Tensor) -> dict:
    """Computes what is kept of one image, as `FilmNet.features`; `features` are `Features`."""
    image = tf.convert_to_tensor(image)
    return {keys.IMAGE: image, keys.FEATURES: Features(self, self._net.image_pyramid(image))}

  def flows(self, features0: Mapping, features1: Mapping, time: tf.Tensor) -> dict:
    """Estimates the flow between two images, as `FilmNet.flows`, without the residuals."""
    image, one, other = features0[keys.IMAGE], features0[keys.FEATURES], features1[keys.FEATURES]
    if self._net.options.bilateral_flow:
      time, size = film_net.broadcast(time), image.shape[1:3]
      forward = self._flows(one.images, lambda *band: self._bilateral(one, other, time, size, *band))
      backward = [-flow for flow in forward]
    else:
      forward = self._flows(one.images, lambda *band: self._one_way(one, other, *band))
      backward = self._flows(one.images, lambda *band: self._one_way(other, one, *band))
    return {keys.FORWARD_FLOW_PYRAMID: forward, keys.BACKWARD_FLOW_PYRAMID: backward}

  def fuse(self, features0: Mapping, features1: Mapping, flows: Mapping, time: tf.Tensor) -> dict:
    """Makes the image between two, as `FilmNet.fuse`: `image` and both finest flows."""
    image, one, other = features0[keys.IMAGE], features0[keys.FEATURES], features1[keys.FEATURES]
    both = [flows[key] for key in (keys.FORWARD_FLOW_PYRAMID, keys.BACKWARD_FLOW_PYRAMID)]
    painted = self._fused(_Pair(one, other, film_net.broadcast(time), *both, image.shape[1:3]))
    outputs = {keys.IMAGE: painted, keys.FORWARD_FLOW_PYRAMID: both[0][0], keys.BACKWARD_FLOW_PYRAMID: both[1][0]}
    outputs = {key: pyramid.crop([value], image) for key, value in outputs.items()}
    return {key: value if key.endswith('_pyramid') else value[0] for key, value in outputs.items()}

  def warp(self, image: tf.Tensor, flow: tf.Tensor, top: int, image_top: int = 0) -> tf.Tensor:
    """Warps rows of an image, as `warp.warp`."""
    return self._warp(image, flow, tf.constant(top), tf.constant(image_top))

  def kept(self, features: Features) -> dict[int, tf.Tensor]:
    """Returns the whole levels that are kept of an image, those of the last two that were asked for."""
    if features in self._kept:
      self._kept[features] = self._kept.pop(features)
    else:
      while len(self._kept) > 1:
        del self._kept[next(iter(self._kept))]
      self._kept[features] = self._levels(features.images)
    return self._kept[features]

  def _levels(self, images):
    """Returns the whole feature levels that are kept, from an image pyramid."""
    found = {}
    for level, x in enumerate(images):
      depths = min(self._net.options.sub_levels, len(images) - level)
      for depth in range(depths):
        wanted, deeper = level + depth >= self.bands.kept_from, depth + 1 < depths
        parts, pooled = [], []
        for start, stop, first, last in self.bands.of(x.shape[1], _EXTRACTOR_HALO):
          part = self._extract_depth(depth, x[:, first:last])[:, start - first : stop - first]
          if wanted:
            parts.append(part)
          if deeper:
            pooled.append(pyramid.average_pool(part))
        x = tf.concat(pooled, axis=1) if deeper else None
        if wanted:
          found.setdefault(level + depth, {})[depth] = tf.concat(parts, axis=1)
    for level, parts in found.items():
      found[level] = tf.concat([parts.pop(depth) for depth in sorted(parts)], axis=-1)
    return found

  def feature_rows(self, images: list[tf.Tensor], level: int, start: int, stop: int) -> tf.Tensor:
    """Computes rows `start` to `stop` of a feature level."""
    first, last = max(start - _FEATURE_HALO, 0), min(stop + _FEATURE_HALO, images[level].shape[1])
    parts = []
    for depth in range(min(level + 1, self._net.options.sub_levels)):
      image = images[level - depth][:, first << depth : last << depth]
      parts.append(self._extract(image, depth + 1)[-1][:, start - first : stop - first])
    return tf.concat(parts, axis=-1)

  def _flows(self, images, refined):
    """Returns the flow of every level, finest first; `refined` adds to a band of a level what it lacks."""
    options, flows = self._net.options, []
    for level in reversed(range(len(images))):
      flow = pyramid.upsample_flow(flows[0]) if flows else tf.zeros_like(images[level][..., :2])
      halo = options.flow_convs[min(level, options.specialized_levels)]
      halo += _LUCAS_KANADE_HALO if options.bilateral_flow else 0
      halo += _SEARCH_HALO if self._searches(level) else 0
      halo += _PROPAGATION_HALO if options.propagation else 0
      parts = []
      for start, stop, first, last in self.bands.of(flow.shape[1], halo):
        part = refined(level, flow[:, first:last], first, last)
        parts.append(part[:, start - first : stop - first])
      flows.insert(0, tf.concat(parts, axis=1))
    return flows

  def _one_way(self, own, other, level, flow, first, last):
    return flow + self._residual(level, own.rows(level, first, last), other.warp(level, flow, first))

  def _bilateral(self, one, other, time, size, level, flow, first, last):
    def read(flow):
      to_x0, to_x1 = -time * flow, (1.0 - time) * flow
      seen = [inside(to, *(side / 2**level for side in size), first) for to in (to_x0, to_x1)]
      return one.warp(level, to_x0, first), other.warp(level, to_x1, first), *seen

    if self._searches(level):
      flow += self._jump(*read(flow))
    flow += self._residual(level, *read(flow))
    if self._net.options.propagation:
      flow = self._propagate(flow, one.images[level], other.images[level], time, tf.constant(first))
    return flow

  def _searches(self, level):
    return self._net.options.search and level >= SEARCHED_FROM

  def _fused(self, pair):
    """Returns what the decoder makes of both images, aligned."""
    coarsest, decoded = self._net.options.fusion_pyramid_levels - 1, {}
    for level in reversed(range(min(_DECODED_FROM, coarsest), coarsest + 1)):
      bands = self.bands.of(pair.forward[level].shape[1], 0)
      decoded[level] = tf.concat([self._rows(pair, decoded, level, *band[:2]) for band in bands], axis=1)
      decoded.pop(level + 1, None)
    images, parts = [one.images[0] for one in pair.both], []
    size = [tf.constant(side) for side in pair.size]
    halo = _SECOND_LOOK_HALO if self._net.options.second_look else 0
    for start, stop, first, last in self.bands.of(pair.forward[0].shape[1], halo):
      flows = pair.flows(0, first, last)
      warped = [self.warp(image, flow, first) for image, flow in zip(images, flows, strict=True)]
      rows = self._rows(pair, decoded, 0, first, last)
      painted = self._paint(rows, *images, *warped, *flows, pair.time, *size, tf.constant(first))
      parts.append(painted[:, start - first : stop - first])
    return tf.concat(parts, axis=1)

  def _rows(self, pair, decoded, level, start, stop):
    """Returns rows `start` to `stop` of what the decoder has on a level; of `decoded` levels it has all."""
    if level in decoded:
      return decoded[level][:, start:stop]
    if level == self._net.options.fusion_pyramid_levels - 1:
      return self._aligned(pair, level, start, stop)
    first, last = max(start - _DECODER_HALO, 0), min(stop + _DECODER_HALO, pair.forward[level].shape[1])
    coarser = self._rows(pair, decoded, level + 1, first // 2, last // 2)
    return self._decode(level, self._aligned(pair, level, first, last), coarser)[:, start - first : stop - first]

  def _aligned(self, pair, level, start, stop):
    flows, parts = pair.flows(level, start, stop), []
    for one, flow in zip(pair.both, flows, strict=True):
      parts += [self.warp(one.images[level], flow, start), one.warp(level, flow, start)]
    return self._net.align(*parts, *flows)

  def _painted(self, decoded, *parts):
    *pairs, time, height, width, top = parts
    images, warped, flows = pairs[:2], pairs[2:4], pairs[4:]
    return self._net.paint(decoded, images, warped, flows, time, height=height, width=width, top=top)


def _of_any_size(function):
  """Makes a function a graph, traced once for all heights and widths of tensors and once for every number."""
  graphs = {}

  def call(*args):
    key = tuple(arg if isinstance(arg, int) else (arg.dtype, *arg.shape[-1:]) for arg in args)
    if key not in graphs:
      specs = [
        arg if isinstance(arg, int) else tf.TensorSpec([None, None, None, *arg.shape[3:]][: arg.shape.rank], arg.dtype)
        for arg in args
      ]
      graphs[key] = tf.function(function, autograph=False).get_concrete_function(*specs)
    return graphs[key](*(arg for arg in args if not isinstance(arg, int)))

  return call
