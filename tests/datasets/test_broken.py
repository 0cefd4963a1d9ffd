"""A broken download is never a smaller data set."""

import io
import os

import pytest
from etils import epath
from PIL import Image

from datasets import dummy
from film_tf.building import triplet_builder
from film_tf.errors import UserError
from tests.conftest import assert_user_error, command
from tests.datasets.build_tree import build, layout


def cut(path):
  path.write_bytes(path.read_bytes()[:-20])  # Pillow reads this without a word


def shrink(path):
  Image.open(path).crop((0, 0, 40, 40)).save(path)


def replace(path):
  file = io.BytesIO()
  Image.open(path).save(file, 'BMP')
  path.write_bytes(file.getvalue())


def pipe(path):
  path.unlink()
  os.mkfifo(path)


@pytest.fixture
def vimeo(tmp_path):
  return layout('vimeo90k_triplet', tmp_path / 'root')


@pytest.mark.parametrize(
  ('harm', 'reason'),
  [
    (lambda path: path.unlink(), 'cannot be read: No such file'),
    (cut, 'is damaged'),
    (lambda path: path.write_bytes(b''), 'neither PNG nor JPEG'),
    (replace, 'neither PNG nor JPEG'),
    (shrink, '40x40'),
    (pipe, 'is a pipe or a device'),
  ],
  ids=['missing', 'truncated', 'empty', 'format', 'size', 'pipe'],
)
def test_a_bad_frame_stops_it_by_name_and_count(harm, reason, vimeo, tmp_path):
  bad = vimeo / 'vimeo_triplet/sequences/00002/0389/im2.png'
  harm(bad)
  with pytest.raises(UserError, match=f'5 triplets are good, 1 clips are broken.*{bad}.*{reason}'):
    build('vimeo90k_triplet', vimeo, tmp_path / 'built')
  assert not list((tmp_path / 'built').rglob('*tfrecord*'))

  made = build('vimeo90k_triplet', vimeo, tmp_path / 'built', skip_broken=True)
  assert made.info.splits['train'].num_examples == 3
  assert made.info.splits['test'].num_examples == 2
  (left_out,) = (made.data_path / 'left_out.txt').read_text().splitlines()
  assert left_out.startswith('00002/0389: ')
  assert str(bad) in left_out


def test_an_empty_list(vimeo, tmp_path):
  (vimeo / 'vimeo_triplet/tri_trainlist.txt').write_text('\n\n')
  with pytest.raises(UserError, match=r'tri_trainlist\.txt is empty'):
    build('vimeo90k_triplet', vimeo, tmp_path / 'built')


@pytest.mark.parametrize(
  'text', [b'00001/0001\ncaf\xe9\n', bytes(range(128, 256)), b'a\0b'], ids=['Latin-1', 'binary', 'NUL']
)
def test_a_list_that_is_not_utf8(text, vimeo, tmp_path):
  (vimeo / 'vimeo_triplet/tri_trainlist.txt').write_bytes(text)
  with pytest.raises(UserError, match=r'tri_trainlist\.txt cannot be read: it is not text in UTF-8'):
    build('vimeo90k_triplet', vimeo, tmp_path / 'built')


def test_a_list_that_is_a_pipe_is_not_waited_for(tmp_path):
  os.mkfifo(tmp_path / 'list.txt')
  with pytest.raises(UserError, match=r'list\.txt is a pipe or a device'):
    triplet_builder.lines(epath.Path(tmp_path / 'list.txt'))


def test_a_list_with_a_byte_order_mark(vimeo, tmp_path):
  (vimeo / 'vimeo_triplet/tri_trainlist.txt').write_text('\ufeff00001/0001\n')
  assert build('vimeo90k_triplet', vimeo, tmp_path / 'built').info.splits['train'].num_examples == 1


def test_a_list_of_one_endless_line_is_told_in_a_short_one(vimeo, tmp_path):
  (vimeo / 'vimeo_triplet/tri_trainlist.txt').write_text('x' * 100_000)
  with pytest.raises(UserError) as error:
    build('vimeo90k_triplet', vimeo, tmp_path / 'built')
  assert len(error.value.message) < 1000


@pytest.mark.parametrize('split', ['train', 'test'])
def test_a_split_of_which_nothing_is_good(split, vimeo, tmp_path):
  for name in dummy.VIMEO[split]:
    (vimeo / 'vimeo_triplet/sequences' / name / 'im2.png').write_bytes(b'')
  with pytest.raises(UserError, match=f'clips are broken; none in split {split}; .*im2.png'):
    build('vimeo90k_triplet', vimeo, tmp_path / 'built', skip_broken=True)


def test_a_missing_list(vimeo, tmp_path):
  (vimeo / 'vimeo_triplet/tri_testlist.txt').unlink()
  with pytest.raises(UserError, match=r'tri_testlist\.txt cannot be read'):
    build('vimeo90k_triplet', vimeo, tmp_path / 'built')


def test_the_wrong_root_says_what_is_there(tmp_path):
  layout('ucf101_triplet', tmp_path / 'root')
  with pytest.raises(UserError, match=r'has no vimeo_triplet/sequences or .*; there is ucf101_interp_ours'):
    build('vimeo90k_triplet', tmp_path / 'root', tmp_path / 'built')


def test_folders_that_are_missing_are_counted(tmp_path):
  root = layout('ucf101_triplet', tmp_path / 'root')
  (root / 'ucf101_interp_ours' / '11' / 'frame_00.png').unlink()
  with pytest.raises(UserError, match=r'has 378 folders with a frame_00\.png; expected 379'):
    build('ucf101_triplet', root, tmp_path / 'built')


def test_nothing_good_is_an_error_even_if_broken_ones_are_skipped(tmp_path):
  root = layout('middlebury_other', tmp_path / 'root')
  for path in root.rglob('frame10i11.png'):
    path.unlink()
  with pytest.raises(UserError, match='0 triplets are good, 12 clips are broken'):
    build('middlebury_other', root, tmp_path / 'built', skip_broken=True)


def run(*words, cwd):
  return command('datasets.build', *words, cwd=cwd)


@pytest.mark.slow
def test_mistakes_at_the_command(vimeo, tmp_path):
  (tmp_path / 'vimeo.zip').write_bytes(b'PK')
  (tmp_path / 'packed').mkdir()
  (tmp_path / 'packed' / 'vimeo_triplet.zip').write_bytes(b'PK')
  name = 'vimeo90k_triplet'
  for words, parts in [
    (['vimeo', '--manual_dir=root'], ['vimeo', name]),
    ([name], ['manual_dir']),
    ([name, '--manual_dir=nowhere'], ['nowhere', 'does not exist']),
    ([name, '--manual_dir=vimeo.zip'], ['vimeo.zip', 'unpack']),
    ([name, '--manual_dir=packed', '--data_dir=built'], ['unpack vimeo_triplet.zip']),
    ([name, '--manual_dir=root', '--config=big'], ['big', 'no configurations']),
    (['video_triplets', '--manual_dir=root', '--config={"name": "a", "strid": 2}'], ['strid']),
    (['video_triplets', '--manual_dir=root', '--config={"name": "a", "stride": 0}'], ['stride is 0']),
    (['video_triplets', '--manual_dir=root', '--config={"name": "a", "stride": 1.5}'], ['stride is 1.5']),
    (['video_triplets', '--manual_dir=root', '--config={"name": "stride2"}'], ['stride2', 'another name']),
    (['xiph_triplet', '--manual_dir=root', '--config=8k'], ['8k', '2k_film']),
  ]:
    assert_user_error(run(*words, cwd=tmp_path), *parts)


@pytest.mark.slow
def test_the_command_builds_once_and_again_only_if_asked(vimeo, tmp_path):
  words = ['vimeo90k_triplet', '--manual_dir=root', '--data_dir=built']
  first = run(*words, cwd=tmp_path)
  assert first.returncode == 0, first.stderr
  assert 'tfds:vimeo90k_triplet:train has 4 triplets (the authors have 51,313)' in first.stdout
  assert_user_error(run(*words, cwd=tmp_path), 'exists already', '--overwrite')

  cut(vimeo / 'vimeo_triplet/sequences/00002/0389/im2.png')
  record = next((tmp_path / 'built').rglob('*train.tfrecord*'))
  assert_user_error(run(*words, '--overwrite', cwd=tmp_path), '00002/0389', 'is damaged')
  assert record.exists()  # the old one stays until there is a new one
  again = run(*words, '--overwrite', '--skip_broken', cwd=tmp_path)
  assert 'train has 3 triplets' in again.stdout
  assert 'left_out.txt' in again.stdout
