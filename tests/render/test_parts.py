"""The notes of finished parts are a file format: those of earlier versions are read."""

import json
import pathlib
from fractions import Fraction

import pytest

from film_tf.errors import UserError
from film_tf.media.frame import Position
from film_tf.render.parts import Part, Parts

SETTINGS = {'model': 'film_mini'}
NOTE = {'times': ['0', '1/50'], 'end': '1/25', 'off': '1/2400', 'time': '1/25', 'count': 2, 'turns': [1, 0]}
PART = Part([Fraction(0), Fraction(1, 50)], Fraction(1, 25), Fraction(1, 2400), Position(Fraction(1, 25), 2), [1, 0])


def test_notes_of_version_0_1_are_read_and_written(tmp_path):
  folder = tmp_path / 'a.mp4.parts'
  (folder / 'frames').mkdir(parents=True)
  (folder / 'settings.json').write_text(json.dumps(SETTINGS))
  (folder / '000000.json').write_text(json.dumps(NOTE))
  parts = Parts(str(tmp_path / 'a.mp4'), SETTINGS, resume=True)
  assert parts.parts == [PART]
  parts.add(PART)
  assert json.loads((folder / '000001.json').read_text()).items() >= NOTE.items()


def begun(tmp_path, **options):
  return Parts(str(tmp_path / 'a.mp4'), SETTINGS, **options)


def test_a_damaged_or_missing_piece_is_noticed_and_made_again(tmp_path, capsys):
  for damage in (
    lambda path: path.write_bytes(b''),
    lambda path: path.write_bytes(b'7 bytes'),
    lambda path: path.unlink(),
  ):
    parts = begun(tmp_path, overwrite=True)
    pieces = [pathlib.Path(parts.path(f'{number:06d}.mkv')) for number in range(3)]
    for piece in pieces:
      piece.write_bytes(b'7_bytes')
      parts.add(PART, [str(piece)])
    parts.close()
    damage(pieces[1])
    assert begun(tmp_path, resume=True).count == 2
    assert '000001.mkv is damaged' in capsys.readouterr().err
    assert sorted(path.name for path in pieces[0].parent.glob('0*.json')) == ['000000.json']


def test_one_process_at_a_time(tmp_path):
  first = begun(tmp_path)
  for option in ({}, {'resume': True}, {'overwrite': True}):
    with pytest.raises(UserError, match=r'a.mp4 is in use by process \d+ on .*; wait for its end'):
      begun(tmp_path, **option)
  first.close()
  begun(tmp_path, resume=True).remove()
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('option', ['resume', 'overwrite'])
def test_a_folder_of_somebody_else_is_left_alone(tmp_path, option):
  (tmp_path / 'a.mp4.parts').mkdir()
  (tmp_path / 'a.mp4.parts' / 'letters.txt').write_text('mine')
  with pytest.raises(UserError, match=r'a.mp4.parts has no settings.json of film_tf, and would be deleted'):
    begun(tmp_path, **{option: True})
  assert [path.name for path in (tmp_path / 'a.mp4.parts').iterdir()] == ['letters.txt']


@pytest.mark.parametrize('option', ['resume', 'overwrite'])
def test_a_folder_that_was_hardly_begun_is_used(tmp_path, option):
  (tmp_path / 'a.mp4.parts' / 'frames').mkdir(parents=True)
  (tmp_path / 'a.mp4.parts' / 'settings.json.new').write_text('{')
  assert begun(tmp_path, **{option: True}).count == 0


def test_parts_of_another_version_are_refused_in_one_sentence(tmp_path):
  begun(tmp_path).close()
  with pytest.raises(UserError, match=r'begun by another version of film_tf.*cut is new.*--overwrite'):
    Parts(str(tmp_path / 'a.mp4'), {**SETTINGS, 'cut': '0.85'}, resume=True)
