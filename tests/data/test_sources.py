import collections
import itertools

import numpy as np
import pytest
import tensorflow as tf

from film_tf.data import pipeline, records, sources
from film_tf.errors import UserError
from tests.data import triplets


def paths(dataset, count=None):
  dataset = dataset if count is None else dataset.take(count)
  return [example['path'].numpy().decode() for example in dataset]


def worker(index, count):
  return tf.distribute.InputContext(num_input_pipelines=count, input_pipeline_id=index)


def test_a_record_has_the_originals_features():
  images = tuple(triplets.png(triplets.frame(3, time)) for time in range(3))
  example = tf.train.Example.FromString(records.encode(records.Triplet('00001/0389', images, 24, 32)))
  features = example.features.feature
  assert set(features) == {'path'} | {
    f'frame_{i}/{k}' for i in range(3) for k in ('encoded', 'format', 'height', 'width')
  }
  assert features['path'].bytes_list.value[0] == b'00001/0389'
  for i in range(3):
    assert features[f'frame_{i}/encoded'].bytes_list.value[0] == images[i]
    assert features[f'frame_{i}/format'].bytes_list.value[0] == b'png'
    assert features[f'frame_{i}/height'].int64_list.value[0] == 24
    assert features[f'frame_{i}/width'].int64_list.value[0] == 32


@pytest.mark.parametrize('batched', [False, True])
def test_parse_undoes_encode_in_tf_data(batched):
  images = tuple(triplets.png(triplets.frame(3, time)) for time in range(3))
  dataset = tf.data.Dataset.from_tensors(records.encode(records.Triplet('a', images, 24, 32)))
  example = next(iter((dataset.batch(1) if batched else dataset).map(records.parse)))
  assert [example[key].numpy() for key in ('x0', 'y', 'x1')] == [([image] if batched else image) for image in images]
  assert example['time'] == 0.5


def test_a_record_has_its_time_where_that_is_not_halfway():
  images = tuple(triplets.png(triplets.frame(3, time)) for time in range(3))
  assert records.parse(records.encode(records.Triplet('a', images, 24, 32, 0.25)))['time'] == 0.25


def test_ordered_reads_every_record_once_in_order(tmp_path):
  name = triplets.write(tmp_path, [7, 3, 5])
  assert paths(sources.ordered(name)) == [str(i) for i in range(15)]


def test_a_pattern_and_one_file_are_sources_too(tmp_path):
  triplets.write(tmp_path, [2, 3])
  assert len(paths(sources.ordered(f'{tmp_path}/set-*'))) == 5
  assert len(paths(sources.ordered(f'{tmp_path}/set-00001-of-00002'))) == 3


def test_shuffled_reads_every_record_in_every_epoch(tmp_path):
  name = triplets.write(tmp_path, [7, 3, 5])
  epochs = paths(sources.shuffled(name, 1, 8), 45)
  for i in range(3):
    assert sorted(epochs[15 * i : 15 * i + 15], key=int) == [str(n) for n in range(15)]
  assert len({tuple(epochs[15 * i : 15 * i + 15]) for i in range(3)}) > 1
  assert paths(sources.shuffled(name, 1, 8), 45) == epochs
  assert any(paths(sources.shuffled(name, seed, 8), 15) != epochs[:15] for seed in range(2, 6))


@pytest.mark.parametrize('counts', [[4, 4, 4, 4], [5, 4], [9]])
@pytest.mark.parametrize('workers', [2, 3])
def test_workers_share_all_records_and_none_twice(tmp_path, counts, workers):
  name = triplets.write(tmp_path, counts)
  total = sum(counts)
  seen = collections.Counter()
  for index in range(workers):
    mine = set(paths(sources.shuffled(name, 1, 8, worker=worker(index, workers)), 4 * total))
    seen.update(mine)
  assert seen == {str(i): 1 for i in range(total)}


@pytest.fixture
def built(tmp_path, monkeypatch):
  """A built TFDS data set of 12 triplets, with the features that ours have."""
  tfds = pytest.importorskip('tensorflow_datasets')
  monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path))
  image = tfds.features.Image(shape=(None, None, 3), encoding_format='png')
  features = tfds.features.FeaturesDict({**dict.fromkeys(records.FRAMES, image), 'path': tfds.features.Text()})
  frames = [np.stack([triplets.frame(i, time) for i in range(12)]) for time in range(3)]
  examples = {**dict(zip(records.FRAMES, frames, strict=True)), 'path': [str(i) for i in range(12)]}
  tfds.dataset_builders.store_as_tfds_dataset(
    'tiny_triplet', '1.0.0', data_dir=str(tmp_path), features=features,
    split_datasets={'train': tf.data.Dataset.from_tensor_slices(examples)}, disable_shuffling=True,
  )  # fmt: skip
  return 'tfds:tiny_triplet:train'


def test_a_built_tfds_data_set_is_a_source(built):
  examples = list(sources.ordered(built))
  assert paths(examples) == [str(i) for i in range(12)]
  for i, example in enumerate(examples):
    for time, key in enumerate(('x0', 'y', 'x1')):
      np.testing.assert_array_equal(tf.io.decode_png(example[key]), triplets.frame(i, time))
  assert sorted(paths(sources.shuffled(built, 1, 8), 12), key=int) == [str(i) for i in range(12)]


@pytest.mark.parametrize(
  ('split', 'part'),
  [
    ('valid', r'there is no split valid .*; splits are train'),
    ('train[:0]', 'has no triplets'),
    ('train[5', 'there is no split'),
  ],
)
def test_splits_that_there_are_not(split, part, built):
  with pytest.raises(UserError, match=part) as error:
    sources.ordered(built.replace('train', split))
  assert 'build it first' not in error.value.message


def shorten(path, count):
  kept = [record.numpy() for record in tf.data.TFRecordDataset(str(path)).take(count)]
  with tf.io.TFRecordWriter(str(path)) as writer:
    for record in kept:
      writer.write(record)


@pytest.mark.parametrize(
  ('harm', 'part'),
  [
    (lambda path: path.unlink(), r'cannot read .*tfrecord'),
    (lambda path: path.write_bytes(b''), r'tfrecord.* is empty, 12 triplets are missing'),
    (lambda path: path.write_bytes(path.read_bytes()[:-50]), r'damaged files: .*tfrecord'),
    (lambda path: shorten(path, 5), r'fewer records than their data set: .*tfrecord\S+ \(7 of 12 are missing\)'),
  ],
  ids=['missing', 'empty', 'truncated', 'short'],
)
def test_a_damaged_shard_of_a_built_data_set_is_named(harm, part, built, tmp_path):
  (shard,) = tmp_path.rglob('*.tfrecord*')
  harm(shard)
  for examples in (sources.ordered, lambda name: sources.shuffled(name, 1, 8).take(24)):  # of measuring, of training
    with pytest.raises(UserError, match=part), pipeline.readable([built]):
      list(examples(built))


@pytest.mark.parametrize('text', ['', '{', '[]', '{"name": 3}'])
def test_damaged_information_of_a_built_data_set(text, built, tmp_path):
  (info,) = tmp_path.rglob('dataset_info.json')
  info.write_text(text)
  with pytest.raises(UserError, match=r'tiny_triplet.*build it again'):
    sources.ordered(built)


def test_a_slice_of_a_split(built):
  assert paths(sources.ordered(f'{built}[25%:75%]')) == [str(i) for i in range(3, 9)]


@pytest.mark.parametrize('workers', [1, 3])
@pytest.mark.parametrize('had', [0, 2, 5, 6, 11])
def test_a_run_goes_on_where_it_stopped(built, tmp_path, workers, had):
  """Within an epoch, at its end, and in a later one, of records and of built data sets."""
  for name in (built, triplets.write(tmp_path, [5, 4, 6])):
    for index in range(workers):
      whole = paths(sources.shuffled(name, 3, 4, 0, worker(index, workers)), 24)
      assert paths(sources.shuffled(name, 3, 4, had, worker(index, workers)), 24 - had) == whole[had:]
      assert whole[:4] != whole[12 // workers : 12 // workers + 4]


def test_the_global_seed_does_not_matter(tmp_path):
  name, orders = triplets.write(tmp_path, [5, 4, 6]), []
  for seed in (0, 1):
    tf.keras.utils.set_random_seed(seed)
    orders.append(paths(sources.shuffled(name, 0, 4), 30))
  assert orders[0] == orders[1]


def test_more_workers_than_triplets(tmp_path):
  with pytest.raises(UserError, match='too few triplets for 3 workers'):
    sources.shuffled(triplets.write(tmp_path, [2]), 1, 8, worker=worker(2, 3))


@pytest.mark.parametrize('workers', [1, 2, 5])
def test_workers_share_a_built_data_set_that_is_one_file(built, workers):
  shares = [paths(sources.shuffled(built, 1, 8, 0, worker(i, workers)), 12 // workers) for i in range(workers)]
  everything = [path for share in shares for path in share]
  assert len(set(everything)) == len(everything) == 12 // workers * workers


@pytest.mark.parametrize(
  ('name', 'part'),
  [
    ('{}/set@4', '2 of 4 shards are missing'),
    ('{}/none@2', '2 of 2'),
    ('{}/none', 'no such file'),
    ('{}/x-*', 'no such file'),
    ('{}', 'is a folder'),
    ('s3://nobucket/x', 'cannot read source s3://nobucket'),
    ('tfds:nothing_of_ours:train', 'nothing_of_ours'),
    ('tfds:nothing', 'expected tfds:NAME:SPLIT, such as tfds:nothing:train'),
  ],
)
def test_a_missing_source_is_named(tmp_path, name, part):
  triplets.write(tmp_path, [1, 1, 1, 1])
  for shard in ('set-00001-of-00004', 'set-00003-of-00004'):
    (tmp_path / shard).unlink()
  with pytest.raises(UserError, match=part):
    sources.ordered(name.format(tmp_path))


def test_files_that_become_empty_end_what_would_look_at_them_for_ever(tmp_path):
  read = iter(sources.shuffled(triplets.write(tmp_path, [2, 1]), 1, 8))
  next(read)
  for path in tmp_path.iterdir():
    path.write_bytes(b'')
  with pytest.raises(tf.errors.InvalidArgumentError, match='has no triplets any more'):
    list(itertools.islice(read, 12))
