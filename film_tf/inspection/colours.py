"""Turns what is no picture into one: flow, features, differences; NumPy only."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_HUES = [0, 15, 21, 25, 36, 49, 55], [0, 60, 120, 180, 240, 300, 360]  # the wheel of Baker et al., IJCV 2011
_OFFSETS = np.array([0.0, 4.0, 2.0])  # of red, green and blue around a circle of six colours
_SPREAD = 2.5  # standard deviations of a principal component that are shown
_GLOW = np.array([[0, 0, 0], [70, 15, 110], [190, 50, 70], [250, 150, 30], [255, 255, 200]])  # from nothing to most
SIDES = np.array([[214, 96, 0], [0, 104, 201]])  # of A and of B
_HIDDEN = np.array([230, 0, 126])


class Size(NamedTuple):
  """How long the arrows of a flow are, in pixels."""

  mean: float
  most: float  # 95 of 100 are no longer
  largest: float


def size(flow: np.ndarray) -> Size:
  """Measures a flow `[h, w, 2]`."""
  length = np.linalg.norm(flow, axis=-1)
  return Size(float(length.mean()), float(np.quantile(length, 0.95)), float(length.max()))


def of_flow(flow: np.ndarray, radius: float) -> np.ndarray:
  """Draws a flow in the usual colours: hue is direction, white is rest.

  Args:
    flow: `[h, w, 2]`, (dx, dy).
    radius: the length that has the full colour; longer arrows are darker.

  Returns:
    `[h, w, 3]` uint8.
  """
  length = np.linalg.norm(flow, axis=-1, keepdims=True) / radius
  around = np.arctan2(-flow[..., 1:], -flow[..., :1]) / np.pi  # -1 to 1, from the right by below
  hue = np.interp((around + 1.0) / 2.0 * _HUES[0][-1], *_HUES) / 60.0
  pure = np.clip(np.abs((hue + _OFFSETS) % 6.0 - 3.0) - 1.0, 0.0, 1.0)
  colour = np.where(length <= 1.0, 1.0 - length * (1.0 - pure), 0.75 * pure)
  return _uint8(255.0 * colour)


def wheel(side: int = 120) -> np.ndarray:
  """Draws the legend of `of_flow`: a disc whose rim is flow of the radius, `[side, side, 3]` uint8."""
  axis = (np.arange(side) + 0.5) / side * 2.0 - 1.0
  flow = np.stack(np.meshgrid(axis, axis), axis=-1)
  return np.where(np.linalg.norm(flow, axis=-1, keepdims=True) <= 1.0, of_flow(flow, 1.0), np.uint8(255))


def of_features(maps: Sequence[np.ndarray]) -> tuple[list[np.ndarray], float]:
  """Draws features in three colours, their first three principal components, with one basis for all maps.

  Every map counts the same in the basis, whatever its size; so the same colour means the same in each.

  Args:
    maps: `[h, w, C]` each, of the same C.

  Returns:
    `[h, w, 3]` uint8 of each map, and the share of the variance that the colours hold.
  """
  flat = [np.reshape(one, (-1, one.shape[-1])).astype(np.float64) for one in maps]
  mean = np.mean([one.mean(axis=0) for one in flat], axis=0)
  covariance = np.mean([(one - mean).T @ (one - mean) / len(one) for one in flat], axis=0)
  values, vectors = np.linalg.eigh(covariance)
  basis, variances = vectors[:, ::-1][:, :3], np.maximum(values[::-1][:3], 0.0)
  basis = basis * np.where(basis.sum(axis=0) < 0.0, -1.0, 1.0)  # a component has no sign of its own
  scale = _SPREAD * np.sqrt(variances) + 1e-12
  pictures = []
  for one, original in zip(flat, maps, strict=True):
    colour = 0.5 + 0.5 * ((one - mean) @ basis) / scale
    missing = np.full((len(colour), 3 - colour.shape[1]), 0.5)  # where there are fewer than three channels
    pictures.append(_uint8(255.0 * np.concatenate([colour, missing], 1)).reshape((*original.shape[:-1], 3)))
  return pictures, float(variances.sum() / max(values.sum(), 1e-12))


def of_amounts(amounts: np.ndarray, top: float) -> np.ndarray:
  """Draws amounts `[h, w]` from black, nothing, by red to pale yellow, `top` or more: `[h, w, 3]` uint8."""
  place = np.clip(amounts / top, 0.0, 1.0) * (len(_GLOW) - 1)
  return _uint8(np.stack([np.interp(place, range(len(_GLOW)), channel) for channel in _GLOW.T], axis=-1))


def of_sides(a: np.ndarray, b: np.ndarray, top: float) -> np.ndarray:
  """Draws two amounts `[h, w]`: orange is all of A, blue all of B, between them both, white neither; `[h, w, 3]`."""
  total = a + b
  share = np.divide(a, total, out=np.full_like(total, 0.5), where=total > 0.0)[..., np.newaxis]
  strength = np.clip(total / top, 0.0, 1.0)[..., np.newaxis]
  return _uint8(255.0 * (1.0 - strength) + strength * (share * SIDES[0] + (1.0 - share) * SIDES[1]))


def of_share(share: np.ndarray) -> np.ndarray:
  """Draws the share of A `[h, w]`, the rest being of B: orange is 1, blue is 0, grey is half; `[h, w, 3]` uint8."""
  stops = np.array([SIDES[1], [235, 235, 235], SIDES[0]])
  return _uint8(np.stack([np.interp(share, [0.0, 0.5, 1.0], channel) for channel in stops.T], axis=-1))


def marked(image: np.ndarray, where: np.ndarray) -> np.ndarray:
  """Draws an image `[h, w, 3]` in [0, 1] in pale grey, magenta where `where` `[h, w]` is true."""
  grey = 255.0 * (0.35 + 0.65 * image.clip(0.0, 1.0).mean(axis=-1, keepdims=True))
  return _uint8(np.where(where[..., np.newaxis], 0.8 * _HIDDEN + 0.2 * grey, grey))


def of_image(image: np.ndarray) -> np.ndarray:
  """Rounds an image in [0, 1], clipped to that, to uint8."""
  return _uint8(255.0 * image.clip(0.0, 1.0))


def _uint8(x):
  return np.round(np.broadcast_to(x, (*x.shape[:-1], 3))).clip(0, 255).astype(np.uint8)
