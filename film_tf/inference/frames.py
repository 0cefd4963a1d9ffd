"""Frames from and to image files."""

import dataclasses
import os
from collections.abc import Iterable

import numpy as np
import PIL
import tensorflow as tf
from PIL import ExifTags, Image, ImageOps

from film_tf import files
from film_tf.errors import UserError

FORMATS = {'.png': 'PNG', '.jpg': 'JPEG', '.jpeg': 'JPEG', '.webp': 'WEBP'}  # stills that we write
_QUALITY = {'JPEG': {'quality': 95, 'subsampling': 0}, 'WEBP': {'quality': 95}, 'PNG': {}}


@dataclasses.dataclass(frozen=True)
class Frame:
  """An image as it came from a file."""

  pixels: np.ndarray  # [H, W, 3] uint8 or uint16 RGB, upright
  icc_profile: bytes | None = None  # what its colours mean, where the file says it


def read(path: str | os.PathLike) -> Frame:
  """Reads an image: any that Pillow reads, and 16-bit PNG at full depth.

  Grey, palette and CMYK images become RGB, all but PNG at 8 bits; an EXIF rotation is applied.

  Raises:
    UserError: the file is missing or no image, is transparent somewhere, or has more than one frame.
  """
  path = os.fspath(path)
  try:
    with Image.open(path) as image:
      if getattr(image, 'n_frames', 1) > 1:
        raise UserError(f'{path} has {image.n_frames} frames; expected a still image')
      bits = _png_bits(path) if image.format == 'PNG' else 8
      if bits == 16 and image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        raise UserError(f'{path} has 16 bits and is rotated by EXIF, which is not supported; save it upright')
      profile = image.info.get('icc_profile') if image.mode in ('RGB', 'RGBA') else None  # of RGB, not CMYK or grey
      rgb = _rgb(ImageOps.exif_transpose(image), path)
  except FileNotFoundError as error:
    raise UserError(f'no such file: {path}') from error
  except PIL.UnidentifiedImageError as error:
    raise UserError(f'{path} is not an image that can be read') from error
  except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
    if isinstance(error, UserError):
      raise
    raise UserError(f'cannot read image {path}: {files.reason(error)}') from error
  if bits == 16:  # Pillow keeps only the upper 8 bits
    return Frame(tf.io.decode_png(tf.io.read_file(path), channels=3, dtype=tf.uint16).numpy(), profile)
  return Frame(np.asarray(rgb), profile)


def write(path: str | os.PathLike, frame: Frame, overwrite: bool = False):
  """Writes a still image, in the format of its name: PNG (16-bit where the pixels are), JPEG or WebP.

  Raises:
    UserError: the name ends otherwise, the file exists, or cannot be written.
  """
  image_format = still_format(path)
  with files.whole(path, overwrite) as temporary:
    if frame.pixels.dtype == np.uint16 and image_format == 'PNG':
      tf.io.write_file(temporary, tf.io.encode_png(frame.pixels))
    else:
      image = Image.fromarray(_to_uint8(frame.pixels))
      image.save(temporary, image_format, icc_profile=frame.icc_profile, **_QUALITY[image_format])


def write_gif(path: str | os.PathLike, frames: Iterable[Frame], fps: float, overwrite: bool = False):
  """Writes an animated GIF that repeats for ever. GIF counts time in 1/100 s: `fps` is met as nearly as that allows.

  Raises:
    UserError: the file exists or cannot be written.
  """
  images = (Image.fromarray(_to_uint8(frame.pixels)) for frame in frames)
  duration = max(2, round(100 / fps)) * 10  # ms; viewers slow 1/100 s down to 1/10 s
  with files.whole(path, overwrite) as temporary:
    next(images).save(temporary, 'GIF', save_all=True, append_images=images, duration=duration, loop=0)


def still_format(path: str | os.PathLike) -> str:
  """Pillow's name of the format that the name of `path` asks for.

  Raises:
    UserError: there is none that we write.
  """
  suffix = os.path.splitext(os.fspath(path))[1].lower()
  if suffix not in FORMATS:
    raise UserError(f'cannot write {os.fspath(path)}: expected a name that ends in {", ".join([*FORMATS, ".gif"])}')
  return FORMATS[suffix]


def _rgb(image, path):
  if image.has_transparency_data and image.convert('RGBA').getextrema()[3][0] < 255:
    raise UserError(f'{path} is transparent in places, which is not supported; save it without transparency')
  if image.mode.startswith('I;16'):
    return Image.fromarray(_to_uint8(np.asarray(image).astype(np.uint16))).convert('RGB')
  if image.mode in ('I', 'F'):
    raise UserError(f'{path} has 32 bits a pixel; expected 8 or 16')
  return image.convert('RGB')


def _png_bits(path):
  with open(path, 'rb') as file:
    return file.read(25)[24]  # the bit depth in the header


def _to_uint8(pixels):
  return np.round(pixels / 257.0).astype(np.uint8) if pixels.dtype == np.uint16 else pixels
