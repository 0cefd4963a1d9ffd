"""The motion estimate: exact for shifts, near the truth for scenes, and sure of what is not the same scene."""

import numpy as np
import pytest
import tensorflow as tf

from film_tf.data import motion, scenes, synthetic
from tests.conftest import compiled


def texture(height, width, seed=0, cell=8):
  coarse = np.random.default_rng(seed).random((1, height // cell, width // cell, 3), np.float32)
  return tf.image.resize(coarse, (height, width), 'bicubic').numpy()[0].clip(0, 1)


@pytest.mark.parametrize(('height', 'width', 'shift'), [(64, 64, (3, -2)), (130, 200, (12, 8)), (256, 256, (0, 0))])
def test_a_shift_is_found(height, width, shift, way):
  big = texture(height + 64, width + 64)
  dx, dy = shift
  x0 = big[32 : 32 + height, 32 : 32 + width]
  x1 = big[32 - dy : 32 - dy + height, 32 - dx : 32 - dx + width]
  moved, lost = way(motion.match, x0, x1)
  inside = lost.numpy() < 0.1  # the rest has left the image
  assert inside.mean() >= 0.5
  np.testing.assert_allclose(np.median(moved.numpy()[inside], axis=0), shift, atol=0.3)
  mean, largest, _ = way(motion.measure, x0, x1)
  np.testing.assert_allclose([mean, largest], np.hypot(dx, dy), atol=0.7)


def test_half_a_pixel_of_the_small_copy_is_seen():
  big = texture(320, 320, cell=32)
  moved, lost = motion.match(big[32:288, 32:288], big[32:288, 30:286])  # 2 pixels, of which 4 make one
  np.testing.assert_allclose(np.median(moved.numpy()[lost.numpy() < 0.25], axis=0), (2, 0), atol=0.3)


def test_scenes_move_as_far_as_their_flow_says():
  estimates, truths = [], []
  for scene in synthetic.triplets(scenes.Scenes(256, 256, 3, 32.0), seed=3).take(24):
    estimates.append(motion.measure(scene['x0'], scene['x1'])[:2])
    length = np.linalg.norm(scene['forward_flow'], axis=-1)
    truths.append((length.mean(), length.max()))
  estimates, truths = np.array(estimates), np.array(truths)
  assert np.median(np.abs(estimates - truths), axis=0) == pytest.approx([0, 0], abs=2.0)
  assert np.corrcoef(estimates[:, 0], truths[:, 0])[0, 1] > 0.8


def test_another_scene_is_lost_and_nothing_is_not():
  a, b = texture(256, 256, 1), texture(256, 256, 2)
  assert motion.measure(a, b).lost > 0.85
  assert motion.measure(a, a).lost < 0.01
  flat = np.full((64, 64, 3), 0.5, np.float32)
  np.testing.assert_allclose(motion.measure(flat, flat), 0, atol=1e-6)


def test_bytes_and_floats_agree_and_xla_compiles_it():
  a, b = texture(64, 96, 1), texture(64, 96, 2)
  whole = [np.round(255 * image).astype(np.uint8) for image in (a, b)]
  fractions = [image.astype(np.float32) / 255 for image in whole]
  np.testing.assert_allclose(motion.measure(*whole), motion.measure(*fractions), atol=1e-5)
  np.testing.assert_allclose(compiled(motion.measure, *fractions), motion.measure(*fractions), atol=1e-3)
