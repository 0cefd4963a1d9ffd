"""Footage becomes triplets: which, and which not."""

import os

import numpy as np
import pytest
from PIL import Image

from datasets import dummy
from datasets.video_triplets.video_triplets_dataset_builder import Config
from film_tf import keys
from film_tf.data import records
from film_tf.errors import UserError
from tests.building.test_footage import write_video
from tests.conftest import ROOT
from tests.datasets.build_tree import build, examples, layout

CLIPS = ROOT.parent / 'shared/data/clips'


def names(made):
  return [example[keys.PATH].decode() for example in examples(made, 'train')]


def test_folders_of_frames(tmp_path):
  root = layout('video_triplets', tmp_path / 'root')  # two folders of nine frames
  (root / 'first' / 'round').symlink_to(root)
  made = build('video_triplets', root, tmp_path / 'built')
  expected = [f'{folder}/{middle:06d}' for folder in ('first', 'second') for middle in (1, 3, 5, 7)]
  assert names(made) == expected
  assert {float(example[keys.TIME]) for example in examples(made, 'train')} == {0.5}
  for number, name in enumerate(expected):
    folder, middle = name.split('/')
    example = examples(made, 'train')[number]
    for frame, i in zip(records.FRAMES, range(int(middle) - 1, int(middle) + 2), strict=True):
      np.testing.assert_array_equal(example[frame], np.asarray(Image.open(root / folder / f'{i}.png')))


@pytest.mark.parametrize(
  ('options', 'middles'),
  [({'stride': 2}, [2, 4, 6]), ({'stride': 3, 'step': 1}, [3, 4, 5]), ({'stride': 4}, [4]), ({'stride': 5}, [])],
)
def test_stride_and_step(options, middles, tmp_path):
  root = layout('video_triplets', tmp_path / 'root')
  config = Config(name='mine', **options)
  if not middles:
    with pytest.raises(UserError, match='0 triplets are good, 0 clips are broken; there is nothing to build'):
      build('video_triplets', root, tmp_path / 'built', config=config)
    return
  made = build('video_triplets', root, tmp_path / 'built', config=config)
  assert names(made) == [f'{folder}/{middle:06d}' for folder in ('first', 'second') for middle in middles]


def test_several_frames_between_have_each_their_time(tmp_path):
  root = layout('video_triplets', tmp_path / 'root')
  made = build('video_triplets', root, tmp_path / 'built', config=Config(name='mine', between=3, step=2))
  expected = [
    (f'{folder}/{first + 1:06d}/{i}of4', first, i)
    for folder in ('first', 'second')
    for first in (0, 2, 4)
    for i in (1, 2, 3)
  ]
  assert names(made) == [name for name, _, _ in expected]
  for example, (name, first, i) in zip(examples(made, 'train'), expected, strict=True):
    assert example[keys.TIME] == i / 4
    for frame, number in zip(records.FRAMES, (first, first + i, first + 4), strict=True):
      np.testing.assert_array_equal(example[frame], np.asarray(Image.open(root / name.split('/')[0] / f'{number}.png')))


def test_cuts_duplicates_and_still_frames_are_left_out(tmp_path):
  one, other = (dummy.frame(7, t, 96, 128) for t in range(40)), (dummy.frame(8, t, 96, 128) for t in range(40))
  frames = [next(one) for _ in range(8)]
  frames += [frames[-1]] + [next(one) for _ in range(5)]  # 8 repeats 7
  frames += [next(other) for _ in range(6)]  # a cut between 13 and 14
  (tmp_path / 'root').mkdir()
  write_video(tmp_path / 'root' / 'a.mp4', frames)
  write_video(tmp_path / 'root' / 'still.mp4', [frames[0]] * 10)
  made = build('video_triplets', tmp_path / 'root', tmp_path / 'built', config=Config(name='wanted', step=1))
  middles = [int(name.removeprefix('a.mp4/')) for name in names(made)]
  assert middles == [i for i in range(1, 19) if i not in (7, 8, 13, 14)]


def test_frames_are_shrunk_if_asked(tmp_path):
  (tmp_path / 'root').mkdir()
  write_video(tmp_path / 'root' / 'a.mp4', [dummy.frame(0, 2 * t, 96, 128) for t in range(5)])
  made = build('video_triplets', tmp_path / 'root', tmp_path / 'built', config=Config(name='small', height=48))
  assert {example[frame].shape for example in examples(made, 'train') for frame in records.FRAMES} == {(48, 64, 3)}


def test_tiles_in_which_something_moves(tmp_path):
  """The left half stands still; what is left over is cut off around."""
  frames = [np.concatenate([dummy.frame(3, 0, 74, 48), dummy.frame(0, 2 * t, 74, 48)], axis=1) for t in range(5)]
  (tmp_path / 'root').mkdir()
  write_video(tmp_path / 'root' / 'a.mp4', frames)
  whole = build('video_triplets', tmp_path / 'root', tmp_path / 'built', config=Config(name='whole'))
  tiles = build('video_triplets', tmp_path / 'root', tmp_path / 'built', config=Config(name='tiles', tile=32))
  assert names(whole) == ['a.mp4/000001', 'a.mp4/000003']
  places = {name.removeprefix(f'a.mp4/{number:06d}/') for name in names(tiles) for number in (1, 3)}
  assert {place for place in places if 'mp4' not in place} <= {f'{y},{x}' for y in (5, 37) for x in (32, 64)}
  assert len(names(tiles)) >= 4
  wholes = dict(zip(names(whole), examples(whole, 'train'), strict=True))
  for name, example in zip(names(tiles), examples(tiles, 'train'), strict=True):
    of, place = name.rsplit('/', 1)
    y, x = map(int, place.split(','))
    for frame in records.FRAMES:
      np.testing.assert_array_equal(example[frame], wholes[of][frame][y : y + 32, x : x + 32])
  with pytest.raises(UserError, match=r'a\.mp4, frame 0 has 96x74 pixels, too few for a tile of 80'):
    build('video_triplets', tmp_path / 'root', tmp_path / 'built', config=Config(name='large', tile=80))
  with pytest.raises(UserError, match='tile is 31; expected 32 pixels'):
    Config(name='small', tile=31)


def test_names_that_are_not_utf8(tmp_path):
  root = layout('video_triplets', tmp_path / 'root')
  (root / 'first').rename(os.fsdecode(os.fsencode(root) + b'/caf\xe9'))
  made = build('video_triplets', root, tmp_path / 'built')
  assert {name.split('/')[0] for name in names(made)} == {'caf\\xe9', 'second'}


def test_a_damaged_video_is_named(tmp_path):
  root = layout('video_triplets', tmp_path / 'root')
  (root / 'bad.mp4').write_bytes(b'nothing')
  with pytest.raises(UserError, match=r'8 triplets are good, 1 clips are broken.*bad\.mp4 cannot be read'):
    build('video_triplets', root, tmp_path / 'built')


def test_a_folder_without_footage(tmp_path):
  (tmp_path / 'root').mkdir()
  (tmp_path / 'root' / 'notes.txt').write_text('')
  with pytest.raises(UserError, match=r'has no videos or folders of frames; there is notes\.txt'):
    build('video_triplets', tmp_path / 'root', tmp_path / 'built')


@pytest.mark.slow
@pytest.mark.skipif(not CLIPS.exists(), reason=f'there are no real clips in {CLIPS}')
def test_real_clips(tmp_path):
  """Their cuts, which were found by looking, are left out and nothing else; frames decoded are those there are."""
  root = tmp_path / 'root'
  root.mkdir()
  for name in ('scenecut_bikes.mp4', 'vfr_kitten.mp4', 'gif_parking_lot.gif'):
    (root / name).symlink_to(CLIPS / name)
  made = build(
    'video_triplets', root, tmp_path / 'built', config=Config(name='wanted', step=1, min_motion=0.0, height=96)
  )
  found = {name: [] for name in os.listdir(root)}
  for path in names(made):
    clip, _, middle = path.partition('/')
    found[clip].append(int(middle))
  assert found['scenecut_bikes.mp4'] == [i for i in range(1, 99) if i not in (36, 37, 86, 87)]
  assert found['vfr_kitten.mp4'] == list(range(1, 119))
  assert found['gif_parking_lot.gif'] == list(range(1, 40))
