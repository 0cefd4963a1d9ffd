"""Makes frames between two frames, for NumPy images and image files."""

import copy
import dataclasses
import functools
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np
import tensorflow as tf

from film_tf import keys
from film_tf.errors import UserError
from film_tf.exporters import saved_model
from film_tf.importers import network, sources, tensorflow_file
from film_tf.inference import timeline
from film_tf.inference.bounded import BoundedNet
from film_tf.inference.half_flow import HalfFlow
from film_tf.inference.precision import converted
from film_tf.media import image_file
from film_tf.model import pretrained, weights
from film_tf.model.film_net import FilmNet
from film_tf.model.warp import warp

_SCALES = {'uint8': 255.0, 'uint16': 65535.0, 'float32': 1.0, 'float64': 1.0}  # the value of white
Image = np.ndarray | str | os.PathLike
Progress = Callable[[int, int], None]  # called with how many are done, and of how many


@dataclasses.dataclass(frozen=True)
class ImageFeatures:
  """What the network computes of one image, or of a batch of them, alone."""

  image: np.ndarray  # the given image, or one of its shape and type
  features: dict  # of its colours, which are premultiplied by alpha
  alpha: tf.Tensor | None = None  # [B, H, W, 1] in [0, 1]


class Interpolator:
  """Makes the frames between two frames.

      interpolator = Interpolator()
      middle = interpolator.between(a, b)

  Args:
    model: a network that comes with film_tf (`film_mini`), a SavedModel folder or a weights file (.npz) of film_tf,
      FILM's released weights (see `load_weights`), or a `FilmNet`.
    precision: in which convolutions run: `float32`, `bfloat16`, `float16` or `auto`, see `precision.converted`; by
      default what the model has, float32 for weights. A SavedModel has its own.
    memory_limit: bytes that this process may have, by default what is free: frames that are too large for it are made
      in bands, which gives the same frames and takes more time. A SavedModel makes frames at once, whatever they take.
    flow_scale: 0.5 estimates flow between images of half the size, which is faster; frames are made at full size.

  Raises:
    UserError: there is no such model, the device does not have the precision, or `flow_scale` is neither 1 nor 0.5.
  """

  def __init__(
    self,
    model: str | os.PathLike | FilmNet = 'film_mini',
    *,
    precision: str | None = None,
    memory_limit: int | None = None,
    flow_scale: float = 1.0,
  ):
    if flow_scale not in (1.0, 0.5):
      raise UserError(f'flow_scale is {flow_scale}; expected 1, or 0.5 for flow between images of half the size')
    self._given, self._half_flow = model, flow_scale == 0.5
    self._others = {}  # by the device that they are on
    self.bounded = None  # the network where its memory can be bounded
    if not isinstance(model, FilmNet):
      self._source = source = sources.find(model)
      if source.kind == sources.SAVED_MODEL and tensorflow_file.is_exported(source.path):
        if precision not in (None, 'auto'):
          raise UserError(f'{model} is a SavedModel, which has its precision; give its weights file (.npz) instead')
        loaded = saved_model.load(source.path)
        if self._half_flow and not hasattr(loaded, 'flows'):
          raise UserError(f'{model} is of an earlier film_tf, whose flow is that of full size; export it again')
        self._model, self._dtype = HalfFlow(loaded, loaded) if self._half_flow else loaded, 'float32'
        return
      model = network.load(source)
    net = converted(model, precision) if precision else model
    self._model, self._dtype = BoundedNet(net, memory_limit, self._half_flow), net.compute_dtype
    self.bounded = self._model

  @functools.cached_property
  def any_time(self) -> bool:
    """Whether the network was trained for any time between two frames, not halfway only (`model.any_time`)."""
    return self.bounded.options.any_time if self.bounded else sources.options(self._source).get('any_time', False)

  def on(self, device: str) -> 'Interpolator':
    """Returns one with the same weights, as they are now, on `device`, such as `/device:GPU:1`; not of a SavedModel."""
    if device not in self._others:
      other = self._others[device] = copy.copy(self)
      with tf.device(device):
        other._model = other.bounded = self.bounded.twin()
    self._others[device].bounded.follow(self.bounded)
    return self._others[device]

  @functools.cached_property
  def identity(self) -> str:
    """Names the model, what distinguishes it from others of that name, and precision and flow where not the usual."""
    precision = '' if self._dtype == 'float32' else f' in {self._dtype}'
    return self._identity() + precision + (' with flow at half size' if self._half_flow else '')

  def _identity(self):
    model = self._given
    if isinstance(model, FilmNet):
      values = b''.join(variable.numpy().tobytes() for variable in weights.named(model).values())
      return f'{model.name} {zlib.crc32(values):08x}'
    if model in pretrained.SHA256:
      return f'{model} {pretrained.SHA256[model]}'
    return f'{os.path.abspath(self._source.path)} {os.stat(self._source.file).st_mtime_ns}'

  def between(self, a: Image, b: Image) -> np.ndarray:
    """Makes the frame halfway between two.

    Args:
      a: `[H, W, 3]` RGB, `[H, W, 4]` RGBA, or either as `[B, H, W, ...]`: uint8, uint16, or float in [0, 1]. Any size.
        Or the path of an image file.
      b: the same shape and type.

    Returns:
      The same shape and type. Colours are not premultiplied by alpha, neither here nor there.

    Raises:
      UserError: shape or type is none of these, or they differ, or a file cannot be read.
    """
    return next(self.recurse(a, b, 1))

  def recurse(self, a: Image, b: Image, times: int, progress: Progress | None = None) -> Iterator[np.ndarray]:
    """Makes the 2^times - 1 frames between two, evenly spaced, in order: halfway, halfway of the halves, and so on.

    Every frame's features are computed once. The first frame comes after `times` steps, not after all.

    Args:
      a: as for `between`.
      b: as for `between`.
      times: how often to halve, 1 or more.
      progress: as for `at`.

    Raises:
      UserError: as for `between`, or times < 1.
    """
    if times < 1:
      raise UserError(f'times is {times}; expected 1 or more')
    a, b = _pair(a, b)
    fractions = [Fraction(i, 2**times) for i in range(1, 2**times)]
    return _with_progress(self.halvings(self.features(a), self.features(b), fractions), len(fractions), progress)

  def at(
    self,
    a: Image,
    b: Image,
    fractions: Sequence[float | Fraction],
    progress: Progress | None = None,
    *,
    direct: bool | None = None,
  ) -> Iterator[np.ndarray]:
    """Makes the frames at `fractions` of the way from one to the other.

    Args:
      a: as for `between`.
      b: as for `between`.
      fractions: more than 0 and less than 1, increasing.
      progress: called with the number of frames that are done, and of all.
      direct: whether to go to each time at once, exactly, instead of halving, which meets times exactly or to 1/64 or
        less; by default as the network was trained, see `any_time`. It is faster, but not what the published
        networks were trained for.

    Raises:
      UserError: as for `between`, or a fraction is none of these.
    """
    a, b, direct = *_pair(a, b), self.any_time if direct is None else direct
    asked = timeline.Subdivision(tuple(timeline.number(fraction, 'at') for fraction in fractions), direct)
    wanted = [asked.reached(fraction) for fraction in asked.fractions]
    return _with_progress(self.shown(self.features(a), self.features(b), wanted, direct), len(wanted), progress)

  def features(self, image: np.ndarray) -> ImageFeatures:
    """Computes the features of one image, once for all frames made from it."""
    batch = image / np.float32(_SCALES[image.dtype.name])
    batch = tf.constant(batch if image.ndim == 4 else batch[np.newaxis], tf.float32)
    if image.shape[-1] == 3:
      return ImageFeatures(image, self._model.features(batch))
    colours, alpha = batch[..., :3], batch[..., 3:]
    return ImageFeatures(image, self._model.features(colours * alpha), alpha)

  def shown(
    self, first: ImageFeatures, last: ImageFeatures, fractions: Sequence[Fraction], direct: bool = False
  ) -> Iterator[np.ndarray]:
    """Yields the images at `fractions`, 0 to 1, that do not decrease, each made once.

    Unless `direct` they are multiples of a power of 1/2.
    """
    inner = sorted({fraction for fraction in fractions if 0 < fraction < 1})
    made = (self.directly if direct else self.halvings)(first, last, inner)
    at, image = Fraction(0), first.image
    for fraction in fractions:
      if fraction != at:
        at, image = fraction, last.image if fraction == 1 else next(made)
      yield image

  def halvings(self, first: ImageFeatures, last: ImageFeatures, fractions: Sequence[Fraction]) -> Iterator[np.ndarray]:
    """Yields what `shown` does, for fractions that increase and are neither 0 nor 1."""
    return (_from_batch(image, first.image) for image in self._halves(first, last, list(fractions)))

  def directly(self, first: ImageFeatures, last: ImageFeatures, fractions: Sequence[Fraction]) -> Iterator[np.ndarray]:
    """Yields the images at `fractions`, each made of the two given ones; flow is estimated once where that suffices."""
    made = self._at(first, last, fractions)
    for fraction, outputs in zip(fractions, made, strict=True):
      yield _from_batch(_straight(*self._finished(first, last, float(fraction), outputs)), first.image)

  def _halves(self, first, last, fractions):
    """Yields the batches at fractions of the way between two frames."""
    if not fractions:
      return
    (made,) = self._at(first, last, [0.5])
    colours, alpha = self._finished(first, last, 0.5, made)
    before, after = [2 * s for s in fractions if 2 * s < 1], [2 * s - 1 for s in fractions if 2 * s > 1]
    middle = ImageFeatures(first.image, self._model.features(colours), alpha) if before or after else None
    if before:
      yield from self._halves(first, middle, before)
    if len(before) + len(after) < len(fractions):
      yield _straight(colours, alpha)
    if after:
      yield from self._halves(middle, last, after)

  def _at(self, first, last, fractions):
    """Yields what the network makes at fractions of the way between two frames."""
    count = tf.shape(first.features[keys.IMAGE])[0]
    pair, times = (first.features, last.features), (tf.fill((count, 1), float(fraction)) for fraction in fractions)
    if self.bounded:
      return self.bounded.at(*pair, times)
    return (self._model.between(*pair, time) for time in times)

  def _finished(self, first, last, time, made):
    """Returns colours, premultiplied by alpha, and alpha: the mean of both, moved as the colours are."""
    colours = tf.clip_by_value(made[keys.IMAGE], 0.0, 1.0)
    if first.alpha is None:
      return colours, None
    if keys.BACKWARD_FLOW_PYRAMID not in made:
      raise UserError('this network keeps its flow, which transparency needs; use one with use_aux_outputs')
    alpha0 = warp(first.alpha, time * made[keys.BACKWARD_FLOW_PYRAMID][0])
    alpha1 = warp(last.alpha, (1.0 - time) * made[keys.FORWARD_FLOW_PYRAMID][0])
    alpha = (1.0 - time) * alpha0 + time * alpha1
    return tf.minimum(colours, alpha), alpha


def _straight(colours, alpha):
  """Returns colours that are no longer premultiplied, with alpha, if there is any."""
  return colours if alpha is None else tf.concat([tf.math.divide_no_nan(colours, alpha), alpha], axis=-1)


def _with_progress(images, total, progress):
  for done, image in enumerate(images, start=1):
    if progress:
      progress(done, total)
    yield image


def _pair(a, b):
  """Returns two images as arrays that fit."""
  a, b = (image_file.read(image).pixels if isinstance(image, str | os.PathLike) else image for image in (a, b))
  _check(a, b)
  return a, b


def _check(a, b):
  for image in (a, b):
    if not isinstance(image, np.ndarray) or image.dtype.name not in _SCALES:
      kind = f'an array of {image.dtype}' if isinstance(image, np.ndarray) else f'a {type(image).__name__}'
      raise UserError(f'a frame is {kind}; expected a NumPy array of {", ".join(_SCALES)}')
    if image.ndim not in (3, 4) or image.shape[-1] not in (3, 4) or 0 in image.shape:
      raise UserError(f'a frame has shape {image.shape}; expected [height, width, 3 or 4], a batch before it or not')
  if a.shape != b.shape or a.dtype != b.dtype:
    raise UserError(f'the frames differ: {a.shape} {a.dtype} and {b.shape} {b.dtype}; expected the same size and type')


def _from_batch(batch, like):
  """Converts a batch of images in [0, 1] to the shape and type of `like`."""
  image = np.clip(batch.numpy(), 0.0, 1.0).reshape(like.shape) * _SCALES[like.dtype.name]
  return (np.round(image) if like.dtype.kind == 'u' else image).astype(like.dtype)
