"""What a person names, on a real disk."""

import numpy as np
import pytest
from PIL import Image

from film_tf.errors import UserError
from film_tf.render import inputs
from tests.media.videos import encode, picture

PIXELS = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
  """Photographs whose numbers are not of one width, under two suffixes; an animation, a video."""
  (tmp_path / 'photos').mkdir()
  for name in ('p1.png', 'p2.jpg', 'p10.png', 'p9.JPG'):
    Image.fromarray(PIXELS).save(tmp_path / 'photos' / name)
  (tmp_path / 'photos' / 'notes.md').write_text('not one')
  Image.fromarray(PIXELS).save(tmp_path / 'a.gif', save_all=True, append_images=[Image.fromarray(PIXELS + 99)])
  encode(tmp_path / 'clip.mp4', map(picture, range(2)))
  encode(tmp_path / 'clip2.mkv', map(picture, range(2)))
  monkeypatch.chdir(tmp_path)
  return tmp_path


def found(*words):
  return [(one.name, one.kind, one.paths) for one in inputs.find(words)]


IN_ORDER = tuple(f'photos/{name}' for name in ('p1.png', 'p2.jpg', 'p9.JPG', 'p10.png'))


def test_folders_patterns_and_lists_are_in_natural_order(folder):
  assert found('photos') == found('photos/') == [('photos', 'images', IN_ORDER)]
  assert found('photos/p*') == [('photos', 'images', IN_ORDER)]
  assert found('photos/*.png') == [('photos', 'images', ('photos/p1.png', 'photos/p10.png'))]
  (folder / 'order.txt').write_text('photos/p10.png\n\nphotos/p1.png\n')
  assert found('order.txt') == [('order', 'images', ('photos/p10.png', 'photos/p1.png'))]


def test_images_one_by_one_are_in_the_order_given(folder, capsys):
  assert found('photos/p9.JPG', 'photos/p1.png') == [('p9', 'images', ('photos/p9.JPG', 'photos/p1.png'))]
  assert capsys.readouterr().err == ''
  found('photos/p1.png', 'photos/p10.png', 'photos/p2.jpg')  # as a shell has them
  assert 'photos/p10.png comes before photos/p2.jpg' in capsys.readouterr().err


def test_several_inputs(folder):
  assert found('clip.mp4', 'photos', 'a.gif', 'photos/p1.png', 'photos/p2.jpg') == [
    ('clip', 'video', ('clip.mp4',)),
    ('photos', 'images', IN_ORDER),
    ('a', 'animation', ('a.gif',)),
    ('p1', 'images', ('photos/p1.png', 'photos/p2.jpg')),
  ]
  assert [name for name, _, _ in found('clip*')] == ['clip', 'clip2']


@pytest.mark.parametrize(
  ('words', 'parts'),
  [
    ([], ['nothing']),
    (['none.mp4'], ['no such file', 'none.mp4']),
    (['none*.mp4'], ['nothing matches none*.mp4']),
    (['empty'], ['empty', 'without images']),
    (['videos'], ['videos', "'videos/*.mp4'"]),
    (['bad.txt'], ['none.png', 'bad.txt lists']),
  ],
)
def test_what_is_not_there_is_told(folder, words, parts):
  (folder / 'empty').mkdir()
  (folder / 'videos').mkdir()
  (folder / 'clip.mp4').rename(folder / 'videos' / 'clip.mp4')
  (folder / 'bad.txt').write_text('none.png')
  with pytest.raises(UserError) as error:
    inputs.find(words)
  assert all(part in error.value.message for part in parts), error.value.message
