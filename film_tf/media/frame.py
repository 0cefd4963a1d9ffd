"""Defines a frame: an image and when it is shown."""

import dataclasses
from fractions import Fraction

import numpy as np


@dataclasses.dataclass(frozen=True)
class Position:
  """How far an output is: `count` frames have been made from the input's frame at `time` on."""

  time: Fraction | None = None  # seconds; None is the very first
  count: int = 0


@dataclasses.dataclass(frozen=True)
class Frame:
  """An image of a photograph, an animation or a video, upright unless its video says how to rotate it."""

  pixels: np.ndarray  # [H, W, 3] RGB, or [H, W, 4] RGBA with colours not premultiplied; uint8 or uint16
  time: Fraction = Fraction(0)  # seconds at which it is shown
  duration: Fraction = Fraction(0)  # seconds; only that of the last frame counts, others end where the next begins
  icc_profile: bytes | None = None  # what its colours mean, where its file says it
  made: bool = False  # by the network
  timing_error: Fraction = Fraction(0)  # seconds between the time asked for and the time it shows
  position: Position = Position()  # from which to go on after it
  lost: tuple[Fraction, ...] = ()  # seconds at which frames before it should have been, that are damaged
