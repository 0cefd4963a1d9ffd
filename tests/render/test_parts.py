"""The notes of finished parts are a file format: those of earlier versions are read."""

import json
from fractions import Fraction

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
