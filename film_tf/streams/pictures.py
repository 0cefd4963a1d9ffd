"""Converts between arrays and FFmpeg's pictures, by the matrix and range that a video is marked with."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from film_tf.streams.video_format import FULL_RANGE, VideoFormat, av

CHROMA = 'left'  # of the pixels it is of, where it is coarser: what most videos have, and decoders take for granted
_CENTRED = ('mjpeg', 'mpeg1video')  # encoders whose decoders take it to be in the middle, always
_BT601 = 5  # FFmpeg's number of the matrix that it takes an unknown one for
_LIMITED_RANGE = 1  # likewise, of the range


def pixels(picture, video_format: VideoFormat) -> np.ndarray:
  """Returns a decoded picture as RGB `[H, W, 3]`, uint8 or uint16."""
  matrix, color_range, *_ = video_format.colour
  return picture.to_ndarray(
    format=_rgb(video_format),
    src_colorspace=_known(matrix),
    src_color_range=color_range or None,
    dst_color_range=FULL_RANGE,
    interpolation=_exact(),
  )


def chroma_of(codec: str) -> str:
  """Returns FFmpeg's name of the place of chroma that decoders take an encoder's to have."""
  return 'center' if codec in _CENTRED else CHROMA


def converter(video_format: VideoFormat, pixel_format: str, codec: str) -> Callable:
  """Returns a function that makes pictures of RGB `[H, W, 3]`, in `pixel_format`, for an encoder, `codec`."""
  matrix, color_range, *_ = video_format.colour
  rgb, graph = _rgb(video_format), av.filter.Graph()
  # swscale puts chroma into the middle, half a pixel off, where a picture does not say where it is.
  graph.link_nodes(
    graph.add_buffer(width=video_format.width, height=video_format.height, format=rgb, time_base=Fraction(1)),
    graph.add('setparams', f'chroma_location={chroma_of(codec)}'),
    graph.add('buffersink'),
  ).configure()

  def picture(pixels):
    graph.vpush(av.VideoFrame.from_ndarray(pixels, format=rgb))
    return graph.vpull().reformat(
      format=pixel_format,
      src_color_range=FULL_RANGE,
      dst_colorspace=_known(matrix),
      dst_color_range=color_range or _LIMITED_RANGE,
      interpolation=_exact(),
    )

  return picture


def _rgb(video_format):
  return 'rgb24' if video_format.bits == 8 else 'rgb48le'


def _known(matrix):
  """Returns the number of a matrix, or that of BT.601 where swscale does not know it."""
  return matrix if matrix in {space.value for space in av.video.reformatter.Colorspace} else _BT601


def _exact():
  """Returns swscale's flags to convert colours with chroma at full size, and rounded rather than cut off."""
  flags = av.video.reformatter.Interpolation
  return (flags.BICUBIC | flags.FULL_CHR_H_INT | flags.FULL_CHR_H_INP | flags.ACCURATE_RND).value
