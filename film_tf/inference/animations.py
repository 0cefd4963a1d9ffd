"""Animated images, which have no sound and no rate: GIF, WebP and PNG, read and written by Pillow."""

import os
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
import PIL
from PIL import Image

from film_tf import files
from film_tf.errors import DamagedError, UserError
from film_tf.inference import frames as files_of_frames
from film_tf.inference.sequence import Frame

FORMATS = {'.gif': 'GIF', '.webp': 'WEBP'}  # that we write
_UNIT = {'GIF': Fraction(1, 100), 'WEBP': Fraction(1, 1000)}  # seconds in which they count time
_LEAST = {'GIF': 2, 'WEBP': 1}  # of these units; viewers slow 1/100 s down to 1/10 s
_UNSAID = 100  # ms that a viewer shows a frame without a duration


def length(path: str | os.PathLike) -> int:
  """How many frames an image file has; 0 where it is no image that Pillow reads, or none at all."""
  try:
    with Image.open(path) as image:
      return getattr(image, 'n_frames', 1)
  except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
    return 0


def read(path: str | os.PathLike) -> Iterator[Frame]:
  """The frames of an animated image, in order: RGB, or RGBA where one is transparent somewhere.

  Raises:
    UserError: it is damaged.
  """
  path = os.fspath(path)
  time = Fraction(0)
  try:
    with Image.open(path) as image:
      for number in range(image.n_frames):
        image.seek(number)
        image.load()
        duration = Fraction(int(image.info.get('duration') or _UNSAID), 1000)
        yield Frame(files_of_frames.colours(image, path), time, duration)
        time += duration
  except (OSError, SyntaxError, ValueError, EOFError, PIL.UnidentifiedImageError) as error:
    if isinstance(error, UserError):
      raise
    raise DamagedError(f'{path} is damaged after {float(time):.3f} s: {files.reason(error)}') from error


def write(path: str | os.PathLike, images: Iterable[np.ndarray], times: Iterable[Fraction], overwrite: bool = False):
  """Writes a GIF or WebP that repeats for ever.

  Args:
    path: a name that ends in .gif, whose times are multiples of 1/100 s, or .webp, 1/1000 s: each is met as nearly as
      that allows, none drifts.
    images: RGB or RGBA.
    times: when each is shown, in seconds from the first, and when the last ends: one more than images.
    overwrite: replace an existing file.

  Raises:
    UserError: the file exists or cannot be written.
  """
  image_format = FORMATS[os.path.splitext(path)[1].lower()]
  durations, shown = [], None
  for time in times:
    ticks = round(time / _UNIT[image_format])
    if shown is not None:
      ticks = max(ticks, shown + _LEAST[image_format])
      durations.append(int((ticks - shown) * _UNIT[image_format] * 1000))
    shown = ticks
  pictures = (Image.fromarray(files_of_frames.to_uint8(image)) for image in images)
  options = files_of_frames.QUALITY.get(image_format, {})
  with files.whole(path, overwrite) as temporary:
    first = next(pictures)
    if image_format == 'WEBP' and first.mode == 'RGBA':
      options = {'lossless': True}  # Pillow 13 loses the transparency of lossy animations
    first.save(temporary, image_format, save_all=True, append_images=pictures, duration=durations, loop=0, **options)
