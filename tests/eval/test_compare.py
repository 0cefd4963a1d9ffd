"""Statistics by closed forms, tables and the model card, of results that are written by hand."""

import json

import numpy as np
import pytest

from eval import compare, model_card, results, statistics, tables
from eval.reporting import joined
from film_tf.errors import UserError
from tests.conftest import command
from tests.eval.runs import measured


def test_intervals_are_those_of_the_normal_distribution():
  values = np.random.default_rng(5).normal(3, 2, 4000)
  found = statistics.interval(values)
  half = 1.96 * values.std() / np.sqrt(len(values))
  assert found['mean'] == pytest.approx(values.mean())
  assert found['low'] == pytest.approx(values.mean() - half, abs=0.1 * half)
  assert found['high'] == pytest.approx(values.mean() + half, abs=0.1 * half)
  assert statistics.interval(values) == found
  assert statistics.interval([7.0]) == {'mean': 7, 'low': 7, 'high': 7}
  assert statistics.interval([np.inf, 1.0]) == {'mean': None, 'low': 1, 'high': 1}


def write(folder, scores, benchmark='clip.mp4', protocol='film'):
  """Writes results: PSNR by model and key."""
  folder.mkdir()
  rows = [
    {'benchmark': benchmark, 'key': str(key), 'model': model, 'protocol': protocol, 'psnr': psnr, 'ssim': psnr / 100}
    for model, values in scores.items()
    for key, psnr in enumerate(values)
  ]
  with results.appended(folder / results.SCORES, [protocol], list(scores)) as file:
    file.write(rows)
  read = list(results.rows(folder / results.SCORES))
  summary = {
    'format': 1, 'versions': {'film_tf': '0.1.0', 'tensorflow': '2.21.0'}, 'protocols': {protocol: 'so'},
    'models': {model: {'sha256': 'ab' * 32 if model == 'net' else None} for model in scores},
    'benchmarks': {benchmark: {'examples': len(rows) // len(scores), 'published': None, 'without_truth': 0}},
    'means': statistics.means(read, ['psnr', 'ssim']), 'failed': [], 'pictures': [], 'rows': len(read),
  }  # fmt: skip
  (folder / results.SUMMARY).write_text(json.dumps(summary))
  return str(folder)


def test_pairs_are_told_apart_where_their_means_are_not(tmp_path):
  """Examples differ by far more than models do: only the pairs show it."""
  random = np.random.default_rng(0)
  a = random.normal(30, 5, 200)
  b = a + random.normal(0.1, 0.2, 200)
  first, second = write(tmp_path / 'a', {'net': a}), write(tmp_path / 'b', {'net': b, 'blend': a})
  better, same = (row for row in compare.compared([first, second]) if row['metric'] == 'psnr')
  assert (better['first'], better['other'], better['examples']) == (f'{first}:net', f'{second}:net', 200)
  half = 1.96 * np.std(b - a) / np.sqrt(200)
  assert better['difference']['mean'] == pytest.approx(np.mean(b - a), abs=1e-6)
  assert better['difference']['low'] == pytest.approx(np.mean(b - a) - half, abs=0.15 * half)
  assert better['better'] == f'{second}:net'
  assert (same['other'], same['difference']['mean'], same['better']) == ('blend', 0, None)


def test_examples_of_a_clip_are_drawn_together():
  clips = np.random.default_rng(0).normal(0, 1, 40)
  values, keys = np.repeat(clips, 25), [f'{i // 25}/{i % 25}' for i in range(1000)]
  half = 1.96 * clips.std() / np.sqrt(40)
  found = statistics.interval(values, keys)
  assert found['high'] - found['mean'] == pytest.approx(half, rel=0.15)
  assert statistics.interval(clips, [str(i) for i in range(40)]) == statistics.interval(clips)
  assert statistics.interval(clips, [f'one/{i}' for i in range(40)]) == statistics.interval(clips)  # it has no others


def test_few_examples_have_no_winner_and_infinite_ones_are_counted(tmp_path):
  values = [30.0] * 10
  nine, ten = (write(tmp_path / str(n), {'net': values[:n], 'blend': [20.0] * n}) for n in (9, 10))
  assert [compare.compared([folder])[0]['better'] for folder in (nine, ten)] == [None, 'net']
  equal = write(tmp_path / 'equal', {'net': [*values, np.inf], 'blend': [*values, 20.0]})
  row = compare.compared([equal])[0]
  assert (row['examples'], row['infinite'], row['better']) == (10, 1, None)
  assert '10 (1 infinite left out)' in command('eval.compare', 'equal', cwd=tmp_path).stdout


def test_a_mean_is_empty_where_a_model_failed_on_a_benchmark():
  def mean(model, benchmark, metrics):
    return {'model': model, 'benchmark': benchmark, 'protocol': 'film', 'metrics': metrics}

  psnr = {'psnr': {'mean': 30.0, 'low': 30.0, 'high': 30.0}}
  summary = {
    'models': {'net': {}, 'blend': {}}, 'protocols': {'film': 'so'},
    'benchmarks': {name: {'examples': 5, 'published': None} for name in ('easy', 'hard', 'without truth')},
    'means': [mean('net', 'easy', psnr), mean('net', 'hard', {}), mean('blend', 'easy', psnr),
              mean('blend', 'hard', psnr), mean('net', 'without truth', {}), mean('blend', 'without truth', {})],
  }  # fmt: skip
  assert tables.overview(summary).splitlines()[-1].split() == ['mean', '15', '-', '30.00']


def test_a_folder_alone_has_its_models_compared(tmp_path):
  write(tmp_path / 'a', {'net': [30.0, 31, 32], 'blend': [20.0, 21, 25]})
  result = command('eval.compare', 'a', '--markdown', cwd=tmp_path)
  assert result.returncode == 0, result.stderr
  assert result.stdout.splitlines()[2].startswith('| clip.mp4 | film | psnr | 3 | net | blend | 31.00 22.00 | -9 [')
  assert result.stdout.splitlines()[2].endswith('| fewer than 10 |')


def test_what_cannot_be_compared(tmp_path):
  one, other = write(tmp_path / 'a', {'net': [1.0]}), write(tmp_path / 'b', {'blend': [1.0]}, protocol='rife')
  with pytest.raises(UserError, match='have nothing in common'):
    compare.compared([one, other])
  with pytest.raises(UserError, match='have scores of 1 model; expected two'):
    compare.compared([one])
  (tmp_path / 'c.part').mkdir()
  with pytest.raises(UserError, match='not finished; go on with it by --resume'):
    compare.compared([str(tmp_path / 'c')])
  (tmp_path / 'a' / results.SUMMARY).write_text('{')
  with pytest.raises(UserError, match='damaged results'):
    compare.compared([one, other])


@pytest.mark.parametrize(
  'change',
  [
    *({key: value} for key in ('models', 'benchmarks', 'pictures') for value in (None, 3, [[]], {'net': 1})),
    {'models': {}},
    {'models': {'other': {}}},
  ],
  ids=str,
)
def test_a_summary_of_another_build_is_damaged(change, tmp_path):
  one = write(tmp_path / 'a', {'net': [1.0], 'blend': [2.0]})
  results.write_json(f'{one}/{results.SUMMARY}', {**results.read(one)[1], **change})
  with pytest.raises(UserError, match=r'a has damaged results: summary\.json (has|knows no)'):
    compare.compared([one])


@pytest.mark.parametrize('change', [('"models"', '"modells"'), ('psnr', 'ssim'), ('blend,', 'other,')])
def test_results_that_were_changed_are_damaged_whatever_was_changed(change, tmp_path):
  measured(tmp_path / 'a', {'patterns': 'patterns'}, max_examples=2)
  assert results.read(str(tmp_path / 'a'))[0]
  for name in (results.SUMMARY, results.SCORES):
    path = tmp_path / 'a' / name
    path.write_text(path.read_text().replace(*change, 1))
  with pytest.raises(UserError, match='a has damaged results'):
    results.read(str(tmp_path / 'a'))


@pytest.mark.parametrize('name', [results.SUMMARY, results.SCORES, results.ASKED])
def test_damaged_files_of_results_are_told(name, tmp_path):
  one = write(tmp_path / 'a', {'net': [1.0], 'blend': [2.0]})
  results.write_json(f'{one}/{results.ASKED}', {})
  whole = (tmp_path / 'a' / name).read_text()
  damages = ['[' * 9000, '[]', whole[: len(whole) // 2], whole[1:], whole[:-3] + '\0', f'{whole}a,b,c\n']
  damages += [whole.rsplit('\n', 2)[0] + '\n'] * (name == results.SCORES)  # its last row is missing
  for damage in damages:
    (tmp_path / 'a' / name).write_text(damage)
    with pytest.raises(UserError, match='has damaged results' if name != results.ASKED else 'cannot be read'):
      results.read_json(f'{one}/{name}') if name == results.ASKED else compare.compared([one])


def test_scores_that_are_damaged_are_not_gone_on_with(tmp_path):
  one = write(tmp_path / 'a', {'net': [1.0], 'blend': [2.0]})
  whole = (tmp_path / 'a' / results.SCORES).read_bytes()
  for damage in [
    b'nonsense\n',
    whole[1:],
    whole.replace(b'net', b'n\xff'),
    whole.replace(b',1,', b',x,'),
    b'a,b\n' + whole,
  ]:
    (tmp_path / 'a' / results.SCORES).write_bytes(damage)
    with (
      pytest.raises(UserError, match=r'scores\.csv is damaged .*; begin anew with --overwrite'),
      results.appended(f'{one}/{results.SCORES}', ['film'], ['net', 'blend']),
    ):
      pass
    assert (tmp_path / 'a' / results.SCORES).read_bytes() == damage


def test_benchmarks_of_one_name_are_the_same(tmp_path):
  one, other = write(tmp_path / 'a', {'net': [1.0]}, 'synthetic'), write(tmp_path / 'b', {'blend': [1.0]}, 'synthetic')
  for key in ('source', 'scenes'):
    for folder, value in ((one, 'old'), (other, 'new')):
      summary = results.read(folder)[1]
      summary['benchmarks']['synthetic'] |= {'source': 'synthetic', key: value}
      results.write_json(f'{folder}/{results.SUMMARY}', summary)
    for joined_by in (compare.compared, joined.read):
      with pytest.raises(UserError, match=f'synthetic is not the same in .*: its {key} is old, and new'):
        joined_by([one, other])
    assert len(joined.read([one]).scores) == 1


def test_the_model_card_keeps_what_is_around_its_scores(tmp_path):
  write(tmp_path / 'scores', {'net': [30.0, 31, 32], 'blend': [20.0, 21, 25]})
  card = tmp_path / 'MODEL_CARD.md'
  card.write_text(f'# Card\n\n{model_card.BEGIN}\nold\n{model_card.END}\n\nmore\n')
  for _ in range(2):
    assert command('eval.model_card', 'scores', cwd=tmp_path).returncode == 0
  text = card.read_text()
  assert text.startswith(f'# Card\n\n{model_card.BEGIN}\nProtocol `film`: so.')
  assert text.endswith(f'{model_card.END}\n\nmore\n')
  assert 'old' not in text
  assert 'net is SHA-256 `abababababababab`' in text
  assert '| clip | 3 | 31.00 [30.00, 32.00], 0.3100 [0.3000, 0.3200] | 22.00' in text
  card.write_text('# Card\n')
  result = command('eval.model_card', 'scores', cwd=tmp_path)
  assert 'has no place for scores' in result.stderr
  assert card.read_text() == '# Card\n'


def test_rows_of_another_protocol_are_marked_and_below(tmp_path):
  folder = write(tmp_path / 'a', {'net': [30.0]}, 'Vimeo-90K', 'rife')
  lines = tables.literature(results.read(folder)[1]).splitlines()
  assert lines[2].startswith('net')
  marked = [line.split()[1] == '*' for line in lines[3:-1]]
  assert marked == sorted(marked)
  assert any(line.startswith('FILM-L1 *') for line in lines)
  assert any(line.startswith('RIFE ') and ' * ' not in line for line in lines)
  assert lines[-1] == '* another protocol: not to be compared'
