"""Scenes whose motion is easily mistaken."""

import numpy as np

from eval import patterns, triplets

SCENES = {name: frames for name, *frames in patterns.scenes()}


def test_names_shapes_and_range():
  assert len(SCENES) == 30
  for frames in SCENES.values():
    for frame in frames:
      assert (frame.shape, frame.dtype) == ((patterns.HEIGHT, patterns.WIDTH, 3), np.float32)
      assert 0 <= frame.min() < frame.max() <= 1


def test_what_is_still_is_the_same_in_all_three_and_noise_spares_the_truth():
  for name, (x0, y, x1) in SCENES.items():
    if name.endswith('noise') and 'with' in name:
      np.testing.assert_array_equal(y, SCENES[name.removesuffix(' with noise')][1])
      assert 0.005 < np.abs(x0 - x1).mean() < 0.05
    elif name.startswith('still'):
      np.testing.assert_array_equal(x0, y)
      np.testing.assert_array_equal(x0, x1)


def test_what_moves_is_halfway_in_the_middle():
  for name, pattern in patterns._PATTERNS.items():
    x0, _, x1 = SCENES[f'moving {name}']
    assert np.abs(x0 - x1).mean() > 0.01
    before, still, after = (patterns._drawn(pattern, t, (4.0, 2.0), front=False) for t in (-0.5, 0.0, 0.5))
    np.testing.assert_array_equal(still, SCENES[f'still {name}'][1])
    np.testing.assert_allclose(before[:-1, :-2], still[1:, 2:], atol=1e-6)  # by whole pixels
    np.testing.assert_allclose(after[1:, 2:], still[:-1, :-2], atol=1e-6)


def test_a_disc_crosses_and_covers():
  for name in patterns._PATTERNS:
    x0, y, x1 = SCENES[f'disc before still {name}']
    behind = SCENES[f'still {name}'][1]
    covered = [np.abs(frame - behind).max(axis=-1) > 0.02 for frame in (x0, y, x1)]
    columns = [np.argwhere(mask)[:, 1].mean() for mask in covered]
    np.testing.assert_allclose(np.diff(columns), patterns._THING[0] / 2, atol=1.0)


def test_they_are_a_source_to_measure_on():
  found = list(triplets.find('patterns'))
  assert [triplet.name for triplet in found] == list(SCENES)
  np.testing.assert_array_equal(found[3].y, SCENES[found[3].name][1])
