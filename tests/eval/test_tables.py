"""Intervals and tables of results against plain recomputation."""

import numpy as np
import pytest
from scipy import stats

from eval import compare, statistics
from eval.reporting import joined, tables
from tests.eval.finished import rows_of, write


def test_an_interval_is_that_of_an_independent_bootstrap():
  values = np.random.default_rng(1).normal(30.0, 2.0, 200)
  found = statistics.interval(values)
  other = stats.bootstrap((values,), np.mean, n_resamples=5000, method='percentile', random_state=0).confidence_interval
  assert found['low'] == pytest.approx(other.low, abs=0.04)
  assert found['high'] == pytest.approx(other.high, abs=0.04)


def test_tables_tell_models_apart_by_their_examples(tmp_path):
  """Paired: a tenth of a decibel is seen on examples that differ by many."""
  psnr = np.random.default_rng(0).normal(30.0, 5.0, 50)
  folder = write(tmp_path / 'a', [*rows_of('one', psnr), *rows_of('other', psnr + 0.1)])
  (scores,) = joined.read([folder]).scores
  means = tables.scores(scores, ['one', 'other'])
  for row, mean in zip(means.rows, (psnr.mean(), psnr.mean() + 0.1), strict=True):
    assert row[1].startswith(f'{mean:.2f} [')
    assert row[3] == '50'
  row = tables.differences(compare.compared([folder])).rows[0]
  assert row == ['other', *['+0.10 [+0.10, +0.10] *', '+0.1000 [+0.1000, +0.1000] *'], '50', 'set, film']
  random = np.random.default_rng(1).normal(0.0, 3.0, 50)
  folder = write(tmp_path / 'b', [*rows_of('one', psnr), *rows_of('other', psnr + random)])
  assert tables.DIFFERS not in tables.differences(compare.compared([folder])).rows[0][1]
  text = means.markdown()
  assert text.count('\n| ') == 2 + 2
  assert '| one | ' in text


def test_a_table_marks_what_was_measured_otherwise_and_puts_it_below(tmp_path):
  (scores,) = joined.read([write(tmp_path / 'a', rows_of('mine', [30.0, 31.0], 'Xiph-4K'))]).scores
  made = tables.scores(scores, ['mine'], published=392)
  names = [row[0] for row in made.rows]
  assert names[:2] == ['mine', 'FILM-L1']
  assert len(names) > 3
  assert all(name.endswith(tables.OTHER) for name in names[2:])
  assert made.rows[1][1:3] == ['33.78', '0.906']
  assert 'compare it with nothing' in made.note
  assert 'Measured here are 2 of 392 examples' in made.note


def test_results_of_several_folders_are_joined_and_gaps_are_kept(tmp_path):
  one = write(tmp_path / 'a', [*rows_of('one', [30.0, None, 32.0]), *rows_of('blend', [20.0])])
  more = [*rows_of('other', [29.0, float('inf')]), *rows_of('other', [25.0], 'more'), *rows_of('blend', [20.0])]
  other = write(tmp_path / 'b', more)
  first, second = joined.read([one, other]).scores
  assert first.keys == ['00000', '00001', '00002']
  assert list(first.values) == ['one', f'{one}:blend', 'other', f'{other}:blend']
  np.testing.assert_array_equal(first.common(['one', 'other'], 'psnr'), [True, False, False])
  assert (second.benchmark, list(second.values)) == ('more', ['other'])
  assert first.metrics == ['psnr', 'ssim']
  made = tables.scores(first, ['one', 'other'])
  assert [row[1] for row in made.rows] == ['31.00 [30.00, 32.00]', 'inf']
  assert '2 values are infinite' in made.note
