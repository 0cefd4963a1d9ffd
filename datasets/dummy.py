"""Writes the files of every data set in their true layout and names, with small synthetic frames.

Tests build them; so can you, to try the commands before a long download (but not Xiph, which insists on 4K):

  python -m datasets.dummy vimeo90k_triplet /tmp/vimeo
  python -m datasets.build vimeo90k_triplet --manual_dir=/tmp/vimeo --data_dir=/tmp/built
"""

import pathlib
import sys
from collections.abc import Callable

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 48, 64
VIMEO = {'train': ['00001/0001', '00001/0002', '00002/0389', '00010/0001'], 'test': ['00001/0389', '00003/0010']}
XIPH = ('BoxingPractice', 'Crosswalk', 'DrivingPOV', 'FoodMarket', 'FoodMarket2', 'RitualDance', 'SquareAndTimelapse')
XIPH += ('Tango',)
MIDDLEBURY = ('Beanbags', 'Dimetrodon', 'DogDance', 'Grove2', 'Grove3', 'Hydrangea', 'MiniCooper', 'RubberWhale')
MIDDLEBURY += ('Urban2', 'Urban3', 'Venus', 'Walking')


def frame(number: int, time: float, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
  """Draws `[H, W, 3]` uint8: a texture of its own for each number, that moves 2 pixels right and 1 down a time."""
  random = np.random.default_rng(number)
  y, x = np.mgrid[:height, :width].astype(np.float32)
  waves = random.normal(0.0, 0.3, (6, 2))
  phases = random.uniform(0.0, 2.0 * np.pi, (6, 1, 1, 3))
  angle = waves[:, 0, None, None] * (y - time) + waves[:, 1, None, None] * (x - 2.0 * time)
  return np.round(127.5 + 20.0 * np.sin(angle[..., None] + phases).sum(axis=0)).clip(0, 255).astype(np.uint8)


def write(path: pathlib.Path, number: int, time: float, **size):
  """Saves `frame` as the file that its name says."""
  path.parent.mkdir(parents=True, exist_ok=True)
  Image.fromarray(frame(number, time, **size)).save(path)


def vimeo90k_triplet(root: pathlib.Path):
  for split, names in VIMEO.items():
    for name in names:
      for time in (1, 2, 3):
        write(root / 'vimeo_triplet' / 'sequences' / name / f'im{time}.png', hash_of(name), time)
    text = '\n'.join([*names[:1], '', *names[1:], '', ''])  # the real lists end in blank lines
    (root / 'vimeo_triplet' / f'tri_{split}list.txt').write_text(text)


def vimeo_interp_test(root: pathlib.Path):
  for name in VIMEO['test']:
    for time in (1, 2, 3):
      write(root / 'vimeo_interp_test' / 'target' / name / f'im{time}.png', hash_of(name), time)


def ucf101_triplet(root: pathlib.Path):
  for number in range(379):
    for name, time in (('frame_00', 0), ('frame_01_gt', 1), ('frame_01_ours', 1.2), ('frame_02', 2)):
      write(root / 'ucf101_interp_ours' / str(10 * number + 1) / f'{name}.png', number, time, height=8, width=8)


def middlebury_other(root: pathlib.Path):
  for number, scene in enumerate(MIDDLEBURY):
    size = {'height': 24 + number, 'width': 32 + number}  # they differ
    for name, time in (('frame09', -1), ('frame10', 0), ('frame11', 1)):
      write(root / 'other-data' / scene / f'{name}.png', number, time, **size)
    write(root / 'other-gt-interp' / scene / 'frame10i11.png', number, 0.5, **size)


def xiph_triplet(root: pathlib.Path):
  for number, scene in enumerate(XIPH):
    for time in range(1, 101):
      write(root / 'netflix' / f'{scene}-{time:03d}.png', number, time, height=16, width=32)


def snu_film(root: pathlib.Path):
  lines = {}
  for gap, difficulty in ((1, 'easy'), (2, 'medium'), (4, 'hard'), (8, 'extreme')):
    for number, clip in enumerate(('GOPRO_test/GOPR0384_11_00', 'YouTube_test/0000')):
      names = [f'{clip}/{i:06d}.png' for i in (20 - gap, 20, 20 + gap)]
      for time, name in zip((20 - gap, 20, 20 + gap), names, strict=True):
        write(root / 'test' / name, number, time)
      lines.setdefault(difficulty, []).append(' '.join(f'data/SNU-FILM/test/{name}' for name in names))
  for difficulty, found in lines.items():
    (root / f'test-{difficulty}.txt').write_text('\n'.join([*found, '']))


def x4k1000fps_test(root: pathlib.Path):
  for number in range(15):
    folder = root / 'test' / f'Type{number // 5 + 1}' / f'TEST{number + 1:02d}_{number:03d}_f{100 * number:04d}'
    for time in range(33):
      write(folder / f'{time:04d}.png', number, time / 8, height=16, width=32)


def video_triplets(root: pathlib.Path):
  for number, folder in enumerate(('first', 'second')):
    for time in range(9):
      write(root / folder / f'{time}.png', number, time)


LAYOUTS: dict[str, Callable[[pathlib.Path], None]] = {
  function.__name__: function
  for function in (
    vimeo90k_triplet, vimeo_interp_test, ucf101_triplet, middlebury_other, xiph_triplet, snu_film, x4k1000fps_test,
    video_triplets,
  )
}  # fmt: skip


def hash_of(name: str) -> int:
  """Returns a number for a name, the same in every run."""
  return int.from_bytes(name.encode(), 'big') % 2**32


if __name__ == '__main__':
  if len(sys.argv) != 3 or sys.argv[1] not in LAYOUTS:
    sys.exit(f'usage: python -m datasets.dummy NAME FOLDER; names are {", ".join(LAYOUTS)}')
  LAYOUTS[sys.argv[1]](pathlib.Path(sys.argv[2]))
