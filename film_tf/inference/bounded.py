"""Runs a network within the memory that there is: at once where it suffices, and in bands elsewhere."""

import sys
from collections.abc import Iterable, Iterator, Mapping

import tensorflow as tf

from film_tf import keys
from film_tf.errors import UserError
from film_tf.exporters.saved_model import Served
from film_tf.inference import memory
from film_tf.inference.bands import BandedNet, Bands, Features
from film_tf.inference.half_flow import HalfFlow
from film_tf.inference.precision import policy
from film_tf.model import warp, weights
from film_tf.model.film_net import FilmNet
from film_tf.model.options import Options

_FLOAT = 4  # bytes
_IMAGES = 24  # floats a pixel: the two given and their pyramids, the one that is made, and what waits to be written
_FLOWS = 10  # likewise: both flows, and the coarser ones
_MATCHING = 35  # likewise: Lucas and Kanade's slopes and products
_BAND = 900  # floats a pixel of a band that its tensors take; measured, more than either network needs
_ROWS = 256, 128, 64, 32  # of a band; fewer cost much time and save little
_MARGIN = 0.9  # of what is free; other processes live, too


class BoundedNet:
  """Offers `features` and `between` of a `FilmNet`, for frames of any size.

  Args:
    net: the network.
    limit: bytes that this process may have; by default what is free.
    half_flow: estimate flow between images of half the size, as `HalfFlow`.

  Attributes:
    free: bytes that frames may have; None is what is free when a size is first met.
  """

  def __init__(self, net: FilmNet, limit: int | None = None, half_flow: bool = False):
    self._net, self._limit, self._half_flow, self.free = net, limit, half_flow, None
    self._bands, self._networks = {}, {None: self._of(*2 * [Served(net)])}

  @property
  def options(self) -> Options:
    """The sizes of the network."""
    return self._net.options

  def twin(self) -> 'BoundedNet':
    """Returns another network of the same kind, which cuts frames as this one does."""
    net = FilmNet(self._net.options, name=self._net.name, dtype=policy(self._net.compute_dtype))
    other = BoundedNet(net, self._limit, self._half_flow)
    other._bands = self._bands
    return other

  def follow(self, other: 'BoundedNet'):
    """Takes the weights of another network."""
    arrays = {name: variable.numpy() for name, variable in weights.named(other._net).items()}
    weights.assign(self._net, arrays, other._net.name)

  def features(self, image: tf.Tensor) -> dict:
    """Computes the features of one image, `[B, H, W, 3]` in [0, 1].

    Raises:
      UserError: there is too little memory for the smallest bands.
    """
    return self._network(self.bands(*image.shape[:3])).features(image)

  def between(self, features0: Mapping, features1: Mapping, time: tf.Tensor) -> dict:
    """Makes the image between two, from what `features` returned for each, as `FilmNet.between`.

    Where a device has too little memory, it goes on with smaller bands, and says so.
    """
    return next(self.at(features0, features1, [time]))

  def at(self, features0: Mapping, features1: Mapping, times: Iterable[tf.Tensor]) -> Iterator[dict]:
    """Yields what `between` returns for each time; flow that is the same at all times is estimated once."""
    pair, flows = [features0, features1], None
    for time in times:
      if flows is None or self._net.options.bilateral_flow:
        flows = self._run('flows', pair, time)
      yield self._run('fuse', pair, flows, time)

  def _run(self, name, pair, *args):
    """Calls a function of the network, with smaller bands where a device has too little memory.

    `pair`, the features of both images, then becomes that in these bands.
    """
    size = tuple(pair[0][keys.IMAGE].shape[:3])
    bands = self._bands[size]
    try:
      with warp.compiled(bands is None):  # bands have many sizes, and each would be compiled
        pair[:] = [one if _bands_of(one) == bands else self.features(one[keys.IMAGE]) for one in pair]
        return getattr(self._network(bands), name)(*pair, *args)
    except tf.errors.ResourceExhaustedError:
      smaller = _smaller(self._net.options, bands)
      if smaller is None:
        raise
    print(f'memory did not do for frames of {size[2]}x{size[1]}; trying bands of {smaller.rows} rows', file=sys.stderr)
    self._bands[size] = smaller
    return self._run(name, pair, *args)

  def bands(self, batch: int, height: int, width: int) -> Bands | None:
    """Returns how frames of a size are cut, None is not at all; decided when the size is first met.

    Raises:
      UserError: as of `features`.
    """
    size = batch, height, width
    if size not in self._bands:
      free, used = self.free or memory.free(), memory.used()
      if self._limit and self._limit <= used:
        raise UserError(
          f'this process has {used / 1e9:.1f} GB of memory before any frame, and {self._limit / 1e9:.1f} GB are '
          'allowed; allow more'
        )
      limit = self._limit - used if self._limit else free and round(_MARGIN * free)
      self._bands[size] = None if limit is None else fitting(self._net.options, *size, limit, self._half_flow)
    return self._bands[size]

  def needed(self, batch: int, height: int, width: int) -> int:
    """Returns about how many bytes frames of a size take, without what TensorFlow takes itself."""
    return needed(self._net.options, batch, height, width, self.bands(batch, height, width), self._half_flow)

  def forget(self):
    """Forgets how frames are cut, which is decided anew by what is free then; for a process that goes on to others."""
    self._bands.clear()

  def _network(self, bands):
    if bands not in self._networks:
      self._networks[bands] = self._of(*(BandedNet(self._net, bands) for _ in range(2)))  # each keeps two images
    return self._networks[bands]

  def _of(self, full, half):
    return HalfFlow(full, half) if self._half_flow else full


def needed(
  options: Options, batch: int, height: int, width: int, bands: Bands | None = None, half_flow: bool = False
) -> int:
  """Returns about how many bytes a frame between two others takes: the tensors that are there at the same time.

  Args:
    options: of the network.
    batch: pairs at once.
    height: of the frame, pixels.
    width: likewise.
    bands: how the frame is cut; None is not at all.
    half_flow: flow is that between images of half the size, whose features are there too.
  """
  if half_flow:
    return sum(needed(options, batch, -(-height // part), -(-width // part), bands) for part in (1, 2))
  height, width = (-(-side // options.alignment) * options.alignment for side in (height, width))
  fused = options.fusion_pyramid_levels
  features = [options.feature_channels(i) / 4**i for i in range(options.pyramid_levels)]  # floats a pixel of the frame
  filters = [options.filters * 2 ** min(i, options.specialized_levels) / 4**i for i in range(fused)]
  if bands is None:
    aligned = [2 * (features[i] + 5 / 4**i) for i in range(fused)]
    floats = 2 * sum(features) + sum(aligned) + aligned[0] + 4 * filters[0] + _IMAGES + _FLOWS
    floats += _MATCHING if options.bilateral_flow else 0
    return round(batch * _FLOAT * height * width * floats)
  kept = features[bands.kept_from :]
  copies = kept[0] + 2 * filters[min(2, fused - 1)]  # made of bands: the largest level that is kept, and the decoder's
  rows = min(bands.rows + 16, height)
  return round(batch * _FLOAT * width * (height * (2 * sum(kept) + copies + _IMAGES) + rows * _BAND))


def fitting(options: Options, batch: int, height: int, width: int, limit: int, half_flow: bool = False) -> Bands | None:
  """Returns how to cut frames so that `limit` bytes do, with the least that is computed twice; None is not at all.

  Raises:
    UserError: no way does; it says how much would.
  """
  choices = [None, *_choices(options)]
  takes = [needed(options, batch, height, width, bands, half_flow) for bands in choices]
  for bands, least in zip(choices, takes, strict=True):
    if least <= limit:
      return bands
  raise UserError(
    f'frames of {width}x{height} pixels need at least {min(takes) / 1e9:.1f} GB of memory beside what is in use, '
    f'and {max(limit, 0) / 1e9:.1f} GB are free or allowed; allow more, or make the frames smaller'
  )


def _bands_of(features):
  """Returns the bands in which an image's features are computed; None is at once."""
  made = features[keys.FEATURES]
  return made.bands if isinstance(made, Features) else None


def _choices(options):
  """Returns ways to cut a frame, of less and less memory and more and more time."""
  return [Bands(rows, kept_from) for kept_from in range(min(4, options.pyramid_levels)) for rows in _ROWS]


def _smaller(options, bands):
  """Returns the next of `_choices` that keeps fewer features or has half the rows; None after the last."""
  choices = [None, *_choices(options)]
  return next(iter(choices[choices.index(bands) + 1 :]), None)
