import os
import pathlib
import subprocess

import pytest

from film_tf import files
from film_tf.errors import UserError


def test_the_name_appears_when_all_is_written(tmp_path):
  path = tmp_path / 'new' / 'a.txt'
  with files.atomic_write(path) as temporary:
    pathlib.Path(temporary).write_text('half')
    assert not path.exists()
  assert path.read_text() == 'half'
  assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_what_was_there(tmp_path):
  path = tmp_path / 'a.txt'
  path.write_text('old')

  def write():
    with files.atomic_write(path, overwrite=True) as temporary:
      pathlib.Path(temporary).write_text('half')
      raise KeyboardInterrupt

  with pytest.raises(KeyboardInterrupt):
    write()
  assert path.read_text() == 'old'
  assert list(tmp_path.iterdir()) == [path]


def test_what_appears_meanwhile_is_kept(tmp_path):
  def write():
    with files.atomic_write(tmp_path / 'a') as temporary:
      pathlib.Path(temporary).write_text('ours')
      (tmp_path / 'a').write_text('mine')

  with pytest.raises(UserError, match='exists already'):
    write()
  assert (tmp_path / 'a').read_text() == 'mine'
  assert names_in(tmp_path) == ['a']


def write_folder(path, *names, **options):
  with files.atomic_write(path, replaces=files.SAVED_MODEL, **options) as temporary:
    pathlib.Path(temporary).mkdir()
    for name in names:
      (pathlib.Path(temporary) / name).touch()


def names_in(folder):
  return sorted(path.name for path in folder.iterdir())


def test_a_folder_is_replaced_whole(tmp_path):
  for name in ('variables', 'assets'):
    write_folder(tmp_path / 'folder', 'saved_model.pb', name, overwrite=True)
  assert names_in(tmp_path / 'folder') == ['assets', 'saved_model.pb']
  assert names_in(tmp_path) == ['folder']


@pytest.mark.parametrize('stranger', ['photo.jpg', 'sub'])
def test_a_folder_with_anything_else_in_it_is_not_replaced(stranger, tmp_path):
  write_folder(tmp_path / 'folder', 'saved_model.pb')
  (tmp_path / 'folder' / stranger).mkdir()
  with pytest.raises(UserError, match=f'is not a SavedModel: --overwrite would delete .*{stranger}'):
    write_folder(tmp_path / 'folder', 'saved_model.pb', overwrite=True)
  assert names_in(tmp_path / 'folder') == sorted(['saved_model.pb', stranger])


def test_files_and_folders_do_not_replace_each_other(tmp_path):
  (tmp_path / 'folder').mkdir()
  (tmp_path / 'file').touch()
  with pytest.raises(UserError, match='folder is a folder, with 0 files in it, which a file does not replace'):
    files.check(tmp_path / 'folder', overwrite=True)
  with pytest.raises(UserError, match='file is a file, which a SavedModel does not replace'):
    files.check(tmp_path / 'file', True, files.SAVED_MODEL)
  write_folder(tmp_path / 'folder', 'saved_model.pb', overwrite=True)  # an empty one is nobody's


def test_what_a_killed_process_left_is_mended(tmp_path):
  """The last moment of a replacement: the old folder is aside, the new one not yet in its place."""
  write_folder(tmp_path / 'folder', 'saved_model.pb')
  ended = subprocess.Popen(['true'])
  ended.wait()
  (tmp_path / 'folder').rename(tmp_path / f'.{ended.pid}.folder.old')
  (tmp_path / f'.{ended.pid}.folder').mkdir()
  (tmp_path / f'.{os.getpid()}.folder').mkdir()  # of one that lives
  with pytest.raises(UserError, match='exists already'):
    files.check(tmp_path / 'folder', False, files.SAVED_MODEL)
  assert names_in(tmp_path) == [f'.{os.getpid()}.folder', 'folder']
  assert names_in(tmp_path / 'folder') == ['saved_model.pb']


def test_a_file_that_a_killed_process_did_not_finish_goes(tmp_path):
  ended = subprocess.Popen(['true'])
  ended.wait()
  (tmp_path / f'.{ended.pid}.a.gif').touch()
  files.check(tmp_path / 'a.gif')
  assert names_in(tmp_path) == []


def test_an_empty_name_is_refused():
  with pytest.raises(UserError, match='empty'):
    files.check('')


@pytest.mark.parametrize('function', [files.check, lambda path: files.atomic_write(path).__enter__()])
def test_what_exists_is_refused(function, tmp_path):
  (tmp_path / 'file').touch()
  with pytest.raises(UserError, match='--overwrite'):
    function(tmp_path / 'file')


def test_check_sees_what_cannot_be_written_and_leaves_no_trace(tmp_path):
  (tmp_path / 'file').touch()
  for bad in (tmp_path / 'file' / 'a.png', '/proc/a.png'):
    with pytest.raises(UserError, match='cannot write'):
      files.check(bad)
  files.check(tmp_path / 'new' / 'folder' / 'a.png')
  assert [p.name for p in tmp_path.iterdir()] == ['file']
