"""TFRecord shards of a data set, and back."""

import numpy as np
import pytest
import tensorflow as tf

from datasets import export_tfrecord
from film_tf import keys, locks
from film_tf.data import pipeline, records, sources
from film_tf.errors import UserError
from tests.conftest import assert_user_error, command
from tests.data import triplets
from tests.datasets.build_tree import build, layout


@pytest.mark.parametrize('shards', [1, 5, 12])
def test_a_built_data_set_becomes_shards_in_order(shards, tmp_path, monkeypatch):
  build('middlebury_other', layout('middlebury_other', tmp_path / 'root'), tmp_path / 'built')
  monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path / 'built'))
  output = f'{tmp_path}/out/set@{shards}'
  export_tfrecord.export('tfds:middlebury_other:test', output)
  assert len(list((tmp_path / 'out').iterdir())) == shards
  sizes = [len(list(tf.data.TFRecordDataset(file))) for file in sources.shards(output)]
  assert max(sizes) - min(sizes) <= 1
  before = list(sources.ordered('tfds:middlebury_other:test').as_numpy_iterator())
  assert list(sources.ordered(output).as_numpy_iterator()) == before
  example = tf.train.Example.FromString(next(iter(tf.data.TFRecordDataset(sources.shards(output)))).numpy())
  feature = example.features.feature
  assert feature['frame_1/height'].int64_list.value[0] == 24
  assert feature['frame_1/width'].int64_list.value[0] == 32
  assert feature['frame_1/format'].bytes_list.value[0] == b'png'
  pixels = next(iter(pipeline.evaluation(output)))
  np.testing.assert_array_equal(pixels[keys.PATH], [before[0][keys.PATH]])


def test_shards_may_be_divided_anew_on_another_file_system(tmp_path):
  """`ram://` is a file system of TensorFlow's that is not the machine's own, as `gs://` is."""
  name = triplets.write(tmp_path, [3, 1, 3])
  export_tfrecord.export(name, f'ram://{tmp_path.name}/set@2')
  paths = [example[keys.PATH].numpy() for example in sources.ordered(f'ram://{tmp_path.name}/set@2')]
  assert paths == [str(i).encode() for i in range(7)]
  assert len(sources.shards(f'ram://{tmp_path.name}/set-*')) == 2


def test_what_it_refuses(tmp_path):
  name = triplets.write(tmp_path, [3])
  with pytest.raises(UserError, match='3 triplets, too few for 4 files'):
    export_tfrecord.export(name, f'{tmp_path}/out@4')
  with pytest.raises(UserError, match='stands for no file'):
    export_tfrecord.export(name, f'{tmp_path}/out@0')
  export_tfrecord.export(name, f'{tmp_path}/out@2')
  with pytest.raises(UserError, match='out-00000-of-00002 exists already'):
    export_tfrecord.export(name, f'{tmp_path}/out@2')
  export_tfrecord.export(name, f'{tmp_path}/out@2', overwrite=True)


def test_the_files_of_two_at_once_are_not_mixed(tmp_path):
  name = triplets.write(tmp_path, [3])
  with locks.held(tmp_path / '.out@2.lock', 'out'), pytest.raises(UserError, match='out@2 is in use by process'):
    export_tfrecord.export(name, f'{tmp_path}/out@2')
  export_tfrecord.export(name, f'{tmp_path}/out@2')
  assert sorted(path.name for path in tmp_path.iterdir())[:2] == ['out-00000-of-00002', 'out-00001-of-00002']


@pytest.mark.parametrize('through', ['name', 'link', 'pattern'])
def test_a_source_is_not_written_over_while_it_is_read(through, tmp_path):
  name = triplets.write(tmp_path, [3, 1, 1])
  before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
  output = name
  if through == 'link':
    (tmp_path / 'other').symlink_to(tmp_path)
    output = f'{tmp_path}/other/set@3'
  with pytest.raises(UserError, match=r'would replace .*set-00000-of-00003, which is of the source'):
    export_tfrecord.export(f'{tmp_path}/set-*' if through == 'pattern' else name, output, overwrite=True)
  assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_shards_are_replaced_all_or_none(tmp_path):
  name = triplets.write(tmp_path, [3, 1])
  export_tfrecord.export(name, f'{tmp_path}/out@2')
  before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
  last = tmp_path / 'set-00001-of-00002'
  last.write_bytes(last.read_bytes()[:-30])
  with pytest.raises(UserError, match=r'damaged files: .*set-00001-of-00002'):  # the input is to blame
    export_tfrecord.export(name, f'{tmp_path}/out@2', overwrite=True)
  before[last.name] = last.read_bytes()
  assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_times_are_copied(tmp_path):
  frames = tuple(triplets.png(triplets.frame(1, time)) for time in range(3))
  with tf.io.TFRecordWriter(f'{tmp_path}/early') as writer:
    writer.write(records.encode(records.Triplet('a/b', frames, 24, 32, 0.25)))
  export_tfrecord.export(f'{tmp_path}/early', f'{tmp_path}/out')
  assert (tmp_path / 'out').read_bytes() == (tmp_path / 'early').read_bytes()


def test_damaged_frames_are_not_copied(tmp_path):
  frames = (b'\x89PNG, but no more', *(triplets.png(triplets.frame(1, time)) for time in (1, 2)))
  with tf.io.TFRecordWriter(f'{tmp_path}/bad') as writer:
    writer.write(records.encode(records.Triplet('a/b', frames, 24, 32)))
  with pytest.raises(UserError, match=r"triplet 'a/b' of .*bad is damaged"):
    export_tfrecord.export(f'{tmp_path}/bad', f'{tmp_path}/out')
  assert [path.name for path in tmp_path.iterdir()] == ['bad']


@pytest.mark.slow
def test_the_command(tmp_path):
  build('middlebury_other', layout('middlebury_other', tmp_path / 'root'), tmp_path / 'built')
  words = ['datasets.export_tfrecord', 'tfds:middlebury_other:test']
  done = command(*words, '--data_dir=built', '--output=set@3', cwd=tmp_path)
  assert done.stdout.split('\n')[0] == '12 triplets in 3 files: set@3'
  assert_user_error(
    command(*words, '--data_dir=nowhere', '--output=new@3', cwd=tmp_path), 'middlebury_other', 'nowhere'
  )
