"""VGG-19 and its losses: equal to the original's numbers, from either file that has the weights."""

import numpy as np
import pytest
import tensorflow as tf

from film_tf import keys
from film_tf.errors import UserError
from film_tf.losses import perceptual, vgg19
from film_tf.losses.losses import Loss
from tests.conftest import ROOT, compiled, eagerly, in_graph

FILTERS = (64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512, 512, 512)
GOLDEN = np.load(ROOT / 'tests' / 'golden' / 'vgg19_losses.npz')


def drawn(filters=FILTERS):
  """The weights behind the golden numbers."""
  random, inputs, weights = np.random.RandomState(19), 3, []
  for outputs in filters:
    kernel = random.normal(0, np.sqrt(2 / (9 * inputs)), (3, 3, inputs, outputs)).astype(np.float32)
    weights.append((kernel, random.normal(0, 0.01, (outputs,)).astype(np.float32)))
    inputs = outputs
  return weights


@pytest.mark.parametrize('way', [eagerly, in_graph, compiled])
def test_losses_equal_the_golden(way):
  net = vgg19.Vgg19(drawn())

  def losses(image, reference):
    prediction, batch = {keys.VGG: net(image)}, {keys.VGG: net(reference)}
    return perceptual.vgg(prediction, batch), perceptual.style(prediction, batch)

  vgg, style = way(losses, GOLDEN['image'], GOLDEN['reference'])
  np.testing.assert_allclose(vgg, GOLDEN['vgg_loss'], rtol=1e-4)
  np.testing.assert_allclose(style, GOLDEN['style_loss'], rtol=1e-4)


def test_features_equal_the_golden():
  features = vgg19.Vgg19(drawn())(GOLDEN['reference'])
  for feature, name in zip(features, ('conv1_2', 'conv2_2', 'conv3_2', 'conv4_2', 'conv5_2'), strict=True):
    expected = GOLDEN[f'reference_feature_mean_abs/{name}']
    np.testing.assert_allclose(tf.reduce_mean(tf.abs(feature)), expected, rtol=1e-4)


def test_gram_is_the_mean_of_products():
  features = np.random.default_rng(0).random((2, 3, 5, 4)).astype(np.float32)
  flat = features.reshape(2, 15, 4)
  np.testing.assert_allclose(perceptual.gram(features), flat.transpose(0, 2, 1) @ flat / 15, rtol=1e-5)


def write_mat(path, weights, order):
  """Layers as MatConvNet has them: 43, of which convolutions have `weights`, their fields in this order."""
  io = pytest.importorskip('scipy.io')
  layers, convolutions = [], iter(weights)
  for count in (2, 2, 4, 4, 4):
    for _ in range(count):
      pair = np.empty(2, object)
      pair[:] = next(convolutions, (np.zeros((3, 3, 512, 512), np.float32), np.zeros(512, np.float32)))
      fields = {'name': 'conv', 'type': 'conv', 'weights': pair, 'stride': 1.0, 'pad': 1.0}
      layers += [{key: fields[key] for key in order}, {'type': 'relu', 'name': 'relu'}]
    layers.append({'name': 'pool', 'type': 'pool', 'method': 'max', 'stride': 2.0})
  cells = np.empty((1, len(layers)), object)
  cells[0] = layers
  io.savemat(path, {'layers': cells, 'meta': {'classes': 'none'}})


@pytest.mark.parametrize(
  'order', [('name', 'type', 'weights', 'stride', 'pad'), ('weights', 'pad', 'type', 'name', 'stride')]
)
def test_matconvnets_file_is_read_by_the_names_of_its_fields(order, tmp_path):
  write_mat(tmp_path / 'vgg.mat', drawn(), order)
  net = vgg19.load(str(tmp_path / 'vgg.mat'))
  for (kernel, bias), (expected_kernel, expected_bias) in zip(net.weights, drawn(), strict=True):
    np.testing.assert_array_equal(kernel, expected_kernel)
    np.testing.assert_array_equal(bias, expected_bias)


def test_keras_weights_give_keras_features(tmp_path):
  """Keras takes BGR and pools by maxima; its own preprocessing and first block tell whether ours fits."""
  net = tf.keras.applications.VGG19(include_top=False, weights=None)
  net.save_weights(tmp_path / 'vgg.weights.h5')
  images = np.random.default_rng(0).random((1, 32, 32, 3)).astype(np.float32)
  ours = vgg19.load(str(tmp_path / 'vgg.weights.h5'))
  inputs = tf.keras.applications.vgg19.preprocess_input(255 * images)
  block = tf.keras.Model(net.input, net.get_layer('block1_conv2').output)
  np.testing.assert_allclose(ours(images)[0], block(inputs), rtol=1e-4, atol=1e-3)
  assert len(ours.weights) == 14
  np.testing.assert_array_equal(ours.weights[-1][0], net.get_layer('block5_conv2').get_weights()[0])


def test_files_that_are_no_vgg19(tmp_path):
  pytest.importorskip('scipy.io').savemat(tmp_path / 'other.mat', {'a': 1})
  (tmp_path / 'text.mat').write_text('hello')
  (tmp_path / 'text.h5').write_text('hello')
  write_mat(tmp_path / 'small.mat', drawn([8] * 14), ('name', 'weights'))
  with pytest.raises(UserError, match='its convolutions are others'):
    vgg19.load(str(tmp_path / 'small.mat'))
  for name, part in [
    ('other.mat', 'it has no layers'),
    ('text.mat', 'not the VGG-19'),
    ('text.h5', "not Keras' VGG-19"),
  ]:
    with pytest.raises(UserError, match=part):
      vgg19.load(str(tmp_path / name))
  with pytest.raises(UserError, match=r'vgg19.file is .*none.mat, which is no file; get .* from https://'):
    vgg19.load(str(tmp_path / 'none.mat'))


def test_features_are_computed_once_for_both_losses(monkeypatch):
  calls = []

  class Counted(vgg19.Vgg19):
    def __call__(self, images):
      calls.append(images)
      return super().__call__(images)

  monkeypatch.setattr(vgg19, 'load', lambda: Counted(drawn()))
  prediction, batch = {'image': GOLDEN['image']}, {'y': GOLDEN['reference']}
  total, logs = Loss({'l1': 1.0, 'vgg': {0: 1.0, 10: 0.25}, 'style': {0: 0.0, 10: 40.0}})(prediction, batch, 10)
  assert len(calls) == 2
  l1 = np.abs(GOLDEN['image'] - GOLDEN['reference']).mean()
  np.testing.assert_allclose(total, l1 + 0.25 * GOLDEN['vgg_loss'] + 40 * GOLDEN['style_loss'], rtol=1e-4)
  assert float(logs['weight/vgg']) == 0.25
