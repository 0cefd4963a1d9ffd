"""Describes what a video's frames look like, in FFmpeg's numbers and names."""

import dataclasses
from fractions import Fraction
from typing import Any, cast

import numpy as np

from film_tf.streams.hdr import HdrMetadata

try:
  import av  # an extra
except ImportError:
  av = cast(Any, None)

FULL_RANGE = 2  # FFmpeg's number of the range of RGB
_OUTSIDE = 0.001  # share of a frame's pixels outside of the range that its video says, of which a person should know


@dataclasses.dataclass(frozen=True)
class VideoFormat:
  """What a video's frames look like."""

  width: int  # pixels, as coded: before rotation and aspect ratio
  height: int
  bits: int = 8  # of a colour: 8, or 16 for the 10, 12 or 16 of a file
  pixel_format: str = 'yuv420p'  # FFmpeg's name
  colour: tuple[int, int, int, int] = (1, 1, 1, 1)  # FFmpeg's matrix, range, primaries, transfer; here BT.709
  rotation: int = 0  # degrees by which a player rotates it, counter-clockwise
  aspect: Fraction | None = None  # width of a pixel over its height
  hdr: HdrMetadata | None = None  # of the first frame


def has_alpha(pixel_format: str) -> bool:
  """Returns whether frames of a pixel format are transparent somewhere."""
  return pixel_format.startswith(('yuva', 'rgba', 'bgra', 'argb', 'abgr', 'gbrap', 'ya'))


def is_rgb(pixel_format: str) -> bool:
  """Returns whether a pixel format is RGB of some kind, or a palette of it."""
  return pixel_format.startswith(('rgb', 'bgr', 'gbr', 'argb', 'abgr', '0rgb', '0bgr', 'pal8', 'x2'))


def is_outside(frame) -> bool:
  """Returns whether much of a decoded frame is blacker than black or whiter than white, which RGB cuts off."""
  name, luma = frame.format.name, frame.format.components[0]
  if not name.startswith(('yuv4', 'gray')) or frame.color_range == FULL_RANGE or not 8 <= luma.bits <= 16:
    return False
  unit, kind = 2 ** (luma.bits - 8), np.uint8 if luma.bits == 8 else np.uint16
  values = np.frombuffer(frame.planes[0], kind).reshape(frame.height, -1)[:, : frame.width]
  return bool(np.count_nonzero((values < 15 * unit) | (values > 236 * unit)) > _OUTSIDE * values.size)
