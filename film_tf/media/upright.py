"""Turns frames upright, as their video says, and makes their pixels square."""

import numpy as np
from PIL import Image

from film_tf.streams.video_format import VideoFormat, av


def size(shape: VideoFormat) -> tuple[int, int]:
  """Returns width and height of frames that are upright and square: no side becomes shorter."""
  width, height = _square(shape)
  return (height, width) if shape.rotation % 180 else (width, height)


def upright(pixels: np.ndarray, shape: VideoFormat) -> np.ndarray:
  """Returns a frame `[H, W, C]`, uint8 or uint16, upright and of square pixels; it stays itself where it is so."""
  width, height = _square(shape)
  if (height, width) != pixels.shape[:2]:
    if pixels.dtype == np.uint8:
      pixels = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))
    else:
      frame = av.VideoFrame.from_ndarray(pixels, format='rgb48le')
      pixels = frame.reformat(width=width, height=height, interpolation='LANCZOS').to_ndarray()
  return np.ascontiguousarray(np.rot90(pixels, shape.rotation // 90)) if shape.rotation % 360 else pixels


def _square(shape):
  if not shape.aspect or shape.aspect == 1:
    return shape.width, shape.height
  if shape.aspect > 1:
    return round(shape.width * shape.aspect), shape.height
  return shape.width, round(shape.height / shape.aspect)
