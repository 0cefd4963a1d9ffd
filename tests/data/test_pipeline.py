import numpy as np
import pytest
import tensorflow as tf

from film_tf.data import pipeline
from film_tf.data.augment import Augmentation
from film_tf.data.pipeline import Data
from film_tf.data.synthetic import Scenes
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
  image = tf.TensorSpec((2, 16, 16, 3))
  assert dataset.element_spec == {'x0': image, 'y': image, 'x1': image, 'time': tf.TensorSpec((2, 1))}
  batch = next(iter(dataset))
  assert 0 <= batch['x0'].numpy().min() < batch['x0'].numpy().max() <= 1
  np.testing.assert_array_equal(batch['time'], 0.5)


def test_synthetic_alone_keeps_its_flow_and_goes_on_where_it_stopped():
  whole = batches({'synthetic': 1.0}, 3)
  assert {'forward_flow', 'backward_flow'} <= set(whole[0])
  rest = batches({'synthetic': 1.0}, 1, start=4)
  for key in whole[2]:
    np.testing.assert_array_equal(rest[0][key], whole[2][key])


def test_the_same_seed_gives_the_same_batches(tmp_path):
  sources = {triplets.write(tmp_path, [4, 3]): 2.0, 'synthetic': 1.0}
  one, again, other, later = (batches(sources, 6, *args) for args in [(1,), (1,), (2,), (1, 12)])
  assert all((a['x0'] == b['x0']).all() for a, b in zip(one, again, strict=True))
  assert any((a['x0'] != b['x0']).any() for a, b in zip(one, other, strict=True))
  assert any((a['x0'] != b['x0']).any() for a, b in zip(one, later, strict=True))


def test_sources_are_mixed_by_weight(tmp_path):
  sources = {triplets.write(tmp_path, [4, 3]): 3.0, 'synthetic': 1.0}
  dataset = pipeline.training(Data(sources, 8), SCENES, Augmentation(crop=16, rotation_probability=0.0), 100, 0)
  blue = np.concatenate([batch['y'].numpy()[..., 2] for batch in dataset.take(8)])
  from_records = (np.ptp(blue, axis=(1, 2)) < 1e-6).mean()  # our frames have one blue; scenes do not
  assert abs(from_records - 0.75) < 0.05


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
