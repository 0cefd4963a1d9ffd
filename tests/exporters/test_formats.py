"""Every format, loaded by its own runtime, gives what TensorFlow gives."""

import ast
import dataclasses
import sys

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.runtimes import RUNTIMES
from film_tf.errors import UserError
from film_tf.exporters import formats
from film_tf.exporters.formats import FORMATS
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from tests import conftest
from tests.model.test_film_net import load_golden

OLD = tf.__version__.startswith('2.15')


OURS = (
  'bilateral_flow',
  'propagation',
  'residual_fusion',
  'search',
  'second_look',
)  # options that are not in the paper


def small(sizes, options) -> FilmNet:
  """Makes a small network with some of our options, with weights that float16 holds exactly."""
  net = FilmNet(dataclasses.replace(sizes, **dict.fromkeys(options, True)))
  random = np.random.default_rng(0)
  for variable in weights.named(net).values():
    variable.assign(random.normal(0, 0.2, variable.shape).astype(np.float16))
  return net


NETWORKS = {
  'film_mini': lambda: weights.load('film_mini'),
  'narrow_published': lambda: load_golden('narrow_published')[1],
  'all_options': lambda: small(conftest.SHALLOW, OURS),
  'small': lambda: small(conftest.TINY, ('bilateral_flow', 'residual_fusion')),
  'small_published': lambda: small(conftest.TINY, ()),
}
BOUND = 1e-5  # largest difference, of the range of the image
# The converter rounds every constant, also the damping of Lucas and Kanade's least squares, and their window.
ROUNDED_BOUND = {('tflite', 'float16'): 2e-2}
SIZES = {True: [(64, 96)], False: [(64, 96), (37, 150)]}  # height and width, of formats that are made for one or not
ONE_ROW = [(2, 10)]  # likewise, of the coarsest level of a small network; that of seven levels has one row anyway
HERE = {'tflite': 'ai_edge_litert', 'onnx': 'onnxruntime', 'stablehlo': 'jax'}  # what runs a format


@pytest.fixture(scope='module', params=NETWORKS)
def network(request) -> FilmNet:
  return NETWORKS[request.param]()


@pytest.fixture(scope='module')
def expected(network) -> dict:
  """By size, a batch and TensorFlow's image of it."""
  sizes = SIZES[False] + ONE_ROW * (network.options.pyramid_levels < 4)
  batches = {size: {**conftest.pair(1, *size), 'time': np.full((1, 1), 0.5, np.float32)} for size in sizes}
  return {size: (batch, network(batch)['image'].numpy()) for size, batch in batches.items()}


def skip_without(name):
  for package in [*FORMATS[name].packages, *([HERE[name]] if name in HERE else [])]:
    pytest.importorskip(package, reason=f'{name} needs {package}')
  if name == 'stablehlo' and OLD:
    pytest.skip('TensorFlow 2.15 cannot write StableHLO')


def write(name, net, folder, dtype='float32'):
  """Writes a format as the command does, and returns the path."""
  path = str(folder / f'film{FORMATS[name].suffix}')
  options = formats.check(name, path, size='96x64' if FORMATS[name].sized else None, dtype=dtype)
  formats.export(name, net, path, **options)
  return path


ANY = [name for name in FORMATS if name != 'safetensors']  # takes one network only; its own file tests it
CASES = [
  # Whole networks once in each converter: they take as long as there are levels.
  *(('film_mini', name, 'float32') for name in ('npz', 'keras', 'onnx', 'tflite') if not OLD),
  *(('narrow_published', name, 'float32') for name in ('npz', 'keras', 'stablehlo')),
  *(('all_options', name, 'float32') for name in ('saved_model', 'stablehlo')),
  *(('small', name, 'float16') for name in ANY if 'float16' in FORMATS[name].dtypes),
  *(('small_published', name, 'float32') for name in ('saved_model', 'onnx', 'tflite')),
]


@pytest.mark.slow
@pytest.mark.parametrize(('network', 'name', 'dtype'), CASES, ids=str, indirect=['network'])
def test_its_own_runtime_gives_what_tensorflow_gives(name, dtype, network, expected, tmp_path):
  skip_without(name)
  path = write(name, network, tmp_path, dtype)
  run = RUNTIMES[name][0](path)
  for size in SIZES[True] if FORMATS[name].sized else expected:
    batch, image = expected[size]
    result = run(batch)
    assert result.dtype == np.float32
    assert result.shape == image.shape
    assert np.abs(result - image).max() <= ROUNDED_BOUND.get((name, dtype), BOUND) * np.ptp(image)


@pytest.mark.parametrize(
  ('words', 'parts'),
  [
    (('onnx', 'film.bin'), ['film.bin does not end in .onnx']),
    (('saved_model', 'film.tflite'), ['film.tflite is named like a file of another format', '--format=tflite']),
    (('tflite', 'film.tflite'), ['one size', '--size=448x256']),
    (('stablehlo', 'hlo', False, '448'), ['--size=448 is no size', 'width x height']),
    (('tflite', 'film.tflite', False, '0x256'), ['--size=0x256', '1 to 16384']),
    (('onnx', 'film.onnx', False, '448x256'), ['--size=448x256 is of no use', 'any size']),
    (
      ('keras', 'film.keras', False, None, 'float16'),
      ['keras keeps its weights as float32', 'npz, safetensors, onnx, tflite can'],
    ),
    (('npz', 'mine.npz'), ['mine.npz exists already', '--overwrite']),
    (('stablehlo', 'mine', True, '8x8'), ['mine is not a StableHLO program', 'would delete mine/photo']),
  ],
  ids=str,
)
def test_mistakes_are_told_before_the_work(words, parts, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  monkeypatch.setitem(sys.modules, 'tf2onnx', ast)  # as if it were installed
  (tmp_path / 'mine').mkdir()
  for name in ('mine/photo', 'mine.npz'):
    (tmp_path / name).write_text('mine')
  before = sorted(tmp_path.rglob('*'))
  with pytest.raises(UserError) as error:
    formats.check(*words)
  for part in parts:
    assert part in error.value.message
  assert '\n' not in error.value.message
  assert sorted(tmp_path.rglob('*')) == before


def test_a_missing_package_is_named_with_what_installs_it(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, 'tf2onnx', None)
  with pytest.raises(UserError, match=r"onnx is written with tf2onnx; pip install '\.\[onnx\]'"):
    formats.check('onnx', str(tmp_path / 'film.onnx'))


@pytest.mark.parametrize('name', ['onnx', 'tflite'])
def test_weights_that_float16_cannot_hold_are_refused(name, tmp_path):
  skip_without(name)
  net = conftest.tiny_network()
  net.fusion_decoder.rgb.bias.assign([0.0, 1e5, 0.0])
  with pytest.raises(UserError, match=r'fusion_decoder/rgb/bias are too large for float16'):
    write(name, net, tmp_path, 'float16')
  assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not OLD, reason='this TensorFlow can')
def test_an_old_tensorflow_says_that_it_cannot_write_stablehlo(tiny, tmp_path):
  with pytest.raises(UserError, match=r'TensorFlow 2\.15.* cannot write StableHLO'):
    write('stablehlo', tiny, tmp_path)
  assert not list(tmp_path.iterdir())


def test_onnx_sizes_have_names_and_weights_are_there_once(tiny, tmp_path):
  skip_without('onnx')
  import onnx

  model = onnx.load(write('onnx', tiny, tmp_path))
  assert model.opset_import[0].version == 17
  sides = {value.name: [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim]
           for value in [*model.graph.input, *model.graph.output]}  # fmt: skip
  image = ['batch', 'height', 'width', 3]
  assert sides == {'x0': image, 'x1': image, 'time': ['batch', 1], 'image': image}
  count = sum(np.prod(constant.dims) for constant in model.graph.initializer)
  assert count < 1.2 * sum(np.prod(variable.shape) for variable in weights.named(tiny).values())
