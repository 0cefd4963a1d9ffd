"""The contact sheet: what the trainer will see, and the mistakes in data that people make."""

import numpy as np
import pytest
from PIL import Image

from film_tf.data import contact_sheet, scenes, synthetic
from film_tf.errors import UserError
from tests.conftest import assert_user_error, command
from tests.data import triplets


def examples_of(count, **options):
  return list(synthetic.triplets(scenes.Scenes(64, 48, **options)).take(count).as_numpy_iterator())


def test_a_row_shows_the_frames_and_their_difference():
  examples = examples_of(3)
  sheet = contact_sheet.draw(examples, [contact_sheet.statistics(example) for example in examples])
  assert sheet.shape == (2 * (64 + 18), 2 * (4 * 48 + 18), 3)
  for number, (left, top) in enumerate([(0, 18), (0, 18 + 82), (210, 18)]):
    x0, y, x1 = (examples[number][key] for key in ('x0', 'y', 'x1'))
    strip = np.concatenate([x0, y, x1, abs(x1 - x0)], axis=1)
    np.testing.assert_allclose(sheet[top : top + 64, left : left + 192] / 255, strip, atol=0.5 / 255 + 1e-6)


def test_numbers_tell_good_data_from_bad():
  one, other = examples_of(2, max_motion=8.0)
  good = contact_sheet.statistics(one)
  assert good.off_middle < 1.0
  assert good.largest < 12.0
  wrong_order = contact_sheet.statistics({**one, 'y': one['x1'], 'x1': one['y']})
  assert wrong_order.off_middle > 1.0
  assert contact_sheet.statistics({**one, 'x1': other['x1']}).lost > 0.8
  assert '2 examples' in contact_sheet.table([good, good])
  with pytest.raises(UserError, match='examples of 16x48 pixels'):
    contact_sheet.statistics({key: one[key][:16] for key in ('x0', 'y', 'x1')})


def preview(*bindings, cwd, output='sheet.png'):
  flags = [f'--gin_bindings={binding}' for binding in bindings]
  return command(
    'film_tf.preview', '--gin_configs=gin/film_l1.gin', f'--output={output}', '--examples=4', *flags, cwd=cwd
  )


@pytest.mark.slow
def test_the_command_and_its_mistakes(tmp_path):
  triplets.write(tmp_path, [3, 3], 48, 64)
  mine, crop = "data.sources = {'set@2': 1.0}", 'augmentation.crop = 40'
  done = preview(mine, crop, cwd=tmp_path)
  assert done.returncode == 0, done.stderr
  assert 'largest motion' in done.stdout
  with Image.open(tmp_path / 'sheet.png') as sheet:
    assert sheet.size == (2 * (4 * 40 + 18), 2 * (40 + 18))
  again = preview(mine, crop, cwd=tmp_path, output='again.png')
  assert again.stdout.splitlines()[:-1] == done.stdout.splitlines()[:-1]
  assert (tmp_path / 'again.png').read_bytes() == (tmp_path / 'sheet.png').read_bytes()

  assert_user_error(preview(mine, crop, cwd=tmp_path), 'sheet.png exists already')
  assert_user_error(preview(mine, cwd=tmp_path, output='b.png'), 'has 48 64 pixels', 'needs 256 for augmentation.crop')
  out_of_range = 'augmentation.motion_range = (500.0, 600.0)'
  assert_user_error(preview(mine, crop, out_of_range, cwd=tmp_path, output='b.png'), '1000 crops in a row', '500')
  assert_user_error(preview("data.sources = {'nothing@2': 1.0}", cwd=tmp_path, output='b.png'), 'nothing@2')
  shard = tmp_path / 'set-00001-of-00002'
  shard.write_bytes(shard.read_bytes()[:-100])
  assert_user_error(preview(mine, crop, cwd=tmp_path, output='b.png'), 'damaged files', 'set-00001-of-00002')
  shard.write_bytes(b'')
  (tmp_path / 'set-00000-of-00002').write_bytes(b'')
  assert_user_error(preview(mine, crop, cwd=tmp_path, output='b.png'), 'no triplets', 'set@2')
