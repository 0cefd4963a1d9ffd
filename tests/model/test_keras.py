"""FilmNet as Keras users handle a model, on Keras 2 and Keras 3."""

import numpy as np
import pytest
import tensorflow as tf

from film_tf.data import pipeline
from film_tf.data.augment import Augmentation
from film_tf.data.scenes import Scenes
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from tests import conftest


@pytest.fixture(scope='module')
def triplets():
  """Batches of four synthetic triplets, as the trainer reads them, and as Keras wants them."""
  batches = pipeline.training(pipeline.Data(), Scenes(32, 32), Augmentation(), 4, seed=0)
  return batches.take(2).map(lambda batch: (batch, batch['y'])).cache()


@pytest.mark.slow
def test_it_is_compiled_fitted_saved_and_fitted_again(triplets, tmp_path):
  net = FilmNet(conftest.SHALLOW)
  net.compile(optimizer=tf.keras.optimizers.Adam(1e-3), loss='mae', metrics=['mse'])
  history = net.fit(triplets, epochs=3, verbose=0).history
  assert history['loss'][-1] < history['loss'][0]
  loss, squared = net.evaluate(triplets, verbose=0)
  errors = [net(x)['image'].numpy() - y.numpy() for x, y in triplets]
  np.testing.assert_allclose(loss, np.mean(np.abs(errors)), rtol=1e-4)
  np.testing.assert_allclose(squared, np.mean(np.square(errors)), rtol=1e-4)

  net.save(tmp_path / 'net.keras')
  loaded = tf.keras.models.load_model(tmp_path / 'net.keras')
  before = {name: variable.numpy() for name, variable in weights.named(net).items()}
  for model in (net, loaded):  # with Adam's averages too, or they would part
    model.fit(triplets, verbose=0)
  changed = 0
  for name, variable in weights.named(net).items():
    np.testing.assert_allclose(weights.named(loaded)[name].numpy(), variable.numpy(), rtol=1e-4, atol=1e-6)
    changed += not np.array_equal(variable.numpy(), before[name])
  assert changed > len(before) / 2


def test_its_summary_has_each_part_and_its_weights(tiny):
  lines = []
  tiny.summary(print_fn=lambda line, **_: lines.append(line))
  text = '\n'.join(lines)
  for part, count in [('feature_pyramid', '1,140'), ('flow_pyramid', '1,192'), ('fusion_decoder', '1,507')]:
    line = next(line for line in text.splitlines() if part in line)
    assert count in line or count.replace(',', '') in line
  assert '3,839' in text or '3839' in text


def test_a_clone_has_the_same_sizes_and_weights_of_its_own(tiny, images):
  clone = tf.keras.models.clone_model(tiny)
  assert isinstance(clone, FilmNet)
  assert clone.options == tiny.options
  clone.set_weights(tiny.get_weights())
  np.testing.assert_array_equal(clone(images)['image'], tiny(images)['image'])
  clone.fusion_decoder.rgb.bias.assign([9.0, 9.0, 9.0])
  assert not np.any(tiny.fusion_decoder.rgb.bias.numpy() == 9.0)
