"""The yardstick on real files."""

import csv
import os
import pathlib

import numpy as np
import pytest
from skimage import metrics as reference

from eval import baselines, triplets
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from tests.conftest import TINY, assert_user_error, command
from tests.data import triplets as records


def scene(time, height=64, width=80):
  """Smooth texture that moves 6 pixels right and 2 down from time 0 to 1."""
  y, x = np.mgrid[:height, :width].astype(np.float32)
  x, y = x - 6 * time, y - 2 * time
  waves = [np.sin(x / 3 + y / 7 + i) * np.cos(y / 4 - x / 9 + 2 * i) for i in range(3)]
  return (0.5 + 0.4 * np.stack(waves, axis=-1)).astype(np.float32)


def save(path, image):
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_bytes(records.png(np.round(255 * image).astype(np.uint8)))


def write_video(path, count, height=64, width=80):
  av = pytest.importorskip('av', reason="needs pip install '.[video]'")
  with av.open(str(path), 'w') as container:
    stream = container.add_stream('libx264rgb', 25, width=width, height=height, pix_fmt='rgb24', options={'crf': '0'})
    for number in range(count):
      frame = av.VideoFrame.from_ndarray(np.round(255 * scene(number / 2)).astype(np.uint8), 'rgb24')
      container.mux(stream.encode(frame))
    container.mux(stream.encode())


def test_baselines_by_hand():
  x0, y, x1 = (scene(time) for time in (0, 0.5, 1))
  assert baselines.repeat(x0, x1) is x0
  np.testing.assert_array_equal(baselines.blend(x0, x1), (x0 + x1) / 2)
  pytest.importorskip('cv2', reason="needs pip install '.[dis]'")

  def psnr(model):
    inside = (slice(8, -8), slice(8, -8))
    return reference.peak_signal_noise_ratio(y[inside], model(x0, x1)[inside], data_range=1)

  assert psnr(baselines.dis) > psnr(baselines.blend) + 5
  np.testing.assert_allclose(baselines.dis(x0, x1), baselines.dis(x1, x0), atol=1e-6)  # both ways alike


def test_triplets_of_a_video(tmp_path):
  write_video(tmp_path / 'a.mkv', 6)
  found = list(triplets.find(str(tmp_path / 'a.mkv')))
  assert [triplet.name for triplet in found] == ['frame 1', 'frame 3']
  for number, triplet in zip((1, 3), found, strict=True):
    for offset, image in zip((-1, 0, 1), (triplet.x0, triplet.y, triplet.x1), strict=True):
      np.testing.assert_allclose(image, scene((number + offset) / 2), atol=1 / 255)


def test_triplets_of_folders(tmp_path, capfd):
  for name in ('10', '9', 'deep/er'):
    for number, time in ((1, 0), (2, 0.5), (3, 1)):
      save(tmp_path / name / f'im{number}.png', scene(time))
  save(tmp_path / 'one' / 'im1.png', scene(0))
  save(tmp_path / 'pair' / 'im1.png', scene(0))
  save(tmp_path / 'pair' / 'im2.png', scene(1))
  found = list(triplets.find(str(tmp_path)))
  assert [triplet.name for triplet in found] == ['9', '10', 'deep/er', 'pair']
  assert f'left out, since a triplet is a folder of three images: {tmp_path}/one (1 images)' in capfd.readouterr().err
  assert found[3].y is None  # nobody knows it
  np.testing.assert_allclose(found[0].y, scene(0.5), atol=0.5 / 255 + 1e-6)


def test_names_that_are_not_utf8(tmp_path):
  folder = os.fsdecode(os.fsencode(tmp_path) + b'/caf\xe9')
  for number, time in ((1, 0), (2, 0.5), (3, 1)):
    save(pathlib.Path(folder) / f'im{number}.png', scene(time))
  assert [triplet.name for triplet in triplets.find(str(tmp_path))] == ['caf\\xe9']


@pytest.mark.slow
def test_the_command_measures_and_its_table_agrees_with_scikit_image(tmp_path):
  for number, time in ((1, 0), (2, 0.5), (3, 1)):
    save(tmp_path / 'folder' / 'a' / f'im{number}.png', scene(time))
  write_video(tmp_path / 'b.mkv', 5)
  name = records.write(tmp_path, [2])
  weights.save(FilmNet(TINY), tmp_path / 'net.npz')
  words = ['--model=blend', '--model=net.npz', '--data=folder', '--data=b.mkv', f'--data={name}', '--output=scores.csv']
  result = command('eval.run', *words, cwd=tmp_path)
  assert result.returncode == 0, result.stderr
  with open(tmp_path / 'scores.csv') as file:
    rows = list(csv.DictReader(file))
  assert [(row['benchmark'], row['model']) for row in rows[:4]] == [
    ('folder', 'blend'), ('folder', 'net.npz'), ('b.mkv', 'blend'), ('b.mkv', 'net.npz')
  ]  # fmt: skip
  assert len(rows) == 2 * (1 + 2 + 2)
  x0, y, x1 = (np.round(255 * scene(time)).astype(np.uint8) / 255 for time in (0, 0.5, 1))
  expected = reference.peak_signal_noise_ratio(y, (x0 + x1) / 2, data_range=1)
  assert float(rows[0]['psnr']) == pytest.approx(expected, abs=1e-3)
  lines = [line.split() for line in result.stdout.splitlines()[1:]]
  assert lines[0] == ['data', 'examples', 'blend', 'net.npz']
  assert lines[1][:3] == ['folder', '1', f'{expected:.2f}']
  assert lines[2][:2] == ['b.mkv', '2']
  means = [np.mean([float(row['psnr']) for row in rows if (row['benchmark'], row['model']) == (data, 'blend')])
           for data in ('folder', 'b.mkv', name)]  # fmt: skip
  assert lines[4][:3] == ['mean', '5', f'{np.mean(means):.2f}']


def test_finished_results_are_those_of_what_is_asked(tmp_path):
  for number, time in ((1, 0), (2, 0.5), (3, 1)):
    save(tmp_path / 'folder' / 'a' / f'im{number}.png', scene(time))
  words = ['eval.run', '--data=folder', '--output=scores', '--resume']
  first = command(*words, '--model=blend', cwd=tmp_path)
  assert first.returncode == 0, first.stderr
  assert command(*words, '--model=blend', cwd=tmp_path).stdout == first.stdout
  assert_user_error(command(*words, '--model=repeat', cwd=tmp_path), 'scores is a run with other models')
  images = command(*words, '--model=blend', '--images=worst', cwd=tmp_path)
  assert_user_error(images, 'scores is finished and has no images')


@pytest.mark.slow
def test_mistakes(tmp_path):
  write_video(tmp_path / 'short.mkv', 2)
  (tmp_path / 'empty').mkdir()
  (tmp_path / 'videos').mkdir()
  write_video(tmp_path / 'videos' / 'a.mkv', 3)
  (tmp_path / 'no.mp4').write_text('no video')
  (tmp_path / 'there.csv').write_text('mine')
  for number, size in ((1, 20), (2, 20), (3, 24)):
    save(tmp_path / 'sizes' / f'{number}.png', scene(0, size, size))
    save(tmp_path / 'tiny' / f'{number}.png', scene(0, 8, 10))
  for words, parts in [
    (['--data=short.mkv'], ['short.mkv has no triplets']),
    (['--data=empty'], ['empty has no triplets']),
    (['--data=sizes'], ['1.png has 20x20', '3.png 24x24']),
    (['--data=no.mp4'], ['no.mp4 cannot be read']),
    (['--data=nothing'], ['nothing']),
    (['--data=tiny'], ['tiny has 10x8 pixels', '11 or more']),
    (['--data=sizes/1.png'], ['1.png is one image', 'video']),
    (['--data=videos'], ['give --data= for each video']),
    (['--data=empty', '--output=there.csv'], ['there.csv exists']),
    (['--data=empty', '--model=nothing.npz'], ['nothing.npz']),
    ([], ['--data']),
    (['--data=empty', 'more.mp4'], ['more.mp4']),
  ]:
    assert_user_error(command('eval.run', '--model=blend', *words, cwd=tmp_path), *parts)
