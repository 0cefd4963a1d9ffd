"""Reads and writes image files."""

import os

import numpy as np
import PIL
from PIL import ExifTags, Image, ImageOps

from film_tf import files
from film_tf.errors import UserError
from film_tf.media import names
from film_tf.media.frame import Frame

try:
  import pillow_heif  # an extra

  pillow_heif.register_heif_opener()
except ImportError:
  pillow_heif = None

_HEIF = (b'heic', b'heix', b'heim', b'heis', b'hevc', b'hevx', b'mif1', b'msf1')  # after ftyp, in the file
FORMATS = {'.png': 'PNG', '.jpg': 'JPEG', '.jpeg': 'JPEG', '.webp': 'WEBP'}  # stills that are written
QUALITY = {'JPEG': {'quality': 95, 'subsampling': 0}, 'WEBP': {'quality': 95}, 'PNG': {}}
_MAX_SIDE = {'JPEG': 65535, 'WEBP': 16383, 'GIF': 65535, 'PNG': 2**31}  # pixels that a format can hold


def read(path: str | os.PathLike) -> Frame:
  """Reads an image: any that Pillow reads, and 16-bit PNG at full depth.

  Grey, palette and CMYK images become RGB, or RGBA where they are transparent, all but PNG at 8 bits; an EXIF rotation
  is applied.

  Raises:
    UserError: the file is missing or no image, is a pipe, or has more than one frame.
  """
  path = os.fspath(path)
  files.check_no_pipe(path)
  try:
    with Image.open(path) as image:
      if (count := frames_in(image)) > 1:
        raise UserError(f'{path} has {count} frames; expected a still image')
      bits = _png_bits(path) if image.format == 'PNG' else 8
      if bits == 16 and image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        raise UserError(f'{path} has 16 bits and is rotated by EXIF, which is not supported; save it upright')
      profile = image.info.get('icc_profile') if image.mode in ('RGB', 'RGBA') else None  # of RGB, not CMYK or grey
      pixels = colours(ImageOps.exif_transpose(image), path)
      if bits == 16:
        pixels = _read_16_bits(path, pixels.shape[-1])
  except FileNotFoundError as error:
    raise UserError(f'no such file: {path}') from error
  except PIL.UnidentifiedImageError as error:
    if pillow_heif is None and _is_heif(path):
      raise UserError(f'{path} is HEIC, which needs pillow-heif; pip install pillow-heif') from error
    raise UserError(f'{path} is not an image that can be read') from error
  except (UserError, MemoryError):
    raise
  except Exception as error:  # decoders, and readers of EXIF, raise many kinds
    raise UserError(f'cannot read image {path}: {files.reason(error)}') from error
  return Frame(pixels, icc_profile=profile)


def write(path: str | os.PathLike, frame: Frame, overwrite: bool = False):
  """Writes a still image in the format of its name: PNG (16-bit where the pixels are), JPEG or WebP.

  Raises:
    UserError: the name ends otherwise, the file exists or cannot be written, or the format cannot hold the image.
  """
  image_format = names.format_of(path, FORMATS)
  check(path, image_format, frame.pixels.shape)
  with files.atomic_write(path, overwrite) as temporary:
    if frame.pixels.dtype == np.uint16 and image_format == 'PNG':
      _write_16_bits(temporary, frame.pixels)
    else:
      image = Image.fromarray(to_uint8(frame.pixels))
      image.save(temporary, image_format, icc_profile=frame.icc_profile, **QUALITY[image_format])


def check(path: str | os.PathLike, image_format: str, shape: tuple[int, ...]):
  """Raises where a format cannot hold an image `[H, W, 3 or 4]`, before the long work that makes it.

  Raises:
    UserError: as said; `path` is for the message.
  """
  height, width, channels = shape
  if channels == 4 and image_format == 'JPEG':
    raise UserError(f'{os.fspath(path)} is JPEG, which holds no transparency; choose .png or .webp')
  most = _MAX_SIDE[image_format]
  if max(height, width) > most:
    raise UserError(f'{os.fspath(path)}: {width}x{height} pixels are more than {image_format} holds, {most} either way')


def colours(image: Image.Image, path: str) -> np.ndarray:
  """Returns an image's pixels: `[H, W, 3]` uint8 RGB, or `[H, W, 4]` RGBA where it is transparent somewhere.

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


def frames_in(image: Image.Image) -> int:
  """Returns how many frames an image has; one where the others are a telephone's: depth, or brightness (MPO)."""
  return 1 if image.format == 'MPO' else getattr(image, 'n_frames', 1)


def with_alpha(pixels: np.ndarray) -> np.ndarray:
  """Returns RGBA: RGB becomes opaque, RGBA stays."""
  if pixels.shape[-1] == 4:
    return pixels
  opaque = np.full((*pixels.shape[:-1], 1), np.iinfo(pixels.dtype).max, pixels.dtype)
  return np.concatenate([pixels, opaque], axis=-1)


def to_uint8(pixels: np.ndarray) -> np.ndarray:
  """Rounds uint16 to 8 bits; uint8 stays."""
  return np.round(pixels / 257.0).astype(np.uint8) if pixels.dtype == np.uint16 else pixels


def _is_heif(path):
  with open(path, 'rb') as file:
    head = file.read(12)
  return head[4:8] == b'ftyp' and head[8:] in _HEIF


def _png_bits(path):
  """Returns the bit depth that a PNG's header gives."""
  with open(path, 'rb') as file:
    return file.read(25)[24]


# Pillow keeps only the upper 8 of 16 bits. TensorFlow, which is there anyway and is loaded for such images alone, keeps
# all.
def _read_16_bits(path, channels):
  import tensorflow as tf

  return tf.io.decode_png(tf.io.read_file(path), channels=channels, dtype=tf.uint16).numpy()


def _write_16_bits(path, pixels):
  import tensorflow as tf

  tf.io.write_file(path, tf.io.encode_png(pixels))
