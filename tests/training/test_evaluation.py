"""Measuring while training, against the network called by hand."""

import csv
import json

import numpy as np
import pytest
import tensorflow as tf

from film_tf import metrics
from film_tf.data import pipeline, records
from film_tf.errors import UserError
from film_tf.losses.losses import Loss
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from film_tf.training import checkpoints
from film_tf.training.evaluation import Evaluation, Evaluator
from film_tf.training.optimizer import OptimizerOptions
from film_tf.training.summaries import Summaries
from film_tf.training.trainer import Trainer
from tests.conftest import ROOT, SHALLOW, command
from tests.data import triplets


def make(folder, strategy=None, **options):
  """An evaluator of a new network, with the network."""
  tf.keras.utils.set_random_seed(0)
  strategy = strategy or tf.distribute.get_strategy()
  with strategy.scope():
    net = FilmNet(SHALLOW)
    trainer = Trainer(net, Loss(), OptimizerOptions(average=0.9), 10, strategy=strategy)
  return Evaluator(Evaluation(**options), trainer, str(folder), Summaries(None)), trainer


def rows(folder):
  with open(folder / 'evaluation.csv') as file:
    return list(csv.DictReader(file))


def mixed_sizes(folder):
  """A source of triplets of three sizes."""
  name = str(folder / 'mixed')
  with tf.io.TFRecordWriter(name) as writer:
    for number, (height, width) in enumerate([(24, 32), (30, 20), (17, 23), (24, 32), (40, 24)]):
      images = tuple(triplets.png(triplets.frame(number, time, height, width)) for time in range(3))
      writer.write(records.encode(records.Triplet(str(number), images, height, width)))
  return name


def by_hand(net, name, count=None):
  """Mean PSNR and SSIM."""
  found = []
  for batch in pipeline.evaluation(name).take(count or -1):
    image = net(batch)['image']
    found.append([metrics.psnr(image, batch['y'])[0], metrics.ssim(image, batch['y'])[0]])
  return np.mean(found, axis=0)


def test_every_example_counts_once(tmp_path):
  first, second = mixed_sizes(tmp_path), triplets.write(tmp_path, [2, 1])
  evaluate, trainer = make(tmp_path, sources=[first, second])
  evaluate(7)
  for row, name, count in zip(rows(tmp_path), (first, second), (5, 3), strict=True):
    assert (row['step'], row['source'], row['examples']) == ('7', name, str(count))
    np.testing.assert_allclose([float(row['psnr']), float(row['ssim'])], by_hand(trainer.net, name), rtol=1e-5)


def test_as_many_as_asked_for(tmp_path):
  name = mixed_sizes(tmp_path)
  evaluate, trainer = make(tmp_path, sources=[name], examples=2)
  evaluate(1)
  assert rows(tmp_path)[0]['examples'] == '2'
  np.testing.assert_allclose(float(rows(tmp_path)[0]['psnr']), by_hand(trainer.net, name, 2)[0], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize('devices', [2, 3])
def test_devices_share_the_examples(devices, tmp_path):
  """Five examples, of several sizes; each is measured once however many devices there are."""
  make(tmp_path, sources=[mixed_sizes(tmp_path)])[0](1)
  result = command('tests.training.measure_on_devices', devices, tmp_path, cwd=ROOT)
  assert result.returncode == 0, result.stderr
  (one,), (other,) = rows(tmp_path), json.loads(result.stdout.splitlines()[-1])
  assert one['examples'] == other['examples'] == '5'
  np.testing.assert_allclose(float(other['psnr']), float(one['psnr']), rtol=1e-5)


def test_the_best_averages_are_kept(tmp_path):
  """Averages, not weights, are measured; only better ones replace `best.npz`; a killed run's later rows go."""
  name = triplets.write(tmp_path, [2])
  evaluate, trainer = make(tmp_path, sources=[name])
  good = [average.numpy() for average in trainer.averages]

  def worse(factor):
    for average, value in zip(trainer.averages, good, strict=True):
      average.assign(factor * value)

  def best():
    return [variable.numpy() for variable in weights.named(weights.load(tmp_path / 'best.npz')).values()]

  worse(30.0)
  evaluate(10)
  worse(1.0)
  evaluate(20)
  worse(20.0)
  evaluate(30)
  psnr = [float(row['psnr']) for row in rows(tmp_path)]
  assert psnr[1] > max(psnr[0], psnr[2])
  for found, expected in zip(best(), good, strict=True):
    np.testing.assert_array_equal(found, expected)
  for weight, expected in zip(trainer.weights, good, strict=True):
    np.testing.assert_array_equal(weight, expected)
  evaluate(20)
  assert [row['step'] for row in rows(tmp_path)] == ['10', '20']
  worse(1.0)
  evaluate(20)  # again, which it does not
  assert float(rows(tmp_path)[1]['psnr']) < psnr[1]


def test_a_killed_evaluation_is_made_up_for_and_later_ones_are_forgotten(tmp_path):
  name = triplets.write(tmp_path, [2])
  evaluate, _ = make(tmp_path, sources=[name], every=10)
  for step in (10, 20, 30):
    evaluate(step)
  before = (tmp_path / 'evaluation.csv').read_text(), (tmp_path / 'best.npz').read_bytes()
  kept = before[0].splitlines()
  (tmp_path / 'evaluation.csv').write_text('\n'.join([*kept[:2], '']))  # killed while it measured step 20
  make(tmp_path, sources=[name], every=10)[0].go_on(20)
  assert (tmp_path / 'evaluation.csv').read_text().splitlines() == kept[:3]
  (tmp_path / 'evaluation.csv').write_text(before[0])  # another branch measured 30, and step 20 is what is restored
  make(tmp_path, sources=[name], every=10)[0].go_on(20)
  assert (tmp_path / 'evaluation.csv').read_text().splitlines() == kept[:3]
  make(tmp_path, sources=[name], every=10)[0].go_on(25)  # which nobody measures
  assert (tmp_path / 'evaluation.csv').read_text().splitlines() == kept[:3]
  assert (tmp_path / 'best.npz').read_bytes() == before[1]


def test_who_falls_back_has_the_best_weights_of_those_that_are_left(tmp_path):
  """The best is of step 30, whose checkpoint is damaged; that of 10, which is next, is gone; 20 is what is restored."""
  name = triplets.write(tmp_path, [2])
  evaluate, trainer = make(tmp_path, sources=[name], every=10)
  saved = checkpoints.Checkpoints(trainer.checkpoint, str(tmp_path / checkpoints.FOLDER), keep=2)
  good = [average.numpy() for average in trainer.averages]
  for step, factor in [(10, 2.0), (20, 20.0), (30, 1.0)]:
    for average, value in zip(trainer.averages, good, strict=True):
      average.assign(factor * value)
    saved.save(step)
    evaluate(step)
  evaluate, _ = make(tmp_path, sources=[name], every=10)
  evaluate.go_on(20)
  assert [row['step'] for row in rows(tmp_path)] == ['10', '20']
  for found, value in zip(weights.named(weights.load(tmp_path / 'best.npz')).values(), good, strict=True):
    np.testing.assert_array_equal(found, 20.0 * value)
  table = f'step,source,examples,psnr,ssim\n20,{name},2,1,0\n40,{name},2,99,1\n'
  (tmp_path / 'evaluation.csv').write_text(table)
  (tmp_path / 'best.npz').rename(tmp_path / 'other.npz')
  (tmp_path / 'best.npz').mkdir()
  with pytest.raises(UserError, match=r'best\.npz'):  # it cannot be written: no reason to take others, or remove it
    evaluate.go_on(20)
  (tmp_path / 'best.npz').rmdir()
  (tmp_path / 'other.npz').rename(tmp_path / 'best.npz')
  (tmp_path / checkpoints.FOLDER / 'step-20.index').unlink()
  (tmp_path / 'evaluation.csv').write_text(f'step,source,examples,psnr,ssim\n5,{name},2,1,0\n40,{name},2,99,1\n')
  evaluate.go_on(15)
  assert not (tmp_path / 'best.npz').exists()  # rather than one of which nothing is known
  evaluate(20)
  assert (tmp_path / 'best.npz').exists()


def test_who_has_fallen_back_keeps_what_is_better_than_the_best_that_is_left(tmp_path):
  """Step 10 had the best score, and its checkpoint is gone; 30 is better than 20, whose weights `best.npz` has."""
  name = triplets.write(tmp_path, [2])
  evaluate, trainer = make(tmp_path, sources=[name], every=10)
  saved = checkpoints.Checkpoints(trainer.checkpoint, str(tmp_path / checkpoints.FOLDER), keep=2)
  good = [average.numpy() for average in trainer.averages]

  def measured(step, factor):
    for average, value in zip(trainer.averages, good, strict=True):
      average.assign(factor * value)
    saved.save(step)
    evaluate(step)

  for step, factor in [(10, 30.0), (20, 20.0), (30, 1.0)]:
    measured(step, factor)
  head, _, *others = (tmp_path / 'evaluation.csv').read_text().splitlines()
  (tmp_path / 'evaluation.csv').write_text('\n'.join([head, f'10,{name},2,99,1', *others, '']))
  for _ in range(2):  # the second start knows of no falling back
    evaluate, trainer = make(tmp_path, sources=[name], every=10)
    evaluate.go_on(20)
  measured(30, 1.001)
  psnr = [float(row['psnr']) for row in rows(tmp_path)]
  assert psnr[1] < psnr[2] < psnr[0] == 99.0
  for found, value in zip(weights.named(weights.load(tmp_path / 'best.npz')).values(), good, strict=True):
    np.testing.assert_array_equal(found, np.float32(1.001) * value)


@pytest.mark.parametrize('harm', [None, b'', b'nonsense'])
def test_best_weights_that_are_lost_or_damaged_are_made_anew_and_not_told_at_the_end(harm, tmp_path, capfd):
  name = triplets.write(tmp_path, [2])
  evaluate, trainer = make(tmp_path, sources=[name], every=10)
  saved = checkpoints.Checkpoints(trainer.checkpoint, str(tmp_path / checkpoints.FOLDER))
  saved.save(10)
  evaluate(10)
  whole = (tmp_path / 'best.npz').read_bytes()
  (tmp_path / 'best.npz').unlink()
  if harm is not None:
    (tmp_path / 'best.npz').write_bytes(harm)
  make(tmp_path, sources=[name], every=10)[0].go_on(10)
  assert (tmp_path / 'best.npz').read_bytes() == whole
  assert 'best.npz' in capfd.readouterr().err


def test_best_weights_that_were_never_noted_do_not_outlive_their_checkpoint(tmp_path):
  """Killed between best.npz and evaluation.csv of step 30, whose checkpoint is damaged then."""
  name = triplets.write(tmp_path, [2])
  evaluate, trainer = make(tmp_path, sources=[name], every=10)
  saved = checkpoints.Checkpoints(trainer.checkpoint, str(tmp_path / checkpoints.FOLDER))
  good = [average.numpy() for average in trainer.averages]
  for step, factor in [(20, 20.0), (30, 1.0)]:
    for average, value in zip(trainer.averages, good, strict=True):
      average.assign(factor * value)
    saved.save(step)
    evaluate(step)
  kept = (tmp_path / 'evaluation.csv').read_text().splitlines()[:2]
  (tmp_path / 'evaluation.csv').write_text('\n'.join([*kept, '']))
  make(tmp_path, sources=[name], every=10)[0].go_on(20)
  for found, value in zip(weights.named(weights.load(tmp_path / 'best.npz')).values(), good, strict=True):
    np.testing.assert_array_equal(found, 20.0 * value)


def test_a_score_that_is_nan_is_no_best_one(tmp_path):
  """As float16 may give it; NaN compares with nothing, so that no later network would be kept."""
  name = triplets.write(tmp_path, [1])
  (tmp_path / 'evaluation.csv').write_text(f'step,source,examples,psnr,ssim\n2,{name},1,nan,nan\n')
  evaluator, _ = make(tmp_path, sources=[name])
  evaluator(4)
  assert (tmp_path / 'best.npz').exists()


@pytest.mark.parametrize(
  'text',
  [
    'nonsense',
    'step,source\n1',
    'step,source,examples,psnr,ssim\nten,a,1,2,3\n',
    'step,source,examples,psnr,ssim\n4,a,1,2,3,4',
    b'\xff\x00',
    '"',
  ],
)
def test_a_damaged_table_is_told_at_the_start(text, tmp_path):
  name = triplets.write(tmp_path, [2])
  (tmp_path / 'evaluation.csv').write_bytes(text if isinstance(text, bytes) else f'{text}\n'.encode())
  with pytest.raises(UserError, match=r'evaluation\.csv is damaged'):
    make(tmp_path, sources=[name])


def test_without_sources_nothing_is_measured(tmp_path):
  make(tmp_path)[0](10)
  assert not list(tmp_path.iterdir())


def test_frames_too_small_for_the_metrics(tmp_path):
  evaluate, _ = make(tmp_path, sources=[triplets.write(tmp_path, [1], 10, 16)])
  with pytest.raises(UserError, match=r'triplet .* has 10 16 pixels; it needs 11 for SSIM'):
    evaluate(1)


def test_mistakes(tmp_path):
  for options in [{'sources': 'a'}, {'sources': [1]}, {'examples': -1}, {'every': 0}, {'every': 2.5}]:
    with pytest.raises(UserError, match=f'evaluation.{next(iter(options))} is'):
      Evaluation(**options)
  evaluate, _ = make(tmp_path, sources=[f'{tmp_path}/nowhere'])
  with pytest.raises(UserError, match='nowhere'):
    evaluate(1)
  (tmp_path / 'text').write_text('not triplets, but words')
  evaluate, _ = make(tmp_path, sources=[f'{tmp_path}/text'])
  with pytest.raises(UserError, match=r'damaged files: .*/text'):
    evaluate(1)
