"""What a run measures and keeps: names, times, NaN, truth that nobody knows, devices."""

import csv
import json
from fractions import Fraction

import gin
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from datasets import dummy
from eval import baselines, benchmarks, measuring, protocols, results, triplets
from eval.measures import Measures
from film_tf import config, metrics
from film_tf.data import records as data_records
from film_tf.data import scenes, synthetic
from film_tf.errors import UserError
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from tests.conftest import ROOT, SHALLOW, TINY, assert_user_error, command, tiny_network
from tests.data import triplets as records
from tests.eval.runs import asked, measured

BENCHMARKS = sorted((ROOT / 'gin' / 'eval').glob('*.gin'))


@pytest.mark.parametrize('path', BENCHMARKS, ids=lambda path: path.stem)
def test_every_benchmark_can_be_parsed_and_its_sources_are_splits_of_its_builder(path):
  config.parse([str(path)])
  benchmark = benchmarks.configured()
  for source in benchmark.sources.values():
    if source != 'synthetic':
      name, _, split = triplets._parts(source)
      cls = triplets._builder(name)
      assert split in cls.PUBLISHED or name == 'video_triplets'


@pytest.mark.parametrize(
  ('layout', 'source'),
  [
    ('vimeo_interp_test', 'tfds:vimeo90k_triplet:test'),
    ('middlebury_other', 'tfds:middlebury_other:test'),
    ('snu_film', 'tfds:snu_film:hard'),
    ('video_triplets', 'tfds:video_triplets/all:train'),
    ('video_triplets', 'tfds:video_triplets/quarters:train'),
  ],
)
def test_downloads_are_measured_as_what_is_built_of_them(layout, source, tmp_path, monkeypatch):
  dummy.LAYOUTS[layout](tmp_path / 'root')
  found = list(triplets.find(source, str(tmp_path / 'root')))
  name, option, _ = triplets._parts(source)
  fourths = [Fraction(i, 4) for i in (1, 2, 3)]
  made = triplets._builder(name)(config=option, data_dir=tmp_path / 'built')
  download = tfds.download.DownloadConfig(manual_dir=tmp_path / 'root')
  made.download_and_prepare(download_config=download)
  monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path / 'built'))
  built = list(triplets.find(source))
  assert [triplet.name for triplet in found] == [triplet.name for triplet in built]
  assert {triplet.time for triplet in found} == ({*fourths} if option == 'quarters' else {fourths[1]})
  for one, other in zip(found, built, strict=True):
    assert one.time == other.time
    for frame in ('x0', 'y', 'x1'):
      np.testing.assert_allclose(getattr(one, frame), getattr(other, frame), atol=1e-7)
  assert triplets.count(source) == len(found)


def test_own_footage_has_every_second_frame(tmp_path):
  dummy.video_triplets(tmp_path / 'root')
  found = triplets.find('tfds:video_triplets/all:train', str(tmp_path / 'root'))
  assert [triplet.name for triplet in found] == [
    f'{clip}/{i:06d}' for clip in ('first', 'second') for i in (1, 3, 5, 7)
  ]


def test_x_test_is_made_at_its_times(tmp_path):
  dummy.x4k1000fps_test(tmp_path / 'root')
  source = {'X-TEST': 'tfds:x4k1000fps_test:x8'}
  rows, summary = measured(tmp_path / 'work', source, frames=32, root=str(tmp_path / 'root'))
  assert summary['benchmarks']['X-TEST']['examples'] == summary['benchmarks']['X-TEST']['published'] == 105
  assert [row['key'][-4:] for row in rows[:7]] == ['0004', '0008', '0012', '0016', '0020', '0024', '0028']
  x0, y, x1 = (dummy.frame(0, t / 8, 16, 32).astype(np.float32) / 255 for t in (0, 4, 32))
  made = baselines.blend(x0, x1, 1 / 8)
  assert rows[0]['psnr'] == pytest.approx(float(metrics.psnr(made[None], y[None])[0]), abs=1e-4)


def test_networks_make_them_by_halving(interpolator, tiny, tmp_path):
  weights.save(tiny, tmp_path / 'net.npz')
  image = records.frame(0, 0, 32, 32).astype(np.float32) / 255
  group = [triplets.Triplet(f'a/{i:04d}', image, image, image[::-1], Fraction(i, 32), pair='a') for i in (4, 8, 16)]
  (grouped,) = measuring._groups(group)
  assert len(grouped) == 3
  bench = measuring.Bench([str(tmp_path / 'net.npz')], Measures(['film']))
  (model,) = next(iter(bench._devices.values())).values()
  found = list(model.frames(image, image[::-1], [triplet.time for triplet in group]))
  expected = list(interpolator.recurse(image, image[::-1], 3))
  for made, i in zip(found, (0, 1, 3), strict=True):
    np.testing.assert_array_equal(made, expected[i])


def test_film_means_of_a_random_network_are_those_of_plain_tensorflow(tmp_path):
  net = tiny_network()
  weights.save(net, tmp_path / 'net.npz')
  name = records.write(tmp_path, [3], 40, 56)
  _, summary = measured(tmp_path / 'work', {'set': name}, [str(tmp_path / 'net.npz')])
  psnr, ssim = [], []
  for triplet in triplets.find(name):
    batch = {key: tf.constant(getattr(triplet, key)[None]) for key in ('x0', 'x1')}
    image = tf.clip_by_value(net({**batch, 'time': tf.constant([[0.5]])})['image'], 0, 1)
    psnr.append(tf.image.psnr(image, triplet.y[None], 1)[0])
    ssim.append(tf.image.ssim(image, tf.constant(triplet.y[None]), 1)[0])
  found = summary['means'][0]['metrics']
  assert found['psnr']['mean'] == pytest.approx(np.mean(psnr), rel=1e-6)
  assert found['ssim']['mean'] == pytest.approx(np.mean(ssim), abs=1e-6)
  assert found['psnr']['low'] <= found['psnr']['mean'] <= found['psnr']['high']


def test_examples_are_counted_and_their_names_differ(tmp_path):
  records.write(tmp_path, [1])
  for i in range(3):
    (tmp_path / f'a{i}.tfrecord').write_bytes((tmp_path / 'set-00000-of-00001').read_bytes())
  rows, summary = measured(tmp_path / 'work', {'set': f'{tmp_path}/a*.tfrecord'}, max_examples=2)
  assert [row['key'] for row in rows] == ['0', '0 (2)']
  assert summary['benchmarks']['set']['examples'] == 2


def test_nan_is_told_by_key_and_is_in_no_mean(tmp_path):
  net = FilmNet(TINY)
  for variable in weights.named(net).values():
    variable.assign(np.random.default_rng(0).normal(0, 1e38, variable.shape).clip(-3e38, 3e38))
  weights.save(net, tmp_path / 'net.npz')
  name = records.write(tmp_path, [2])
  rows, summary = measured(tmp_path / 'work', {'set': name}, [str(tmp_path / 'net.npz'), 'blend'])
  assert [row['note'] for row in rows] == ['NaN', '', 'NaN', '']
  assert [entry['key'] for entry in summary['failed']] == ['0', '1']
  assert summary['means'][0]['metrics'] == {}
  assert summary['means'][1]['examples'] == 2
  result = command('eval.run', '--model=net.npz', '--data=set@1', '--output=scores', cwd=tmp_path)
  assert_user_error(result, 'NaN, which is in no mean, from net.npz on 0, net.npz on 1')
  assert [row['note'] for row in results.rows(tmp_path / 'scores' / results.SCORES)] == ['NaN', 'NaN']


def test_a_truth_that_nobody_knows_has_pictures_and_no_scores(tmp_path):
  for i in (1, 2):
    dummy.write(tmp_path / 'folders' / 'a' / f'{i}.png', 0, i)
  rows, summary = measured(tmp_path / 'work', {'folders': str(tmp_path / 'folders')}, images=['worst'])
  assert (rows[0]['note'], rows[0]['psnr']) == ('no truth', None)
  assert summary['benchmarks']['folders']['without_truth'] == 1
  (shown,) = summary['pictures']
  assert shown['truth'] is None
  assert (tmp_path / 'work' / shown['folder'] / shown['models']['blend']).exists()


def test_pictures_are_of_the_worst_the_median_and_the_best(tmp_path):
  name = records.write(tmp_path, [12])
  rows, summary = measured(tmp_path / 'work', {'set': name}, images=['worst', 'median', 'best'])
  ordered = [row['key'] for row in sorted(rows, key=lambda row: row['psnr'])]
  shown = {entry['key']: entry['rank'] for entry in summary['pictures']}
  assert set(shown) <= set(ordered)
  assert shown[ordered[0]] == 'worst'
  assert sorted(shown.values()).count('best') == 3
  assert len(list((tmp_path / 'work' / 'pictures').glob('*/truth.png'))) == len(shown) == 9


@pytest.mark.slow
def test_synthetic_scenes_know_their_flow(tmp_path):
  weights.save(tiny_network(), tmp_path / 'net.npz')
  config.parse([], ['synthetic.height = 32', 'synthetic.width = 48'])
  models = ['repeat', str(tmp_path / 'net.npz')]
  rows, _ = measured(tmp_path / 'work', {'synthetic': 'synthetic'}, models, ['flow'], max_examples=2)
  scene = next(iter(triplets.find('synthetic')))
  assert rows[0]['epe'] == pytest.approx(np.mean(np.linalg.norm(scene.flow, axis=-1)), rel=1e-5)  # it has no flow
  trained_on = next(iter(synthetic.triplets(scenes.configured())))
  assert np.abs(scene.y - trained_on['y']).mean() > 0.05
  assert rows[1]['epe'] != rows[0]['epe']
  with pytest.raises(UserError, match='never end; give --max_examples'):
    asked({'synthetic': 'synthetic'})
  with pytest.raises(UserError, match='protocol flow is of synthetic scenes'):
    asked({'a': 'b'}, protocols=['flow'])


@pytest.mark.parametrize(
  ('break_', 'source', 'words'),
  [
    (lambda root: (root / 'other-gt-interp/Venus/frame10i11.png').unlink(), 'middlebury_other:test', 'frame10i11.png'),
    (lambda root: (root / 'other-gt-interp').rename(root / 'gt'), 'middlebury_other:test', 'has no other-gt-interp'),
    (lambda root: dummy.write(root / 'other-data/Venus/frame10.png', 0, 0), 'middlebury_other:test', 'has one size'),
    (lambda root: None, 'ucf101_triplet:test', '0 folders with a frame_00.png; expected 379'),
    (lambda root: None, 'middlebury_other:train', 'has no split train'),
    (lambda root: None, 'no_such:test', 'is none of them'),
  ],
)
def test_downloads_that_are_broken(break_, source, words, tmp_path):
  dummy.middlebury_other(tmp_path)
  break_(tmp_path)
  with pytest.raises(UserError, match=words):
    list(triplets.find(f'tfds:{source}', str(tmp_path)))


def test_times_are_halvings():
  with pytest.raises(UserError, match=r'benchmark\.frames is 30; expected a power of two'):
    benchmarks.Benchmark({'a': 'b'}, frames=30)
  image = np.zeros((16, 16, 3), np.float32)
  with pytest.raises(UserError, match='frame 3 does not end with a number'):
    list(triplets.timed([triplets.Triplet('frame 3', image, image, image)], 8))


@pytest.mark.slow
def test_all_devices_measure_the_same(tmp_path):
  weights.save(FilmNet(SHALLOW), tmp_path / 'net.npz')
  name = records.write(tmp_path, [5], 40, 56)
  for count in ('1', '3'):
    result = command('tests.eval.on_devices', count, name, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
  assert len(json.loads((tmp_path / '3' / results.SUMMARY).read_text())['devices']) == 3
  scores = [(tmp_path / count / results.SCORES).read_bytes() for count in ('1', '3')]
  assert scores[0] == scores[1]
  assert len(list(csv.DictReader(scores[0].decode().splitlines()))) == 5


def test_published_scores_say_where_they_are_from():
  rows = list(csv.DictReader((ROOT / 'eval' / 'published.csv').read_text().splitlines()))
  names = {name for path in BENCHMARKS for name in _sources(path)}
  for row in rows:
    assert row['benchmark'] in names, row
    assert row['source'], row
    assert row['protocol'] in (*protocols.PROTOCOLS, 'ifrnet'), row  # IFRNet's own PSNR is of no protocol here
    assert any(float(row[metric]) for metric in ('psnr', 'ssim', 'ie') if row[metric])
  assert len({(row['benchmark'], row['model'], row['source']) for row in rows}) == len(rows)
  film = {row['benchmark']: (row['psnr'], row['ssim']) for row in rows if row['model'] == 'FILM-L1'}
  assert film == {
    'Vimeo-90K': ('36.06', '0.970'), 'UCF101': ('35.32', '0.952'), 'Middlebury': ('37.52', '0.966'),
    'Xiph-2K, halved in linear light': ('36.66', '0.951'), 'Xiph-4K': ('33.78', '0.906'),
  }  # fmt: skip
  others = {'DAIN', 'AdaCoF', 'BMBC', 'SoftSplat', 'ABME', 'XVFI', 'RIFE', 'EMA-VFI, with TTA'}
  assert others <= {row['model'] for row in rows}


def _sources(path):
  gin.clear_config()
  config.parse([str(path)])
  return benchmarks.configured().sources


def test_every_triplet_has_a_name_of_its_own():
  pixels = np.zeros((16, 16, 3), np.float32)
  given = [triplets.Triplet(name, pixels, pixels, pixels) for name in ('same', 'same', 'same (2)', 'same', 'other')]
  names = [triplet.name for triplet in triplets._with_own_names(given)]
  assert names == ['same', 'same (2)', 'same (2) (2)', 'same (3)', 'other']


def test_a_name_that_is_not_utf8_is_written_as_far_as_it_is(tmp_path):
  frames = tuple(records.png(records.frame(1, time)) for time in range(3))
  with tf.io.TFRecordWriter(f'{tmp_path}/odd') as writer:
    writer.write(data_records.encode(data_records.Triplet('caf\udce9', frames, 24, 32)))
  assert [triplet.name for triplet in triplets.find(f'{tmp_path}/odd')] == ['caf\\xe9']
