"""Runs of eval.run that were killed: they go on to the same bytes, and with nothing else than was asked."""

import hashlib
import json
import os
import signal

import pytest
import tensorflow as tf

from datasets import dummy
from eval import results, session
from film_tf.errors import UserError
from film_tf.model import weights
from tests import faults
from tests.conftest import command, tiny_network
from tests.data import triplets as records
from tests.eval.runs import asked, measured
from tests.forked import Process


def test_a_killed_run_goes_on_to_the_same_bytes_wherever_it_was_cut_off(tmp_path):
  name = records.write(tmp_path, [5])
  ask = asked({'set': name}, ['blend', 'repeat'], ['film', 'softsplat'])
  (tmp_path / 'whole').mkdir()
  session.run(ask, str(tmp_path / 'whole'))
  whole = (tmp_path / 'whole' / results.SCORES).read_bytes()
  lines = whole.splitlines(keepends=True)
  assert len(lines) == 1 + 5 * 4
  for number, cut in enumerate([0, 5, len(lines[0]), len(b''.join(lines[:6])) + 7, len(whole) - 1, len(whole)]):
    work = tmp_path / str(number)
    work.mkdir()
    (work / results.ASKED).write_bytes((tmp_path / 'whole' / results.ASKED).read_bytes())
    (work / results.SCORES).write_bytes(whole[:cut])
    session.run(ask, str(work))
    assert (work / results.SCORES).read_bytes() == whole


def test_names_of_any_bytes_are_legible_and_cut_off_anywhere(tmp_path):
  model = str(tmp_path / 'net\n.npz')
  weights.save(tiny_network(), model)
  root = tmp_path / 'fol\nder'
  for name in (b'caf\xe9', b'two\nlines', 'caf\u00e9'.encode()):
    folder = root / os.fsdecode(name)
    folder.mkdir(parents=True)
    for i in range(3):
      dummy.write(folder / f'{i}.png', 0, i)
  ask = asked({'folder': str(root)}, [model], images=['worst'])
  work = tmp_path / 'work'
  work.mkdir()
  summary = session.run(ask, str(work))
  assert list(summary['models']) == [rf'{tmp_path}/net\n.npz']
  assert summary['benchmarks']['folder']['examples'] == len(summary['pictures']) == 3
  whole = (work / results.SCORES).read_bytes()
  assert sorted(row['key'] for row in results.rows(work / results.SCORES)) == [r'caf\xe9', 'caf\u00e9', r'two\nlines']
  (work / results.SCORES).write_bytes(whole[: whole.index('\u00e9'.encode()) + 1])
  session.run(ask, str(work))
  assert (work / results.SCORES).read_bytes() == whole


def test_a_run_goes_on_with_nothing_else(tmp_path):
  name = records.write(tmp_path, [2])
  tf.config.experimental.enable_tensor_float_32_execution(True)
  measured(tmp_path / 'work', {'set': name})
  assert not tf.config.experimental.tensor_float_32_execution_enabled()
  with pytest.raises(UserError, match='is a run with other max_examples: None, now 1'):
    session.run(asked({'set': name}, max_examples=1), str(tmp_path / 'work'))
  with pytest.raises(UserError, match='is a run with other protocols'):
    session.run(asked({'set': name}, protocols=['rife']), str(tmp_path / 'work'))


def test_a_run_goes_on_in_the_same_order(tmp_path):
  names = {'one': records.write(tmp_path, [2]), 'two': records.write(tmp_path, [2])}
  measured(tmp_path / 'work', names, ['blend', 'repeat'])
  with pytest.raises(UserError, match='is a run with other models'):
    session.run(asked(names, ['repeat', 'blend']), str(tmp_path / 'work'))
  with pytest.raises(UserError, match='is a run with other sources'):
    session.run(asked(dict(reversed(names.items())), ['blend', 'repeat']), str(tmp_path / 'work'))


def test_rows_of_what_is_not_measured_are_not_gone_on_with(tmp_path):
  name = records.write(tmp_path, [2])
  measured(tmp_path / 'work', {'set': name})
  path = tmp_path / 'work' / results.SCORES
  path.write_text(path.read_text().replace('set,', 'other,', 1))
  with pytest.raises(UserError, match='it has other, which is not measured'):
    session.run(asked({'set': name}), str(tmp_path / 'work'))


def test_a_run_goes_on_with_the_memory_that_it_began_with(tmp_path):
  """How large frames are cut follows from it, and from that the last digits."""
  weights.save(tiny_network(), tmp_path / 'net.npz')
  ask = asked({'set': records.write(tmp_path, [2], 40, 56)}, [str(tmp_path / 'net.npz')])
  work = tmp_path / 'work'
  work.mkdir()
  session.run(ask, str(work))
  path, scores = work / results.ASKED, (work / results.SCORES).read_bytes()
  began = json.loads(path.read_text())
  assert began['memory'] > 1e6
  session.run(ask, str(work))  # whatever is free now
  assert (work / results.SCORES).read_bytes() == scores
  path.write_text(json.dumps({**began, 'memory': 1}))
  (work / results.SCORES).write_bytes(scores[:-1])
  with pytest.raises(UserError, match='frames of 56x40 pixels need at least'):
    session.run(ask, str(work))


def test_what_was_asked_tells_files_by_what_is_in_them(tmp_path):
  """A name alone is not enough: neither of a video nor of weights."""
  for name in ('a.mp4', 'lpips.npz'):
    (tmp_path / name).write_bytes(b'one')
  video, weights_file = str(tmp_path / 'a.mp4'), str(tmp_path / 'lpips.npz')
  before = asked({'a': video}, lpips_weights=[weights_file]).described()
  assert before['weights'] == [{'name': weights_file, 'sha256': hashlib.sha256(b'one').hexdigest()}]
  assert (before['files'][0]['path'], before['files'][0]['bytes']) == (video, 3)
  assert before['devices'] == ['CPU']
  assert set(before['versions']) >= {'film_tf', 'tensorflow', 'numpy', 'python', 'scikit-image'}
  for name in ('a.mp4', 'lpips.npz'):
    (tmp_path / name).write_bytes(b'other')
  after = asked({'a': video}, lpips_weights=[weights_file]).described()
  assert [key for key in after if after[key] != before[key]] == ['weights', 'files']
  assert json.loads(json.dumps(after)) == after  # so it is compared with what was written


@pytest.mark.slow
def test_a_run_that_is_killed_is_resumed_by_the_command(tmp_path):
  records.write(tmp_path, [150], 96, 128)
  words = ['eval.run', '--model=blend', '--model=repeat', '--data=set@1', '--protocol=rife']
  assert command(*words, '--output=whole', cwd=tmp_path).returncode == 0
  process = Process(*words, '--output=other', cwd=tmp_path)
  scores = tmp_path / 'other.part' / results.SCORES
  faults.wait_until(lambda: scores.exists() and scores.read_text().count('\n') > 20, process)
  faults.kill(process, signal.SIGKILL)
  assert 20 < scores.read_text().count('\n') < 301
  assert '--resume' in command(*words, '--output=other', cwd=tmp_path).stderr
  resumed = command(*words, '--output=other', '--resume', cwd=tmp_path)
  assert resumed.returncode == 0, resumed.stderr
  assert (tmp_path / 'other' / results.SCORES).read_bytes() == (tmp_path / 'whole' / results.SCORES).read_bytes()
  assert command(*words, '--output=other', '--resume', cwd=tmp_path).stdout == resumed.stdout  # it is finished
  assert not (tmp_path / 'other.part').exists()
