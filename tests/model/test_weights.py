import contextlib
import dataclasses
import os
import pathlib
import zipfile

import numpy as np
import pytest

from film_tf.errors import UserError
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from tests import conftest


def test_round_trip_is_exact(tiny, images, tmp_path):
  weights.save(tiny, tmp_path / 'net.npz')
  loaded = weights.load(tmp_path / 'net.npz')
  assert loaded.options == tiny.options
  np.testing.assert_array_equal(loaded(images)['image'], tiny(images)['image'])


def test_float16_halves_the_file_and_hardly_changes_the_image(tiny, images, tmp_path):
  for dtype in ('float32', 'float16'):
    weights.save(tiny, tmp_path / f'{dtype}.npz', dtype)

  def bytes_of(dtype):
    return sum(a.nbytes for name, a in np.load(tmp_path / f'{dtype}.npz').items() if name != 'options')

  assert 2 * bytes_of('float16') == bytes_of('float32')
  loaded, expected = weights.load(tmp_path / 'float16.npz')(images)['image'], tiny(images)['image']
  assert np.linalg.norm(loaded - expected) < 1e-2 * np.linalg.norm(expected)


def test_a_weight_too_large_for_float16_is_refused(tmp_path):
  net = FilmNet(conftest.TINY)
  next(iter(weights.named(net).values())).assign_add(np.full((3, 3, 3, 4), 1e5))
  with pytest.raises(UserError, match='feature_pyramid/conv_0/kernel'):
    weights.save(net, tmp_path / 'net.npz', 'float16')
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
  ('name', 'made', 'said'),
  [
    ('feature_pyramid/conv_0/kernel', lambda a: a.astype(complex), 'kernel is of complex128'),
    ('feature_pyramid/conv_0/kernel', lambda a: a.astype(str), 'kernel is of <U'),
    ('feature_pyramid/conv_0/kernel', lambda a: np.full(a.shape, 1e200), 'are not finite'),
    ('options', lambda a: np.array('{"filters": "many"}'), 'net.npz has sizes that no network has: model.filters'),
    (
      'options',
      lambda a: np.array(str(a).replace('"filters": 4', '"filters": 1024')),
      r'net.npz has 3,8\d\d weights; .*o',
    ),
  ],
)
def test_what_are_no_weights_is_told_with_the_name_of_the_file(name, made, said, tiny, tmp_path, recwarn):
  weights.save(tiny, tmp_path / 'whole.npz')
  arrays = dict(np.load(tmp_path / 'whole.npz'))
  np.savez(tmp_path / 'net.npz', **{**arrays, name: made(arrays[name])})
  with pytest.raises(UserError, match=said):
    weights.load(tmp_path / 'net.npz')
  assert not [str(each.message) for each in recwarn if issubclass(each.category, RuntimeWarning)]  # NumPy's, of weights


@pytest.mark.parametrize(
  'sizes', [{}, {'flow_convs': (1, 9), 'flow_filters': (90, 30)}, {'filters': 20, 'specialized_levels': 1}]
)
def test_the_least_number_of_weights_is_near_the_true_one(sizes):
  net = FilmNet(dataclasses.replace(conftest.TINY, **sizes))
  count = sum(np.size(variable) for variable in weights.named(net).values())
  assert count / 10 < net.options.least_weights <= count


def test_names_need_not_be_utf8(tiny, tmp_path):
  path = tmp_path / os.fsdecode(b'\xff.npz')
  weights.save(tiny, path)
  assert weights.load(path).options == tiny.options


def test_disagreements_are_reported_variable_by_variable(tiny):
  arrays = {name: v.numpy() for name, v in weights.named(tiny).items()}
  before = arrays['flow_pyramid/predictor_0/conv_0/bias'].copy()
  arrays['flow_pyramid/predictor_0/conv_0/bias'] += 1
  arrays['fusion_decoder/rgb/kernel'] = np.zeros((1, 1, 5, 3))
  arrays['fusion_decoder/extra'] = arrays.pop('fusion_decoder/rgb/bias')
  with pytest.raises(UserError) as error:
    weights.assign(tiny, arrays, 'there')
  message = error.value.message
  assert 'there' in message
  assert 'fusion_decoder/rgb/bias is missing' in message
  assert 'fusion_decoder/extra is not in this network' in message
  assert 'fusion_decoder/rgb/kernel is [1, 1, 5, 3], in this network [1, 1, 4, 3]' in message
  np.testing.assert_array_equal(weights.named(tiny)['flow_pyramid/predictor_0/conv_0/bias'], before)


def test_many_disagreements_are_a_few_and_how_many_more(tiny):
  with pytest.raises(UserError, match=r'is missing; .* is missing; .* is missing and \d\d more') as error:
    weights.assign(tiny, {}, 'there')
  assert '\n' not in error.value.message


def test_weights_that_are_not_finite_are_refused(tiny):
  arrays = {name: v.numpy() for name, v in weights.named(tiny).items()}
  arrays['fusion_decoder/rgb/bias'][1] = np.nan
  before = {name: v.numpy() for name, v in weights.named(tiny).items()}
  with pytest.raises(UserError, match=r'1 weights of there are not finite, among them fusion_decoder/rgb/bias'):
    weights.assign(tiny, arrays, 'there')
  for name, variable in weights.named(tiny).items():
    np.testing.assert_array_equal(variable, before[name])


def test_an_existing_file_is_kept(tiny, tmp_path):
  path = tmp_path / 'net.npz'
  path.write_text('mine')
  with pytest.raises(UserError, match='exists'):
    weights.save(tiny, path)
  assert path.read_text() == 'mine'
  weights.save(tiny, path, overwrite=True)
  assert isinstance(weights.load(path), FilmNet)


def test_archives_that_are_damaged_anywhere_are_told(tiny, tmp_path):
  """Headers that a byte makes say something else: encrypted, packed otherwise, cut off within what is packed."""
  weights.save(tiny, tmp_path / 'net.npz')
  np.savez_compressed(tmp_path / 'packed.npz', **dict(np.load(tmp_path / 'net.npz')))
  random, damaged = np.random.default_rng(0), tmp_path / 'damaged.npz'
  for _ in range(300):
    content = bytearray((tmp_path / random.choice(['net.npz', 'packed.npz'])).read_bytes())
    ends = [*range(64), *range(len(content) - 200, len(content))]  # where the headers are
    content[random.choice(ends)] = random.integers(256)
    damaged.write_bytes(content)
    with contextlib.suppress(UserError):  # some bytes say nothing
      weights.load(damaged)


@pytest.mark.parametrize('shape', [(10**6, 10**7), (10**20,)])
def test_an_array_that_claims_more_than_any_memory_is_told(shape, tmp_path):
  with zipfile.ZipFile(tmp_path / 'net.npz', 'w') as archive, archive.open('a.npy', 'w') as file:
    np.lib.format.write_array_header_1_0(file, {'descr': '<f4', 'fortran_order': False, 'shape': shape})
  with pytest.raises(UserError, match=r'net\.npz is not a film_tf weights file'):
    weights.load(tmp_path / 'net.npz')


def _npz_of_something_else(path):
  np.savez(path, a=np.zeros(3))


def _npy(path):
  with path.open('wb') as file:
    np.save(file, np.zeros(3))


def _truncated(path):
  weights.save(FilmNet(conftest.TINY), path)
  path.write_bytes(path.read_bytes()[:5000])


def _other_zip(path):
  with zipfile.ZipFile(path, 'w') as file:
    file.writestr('readme', 'hello')


@pytest.mark.parametrize(
  'make',
  [lambda p: None, pathlib.Path.touch, pathlib.Path.mkdir, lambda p: p.write_text('text'), _npz_of_something_else, _npy,
   _truncated, _other_zip],
  ids=['missing', 'empty', 'folder', 'text', 'npz', 'npy', 'truncated', 'zip'],
)  # fmt: skip
def test_what_is_no_weights_file_is_named(make, tmp_path):
  path = tmp_path / 'net.npz'
  make(path)
  with pytest.raises(UserError, match=r'net\.npz'):
    weights.load(path)
