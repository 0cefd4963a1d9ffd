"""The mistakes that people make at each command, and what its one line must say. A row is cheap: add yours.

Each command runs in a fork of a process that has loaded TensorFlow; none comes as far as tracing a network.
"""

import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from tests.conftest import TINY, assert_user_error, command, run
from tests.data import triplets
from tests.training import runs

TRAIN = ['--base_dir=run', '--gin_configs=gin/film_demo.gin', *(f'--gin_bindings={binding}' for binding in runs.TINY)]


def train(*bindings):
  return [*TRAIN, *(f'--gin_bindings={binding}' for binding in bindings)]


def reads(source):
  return train(f'data.sources = {{"{source}": 1.0}}', 'augmentation.crop = 32')


ROWS = [
  # names that are empty, as of an unset shell variable
  ('film_tf.train', ['--base_dir=', *TRAIN[1:]], ['--base_dir is empty; expected: Folder for this run']),
  ('film_tf.train', [*TRAIN, '--init_from='], ['--init_from is empty']),
  ('film_tf.train', [*TRAIN, '--wait_for_workers=nan'], ['--wait_for_workers is nan', 'expected a number']),
  ('film_tf.serve', ['--timeout=nan'], ['--timeout is nan']),
  ('film_tf.train', ['--base_dir=run', '--gin_configs='], ['--gin_configs is empty']),
  ('film_tf.preview', ['--gin_configs=gin/film_demo.gin', '--output='], ['--output is empty']),
  ('film_tf.export', ['--output='], ['--output is empty']),
  ('film_tf.export', ['--output=new', '--model='], ['--model is empty']),
  ('film_tf.interpolate', ['photos', '--output=a.gif', '--at='], ['--at is empty']),
  ('eval.run', ['--model=', '--data=photos'], ['--model is empty']),
  ('datasets.build', ['vimeo90k_triplet', '--manual_dir='], ['--manual_dir is empty']),
  ('datasets.export_tfrecord', ['set@1', '--output='], ['--output is empty']),
  # folders and files that are not ours
  ('film_tf.export', ['--output=photos', '--overwrite'], ['photos is not a SavedModel', 'would delete photos/1.png']),
  ('film_tf.export', ['--output=text', '--overwrite'], ['text is a file']),
  ('film_tf.export', ['--output=film.onnx'], ['film.onnx is named like a file', '--format=onnx']),
  ('film_tf.export', ['--output=film.pt', '--format=pt'], ['--format=pt', 'saved_model|npz|']),
  ('film_tf.export', ['--output=film.tflite', '--format=tflite'], ['one size', '--size=448x256']),
  ('film_tf.preview', ['--gin_configs=gin/film_demo.gin', '--output=d.png', '--overwrite'], ['d.png is a folder']),
  ('eval.run', ['--model=blend', '--data=photos', '--output=d.csv', '--overwrite'], ['d.csv is a folder']),
  ('datasets.export_tfrecord', ['set@1', '--output=photos', '--overwrite'], ['photos is a folder']),
  ('datasets.export_tfrecord', ['set@1', '--output=set@1', '--overwrite'], ['would replace set-00000-of-00001']),
  # values of the wrong type, or beyond what can be meant
  ('film_tf.train', train("train.deterministic = 'no'"), ["train.deterministic is 'no'", 'True or False']),
  ('film_tf.train', train("train.compiled = 'False'"), ["train.compiled is 'False'"]),
  ('film_tf.train', train('train.steps = True'), ['train.steps is True', 'whole number']),
  ('film_tf.train', train("train.keep_every_hours = 'no'"), ["train.keep_every_hours is 'no'"]),
  ('film_tf.train', train('train.keep_every_hours = -1'), ['train.keep_every_hours is -1']),
  ('film_tf.train', train('train.batch_size = 10_000_000_000_000'), ['train.batch_size is 10000000000000']),
  ('film_tf.train', train('model.pyramid_levels = 40'), ['model.pyramid_levels is 40']),
  ('film_tf.train', train("loss.weights = {'l1': 1e999}"), ['loss.weights', 'inf']),
  ('film_tf.train', train("loss.weights = {'l1': 0.0}"), ['loss.weights', 'nothing to minimise']),
  ('film_tf.train', train("loss.weights = {'laplacian': 1.0}", 'synthetic.height = 16'), ['16 pixels', '32 or more']),
  ('film_tf.train', train("loss.weights = {'census': 1.0}", 'synthetic.width = 6'), ['6 pixels', '7 or more']),
  ('film_tf.train', train("optimizer.learning_rate = '1e-4'"), ["optimizer.learning_rate is '1e-4'"]),
  ('film_tf.interpolate', ['photos', '--output=a.gif', '--at=1e400'], ['--at=1e400 is too much']),
  ('film_tf.interpolate', ['photos', '--output=a.gif', '--at=1e-99,2e-99', '--time=halve'], ['more than 16 halvings']),
  ('film_tf.interpolate', ['photos', '--output=a.mp4', '--fps=1e99999999'], ['--fps=1e99999999 is no number']),
  ('film_tf.train', train('model.filters = %width'), ['nothing says what %width is']),
  ('film_tf.train', train("loss.weights = {'l1': 1e39}"), ['loss.weights has l1: 1e+39', 'expected a number']),
  ('film_tf.train', train("loss.weights = {'l1': {0: 1, 1180591620717411303424: 1}}"), ['expected steps as whole']),
  # sources that are something else
  ('film_tf.train', reads('set@99999999999'), ['set@99999999999 stands for too many files']),
  ('film_tf.train', train("evaluation.sources = ['']"), ['source : no such file']),
  ('film_tf.train', train("evaluation.sources = ['synthetic']"), ['synthetic: is drawn without end']),
  ('film_tf.train', train("synthetic.photographs = 'synthetic'"), ['synthetic: is drawn without end']),
  ('film_tf.train', reads('photos'), ['photos', 'is a folder']),
  ('film_tf.train', reads('phot*'), ['phot*', 'is a folder']),
  ('film_tf.train', reads('s3://bucket/set@2'), ['s3://bucket/set@2', 'not implemented']),
  ('film_tf.train', reads('tfds:none_of_ours:train'), ['none_of_ours', 'build it first']),
  ('film_tf.train', reads('keyless'), ['keyless', 'frame_0/encoded', 'required']),
  ('film_tf.preview', [*reads('keyless')[1:], '--output=a.png'], ['keyless', 'frame_0/encoded', 'required']),
  ('film_tf.preview', [*reads('noise')[1:], '--output=a.png'], ['damaged files: noise']),
  ('eval.run', ['--model=blend', '--data=keyless'], ['keyless', 'frame_0/encoded']),
  ('eval.run', ['--model=blend', '--data=set@1', '--protocol=lpips'], ['--lpips_weights=alexnet.pth']),
  ('eval.run', ['--model=blend', '--gin_configs=gin/eval/ucf101.gin', '--root=photos'], ['0 folders', 'expected 379']),
  ('eval.run', ['--model=blend', '--data=synthetic'], ['synthetic scenes never end; give --max_examples']),
  ('datasets.export_tfrecord', ['keyless', '--output=new'], ['keyless', 'frame_0/encoded']),
  ('datasets.export_tfrecord', ['noise', '--output=new'], ['damaged files: noise']),
  ('datasets.export_tfrecord', ['\udcff', '--output=new'], ["source \\udcff: '\\\\xff' is no name in UTF-8"]),
  # what is cheap to see comes before data sets that are not there
  ('film_tf.train', ['--base_dir=text/run', *reads('nowhere')[1:]], ['cannot write text/run']),
  ('film_tf.train', [*reads('nowhere'), '--gin_bindings=model.filters = 0'], ['model.filters is 0']),
  ('film_tf.train', [*reads('nowhere'), '--gin_bindings=optimizer.average = 2.0'], ['optimizer.average is 2.0']),
  ('film_tf.train', [*reads('nowhere'), '--gin_bindings=augmentation.crop = 0'], ['augmentation.crop is 0']),
  # what is not there
  ('film_tf.train', [*TRAIN, '--tpu=none-there'], ['there is no TPU none-there']),
  ('film_tf.train', ['--base_dir=s3://bucket/run', *TRAIN[1:]], ['s3://bucket/run', 'not implemented']),
  ('film_tf.train', train("evaluation.sources = ['nowhere']"), ['nowhere', 'no such file']),
  ('film_tf.train', [*TRAIN, '--init_from=nowhere'], ['no such model: nowhere']),
  ('film_tf.train', [*TRAIN, '--init_from=film_mini'], ['film_mini do not fit', 'more']),
  ('film_tf.train', [*train('model.bilateral_flow = False'), '--init_from=nan.npz'], ['nan.npz are not finite']),
  ('film_tf.train', ['--base_dir=run', '--gin_configs=loop.gin'], ['loop.gin includes itself']),
  ('film_tf.train', ['--base_dir=run', '--gin_configs=open.gin'], ['open.gin', 'EOF in multi-line statement']),
  ('film_tf.train', ['--base_dir=run', '--gin_configs=nan.npz'], ['nan.npz']),
  ('film_tf.train', ['--base_dir=run', '--gin_configs=pipe'], ['pipe is a pipe or a device']),
  ('film_tf.train', train('foo/train.steps = 3'), ['nothing reads foo/train', 'write train']),
  ('film_tf.train', ['--base_dir=run', '--gin_configs=photos'], ['no gin file photos']),
  ('film_tf.train', ['--base_dir=finished', *TRAIN[1:]], ['finished has film.npz', 'no checkpoint']),
  ('film_tf.train', ['--base_dir=text', *TRAIN[1:]], ['cannot write', 'text']),
  ('film_tf.train', ['--base_dir=lr[1e-4]', *TRAIN[1:]], ['base_dir lr[1e-4] has [ and ], which is a pattern']),
  ('film_tf.export', ['--model=nan.npz', '--output=new'], ['nan.npz are not finite']),
  ('film_tf.export', ['--model=pipe', '--output=new'], ['pipe is a pipe or a device']),
  ('film_tf.train', [*TRAIN, '--init_from=pipe'], ['pipe is a pipe or a device']),
  ('film_tf.export', ['--model=piped_model', '--output=new'], ['film_tf.json is a pipe or a device']),
  ('film_tf.inspect', ['photos/1.png', 'pipe', '--output=page.html'], ['pipe is a pipe or a device']),
  ('eval.run', ['--model=blend', '--data=pipe.mp4'], ['pipe.mp4 is a pipe or a device']),
  ('film_tf.export', ['--model=half', '--output=new'], ['half.data-00000-of-00001 is a pipe or a device']),
  ('film_tf.train', reads('pipe'), ['pipe is a pipe or a device']),
  ('film_tf.train', ['--base_dir=piped', *TRAIN[1:]], ['piped/config.gin is a pipe or a device']),
  ('film_tf.export', ['--model=/dev/zero', '--output=new'], ['/dev/zero is a pipe or a device']),
]  # fmt: skip


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> pathlib.Path:
  """What the rows name."""
  root = tmp_path_factory.mktemp('mistakes')
  triplets.write(root, [2], 40, 48)
  for name in ('photos', 'd.png', 'd.csv', 'finished'):
    (root / name).mkdir()
  for number in (1, 2, 3, 4):
    Image.fromarray(triplets.frame(0, number)).save(root / 'photos' / f'{number}.png')
  Image.new('RGB', (50, 40)).save(root / 'wide.png')
  Image.new('RGBA', (48, 40)).save(root / 'clear.png')
  (root / 'text').write_text('mine')
  for name in ('vimeo90k_triplet', 'xiph_triplet/2k'):
    (root / 'built' / name / '1.0.0').mkdir(parents=True)
  (root / 'noise').write_text('not triplets, but words that are long enough')
  (root / 'finished' / 'film.npz').write_text('mine')
  os.mkfifo(root / 'pipe')
  (root / 'half.index').write_text('mine')
  os.mkfifo(root / 'half.data-00000-of-00001')
  (root / 'piped').mkdir()
  os.mkfifo(root / 'piped' / 'config.gin')
  os.mkfifo(root / 'pipe.mp4')
  (root / 'piped_model' / 'variables').mkdir(parents=True)
  (root / 'piped_model' / 'variables' / 'variables.index').write_bytes(b'')
  (root / 'piped_model' / 'assets.extra').mkdir()
  (root / 'piped_model' / 'assets.extra' / 'film_tf.json').symlink_to('/dev/full')
  (root / os.fsdecode(b'\xff')).write_bytes((root / 'set-00000-of-00001').read_bytes())
  (root / 'open.gin').write_text('model.filters = {\n')
  (root / 'loop.gin').write_text("include 'loop.gin'\n")
  with tf.io.TFRecordWriter(str(root / 'keyless')) as writer:
    writer.write(tf.train.Example().SerializeToString())
  net = FilmNet(TINY)
  arrays = {name: variable.numpy() for name, variable in weights.named(net).items()}
  weights.save(net, root / 'good.npz')
  with np.load(root / 'good.npz') as good:
    np.savez(root / 'nan.npz', **{**good, next(iter(arrays)): np.full_like(next(iter(arrays.values())), np.nan)})
  return root


WITHOUT_TENSORFLOW = [
  ('film_tf.interpolate', ['photos', '--output=a.gif', '--times=abc'], ['--times=abc is no whole number']),
  ('film_tf.interpolate', ['photos', '--output=a.gif', '--flow_scale=2'], ['--flow_scale=2', '1|0.5']),
  ('film_tf.interpolate', ['photos', '--output=a.gif', '--cut=much'], ['--cut=much is no number']),
  ('film_tf.interpolate', ['photos/1.png', 'photos/2.png', 'out.png'], ['--output is missing; is it --output=out.png']),
  ('film_tf.interpolate', ['photos/1.png', 'photos/2.png'], ['--output is missing (see --help)']),
  ('film_tf.interpolate', ['http://a.com/b.mp4', '--output=a.mp4'], ['http://a.com/b.mp4; download it first']),
  ('film_tf.interpolate', ['photos', '--output=/proc/none/a.png'], ['cannot write /proc/none/a.png']),
  ('film_tf.interpolate', ['photos', '--output=text', '--times=2'], ['text is a file']),
  ('film_tf.inspect', ['photos/1.png', '--output=a.html'], ['1 images are given; expected two']),
  ('film_tf.inspect', ['photos/1.png', 'photos/2.png', '--output=a.png'], ['--output=a.png', 'ends in .html']),
  ('film_tf.inspect', ['photos/1.png', 'photos/2.png', '--output=text'], ['--output=text', 'ends in .html']),
  ('film_tf.inspect', ['photos/1.png', 'photos/9.png', '--output=a.html'], ['no such file: photos/9.png']),
  ('film_tf.inspect', ['photos/1.png', 'text', '--output=a.html'], ['text is not an image that can be read']),
  ('film_tf.inspect', ['photos/1.png', 'wide.png', '--output=a.html'], ['is 32x24 pixels and wide.png is 50x40']),
  ('film_tf.inspect', ['clear.png', 'clear.png', '--output=a.html'], ['clear.png is transparent']),
  ('film_tf.inspect', ['photos/1.png', 'photos/2.png', '--model=none', '--output=a.html'], ['no such model: none']),
  ('eval.report', ['nowhere', '--output=a.html'], ['nowhere has no results of eval.run']),
  ('eval.report', ['text', '--output=a.html'], ['text has no results of eval.run']),
  ('eval.run', ['--model=blend', '--data=nowhere'], ['nowhere: no such file']),
  ('eval.run', ['--model=blend'], ['--gin_configs=gin/eval/BENCHMARK.gin or --data=']),
  ('eval.run', ['--model=blend', '--model=blend', '--data=set@1'], ['--model is given twice: blend, blend']),
  ('eval.run', ['--model=blend', '--data=set@1', '--protocol=flim'], ['--protocol', 'flim', 'softsplat']),
  ('eval.run', ['--model=blend', '--data=set@1', '--vgg19=nowhere.mat'], ['no such file of weights: nowhere.mat']),
  ('eval.run', ['--model=blend', '--data=set@1', '--resume'], ['--resume needs a folder of results']),
  ('eval.run', ['--model=blend', '--data=set@1', '--images=worst'], ['--images needs a folder of results']),
  ('eval.run', ['--model=blend', '--data=set@1', '--max_examples=0'], ['--max_examples']),
  ('eval.run', ['--model=blend', '--data=set@1', '--output=photos', '--overwrite'], ['photos is not a folder of res']),
  ('eval.run', ['--model=blend', '--data=set@1', '--root=photos'], ['--root=photos goes with --gin_configs']),
  ('eval.run', ['--model=blend', '--gin_configs=gin/eval/ucf101.gin', '--root=nowhere'], ['nowhere is no folder']),
  ('eval.run', ['--model=blend', '--gin_configs=gin/eval/xiph.gin'], ['film_tf has gin/eval/xiph_']),
  ('eval.compare', ['photos'], ['photos has no results of eval.run', 'no summary.json']),
  ('eval.compare', [], ['expected one folder of results or more']),
  ('eval.model_card', ['photos'], ['photos has no results of eval.run']),
  ('eval.run', ['--model=blend', '--data=nowhere.mp4'], ['no such file: nowhere.mp4']),
  ('eval.run', ['--model=blend', '--data=set@1', '--output=text'], ['text exists already']),
  ('datasets.export_tfrecord', ['nowhere@2', '--output=new'], ['2 of 2 shards are missing']),
  ('datasets.export_tfrecord', ['set@1', '--output=text'], ['text exists already']),
  ('datasets.build', ['vimeo90k_triplet', '--manual_dir=nowhere'], ['nowhere does not exist']),
  ('datasets.build', ['vimeo90k_triplet', '--manual_dir=photos', '--data_dir=built'], ['1.0.0 exists already']),
  ('datasets.build', ['xiph_triplet', '--manual_dir=photos', '--data_dir=built', '--config=2k'], ['exists already']),
]  # fmt: skip
_LOADED = 99
_SCRIPT = f"""
import runpy, sys
try:
  runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)
except SystemExit as error:
  sys.exit({_LOADED} if 'tensorflow' in sys.modules else error.code)
"""


def everything(root):
  return {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}


@pytest.mark.parametrize(('module', 'words', 'parts'), ROWS, ids=lambda value: str(value)[-60:])
def test_a_mistake_is_one_line_and_changes_nothing(module, words, parts, folder):
  before = everything(folder)
  assert_user_error(command(module, *words, cwd=folder), *parts)
  assert everything(folder) == before


@pytest.mark.parametrize(('module', 'words', 'parts'), WITHOUT_TENSORFLOW, ids=lambda value: str(value)[-60:])
def test_what_needs_no_tensorflow_is_said_before_that_is_loaded(module, words, parts, folder):
  before = everything(folder)
  assert_user_error(run('-c', _SCRIPT, module, *words, cwd=folder), *parts)
  assert everything(folder) == before


def test_where_a_bucket_cannot_be_reached_only_that_is_said(folder):
  """In a process of its own, for TensorFlow's notes come while it is loaded."""
  words = ['--model=blend', '--data=set@1', '--output=none://scores.csv']
  assert_user_error(run('-m', 'eval.run', *words, cwd=folder), 'none://scores.csv', 'not implemented')
