import numpy as np
import pytest
import tensorflow as tf

from film_tf.model import blocks, pyramid
from tests import conftest

IMAGE = np.random.default_rng(0).random((2, 6, 10, 3), np.float32)


def test_upsample_nearest_repeats_pixels(way):
  np.testing.assert_array_equal(way(blocks.upsample_nearest, IMAGE), IMAGE.repeat(2, axis=1).repeat(2, axis=2))


def test_upsample_nearest_is_tensorflows(way):
  np.testing.assert_array_equal(way(blocks.upsample_nearest, IMAGE), tf.image.resize(IMAGE, (12, 20), 'nearest'))


def test_upsample_flow_doubles_size_and_value(way):
  ramp = np.stack(np.meshgrid(np.arange(10.0), np.arange(6.0)), axis=-1)[np.newaxis].astype(np.float32)
  out = way(pyramid.upsample_flow, ramp).numpy()
  assert out.shape == (1, 12, 20, 2)
  inner = out[0, 1:-1, 1:-1]  # there, bilinear interpolation continues the ramp
  x, y = np.meshgrid(np.arange(20.0), np.arange(12.0))
  expected = np.stack([x - 0.5, y - 0.5], axis=-1)[1:-1, 1:-1]  # 2 ((p + 1/2) / 2 - 1/2)
  np.testing.assert_allclose(inner, expected, atol=1e-5)


def test_image_pyramid_halves_by_averaging(way):
  second = way(lambda image: pyramid.image_pyramid(image, 2)[1], IMAGE)
  np.testing.assert_allclose(second, IMAGE.reshape(2, 3, 2, 5, 2, 3).mean(axis=(2, 4)), rtol=1e-6)


@pytest.mark.parametrize('multiple', [1, 4, 64])
def test_pad_to_multiple_repeats_the_border_and_crop_undoes_it(way, multiple):
  padded = way(lambda image: pyramid.pad_to_multiple(image, multiple), IMAGE).numpy()
  height, width = (-(-size // multiple) * multiple for size in (6, 10))
  expected = np.pad(IMAGE, [(0, 0), (0, height - 6), (0, width - 10), (0, 0)], 'edge')
  np.testing.assert_array_equal(padded, expected)
  np.testing.assert_array_equal(pyramid.crop([padded], tf.constant(IMAGE))[0], IMAGE)


def test_everything_compiles():
  def all_of(image):
    return blocks.upsample_nearest(image), pyramid.upsample_flow(image), pyramid.pad_to_multiple(image, 16)

  for one, other in zip(conftest.compiled(all_of, IMAGE), all_of(IMAGE), strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)
