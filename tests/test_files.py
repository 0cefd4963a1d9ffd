import pathlib

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


def test_a_folder_is_replaced_whole(tmp_path):
  path = tmp_path / 'folder'
  for name in ('one', 'two'):
    with files.atomic_write(path, overwrite=True) as temporary:
      pathlib.Path(temporary).mkdir()
      (pathlib.Path(temporary) / name).touch()
  assert [p.name for p in path.iterdir()] == ['two']
  assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('function', [files.check, lambda path: files.atomic_write(path).__enter__()])
def test_what_exists_is_refused(function, tmp_path):
  with pytest.raises(UserError, match='--overwrite'):
    function(tmp_path)


def test_check_sees_what_cannot_be_written_and_leaves_no_trace(tmp_path):
  (tmp_path / 'file').touch()
  for bad in (tmp_path / 'file' / 'a.png', '/proc/a.png'):
    with pytest.raises(UserError, match='cannot write'):
      files.check(bad)
  files.check(tmp_path / 'new' / 'folder' / 'a.png')
  assert [p.name for p in tmp_path.iterdir()] == ['file']
