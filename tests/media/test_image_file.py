"""Real files, as cameras and programs write them."""

import io
import os
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageCms

from film_tf.errors import UserError
from film_tf.media import image_file, names
from film_tf.media.frame import Frame
from film_tf.render import inputs

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
SMOOTH = np.asarray(Image.fromarray(PIXELS[::8, ::8]).resize((30, 20)))
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()


def save(path, image, **kwargs):
  image.save(path, **kwargs)
  return path


@pytest.mark.parametrize(('name', 'most'), [('a.png', 0), ('a.PNG', 0), ('a.jpg', 1.5), ('a.jpeg', 1.5), ('a.webp', 3)])
def test_write_then_read(name, most, tmp_path):
  image_file.write(tmp_path / name, Frame(SMOOTH, icc_profile=PROFILE))
  frame = image_file.read(tmp_path / name)
  assert np.abs(frame.pixels.astype(int) - SMOOTH).mean() <= most
  assert frame.icc_profile == PROFILE
  assert os.listdir(tmp_path) == [name]


def test_16_bit_png_keeps_16_bits(tmp_path):
  pixels = np.random.default_rng(0).integers(0, 65536, (20, 30, 3), np.uint16)
  image_file.write(tmp_path / 'a.png', Frame(pixels))
  np.testing.assert_array_equal(image_file.read(tmp_path / 'a.png').pixels, pixels)


def test_16_bit_as_jpeg_is_rounded_to_8(tmp_path):
  image_file.write(tmp_path / 'a.jpg', Frame(SMOOTH.astype(np.uint16) * 257))
  assert np.abs(image_file.read(tmp_path / 'a.jpg').pixels.astype(int) - SMOOTH).mean() <= 1.5


def test_16_bit_grey_png(tmp_path):
  grey = np.random.default_rng(0).integers(0, 65536, (20, 30, 1), np.uint16)
  tf.io.write_file(str(tmp_path / 'a.png'), tf.io.encode_png(grey))
  np.testing.assert_array_equal(image_file.read(tmp_path / 'a.png').pixels, grey.repeat(3, axis=-1))


def test_grey_palette_and_one_bit_become_rgb(tmp_path):
  grey = Image.fromarray(PIXELS[..., 0])
  np.testing.assert_array_equal(
    image_file.read(save(tmp_path / 'l.png', grey)).pixels, PIXELS[..., :1].repeat(3, axis=-1)
  )
  palette = Image.fromarray(PIXELS).quantize(16)
  rgb = np.asarray(palette.convert('RGB'))
  np.testing.assert_array_equal(image_file.read(save(tmp_path / 'p.png', palette)).pixels, rgb)
  assert set(np.unique(image_file.read(save(tmp_path / 'b.png', grey.convert('1'))).pixels)) == {0, 255}


def test_cmyk_jpeg_becomes_rgb(tmp_path):
  path = save(tmp_path / 'a.jpg', Image.fromarray(SMOOTH).convert('CMYK'), quality=100)
  assert np.abs(image_file.read(path).pixels.astype(int) - SMOOTH).mean() < 3


@pytest.mark.parametrize('orientation', range(1, 9))
def test_exif_rotation_is_applied(orientation, tmp_path):
  exif = Image.Exif()
  exif[0x0112] = orientation
  frame = image_file.read(save(tmp_path / 'a.png', Image.fromarray(PIXELS), exif=exif))
  turned = {1: PIXELS, 2: PIXELS[:, ::-1], 3: PIXELS[::-1, ::-1], 4: PIXELS[::-1], 5: PIXELS.transpose(1, 0, 2),
            6: np.rot90(PIXELS, -1), 7: np.rot90(PIXELS.transpose(1, 0, 2), 2), 8: np.rot90(PIXELS)}  # fmt: skip
  np.testing.assert_array_equal(frame.pixels, turned[orientation])


def test_exif_of_a_wrong_type_is_told(tmp_path):
  entries = struct.pack('>HHIHHHHIHH', 0x0112, 3, 1, 6, 0, 0x011A, 1, 1, 5, 0)  # orientation, a resolution in bytes
  exif = b'Exif\0\0MM\0*' + struct.pack('>IH', 8, 2) + entries + bytes(4)
  Image.new('RGB', (8, 6)).save(tmp_path / 'a.jpg', exif=exif)
  with pytest.raises(UserError, match=r'cannot read image .*a\.jpg'):
    image_file.read(tmp_path / 'a.jpg')


def test_a_telephones_second_picture_is_left_out(tmp_path):
  """Photographs of portraits and HDR are JPEG files with another picture behind, of depth or of brightness."""
  path = tmp_path / 'portrait.jpg'
  photo, depth = (Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (50, 200))
  photo.save(path, 'MPO', save_all=True, append_images=[depth])
  with Image.open(path) as image:
    assert image.n_frames == 2
  np.testing.assert_array_equal(image_file.read(path).pixels, 50)
  assert inputs.find([path, path])[0].kind == 'images'


def test_opaque_alpha_is_dropped_and_transparency_kept(tmp_path):
  rgba = np.dstack([PIXELS, np.full((20, 30), 255, np.uint8)])
  np.testing.assert_array_equal(image_file.read(save(tmp_path / 'a.png', Image.fromarray(rgba))).pixels, PIXELS)
  rgba[3, 4, 3] = 254
  for name in ('b.png', 'b.webp'):
    path = save(tmp_path / name, Image.fromarray(rgba), lossless=True)
    np.testing.assert_array_equal(image_file.read(path).pixels, rgba)
  image_file.write(tmp_path / 'c.png', Frame(rgba))
  np.testing.assert_array_equal(image_file.read(tmp_path / 'c.png').pixels, rgba)
  with pytest.raises(UserError, match=r'c.jpg is JPEG'):
    image_file.write(tmp_path / 'c.jpg', Frame(rgba))


def test_16_bit_transparency(tmp_path):
  rgba = np.random.default_rng(0).integers(0, 65536, (20, 30, 4), np.uint16)
  image_file.write(tmp_path / 'a.png', Frame(rgba))
  np.testing.assert_array_equal(image_file.read(tmp_path / 'a.png').pixels, rgba)
  opaque = image_file.with_alpha(rgba[..., :3])
  assert (opaque[..., 3] == 65535).all()
  assert image_file.with_alpha(opaque) is opaque


def test_one_pixel(tmp_path):
  assert image_file.read(save(tmp_path / 'a.png', Image.fromarray(PIXELS[:1, :1]))).pixels.shape == (1, 1, 3)


def _animation(path):
  Image.fromarray(PIXELS).save(path, 'GIF', save_all=True, append_images=[Image.fromarray(PIXELS[::-1])])


def _truncated(path):
  file = io.BytesIO()
  Image.fromarray(PIXELS).save(file, 'PNG')
  path.write_bytes(file.getvalue()[: len(file.getvalue()) // 2])


@pytest.mark.parametrize(
  ('make', 'part'),
  [
    (lambda p: None, 'no such file'),
    (lambda p: p.touch(), 'not an image'),
    (lambda p: p.write_text('text'), 'not an image'),
    (lambda p: p.mkdir(), 'directory'),
    (_truncated, 'cannot read'),
    (_animation, '2 frames'),
    (lambda p: Image.fromarray(np.zeros((2, 2), np.float32)).save(p, 'TIFF'), '32 bits'),
  ],
  ids=['missing', 'empty', 'text', 'folder', 'truncated', 'animation', 'float'],
)
def test_what_is_no_still_image_is_named(make, part, tmp_path):
  path = tmp_path / 'a.png'
  make(path)
  with pytest.raises(UserError, match=part) as error:
    image_file.read(path)
  assert str(path) in error.value.message
  assert '\n' not in error.value.message


def test_existing_files_are_kept(tmp_path):
  path = tmp_path / 'a.png'
  path.write_text('mine')
  with pytest.raises(UserError, match='exists'):
    image_file.write(path, Frame(PIXELS))
  assert path.read_text() == 'mine'
  image_file.write(path, Frame(PIXELS), overwrite=True)
  np.testing.assert_array_equal(image_file.read(path).pixels, PIXELS)


def test_a_failed_write_leaves_nothing(tmp_path):
  with pytest.raises(UserError, match='2x20000 pixels are more than WEBP holds, 16383'):
    image_file.write(tmp_path / 'a.webp', Frame(np.zeros((20000, 2, 3), np.uint8)))
  assert not list(tmp_path.iterdir())


def test_unknown_formats_are_refused():
  with pytest.raises(UserError, match=r'\.webp'):
    names.format_of('a.bmp', image_file.FORMATS)


def test_heic_is_known_by_its_content(tmp_path):
  heif = pytest.importorskip('pillow_heif', reason='needs pillow-heif')
  heif.from_pillow(Image.fromarray(np.full((64, 64, 3), 100, np.uint8))).save(tmp_path / 'a.heic', format='HEIF')
  (tmp_path / 'a.heic').rename(tmp_path / 'a.png')  # as some phones and programs name them
  frame = image_file.read(tmp_path / 'a.png')
  assert frame.pixels.shape == (64, 64, 3)
  assert np.abs(frame.pixels.astype(int) - 100).max() < 4
  Image.fromarray(frame.pixels).save(tmp_path / 'b.heic', format='PNG')
  np.testing.assert_array_equal(image_file.read(tmp_path / 'b.heic').pixels, frame.pixels)


def test_heic_of_another_name_says_what_it_needs(tmp_path, monkeypatch):
  monkeypatch.setattr(image_file, 'pillow_heif', None)
  (tmp_path / 'a.jpg').write_bytes(b'\0\0\0\x18ftypheic')
  with pytest.raises(UserError, match=r'a.jpg is HEIC, which needs pillow-heif; pip install pillow-heif'):
    image_file.read(tmp_path / 'a.jpg')
