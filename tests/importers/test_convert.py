"""The command, its cache of names, and what people give it by mistake."""

import importlib
import pathlib
import shutil
import sys

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

from film_tf.errors import UserError
from film_tf.importers import names, network, released, safetensors_file, sources
from film_tf.model import weights
from tests.conftest import ROOT, assert_user_error, command
from tests.importers import weights_files
from tests.model.test_film_net import load_golden

FILES = ROOT / 'tests' / 'data_files'


@pytest.fixture(scope='module')
def net():
  return load_golden('narrow_published')[1]


def test_what_is_converted_has_its_sizes_and_weights(net, tmp_path):
  weights_files.comfyui(net, tmp_path / 'film.safetensors', 'float16')
  result = command('film_tf.convert', 'film.safetensors', '--output=film.npz', cwd=tmp_path)
  assert result.returncode == 0, result.stderr
  assert 'filters=8' in result.stderr
  again = weights.load(tmp_path / 'film.npz')
  assert again.options == net.options
  for name, value in weights.named(net).items():
    np.testing.assert_array_equal(weights.named(again)[name], value.numpy().astype('float16'), err_msg=name)
  again = command('film_tf.convert', 'film.safetensors', '--output=film.npz', cwd=tmp_path)
  assert_user_error(again, 'film.npz', 'exists already')


def test_a_name_stands_for_what_was_converted(net, tmp_path, monkeypatch):
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
  with pytest.raises(UserError, match=r'film_style.* is not on this machine .*film_tf\.convert .* --name=film_style'):
    sources.find('film_style')
  weights_files.comfyui(net, tmp_path / 'film.safetensors')
  result = command('film_tf.convert', 'film.safetensors', '--name=film_style', cwd=tmp_path)
  assert result.returncode == 0, result.stderr
  assert pathlib.Path(released.place('film_style')) == tmp_path / 'cache' / 'film_tf' / 'film_style.npz'
  assert network.load('film_style').options == net.options
  exported = command('film_tf.export', '--model=film_style', '--format=npz', '--output=again.npz', cwd=tmp_path)
  assert exported.returncode == 0, exported.stderr
  np.testing.assert_array_equal(
    *(np.load(path)['fusion_decoder/rgb/kernel'] for path in (released.place('film_style'), tmp_path / 'again.npz'))
  )


def test_only_safetensors_need_safetensors(net, tmp_path, monkeypatch):
  """Without the extra film_tf runs, and says what is missing where it is needed."""
  path = weights_files.comfyui(net, tmp_path / 'film.safetensors')
  for name in ('safetensors', 'safetensors.numpy'):
    monkeypatch.setitem(sys.modules, name, None)
  importlib.reload(safetensors_file)  # as it is imported with everything that takes a model
  with pytest.raises(UserError, match=r"film\.safetensors is read with safetensors; pip install '\.\[safetensors\]'"):
    network.load(path)


@pytest.mark.slow
def test_verify_runs_the_program_that_it_came_from(net, tmp_path):
  weights_files.saved_model(net, tmp_path / 'saved')
  result = command('film_tf.convert', 'saved', '--output=film.npz', '--verify', cwd=tmp_path)
  assert result.returncode == 0, result.stderr
  x0, x1 = (
    np.asarray(Image.open(ROOT / f'eval/samples/cat_{i}.png').convert('RGB'), np.float32)[np.newaxis, :192, :320] / 255
    for i in (0, 1)
  )
  made = net({'x0': x0, 'x1': x1, 'time': np.full((1, 1), 0.5, np.float32)})['image']
  difference = np.abs(made - (x0 + x1) / 2).max()  # of a program that makes the mean
  assert f'differs from that of saved by {difference:.1e}' in result.stdout
  weights_files.comfyui(net, tmp_path / 'film.safetensors')
  result = command('film_tf.convert', 'film.safetensors', '--output=other.npz', '--verify', cwd=tmp_path)
  assert_user_error(result, 'holds weights alone, and no program to run')


def changed(net, change):
  """Makes a .safetensors file of arrays after a change to them."""

  def make(folder):
    arrays = weights_files.state_dict(net, names.comfyui)
    change(arrays)
    safetensors.numpy.save_file(arrays, str(folder / 'film.safetensors'))
    return folder / 'film.safetensors'

  return make


FIRST = 'extract.extract_sublevels.convs.0.0.conv.weight'
CHANGES = {
  'one is missing': (lambda arrays: arrays.pop(FIRST), [f'{FIRST} is missing']),
  'one too many': (lambda arrays: arrays.update(fc=np.zeros(3, np.float32)), ["fc is not FILM's"]),
  'a wrong shape': (
    lambda arrays: arrays.update({'fuse.output_conv.weight': np.zeros((3, 9, 1, 1), np.float32)}),
    ["fuse.output_conv.weight is [1, 1, 9, 3], FILM's of these sizes [1, 1, 8, 3]"],
  ),
  'a wrong shape of the first': (
    lambda arrays: arrays.update({FIRST: np.zeros((9, 3, 3, 3), np.float32)}),
    [f'{FIRST} has 9 outputs, its bias 8'],
  ),
  'no number': (lambda arrays: arrays[FIRST].fill(np.nan), ['not finite']),
  'another network': (
    lambda arrays: (
      arrays.clear(),
      arrays.update({f'layer{i}.weight': np.zeros((2, 2), np.float32) for i in range(20)}),
    ),
    ['holds no FILM', 'layer'],
  ),
}


@pytest.mark.parametrize('change', CHANGES)
def test_weights_that_are_not_films(change, net, tmp_path):
  alter, parts = CHANGES[change]
  path = changed(net, alter)(tmp_path)
  with pytest.raises(UserError) as error:
    network.load(path)
  for part in [str(path), *parts]:
    assert part in error.value.message
  assert '\n' not in error.value.message


@pytest.mark.parametrize(
  ('part', 'told'),
  [
    ('extract.', 'a feature extractor is missing'),
    ('predict_flow._predictor.', 'a flow predictor is missing'),
    ('predict_flow._predictors.1.', 'a flow predictor is missing'),
    ('fuse.convs.', 'a decoder is missing'),
    ('predict_flow._predictors.1._convs.2.', '_predictors.1._convs.2.conv.bias is missing'),
    (('fuse.convs.1.', 'fuse.convs.2.'), 'and 4 more'),
  ],
)
def test_what_does_not_fit_is_told_line_by_line(part, told, net, tmp_path):
  path = changed(net, lambda arrays: [arrays.pop(name) for name in list(arrays) if name.startswith(part)])(tmp_path)
  with pytest.raises(UserError) as error:
    network.load(path)
  assert 'film.safetensors does not fit FILM' in error.value.message
  assert told in error.value.message
  assert len(error.value.message.splitlines()) <= 10


def lfs_pointer(folder):
  (folder / 'film.pt').write_text('version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 137\n')
  return folder / 'film.pt'


def pointer_for_variables(folder):
  (folder / 'saved' / 'variables').mkdir(parents=True)
  (folder / 'saved' / 'variables' / 'variables.index').write_bytes(b'the index comes with the clone')
  lfs_pointer(folder).rename(folder / 'saved' / 'variables' / 'variables.data-00000-of-00001')
  return folder / 'saved'


def folder_above(folder):
  (folder / 'film_net' / 'Style').mkdir(parents=True)
  (folder / 'film_net' / 'Style' / 'saved_model.pb').touch()
  return folder / 'film_net'


def truncated(folder):
  source = weights_files.comfyui(load_golden('shallow')[1], folder / 'film.safetensors')
  source.write_bytes(source.read_bytes()[:-1000])
  return source


def graph_alone(folder):
  (folder / 'saved_model.pb').write_bytes(b'\x08\x01')
  return folder / 'saved_model.pb'


def half_a_checkpoint(folder):
  prefix = weights_files.checkpoint(load_golden('shallow')[1], folder)
  data = pathlib.Path(f'{prefix}.data-00000-of-00001')
  data.write_bytes(data.read_bytes()[:500])
  return prefix


def empty(folder):
  (folder / 'none').mkdir()
  return folder / 'none'


MISTAKES = {
  'a pickle that runs code': (
    lambda folder: weights_files.evil_torch_file(folder / 'film.pt'),
    ['would run', 'mkdir', 'refused'],
  ),
  'a whole object': (lambda folder: FILES / 'tiny_whole_object.pt', ['would run', 'Interpolator', 'state dict']),
  'before PyTorch 1.6': (lambda folder: FILES / 'tiny_before_1.6.pth', ['before 1.6', 'torch.save']),
  'a truncated file': (truncated, ['film.safetensors', 'get the file again']),
  'an empty folder': (empty, ['none is an empty folder', 'expected a SavedModel']),
  'a Git LFS pointer': (lfs_pointer, ['Git LFS pointer', 'git lfs pull']),
  'a Git LFS pointer in a SavedModel': (pointer_for_variables, ['variables.data-00000-of-00001 is a Git LFS pointer']),
  'the folder above': (folder_above, ['no SavedModel', 'did you mean', 'film_net/Style?']),
  'the graph of a SavedModel': (graph_alone, ['one file of a SavedModel; give its folder']),
  'half a checkpoint': (half_a_checkpoint, ['cannot read the variables', 'get all files again']),
  'a photograph': (
    lambda folder: shutil.copy(ROOT / 'eval/samples/cat_0.png', folder / 'film.pt'),
    ['none of the files of weights'],
  ),
  'nothing': (lambda folder: folder / 'gone.pt', ['no such model', 'gone.pt']),
}


@pytest.mark.parametrize('mistake', MISTAKES)
def test_mistakes_are_told_in_a_line(mistake, tmp_path):
  make, parts = MISTAKES[mistake]
  result = command('film_tf.convert', make(tmp_path), '--output=film.npz', cwd=tmp_path)
  assert_user_error(result, *parts)
  assert not (tmp_path / 'film.npz').exists()
  assert not (tmp_path / 'was_run').exists()


def test_hubs_are_read_from_the_caches_of_their_clients(net, tmp_path, monkeypatch):
  """Laid out as the clients lay them out; nothing is downloaded."""
  pytest.importorskip('kagglehub', reason="needs '.[hub]'")
  from kagglehub import cache, handle

  pytest.importorskip('huggingface_hub', reason="needs '.[hub]'")
  monkeypatch.setenv('KAGGLEHUB_CACHE', str(tmp_path / 'kaggle'))
  monkeypatch.setenv('DISABLE_KAGGLE_CACHE', '1')
  monkeypatch.setenv('HF_HUB_CACHE', str(tmp_path / 'hf'))
  monkeypatch.setenv('HF_HUB_OFFLINE', '1')
  model = handle.parse_model_handle('google/film/tensorFlow2/film/1')
  weights_files.saved_model(net, pathlib.Path(cache.Cache().get_path(model)))
  cache.Cache().mark_as_complete(model)
  repository, commit = tmp_path / 'hf/models--someone--film', 40 * 'a'
  (repository / 'snapshots' / commit).mkdir(parents=True)
  (repository / 'refs').mkdir()
  (repository / 'refs' / 'main').write_text(commit)
  weights_files.comfyui(net, repository / 'snapshots' / commit / 'film.safetensors')
  for source in (released.NAMES['film_style'], 'hf:someone/film/film.safetensors'):
    result = command('film_tf.convert', source, '--output=film.npz', '--overwrite', cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert weights.load(tmp_path / 'film.npz').options == net.options
  result = command('film_tf.convert', 'hf:someone/else/film.safetensors', '--output=other.npz', cwd=tmp_path)
  assert_user_error(result, 'cannot get hf:someone/else/film.safetensors')
  result = command('film_tf.convert', 'hf:film.safetensors', '--output=other.npz', cwd=tmp_path)
  assert_user_error(result, 'cannot get hf:film.safetensors')
