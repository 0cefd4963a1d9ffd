"""The one way through the house, by its commands, as real processes: train, export, interpolate."""

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT, run
from tests.training.runs import words


@pytest.mark.slow
def test_train_export_interpolate(tmp_path):
  """What was trained makes the same frame as weights, as the SavedModel of the run, and as one that was exported."""
  commands = [
    words(tmp_path / 'run', 'train.steps = 5'),
    ['film_tf.export', '--model=run/film.npz', '--output=saved'],
    *(
      ['film_tf.interpolate', f'--model={model}', f'--output={name}.png', *precision, *photographs()]
      for name, model, *precision in (
        ('a', 'run/film.npz', '--precision=float32'),
        ('b', 'run/saved_model'),
        ('c', 'saved'),
      )
    ),
  ]
  for command in commands:
    result = run('-m', *command, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert 'Traceback' not in result.stderr
  a, b, c = (np.asarray(Image.open(tmp_path / f'{name}.png')).astype(int) for name in 'abc')
  assert a.shape == np.asarray(Image.open(photographs()[0])).shape
  np.testing.assert_allclose(b, a, atol=1)
  np.testing.assert_allclose(c, a, atol=1)


def photographs():
  return [str(ROOT / 'eval' / 'samples' / f'cat_{number}.png') for number in (0, 1)]
