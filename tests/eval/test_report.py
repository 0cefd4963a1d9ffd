"""The page of the report: its charts and pictures, and all of it in a browser."""

import csv
import re

import numpy as np
import pytest
from scipy import stats

from eval import models
from eval.reporting import charts, document, examples, pictures, report
from eval.reporting.scores import Scores
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from tests.conftest import TINY, assert_user_error, command
from tests.eval.finished import rows_of, write
from tests.eval.test_run import save, scene
from tests.pages import PHONE, scrolls_sideways

pytest_plugins = ['tests.browser']


def test_flow_is_drawn_of_the_weights_that_were_measured_and_of_no_others(tiny, tmp_path):
  path, (x0, x1) = str(tmp_path / 'net.npz'), np.zeros((2, 16, 16, 3), np.float32)
  weights.save(tiny, path)
  measured = models.sha256(path)
  assert examples._flow(path, measured)(x0, x1).shape == (16, 16, 2)
  weights.save(FilmNet(TINY), path, overwrite=True)  # trained on, as it were
  assert examples._flow(path, measured)(x0, x1) is None
  assert examples._flow('gone.npz', measured)(x0, x1) is None
  assert examples._flow('blend', None)(x0, x1) is None


def test_gain_is_drawn_over_motion():
  count, random = 80, np.random.default_rng(0)
  motion, base = np.linspace(0, 40, count), random.normal(30.0, 3.0, count)
  values = {'mine': {'psnr': base + motion / 10}, 'blend': {'psnr': base}}
  one = Scores('set', 'film', [str(i) for i in range(count)], motion, values)
  text = document.by_motion(one, ['mine', 'blend'], report.baseline(one))
  points = np.array(re.search(r'<polyline points="([^"]+)"', text)[1].replace(',', ' ').split(), float).reshape(-1, 2)
  assert len(points) == document.BINS
  slope, _, correlation, *_ = stats.linregress(points[:, 0], -points[:, 1])
  assert slope > 0
  assert correlation > 0.999
  assert 'gain over blend' in text
  unknown = Scores('set', 'film', one.keys, np.full(count, np.nan), values)
  assert document.by_motion(unknown, ['mine', 'blend'], 'blend') == ''


def test_a_histogram_has_the_shares_of_the_examples():
  text = charts.histogram({'mine': np.array([1.0, 1.0, 1.0, 9.0])}, 'PSNR', 'what it shows')
  heights = np.array(re.search(r'<polyline points="([^"]+)"', text)[1].replace(',', ' ').split(), float)[1::2]
  low = heights.max()
  assert sorted(set((low - heights).round(1)))[1:] == pytest.approx(
    [(low - heights).max() / 3, (low - heights).max()], 0.01
  )


@pytest.mark.parametrize(('low', 'high'), [(0, 1), (17.3, 42.0), (-0.004, 0.011), (5, 5), (0.98, 0.9805)])
def test_ticks_are_round_and_within(low, high):
  ticks = charts.ticks(low, high)
  assert 1 <= len(ticks) <= 8
  assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)


def test_examples_are_the_worst_the_median_and_the_best():
  values = np.array([5.0, np.nan, 1.0, 9.0, 3.0, 7.0, 2.0, 8.0, 4.0, 6.0])
  assert pictures.choose(values, 2) == {'worst': [2, 6], 'median': [8, 0], 'best': [3, 7]}
  assert pictures.choose(values[:3], 3) == {'worst': [2, 0], 'median': [], 'best': []}


def test_the_close_up_is_where_the_error_is():
  error = np.zeros((300, 400))
  error[210:220, 120:130] = 1.0
  top, left = pictures.worst_place(error)
  assert top <= 210
  assert left <= 120
  assert top + 96 >= 220
  assert left + 96 >= 130
  assert pictures.worst_place(np.ones((20, 500))) == (0, 0)


@pytest.fixture(scope='module')
def reported(tmp_path_factory):
  """Scores of two models on folders of triplets, and their report."""
  folder = tmp_path_factory.mktemp('report')
  for number in range(1, 8):
    for i, time in enumerate((0, 0.5, 1)):
      save(folder / 'data' / f'{number}' / f'{i}.png', scene(number * time, 96, 128))
  words = ['--model=film_mini', '--model=blend', '--data=data', '--images=worst,median,best', '--output=results']
  done = command('eval.run', *words, cwd=folder)
  assert done.returncode == 0, done.stderr
  done = command('eval.report', 'results', '--output=report.html', cwd=folder)
  assert done.returncode == 0, done.stderr
  return folder


@pytest.mark.slow
def test_the_page_shows_what_was_measured(reported, page):
  with open(reported / 'results' / 'scores.csv', newline='') as file:
    psnr = [float(row['psnr']) for row in csv.DictReader(file) if row['model'] == 'film_mini']
  page.goto(f'file://{reported}/report.html')
  assert (
    page.locator('table')
    .first.locator('tr')
    .nth(1)
    .locator('td')
    .first.text_content()
    .startswith(f'{np.mean(psnr):.2f} [')
  )
  assert f'| film_mini | {np.mean(psnr):.2f} [' in (reported / 'report.md').read_text()
  slider, told = page.locator('#examples > .bar input'), page.locator('#examples > .bar output')
  assert told.text_content().startswith('data, worst 1: ')
  assert f'{min(psnr):.2f}' in told.text_content()
  page.keyboard.press('ArrowRight')
  assert not told.text_content().startswith('data, worst 1: ')
  slider.evaluate('slider => { slider.value = slider.max; slider.dispatchEvent(new Event("input")) }')
  assert told.text_content().startswith('data, best ')
  assert f'{max(psnr):.2f}' in page.locator('#examples').inner_html()
  page.locator('.blink:visible').first.click()
  shown = page.locator('#examples .step:visible')
  assert shown.locator('h3').all_text_contents() == ['Frames', 'What was made', 'Error', 'Close up', 'Flow']
  assert shown.locator('img').evaluate_all('images => images.every(image => image.complete && image.naturalWidth > 0)')
  page.set_viewport_size(PHONE)
  assert not scrolls_sideways(page)


def test_it_says_what_was_measured_and_what_was_not(tmp_path):
  summary = {
    'versions': {'film_tf': '0.1.0', 'tensorflow': '2.21.0'},
    'models': {'mine': {'sha256': 'f76f6c0bfb8aa82802ef'}, 'blend': {'sha256': None}},
    'protocols': {'film': 'clipped to [0, 1], not rounded'},
    'benchmarks': {'set': {'source': 'set', 'examples': 7, 'published': None, 'without_truth': 2}},
    'failed': [{'benchmark': 'set', 'key': '9', 'model': 'blend'}],
  }
  folder = write(tmp_path / 'a', [*rows_of('mine', [30.0, 31.0]), *rows_of('blend', [29.0, 28.0])], **summary)
  for text in report.make([folder]):
    for part in (
      'mine (SHA-256 f76f6c0bfb8aa828), blend', 'clipped to [0, 1]', 'tensorflow 2.21.0',
      'blend failed on 1 examples, such as 9: it gave NaN', 'set has 2 examples without truth', 'Differences from mine',
    ):  # fmt: skip
      assert part in text


def test_without_truth_the_frames_are_shown_all_the_same(tmp_path):
  """No scores, no errors; what was made is wiped against the mean of both frames."""
  x0, x1 = (scene(time, 40, 48) for time in (0, 1))
  for name, image in (('x0', x0), ('x1', x1), ('made', x1)):
    save(tmp_path / f'{name}.png', image)
  rows = [{**row, 'psnr': None, 'ssim': None} for row in rows_of('blend', [0.0, 0.0])]
  shown = {'benchmark': 'set', 'key': '00001', 'rank': 'all', 'time': 0.5, 'folder': '..'}
  shown |= {'x0': 'x0.png', 'x1': 'x1.png', 'truth': None, 'models': {'blend': 'made.png'}}
  page, _ = report.make([write(tmp_path / 'a', rows, pictures=[shown])])
  assert 'Without scores, as there is no truth' in page
  assert 'mean of both frames' in page
  assert '>Error<' not in page
  assert 'eval.run --images' in report.make([write(tmp_path / 'b', rows)])[0]


def test_pictures_keep_their_ranks_and_all_are_ranked_by_benchmark(tmp_path):
  """The best of the three worst is none of the best."""
  for name in ('x0', 'x1', 'truth', 'made'):
    save(tmp_path / f'{name}.png', scene(0, 24, 32))
  files = {'time': 0.5, 'folder': '..', 'x0': 'x0.png', 'x1': 'x1.png', 'truth': None, 'models': {'blend': 'made.png'}}
  rows = [*rows_of('blend', [5.0, 1.0, 3.0, 40.0]), *rows_of('blend', [9.0, 7.0], 'more')]
  shown = [{'benchmark': 'set', 'key': f'{i:05d}', 'rank': 'worst', **files} for i in (0, 1, 2)]
  shown += [{'benchmark': 'more', 'key': f'{i:05d}', 'rank': 'all', **files} for i in (0, 1)]
  page, _ = report.make([write(tmp_path / 'a', rows, pictures=shown)])
  assert re.findall('data-name="([^"]+)"', page) == [
    'set, worst 1: 00001, 1.00', 'set, worst 2: 00002, 3.00', 'set, worst 3: 00000, 5.00',
    'more, worst 1: 00001, 7.00', 'more, worst 2: 00000, 9.00',
  ]  # fmt: skip


def test_names_are_text_on_the_page(tmp_path):
  name = '<b>&'
  x0, x1 = (scene(time, 24, 32) for time in (0, 1))
  made = [pictures.Made(name, x1, None, [name])]
  assert name not in pictures.panel(x0, x0, x1, made, name)
  for file in ('x0', 'x1', 'truth', 'made'):
    save(tmp_path / f'{file}.png', x0)
  shown = {'benchmark': name, 'key': name, 'rank': 'worst', 'time': 0.5, 'folder': '..', 'x0': 'x0.png', 'x1': 'x1.png'}
  shown |= {'truth': 'truth.png', 'models': {name: 'made.png'}}
  rows = [{**row, 'key': name} for row in rows_of(name, [30.0], name)] + rows_of(name, list(range(20)), name)
  benchmarks = {name: {'source': name, 'examples': 21, 'published': None, 'without_truth': 1}}
  page, _ = report.make([write(tmp_path / 'a', rows, pictures=[shown], benchmarks=benchmarks)])
  assert name not in page
  assert page.count('&lt;b&gt;&amp;') > 8


def test_mistakes(tmp_path):
  write(tmp_path / 'scores', rows_of('blend', [30.0]))
  write(tmp_path / 'words', rows_of('blend', ['good']))
  write(tmp_path / 'none', [])
  (tmp_path / 'empty').mkdir()
  (tmp_path / 'there.md').write_text('mine')
  for words, parts in (
    (['--output=a.html'], ['no results are given']),
    (['scores', '--output=a.pdf'], ['--output=a.pdf', 'ends in .html']),
    (['nowhere', '--output=a.html'], ['nowhere has no results of eval.run']),
    (['empty', '--output=a.html'], ['empty has no results of eval.run']),
    (['none', '--output=a.html'], ['there are no scores in none']),
    (['words', '--output=a.html'], ['words has damaged results', "'good'"]),
    (['scores', '--output=there.html'], ['there.md exists already']),
  ):
    assert_user_error(command('eval.report', *words, cwd=tmp_path), *parts)
  assert not list(tmp_path.glob('*.html'))


@pytest.mark.slow
def test_ten_thousand_examples_make_a_small_page(tmp_path):
  """Of examples as large and as hard to compress as there are, of as many models as are drawn."""
  random = np.random.default_rng(0)
  psnr = random.normal(30.0, 4.0, 10_000)
  names = [f'model {i}' for i in range(5)]
  rows = [row for i, name in enumerate(names) for row in rows_of(name, psnr + i, motion=psnr)]
  folder = write(tmp_path / 'scores', rows)
  noise = [random.random((600, 600, 3), np.float32) for _ in range(3)]
  flow = random.normal(size=(600, 600, 2)).astype(np.float32)
  made = [pictures.Made(name, noise[0], flow, ['so good']) for name in names[: examples.MODELS]]
  panel = pictures.panel(*noise, made, 'noise')
  page, markdown = report.make([folder])
  shown = examples.fitting([('noise', panel)] * 3 * examples.COUNT)
  assert len(page) + len(shown) < 20e6
  assert '5 of 9 are left out' in shown
  assert 'left out' not in examples.fitting([('noise', panel)] * 4)
  assert len(page) < 200e3
  assert len(markdown) < 20e3
