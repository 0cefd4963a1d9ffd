"""Frames from and to image files."""

import dataclasses
import os

import numpy as np
import PIL
import tensorflow as tf
from PIL import ExifTags, Image, ImageOps

from film_tf import files
from film_tf.errors import UserError

FORMATS = {'.png': 'PNG', '.jpg': 'JPEG', '.jpeg': 'JPEG', '.webp': 'WEBP'}  # stills that we write
QUALITY = {'JPEG': {'quality': 95, 'subsampling': 0}, 'WEBP': {'quality': 95}, 'PNG': {}}


@dataclasses.dataclass(frozen=True)
class Frame:
  """An image as it came from a file."""

  pixels: np.ndarray  # [H, W, 3] RGB, or [H, W, 4] RGBA where it is transparent somewhere; uint8 or uint16, upright
  icc_profile: bytes | None = None  # what its colours mean, where the file says it


def read(path: str | os.PathLike) -> Frame:
  """Reads an image: any that Pillow reads, and 16-bit PNG at full depth.

  Grey, palette and CMYK images become RGB, or RGBA where they are transparent, all but PNG at 8 bits; an EXIF rotation
  is applied.

  Raises:
    UserError: the file is missing or no image, or has more than one frame.
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
      pixels = colours(ImageOps.exif_transpose(image), path)
  except FileNotFoundError as error:
    raise UserError(f'no such file: {path}') from error
  except PIL.UnidentifiedImageError as error:
    raise UserError(f'{path} is not an image that can be read') from error
  except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
    if isinstance(error, UserError):
      raise
    raise UserError(f'cannot read image {path}: {files.reason(error)}') from error
  if bits == 16:  # Pillow keeps only the upper 8 bits
    pixels = tf.io.decode_png(tf.io.read_file(path), channels=pixels.shape[-1], dtype=tf.uint16).numpy()
  return Frame(pixels, profile)


def write(path: str | os.PathLike, frame: Frame, overwrite: bool = False):
  """Writes a still image, in the format of its name: PNG (16-bit where the pixels are), JPEG or WebP.

  Raises:
    UserError: the name ends otherwise, the file exists, or cannot be written; or JPEG is to hold transparency.
  """
  image_format = still_format(path)
  check(path, image_format, frame.pixels.shape)
  with files.whole(path, overwrite) as temporary:
    if frame.pixels.dtype == np.uint16 and image_format == 'PNG':
      tf.io.write_file(temporary, tf.io.encode_png(frame.pixels))
    else:
      image = Image.fromarray(to_uint8(frame.pixels))
      image.save(temporary, image_format, icc_profile=frame.icc_profile, **QUALITY[image_format])


def check(path: str | os.PathLike, image_format: str, shape: tuple[int, ...]):
  """Raises where a format holds no image `[H, W, 3 or 4]`, before the long work that makes it."""
  height, width, channels = shape
  if channels == 4 and image_format == 'JPEG':
    raise UserError(f'{os.fspath(path)} is JPEG, which holds no transparency; choose .png or .webp')
  most = {'JPEG': 65535, 'WEBP': 16383, 'GIF': 65535}.get(image_format, 2**31)
  if max(height, width) > most:
    raise UserError(f'{os.fspath(path)}: {width}x{height} pixels are more than {image_format} holds, {most} either way')


def still_format(path: str | os.PathLike) -> str:
  """Pillow's name of the format that the name of `path` asks for.

  Raises:
    UserError: there is none that we write.
  """
  suffix = os.path.splitext(os.fspath(path))[1].lower()
  if suffix not in FORMATS:
    raise UserError(f'cannot write {os.fspath(path)}: expected a name that ends in {", ".join(FORMATS)}')
  return FORMATS[suffix]


def colours(image: Image.Image, path: str) -> np.ndarray:
  """An image's pixels: `[H, W, 3]` uint8 RGB, or `[H, W, 4]` RGBA where it is transparent somewhere.

  Raises:
    UserError: it has 32 bits a colour.
  """
  if image.has_transparency_data:
    rgba = np.asarray(image.convert('RGBA'))
    return rgba if rgba[..., 3].min() < 255 else rgba[..., :3]
  if image.mode.startswith('I;16'):
    image = Image.fromarray(to_uint8(np.asarray(image).astype(np.uint16)))
  if image.mode in ('I', 'F'):
    raise UserError(f'{path} has 32 bits a pixel; expected 8 or 16')
  return np.asarray(image.convert('RGB'))


def with_alpha(pixels: np.ndarray) -> np.ndarray:
  """RGBA of RGB, opaque; RGBA as it is."""
  if pixels.shape[-1] == 4:
    return pixels
  opaque = np.full((*pixels.shape[:-1], 1), np.iinfo(pixels.dtype).max, pixels.dtype)
  return np.concatenate([pixels, opaque], axis=-1)


def to_uint8(pixels: np.ndarray) -> np.ndarray:
  """8 bits of 8 or 16."""
  return np.round(pixels / 257.0).astype(np.uint8) if pixels.dtype == np.uint16 else pixels


def _png_bits(path):
  with open(path, 'rb') as file:
    return file.read(25)[24]  # the bit depth in the header
