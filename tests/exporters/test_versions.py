"""A SavedModel made with one TensorFlow runs with another, with the code that runs FILM's released models."""

import subprocess

import numpy as np
import pytest
import tensorflow as tf

from film_tf.exporters import saved_model
from tests import conftest

OTHER = '.venv' if tf.__version__.startswith('2.15') else '.venv-addons'  # of the two that `make test` makes
PYTHON = conftest.ROOT / OTHER / 'bin' / 'python'
THERE = """
import sys
import numpy as np
import tensorflow as tf
from film_tf.exporters import saved_model
from tests import conftest

assert tf.__version__ != sys.argv[1]
model = tf.saved_model.load('ours')
np.save('image.npy', model(dict(np.load('batch.npz')), training=False)['image'])
saved_model.export(conftest.tiny_network(), 'theirs')
"""


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON.exists(), reason=f'there is no {OTHER} with the other TensorFlow; make test makes it')
def test_it_runs_with_the_other_tensorflow_and_that_ones_here(tiny, images, tmp_path):
  saved_model.export(tiny, tmp_path / 'ours')
  np.savez(tmp_path / 'batch.npz', **images)
  environment = {'PYTHONPATH': str(conftest.ROOT), 'TF_CPP_MIN_LOG_LEVEL': '3'}
  words = [PYTHON, '-c', THERE, tf.__version__]
  result = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
  assert result.returncode == 0, result.stderr
  theirs = tf.saved_model.load(str(tmp_path / 'theirs'))(images, training=False)['image']
  for image in (np.load(tmp_path / 'image.npy'), theirs):
    np.testing.assert_allclose(image, tiny(images)['image'], rtol=1e-4, atol=1e-4)
