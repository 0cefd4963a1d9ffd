import numpy as np
import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.exporters import saved_model
from tests import conftest


@pytest.fixture(scope='module')
def path(tiny, tmp_path_factory):
  path = tmp_path_factory.mktemp('exported') / 'model'
  saved_model.export(tiny, path)
  return path


@pytest.fixture(scope='module')
def model(path):
  """The model as a script of the original loads it."""
  return tf.saved_model.load(str(path))


@pytest.mark.parametrize('size', [(37, 50), (1, 1), (8, 8)])
def test_serving_signature_equals_the_network(tiny, model, size):
  batch = {**conftest.pair(2, *size), 'time': np.full((2, 1), 0.5, np.float32)}
  serve = model.signatures['serving_default']
  outputs, expected = serve(**{key: tf.constant(value) for key, value in batch.items()}), tiny(batch)
  np.testing.assert_allclose(outputs['image'], expected['image'], rtol=1e-5, atol=1e-5)
  flow = expected['backward_flow_pyramid'][1]
  np.testing.assert_allclose(outputs['backward_flow_pyramid/1'], flow, rtol=1e-4, atol=1e-4)
  assert len(outputs) == 3 + 2 * 2 + 2 * 3


@pytest.mark.parametrize('convert', [np.asarray, tf.constant])
@pytest.mark.parametrize('words', [{}, {'training': False}, {'training': True}])
def test_it_is_called_as_released_models_are(tiny, model, images, words, convert):
  outputs = model({key: convert(value) for key, value in images.items()}, **words)
  expected = tiny(images)
  assert set(outputs) == set(expected)
  np.testing.assert_allclose(outputs['image'], expected['image'], rtol=1e-5, atol=1e-5)
  flows = [flow.shape for flow in outputs['forward_flow_pyramid']]
  assert flows == [flow.shape for flow in expected['forward_flow_pyramid']]


def test_every_function_is_traced_once(tiny, tmp_path, monkeypatch):
  made, served = [], saved_model.Served
  monkeypatch.setattr(saved_model, 'Served', lambda net: made.append(served(net)) or made[0])
  saved_model.export(tiny, tmp_path / 'model')
  for name in ('features', 'flows', 'fuse', 'between', 'predict'):
    assert getattr(made[0], name).experimental_get_tracing_count() == 1, name


@pytest.mark.parametrize('dtype', ['uint8', 'float64'])
def test_inputs_of_another_type_are_told_which_is_needed(model, images, dtype):
  """Nothing is converted in silence: bytes, which reach to 255, would come out as noise."""
  wrong = {**images, 'x0': (255 * images['x0']).astype(dtype)}
  for convert in (np.asarray, tf.constant):
    inputs = {key: convert(value) for key, value in wrong.items()}
    with pytest.raises(ValueError, match=rf"(?s)Got:.*dtype={dtype}.*Expected.*'x0': TensorSpec.*dtype=tf.float32"):
      model(inputs, training=False)
  with pytest.raises((TypeError, tf.errors.InvalidArgumentError), match='expected to be a float tensor'):
    model.signatures['serving_default'](**{key: tf.constant(value) for key, value in wrong.items()})


def test_features_and_between_equal_the_network(tiny, path, images):
  model = saved_model.load(path)
  features = [model.features(images[key]) for key in ('x0', 'x1')]
  image = model.between(*features, tf.constant(images['time']))['image']
  np.testing.assert_allclose(image, tiny(images)['image'], rtol=1e-5, atol=1e-5)


def test_it_needs_no_film_tf(path):
  """A process that cannot import the package runs the model."""
  script = (
    'import sys; sys.modules["film_tf"] = None\n'
    'import tensorflow as tf\n'
    'f = tf.saved_model.load("model").signatures["serving_default"]\n'
    'x = tf.zeros((1, 9, 7, 3))\n'
    'print(f(x0=x, x1=x, time=tf.fill((1, 1), 0.5))["image"].shape)\n'
  )
  result = conftest.run('-c', script, cwd=path.parent)
  assert result.stdout.strip() == '(1, 9, 7, 3)', result.stderr


def test_what_exists_is_kept(tiny, path):
  before = sorted(path.rglob('*'))
  with pytest.raises(UserError, match='exists'):
    saved_model.export(tiny, path)
  assert sorted(path.rglob('*')) == before
  saved_model.export(tiny, path, overwrite=True)
  saved_model.load(path)
  assert list(path.parent.iterdir()) == [path]


def test_what_is_no_model_is_named(tmp_path):
  with pytest.raises(UserError, match='nothing'):
    saved_model.load(tmp_path / 'nothing')
  tf.saved_model.save(tf.Module(), str(tmp_path / 'other'))
  with pytest.raises(UserError, match='not one that film_tf exported'):
    saved_model.load(tmp_path / 'other')
