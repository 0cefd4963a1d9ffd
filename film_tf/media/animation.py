"""Reads and writes animated images, which have neither sound nor a rate: GIF, WebP and PNG, by Pillow."""

import os
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np
import PIL
from PIL import Image

from film_tf import files
from film_tf.errors import DamagedError, UserError
from film_tf.media import image_file, names
from film_tf.media.frame import Frame

FORMATS = {'.gif': 'GIF', '.webp': 'WEBP'}  # animations that are written
_TICK = {'GIF': Fraction(1, 100), 'WEBP': Fraction(1, 1000)}  # seconds of which their times are multiples
_MIN_TICKS = {'GIF': 2, 'WEBP': 1}  # for a frame; viewers slow 1/100 s down to 1/10 s
MAX_RATE = {'GIF': 50, 'WEBP': 1000}  # frames a second
_DEFAULT_DURATION = 100  # ms for which viewers show a frame that gives no duration


def length(path: str | os.PathLike) -> int:
  """Returns the number of frames in an image file; 0 where Pillow cannot read it."""
  try:
    with Image.open(path) as image:
      return image_file.frames_in(image)
  except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
    return 0


def repeats(path: str | os.PathLike) -> int | None:
  """Returns how often an animated image is shown again; 0 is for ever, None not at all."""
  with Image.open(path) as image:
    loop = image.info.get('loop')
    if image.format in ('WEBP', 'PNG') and loop:  # they count how often it is shown, GIF how often again
      loop = loop - 1 or None
    return loop


def read(path: str | os.PathLike) -> Iterator[Frame]:
  """Yields the frames of an animated image in order: RGB, or RGBA where one is transparent somewhere.

  Raises:
    DamagedError: it cannot be read to its end.
  """
  path = os.fspath(path)
  time = Fraction(0)
  try:
    with Image.open(path) as image:
      for number in range(getattr(image, 'n_frames', 1)):
        image.seek(number)
        image.load()
        duration = Fraction(int(image.info.get('duration') or _DEFAULT_DURATION), 1000)
        yield Frame(image_file.colours(image, path), time, duration)
        time += duration
  except (OSError, SyntaxError, ValueError, EOFError, PIL.UnidentifiedImageError) as error:
    if isinstance(error, UserError):
      raise
    raise DamagedError(f'{path} is damaged after {float(time):.3f} s: {files.reason(error)}') from error


def write(
  path: str | os.PathLike,
  images: Iterable[np.ndarray],
  times: Sequence[Fraction],
  overwrite: bool = False,
  repeats: int | None = 0,
) -> int:
  """Writes a GIF or WebP.

  Args:
    path: a name that ends in .gif, whose times are multiples of 1/100 s, or .webp, 1/1000 s. Each time is rounded to
      the nearest multiple, so that nothing drifts; images that come faster than the format shows them are left out.
    images: RGB or RGBA.
    times: when each is shown, in seconds from the first, and when the last ends: one more than images.
    overwrite: replace an existing file.
    repeats: how often it is shown again; 0 is for ever, None not at all.

  Returns:
    How many images are left out.

  Raises:
    UserError: the file exists or cannot be written.
  """
  image_format = names.format_of(path, FORMATS)
  tick, least = _TICK[image_format], _MIN_TICKS[image_format]
  ticks = [round(time / tick) for time in times]
  shown = _shown(ticks, least)
  begins = [*shown.values()]
  ends = [*begins[1:], max(ticks[-1], begins[-1] + least)]
  durations = [int((end - begin) * tick * 1000) for begin, end in zip(begins, ends, strict=True)]
  pictures = (Image.fromarray(image_file.to_uint8(image)) for number, image in enumerate(images) if number in shown)
  options = dict(image_file.QUALITY.get(image_format, {}))
  if image_format == 'WEBP':
    options['loop'] = 0 if repeats == 0 else (repeats or 0) + 1
  elif repeats is not None:
    options['loop'] = repeats
  with files.atomic_write(path, overwrite) as temporary:
    first = next(pictures)
    if image_format == 'WEBP' and first.mode == 'RGBA':
      options['lossless'] = True  # Pillow 13 loses the transparency of lossy animations
    if image_format == 'GIF' and first.mode == 'RGBA':
      options['disposal'] = 2  # or what was there shines through where the next image is transparent
    first.save(temporary, image_format, save_all=True, append_images=pictures, duration=durations, **options)
  return len(times) - 1 - len(shown)


def _shown(ticks, least):
  """Returns the ticks of the images that are shown, by number: each at least so long after the one before."""
  shown, last = {}, None
  for number, tick in enumerate(ticks[:-1]):
    if last is None or (tick - last >= least and ticks[-1] - tick >= least):
      shown[number] = last = tick
  return shown
