"""`.safetensors` in ComfyUI's names, written out by hand here, and in its sizes."""

import numpy as np
import pytest

from film_tf.errors import UserError
from film_tf.exporters import formats
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from tests.model.test_film_net import load_golden

numpy_file = pytest.importorskip('safetensors.numpy', reason='needs safetensors')


def names_of_comfyui():
  """Pairs of ComfyUI's name of a convolution and ours, in the published sizes."""
  for i in range(8):
    yield f'extract.extract_sublevels.convs.{i // 2}.{i % 2}.conv', f'feature_pyramid/conv_{i}'
  for j in range(5):
    yield f'predict_flow._predictor._convs.{j}.conv', f'flow_pyramid/predictor_shared/conv_{j}'
    for s in range(3):
      yield f'predict_flow._predictors.{2 - s}._convs.{j}.conv', f'flow_pyramid/predictor_{s}/conv_{j}'
  for level in range(4):
    for c, ours in enumerate(('up', 'conv_0', 'conv_1')):
      yield f'fuse.convs.{3 - level}.{c}.conv', f'fusion_decoder/level_{level}_{ours}'
  yield 'fuse.output_conv', 'fusion_decoder/rgb'


def export(net, path, dtype='float32'):
  formats.export('safetensors', net, path, **formats.check('safetensors', str(path), dtype=dtype))


@pytest.mark.parametrize('dtype', ['float32', 'float16'])
def test_published_weights_have_comfyuis_names_and_layout(dtype, tmp_path):
  net = FilmNet()
  export(net, tmp_path / 'film.safetensors', dtype)
  arrays = numpy_file.load_file(tmp_path / 'film.safetensors')
  for there, here in names_of_comfyui():
    conv, (kernel, bias) = net.convs[here], (arrays.pop(f'{there}.{kind}') for kind in ('weight', 'bias'))
    assert kernel.dtype == bias.dtype == dtype
    np.testing.assert_array_equal(kernel, conv.kernel.numpy().transpose(3, 2, 0, 1).astype(dtype))
    np.testing.assert_array_equal(bias, conv.bias.numpy().astype(dtype))
  assert not arrays


@pytest.mark.parametrize(
  ('make', 'said'),
  [
    (lambda: weights.load('film_mini'), r'published sizes only; this network has .*bilateral_flow=True'),
    (lambda: load_golden('narrow_published')[1], r'filters=8 \(published 64\), flow_filters=\(4, 8, 16, 32\)'),
  ],
  ids=['film_mini', 'narrow'],
)
def test_other_sizes_are_refused_and_named(make, said, tmp_path):
  with pytest.raises(UserError, match=said) as error:
    export(make(), tmp_path / 'film.safetensors')
  assert '\n' not in error.value.message
  assert not list(tmp_path.iterdir())
