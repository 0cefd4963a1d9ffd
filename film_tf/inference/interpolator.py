"""Frames between two frames, for NumPy images."""

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import tensorflow as tf

from film_tf import keys
from film_tf.errors import UserError
from film_tf.exporters import saved_model
from film_tf.model import pretrained, weights
from film_tf.model.film_net import FilmNet

_SCALES = {'uint8': 255.0, 'uint16': 65535.0, 'float32': 1.0, 'float64': 1.0}  # the value of white


class Interpolator:
  """Makes the frames between two frames.

      interpolator = Interpolator()
      middle = interpolator.between(a, b)

  Args:
    model: a network that comes with film_tf (`film_mini`), a SavedModel folder or a weights file (.npz) of film_tf,
      or a `FilmNet`.

  Raises:
    UserError: there is no such model.
  """

  def __init__(self, model: str | os.PathLike | FilmNet = 'film_mini'):
    if isinstance(model, FilmNet):
      self._model = saved_model.Served(model)
    elif model not in pretrained.SHA256 and os.path.isdir(model):
      self._model = saved_model.load(model)
    else:
      self._model = saved_model.Served(weights.load(model))

  def between(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The frame halfway between two.

    Args:
      a: `[H, W, 3]` RGB, or `[B, H, W, 3]`: uint8, uint16, or float in [0, 1]. Any size.
      b: the same shape and type.

    Returns:
      The same shape and type.

    Raises:
      UserError: shape or type is none of these, or they differ.
    """
    return next(self.recurse(a, b, 1))

  def recurse(self, a: np.ndarray, b: np.ndarray, times: int) -> Iterator[np.ndarray]:
    """The 2^times - 1 frames between two, evenly spaced, in order: halfway, halfway of the halves, and so on.

    Every frame's features are computed once. The first frame comes after `times` steps, not after all.

    Args:
      a: as for `between`.
      b: as for `between`.
      times: how often to halve, 1 or more.

    Raises:
      UserError: as for `between`, or times < 1.
    """
    if times < 1:
      raise UserError(f'times is {times}; expected 1 or more')
    return self.at(a, b, [Fraction(i, 2**times) for i in range(1, 2**times)])

  def at(self, a: np.ndarray, b: np.ndarray, shares: Sequence[Fraction]) -> Iterator[np.ndarray]:
    """The frames at `shares` of the way from one to the other.

    Args:
      a: as for `between`.
      b: as for `between`.
      shares: increasing, each a whole number over a power of two, more than 0 and less than 1: what halving reaches.

    Raises:
      UserError: as for `between`, or a share is none of these.
    """
    _check(a, b)
    return self.halvings(self.features(a), self.features(b), shares, like=a)

  def features(self, image: np.ndarray) -> dict:
    """What the network knows of one image, to be computed once for all frames made from it."""
    return self._model.features(_to_batch(image))

  def halvings(self, first: dict, last: dict, shares: Sequence[Fraction], like: np.ndarray) -> Iterator[np.ndarray]:
    """As `at`, from the `features` of both images, in the shape and type of the image `like`."""
    for share in shares:
      if not 0 < share < 1 or share.denominator & (share.denominator - 1):
        raise UserError(f'halving does not lead to {share}; expected a share as 3/8, over a power of two')
    if list(shares) != sorted(set(shares)):
      raise UserError(f'shares are {", ".join(map(str, shares))}; expected them in increasing order')
    return (_from_batch(image, like) for image in self._halves(first, last, list(shares)))

  def _halves(self, first, last, shares):
    """The images at shares of the way between two frames of which the features are given."""
    batch = tf.shape(first[keys.IMAGE])[0]
    image = self._model.between(first, last, tf.fill((batch, 1), 0.5))[keys.IMAGE]
    image = tf.clip_by_value(image, 0.0, 1.0)
    before, after = [2 * s for s in shares if 2 * s < 1], [2 * s - 1 for s in shares if 2 * s > 1]
    middle = self._model.features(image) if before or after else None
    if before:
      yield from self._halves(first, middle, before)
    if len(before) + len(after) < len(shares):
      yield image
    if after:
      yield from self._halves(middle, last, after)


def _check(a, b):
  for image in (a, b):
    if not isinstance(image, np.ndarray) or image.dtype.name not in _SCALES:
      kind = f'an array of {image.dtype}' if isinstance(image, np.ndarray) else f'a {type(image).__name__}'
      raise UserError(f'a frame is {kind}; expected a NumPy array of {", ".join(_SCALES)}')
    if image.ndim not in (3, 4) or image.shape[-1] != 3 or 0 in image.shape:
      raise UserError(f'a frame has shape {image.shape}; expected [height, width, 3] or [batch, height, width, 3]')
  if a.shape != b.shape or a.dtype != b.dtype:
    raise UserError(f'the frames differ: {a.shape} {a.dtype} and {b.shape} {b.dtype}; expected the same size and type')


def _to_batch(image):
  batch = tf.constant(image / np.float32(_SCALES[image.dtype.name]), tf.float32)
  return batch if image.ndim == 4 else batch[tf.newaxis]


def _from_batch(batch, like):
  """A batch of images in [0, 1], in the shape and type of `like`."""
  image = batch.numpy().reshape(like.shape) * _SCALES[like.dtype.name]
  return (np.round(image) if like.dtype.kind == 'u' else image).astype(like.dtype)
