import itertools

import numpy as np
import pytest
import tensorflow as tf

from film_tf.data import motion, pipeline, records
from film_tf.data.augment import Augmentation
from film_tf.data.pipeline import Data
from film_tf.data.scenes import Scenes
from film_tf.errors import UserError
from tests.data import triplets

SCENES = Scenes(16, 16, 1, 4.0)
CROP = Augmentation(crop=16)


def batches(sources, count, seed=0, start=0, **kwargs):
  dataset = pipeline.training(Data(sources, 8), SCENES, CROP, 2, seed, start, **kwargs)
  return [{key: value.numpy() for key, value in batch.items()} for batch in dataset.take(count)]


@pytest.mark.parametrize('with_synthetic', [False, True])
def test_batches_of_records_have_static_shapes_and_a_range(tmp_path, with_synthetic):
  name = triplets.write(tmp_path, [4, 3])
  sources = {name: 1.0} | ({'synthetic': 1.0} if with_synthetic else {})
  dataset = pipeline.training(Data(sources), SCENES, CROP, 2, 0)
  image, flow = tf.TensorSpec((2, 16, 16, 3)), tf.TensorSpec((2, 16, 16, 2))
  expected = {'x0': image, 'y': image, 'x1': image, 'time': tf.TensorSpec((2, 1))}
  flows = ('forward_flow', 'backward_flow', 'middle_flow')
  expected |= dict.fromkeys(flows, flow) if with_synthetic else {}
  assert dataset.element_spec == expected
  batch = next(iter(dataset))
  assert 0 <= batch['x0'].numpy().min() < batch['x0'].numpy().max() <= 1
  np.testing.assert_array_equal(batch['time'], 0.5)


def test_triplets_keep_their_time_in_training_and_evaluation(tmp_path):
  images = tuple(triplets.png(triplets.frame(3, time)) for time in range(3))
  name = f'{tmp_path}/early'
  with tf.io.TFRecordWriter(name) as writer:
    writer.write(records.encode(records.Triplet('early', images, 24, 32, 0.25)))
  assert next(iter(pipeline.evaluation(name)))['time'] == [[0.25]]
  times = {float(time) for batch in batches({name: 1.0}, 20) for time in batch['time'][:, 0]}
  assert times == {0.25, 0.75}  # frames that are swapped have their time turned about


@pytest.mark.parametrize('time', [0.0, 1.0, -0.5, float('nan')])
def test_a_time_that_is_not_between_is_told(time, tmp_path):
  images = tuple(triplets.png(triplets.frame(3, time)) for time in range(3))
  with tf.io.TFRecordWriter(f'{tmp_path}/odd') as writer:
    writer.write(records.encode(records.Triplet('odd one', images, 24, 32, time)))
  with pytest.raises(UserError, match=r'triplet odd one is at time .* between 0 and 1'), pipeline.readable(['odd']):
    next(iter(pipeline.evaluation(f'{tmp_path}/odd')))


def test_synthetic_alone_keeps_its_flow_and_goes_on_where_it_stopped():
  whole = batches({'synthetic': 1.0}, 3)
  assert {'forward_flow', 'backward_flow', 'middle_flow'} <= set(whole[0])
  rest = batches({'synthetic': 1.0}, 1, start=4)
  for key in whole[2]:
    np.testing.assert_array_equal(rest[0][key], whole[2][key])


def test_the_same_seed_gives_the_same_batches(tmp_path):
  sources = {triplets.write(tmp_path, [4, 3]): 2.0, 'synthetic': 1.0}
  one, again, other, later = (batches(sources, 12, *args) for args in [(1,), (1,), (2,), (1, 8)])
  assert all((a['x0'] == b['x0']).all() for a, b in zip(one, again, strict=True))
  assert any((a['x0'] != b['x0']).any() for a, b in zip(one, other, strict=True))
  for a, b in zip(one[4:], later, strict=False):  # it goes on where it stopped
    for key in a:
      np.testing.assert_array_equal(a[key], b[key])


@pytest.mark.parametrize('start', [0, 1, 4095, 4096, 10_000])
def test_choices_of_sources_go_on_where_they_stopped(start):
  data = Data({'a': 3.0, 'b': 1.0, 'c': 1.0})
  every, none = pipeline._choices(data, 5, 0)
  whole = np.array(list(every.take(start + 10).as_numpy_iterator()))
  rest, had = pipeline._choices(data, 5, start)
  assert none == [0, 0, 0]
  assert had == np.bincount(whole[:start], minlength=3).tolist()
  np.testing.assert_array_equal(list(rest.take(10).as_numpy_iterator()), whole[start:])
  if start > 4000:
    np.testing.assert_allclose(np.array(had) / start, [0.6, 0.2, 0.2], atol=0.03)


def test_sources_are_mixed_by_weight(tmp_path):
  sources = {triplets.write(tmp_path, [4, 3]): 3.0, 'synthetic': 1.0}
  dataset = pipeline.training(Data(sources, 8), SCENES, Augmentation(crop=16, rotation_probability=0.0), 100, 0)
  blue = np.concatenate([batch['y'].numpy()[..., 2] for batch in dataset.take(8)])
  from_records = (np.ptp(blue, axis=(1, 2)) < 1e-6).mean()  # our frames have one blue; scenes do not
  assert abs(from_records - 0.75) < 0.05


def test_only_the_flow_of_scenes_is_known(tmp_path):
  sources = {triplets.write(tmp_path, [4, 3]): 1.0, 'synthetic': 1.0}
  found = batches(sources, 20)
  unknown = np.concatenate([np.isnan(batch['forward_flow']).mean(axis=(1, 2, 3)) for batch in found])
  from_records = np.concatenate([np.ptp(batch['y'][..., 2], axis=(1, 2)) < 0.02 for batch in found])
  assert set(unknown) == {0.0, 1.0}
  np.testing.assert_array_equal(unknown == 1.0, from_records)


def test_workers_see_different_examples():
  seen = [batches({'synthetic': 1.0}, 2, worker=tf.distribute.InputContext(2, i))[0]['x0'].tobytes() for i in range(2)]
  assert len(set(seen)) == 2


@pytest.mark.parametrize('batch_size', [1, 2, 4, 15, 16])
def test_evaluation_reads_everything_once_in_order_unchanged(tmp_path, batch_size):
  name = triplets.write(tmp_path, [7, 3, 5])
  examples = list(pipeline.evaluation(name, batch_size).unbatch())
  assert [int(e['path'].numpy()) for e in examples] == list(range(15))
  for i, example in enumerate(examples):
    for time, key in enumerate(('x0', 'y', 'x1')):
      np.testing.assert_allclose(example[key], triplets.frame(i, time) / 255, atol=1e-6)


def test_scenes_and_crops_that_are_mixed_need_one_size(tmp_path):
  name = triplets.write(tmp_path, [2])
  with pytest.raises(UserError, match='16x16 pixels cannot be mixed with crops of 12'):
    pipeline.training(Data({name: 1.0, 'synthetic': 1.0}), SCENES, Augmentation(crop=12), 2, 0)


@pytest.mark.parametrize('wrong', [{}, None, ['synthetic'], {'synthetic': 0.0}, {'synthetic': '1'}, {3: 1.0}])
def test_wrong_sources_are_refused(wrong):
  with pytest.raises(UserError, match=r'data\.sources'):
    Data(wrong)


def moving(folder, motions):
  """Records of a texture that moves by so many pixels."""
  big = np.random.default_rng(0).random((20, 20, 3)).astype(np.float32)
  big = (255 * tf.image.resize(big, (160, 160), 'bicubic').numpy().clip(0, 1)).astype(np.uint8)
  with tf.io.TFRecordWriter(f'{folder}/moving') as writer:
    for motion in motions:
      frames = tuple(triplets.png(big[40:120, 40 - x : 120 - x]) for x in (0, motion // 2, motion))
      writer.write(records.encode(records.Triplet(str(motion), frames, 80, 80)))
  return f'{folder}/moving'


def test_only_crops_in_the_motion_range_are_taken(tmp_path):
  crop = Augmentation(crop=64, motion_range=(5.0, 15.0))
  name = moving(tmp_path, [0, 2, 10, 30])
  dataset = pipeline.training(Data({name: 1.0}), SCENES, crop, 4, 0)
  for batch in dataset.take(8):
    for x0, x1 in zip(batch['x0'], batch['x1'], strict=True):
      assert 8 < motion.measure(x0, x1).largest < 12  # only the one that moves by 10 is in range


@pytest.mark.parametrize(
  ('options', 'message'),
  [
    ({'crop': 81}, r'triplet 10 has 80 80 pixels; it needs 81 for augmentation.crop'),
    ({'crop': 64, 'motion_range': (20.0, 30.0)}, r'moving has 1000 crops in a row .* 20 to 30'),
  ],
)
def test_data_that_cannot_be_used_says_why(options, message, tmp_path):
  data = Data({moving(tmp_path, [10]): 1.0})
  with pytest.raises(UserError, match=message), pipeline.readable(data.sources):
    next(iter(pipeline.training(data, SCENES, Augmentation(**options), 2, 0)))


def test_a_path_that_is_not_utf8_is_told_as_far_as_it_is(tmp_path):
  images = tuple(triplets.png(triplets.frame(0, time, 8, 8)) for time in range(3))
  with tf.io.TFRecordWriter(str(tmp_path / 'latin')) as writer:
    writer.write(records.encode(records.Triplet('caf\udce9', images, 8, 8)))
  with pytest.raises(UserError, match=r'triplet caf. has 8 8 pixels'), pipeline.readable(['latin']):
    next(iter(pipeline.evaluation(str(tmp_path / 'latin'))))


@pytest.mark.parametrize(
  ('content', 'message'),
  [
    (b'no record at all, but long enough to look like one', 'damaged files: .*/bad'),
    (None, r'no triplet in .*/bad: Feature: frame_0/encoded .* is required'),
    (b'', 'has no triplets, its files are empty'),
  ],
  ids=['damaged', 'foreign', 'empty'],
)
def test_files_that_hold_no_triplets(content, message, tmp_path):
  path = tmp_path / 'bad'
  if content is None:
    with tf.io.TFRecordWriter(str(path)) as writer:
      writer.write(tf.train.Example().SerializeToString())
  else:
    path.write_bytes(content)
  data = Data({str(path): 1.0})
  with pytest.raises(UserError, match=message), pipeline.readable(data.sources):
    next(iter(pipeline.training(data, SCENES, CROP, 2, 0)))


def test_files_that_vanish_are_named(tmp_path):
  name = triplets.write(tmp_path, [2])
  made = iter(pipeline.training(Data({name: 1.0}, shuffle_buffer=1), SCENES, CROP, 1, 0))
  next(made)
  (tmp_path / 'set-00000-of-00001').unlink()
  with (
    pytest.raises(UserError, match=r'cannot read .*set@1: .*set-00000-of-00001; No such file'),
    pipeline.readable([name]),
  ):
    list(itertools.islice(made, 20))
