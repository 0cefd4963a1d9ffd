"""Weights as they seldom are, a program's second model, cut off, of other types, and where they seldom go."""

import contextlib
import json
import zipfile

import numpy as np
import pytest
import tensorflow as tf

import film_tf
from film_tf.errors import UserError
from film_tf.importers import network, released, sources, torch_file
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.training import checkpoints
from tests.conftest import ROOT
from tests.importers import weights_files
from tests.model.test_film_net import load_golden

FILES = ROOT / 'tests' / 'data_files'


@pytest.fixture(scope='module')
def net():
  return load_golden('narrow_published')[1]


def saved_model(net, path, rename):
  """Writes a SavedModel of variables renamed by a function, without those that it makes None."""
  model = weights_files.Released(net)
  pairs = [(rename(variable.name.removesuffix(':0')), variable) for variable in model.weights]
  model.weights = [tf.Variable(value, name=name) for name, value in pairs if name]
  tf.saved_model.save(model, str(path))
  return path


def second(name):
  """Returns the name that a variable has where Keras had counted 13 convolutions before."""
  part, _, rest = name.partition('/conv2d')
  if part != 'fusion':
    return name
  number, _, kind = rest.partition('/')
  return f'fusion/conv2d_{int(number[1:] or 0) + 13}/{kind}'


def test_the_second_model_of_a_program_is_as_the_first(net, tmp_path):
  again = network.load(saved_model(net, tmp_path / 'saved', second))
  assert again.options == net.options
  for name, value in weights.named(net).items():
    np.testing.assert_array_equal(weights.named(again)[name], value, err_msg=name)


def test_a_convolution_that_is_missing_has_its_own_name(net, tmp_path):
  path = saved_model(net, tmp_path / 'saved', lambda name: None if name.startswith('fusion/conv2d/') else name)
  with pytest.raises(UserError) as error:
    network.load(path)
  assert error.value.message.splitlines()[1:] == [f'  fusion/conv2d/{kind} is missing' for kind in ('kernel', 'bias')]


def test_variables_are_read_whatever_became_of_the_graph(net, tmp_path):
  path = weights_files.saved_model(net, tmp_path / 'saved')
  (path / 'saved_model.pb').write_bytes(b'junk!')
  assert network.load(path).options == net.options


@pytest.mark.parametrize('name', ['tiny_state_dict.pt', 'net.npz'])
def test_an_archive_without_its_end_is_told(name, net, tmp_path):
  weights.save(net, tmp_path / 'net.npz')
  source = tmp_path / name if name == 'net.npz' else FILES / name
  path = tmp_path / f'half_{name}'
  path.write_bytes(source.read_bytes()[:-500])
  with pytest.raises(UserError, match=rf'half_{name} is cut off; get the file again'):
    sources.find(path)
  path.write_bytes(b'')
  with pytest.raises(UserError, match=rf'half_{name} is empty; get the file again'):
    sources.find(path)


def test_archives_of_pytorch_that_are_damaged_anywhere_are_told(tmp_path):
  """Where the names are, which are not UTF-8 then, or are packed in a way that nobody knows."""
  whole, random, path = (FILES / 'tiny_state_dict.pt').read_bytes(), np.random.default_rng(0), tmp_path / 'film.pt'
  for _ in range(300):
    content = bytearray(whole)
    content[-random.integers(1, 3000)] = random.integers(256)
    path.write_bytes(content)
    with contextlib.suppress(UserError):  # some bytes say nothing
      sources.find(path)
      torch_file.read(str(path))


def test_types_that_numpy_lacks_are_told(tmp_path):
  pytest.importorskip('safetensors', reason="needs '.[safetensors]'")
  header = json.dumps({'a': {'dtype': 'F8_E4M3', 'shape': [1], 'data_offsets': [0, 1]}}).encode()
  (tmp_path / 'film.safetensors').write_bytes(len(header).to_bytes(8, 'little') + header + b'1')
  with pytest.raises(UserError, match=r'film\.safetensors has numbers of a type that NumPy lacks, such as float8'):
    network.load(tmp_path / 'film.safetensors')


def test_an_address_in_a_hub_has_a_file():
  with pytest.raises(UserError, match=r'cannot get hf:film\.safetensors: expected hf:OWNER/REPOSITORY/FILE'):
    released.fetch('hf:film.safetensors')


def test_errors_of_a_hubs_client_are_told_in_a_line(monkeypatch):
  """In a notebook of Kaggle without credentials, where the client asks nobody."""
  pytest.importorskip('kagglehub', reason="needs '.[hub]'")
  monkeypatch.setenv('KAGGLE_KERNEL_RUN_TYPE', 'Interactive')
  monkeypatch.setenv('KAGGLE_DATA_PROXY_URL', 'http://127.0.0.1:9')
  for name in ('KAGGLE_USER_SECRETS_TOKEN', 'DISABLE_KAGGLE_CACHE'):
    monkeypatch.delenv(name, raising=False)
  with pytest.raises(UserError, match=r'cannot get kaggle:google/film.*: .*KAGGLE_USER_SECRETS_TOKEN'):
    released.fetch(released.NAMES['film_style'])


def checkpoint(net, path):
  path.mkdir()
  return weights_files.checkpoint(net, path)


@pytest.mark.parametrize('make', [weights_files.comfyui, weights_files.saved_model, checkpoint])
def test_a_training_begins_with_the_weights_of_any_kind(make, net, tmp_path):
  start = FilmNet(net.options)
  checkpoints.initialise(start, str(make(net, tmp_path / 'film')))
  for name, value in weights.named(net).items():
    np.testing.assert_array_equal(weights.named(start)[name], value, err_msg=name)


def test_options_are_read_of_files_that_have_them_and_nothing_of_others(net, tmp_path):
  film_tf.save_weights(net, tmp_path / 'net.npz')
  film_tf.export_saved_model(net, tmp_path / 'exported')
  weights_files.saved_model(net, tmp_path / 'released')
  np.savez(tmp_path / 'other.npz', a=np.zeros(2))
  for name in ('net.npz', 'exported'):
    assert sources.options(sources.find(tmp_path / name))['filters'] == net.options.filters
  for name in ('released', 'other.npz'):
    assert sources.options(sources.find(tmp_path / name)) == {}


def test_headers_that_are_damaged(net, tmp_path):
  film_tf.export_saved_model(net, tmp_path / 'exported')
  (tmp_path / 'exported' / 'assets.extra' / 'film_tf.json').write_text('[]')
  assert sources.options(sources.find(tmp_path / 'exported')) == {}
  header = b'\x93NUMPY\x01\x00' + (2000).to_bytes(2, 'little') + b'(' * 2000
  with zipfile.ZipFile(tmp_path / 'bad.npz', 'w') as archive:
    archive.writestr('options.npy', header)
  assert sources.options(sources.find(tmp_path / 'bad.npz')) == {}
  with pytest.raises(UserError, match=r'bad\.npz is not a film_tf weights file'):
    network.load(tmp_path / 'bad.npz')
