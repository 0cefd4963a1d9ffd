"""FILM's weights, wherever they come from, are the network that they were."""

import dataclasses

import numpy as np
import pytest

from film_tf.errors import UserError
from film_tf.exporters import saved_model
from film_tf.importers import names, network
from film_tf.inference.interpolator import Interpolator
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.training import checkpoints
from tests import conftest
from tests.conftest import ROOT
from tests.importers import weights_files
from tests.model.test_film_net import GOLDEN, load_golden

FILES = ROOT / 'tests' / 'data_files'
SHARED = ROOT.parent / 'shared' / 'golden'


def assert_makes_the_golden(net, golden):
  image = net({key: golden[f'inputs/{key}'] for key in ('x0', 'x1', 'time')})['image']
  reference = golden['outputs/image']
  assert np.linalg.norm(image - reference) <= 1e-5 * np.linalg.norm(reference)


WAYS = {
  'SavedModel': lambda net, folder: weights_files.saved_model(net, folder / 'saved'),
  'checkpoint': lambda net, folder: weights_files.checkpoint(net, folder),
  'data of a checkpoint': lambda net, folder: f'{weights_files.checkpoint(net, folder)}.data-00000-of-00001',
  'folder of checkpoints': lambda net, folder: weights_files.checkpoint(net, folder) and folder,
  'safetensors': lambda net, folder: weights_files.comfyui(net, folder / 'film.safetensors'),
  'another suffix': lambda net, folder: weights_files.comfyui(net, folder / 'film.bin'),
}


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('name', GOLDEN)
def test_the_golden_comes_from_every_kind(name, way, tmp_path):
  _, net = load_golden(name)  # whose sizes and weights make the golden outputs, as `test_film_net` says
  source = WAYS[way](net, tmp_path)
  again = network.load(source, pyramid_levels=net.options.pyramid_levels)
  assert again.options == net.options
  for name, value in weights.named(net).items():
    np.testing.assert_array_equal(weights.named(again)[name], value, err_msg=name)


@pytest.mark.parametrize('path', ['film_narrow_saved_model', 'film_narrow_checkpoint', 'film_narrow_checkpoint/ckpt-1'])
def test_the_originals_own_files(path):
  if not SHARED.exists():
    pytest.skip(f"the original's files are not here: {SHARED}")
  golden, net = load_golden('narrow_published')
  again = network.load(SHARED / path)
  assert again.options == net.options
  assert_makes_the_golden(again, golden)


def test_what_film_tf_exported_comes_back(tmp_path):
  """Sizes that shapes do not tell, too; not those that an earlier film_tf exported without them."""
  options = dataclasses.replace(conftest.TINY, bilateral_flow=True, propagation=True, use_aux_outputs=False)
  net = FilmNet(options)
  saved_model.export(net, tmp_path / 'saved')
  again = network.load(tmp_path / 'saved')
  assert again.options == options
  for name, value in weights.named(net).items():
    np.testing.assert_array_equal(weights.named(again)[name], value, err_msg=name)
  sizes = tmp_path / 'saved' / 'assets.extra' / 'film_tf.json'
  for text, told in [('{', 'cannot read the sizes'), ('[]', 'options that this version'), (None, 'earlier film_tf')]:
    sizes.write_text(text) if text else sizes.unlink()
    with pytest.raises(UserError, match=told):
      network.load(tmp_path / 'saved')


def test_the_golden_comes_from_a_file_of_pytorch():
  golden, net = load_golden('shallow')
  again = network.load(FILES / 'shallow_state_dict.pt', pyramid_levels=4)
  assert again.options == net.options
  assert_makes_the_golden(again, golden)


@pytest.mark.parametrize(
  ('file', 'tolerance'),
  [
    ('tiny_state_dict.pt', 0),
    ('tiny_parameters.pth', 0),
    ('tiny_bfloat16.pt', 2**-8),
    ('tiny_torchscript_fp16.pt', 2**-8),
  ],
)
def test_files_that_pytorch_wrote(file, tolerance, tiny):
  """PyTorch 2.14.1 wrote them (`make_torch_files`) and is not needed to read them; those of 16 bits were bfloat16."""
  net = network.load(FILES / file, pyramid_levels=3)
  assert net.options == tiny.options
  for name, value in weights.named(tiny).items():
    np.testing.assert_allclose(
      weights.named(net)[name], value, rtol=tolerance, atol=1e-7 * bool(tolerance), err_msg=name
    )


def test_a_model_is_taken_wherever_one_is_named():
  path = FILES / 'tiny_state_dict.pt'
  net, interpolator = network.load(path), Interpolator(path)
  a, b = (conftest.pair(1, 64, 64)[key][0] for key in ('x0', 'x1'))
  np.testing.assert_array_equal(interpolator.between(a, b), Interpolator(net).between(a, b))
  assert str(path) in interpolator.identity
  other = FilmNet(net.options)
  checkpoints.initialise(other, str(path))
  for name, value in weights.named(net).items():
    np.testing.assert_array_equal(weights.named(other)[name], value, err_msg=name)


def test_names_are_those_of_the_tables():
  """A sample of the published tables, written out."""
  parts = names.Parts(8, (5, 5, 5, 5), 4)
  here = names.here(parts)
  assert len(here) == 41
  for convolution, original, port, comfyui in [
    ('feature_pyramid/conv_3', 'feat_net/sub_extractor/cfeat_conv_3', 'extract.extract_sublevels.convs.1.1.0', '.conv'),
    (
      'flow_pyramid/predictor_0/conv_2',
      'predict_flow/flow_predictor_0/conv_2',
      'predict_flow._predictors.2._convs.2.0',
      '.conv',
    ),
    (
      'flow_pyramid/predictor_shared/conv_4',
      'predict_flow/flow_predictor_shared/conv_4',
      'predict_flow._predictor._convs.4.0',
      '.conv',
    ),
    ('fusion_decoder/level_0_up', 'fusion/conv2d', 'fuse.convs.3.0.0', '.conv'),
    ('fusion_decoder/level_3_conv_1', 'fusion/conv2d_11', 'fuse.convs.0.2.0', '.conv'),
    ('fusion_decoder/rgb', 'fusion/conv2d_12', 'fuse.output_conv', None),
  ]:
    i = here.index(convolution)
    assert names.original(parts)[i] == original
    assert names.port(parts)[i] == port
    assert names.comfyui(parts)[i] == (port.removesuffix('.0') + comfyui if comfyui else port)
