"""Every data set, built from a tree in its true layout: what is in it, in which order, and that nothing was changed."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from datasets import dummy
from film_tf import keys
from film_tf.data import records, sources
from film_tf.errors import UserError
from tests.conftest import ROOT
from tests.datasets.build_tree import build, builder, examples, layout

NAMES = sorted(path.parent.name for path in (ROOT / 'datasets').glob('*/*_dataset_builder.py'))
SKIP = {frame: tfds.decode.SkipDecoding() for frame in records.FRAMES}


def vimeo(root, name):
  folder = next(path for path in (root / 'vimeo_triplet/sequences', root / 'vimeo_interp_test/target') if path.exists())
  return [folder / name / f'im{i}.png' for i in (1, 2, 3)]


def ucf101(root, name):
  return [root / 'ucf101_interp_ours' / name / f'{frame}.png' for frame in ('frame_00', 'frame_01_gt', 'frame_02')]


def middlebury(root, name):
  data, truth = root / 'other-data' / name, root / 'other-gt-interp' / name
  return [data / 'frame10.png', truth / 'frame10i11.png', data / 'frame11.png']


def snu(root, name):
  difficulty, folder, clip, middle = name.split('/')
  gap = {'easy': 1, 'medium': 2, 'hard': 4, 'extreme': 8}[difficulty]
  return [root / 'test' / folder / clip / f'{int(middle) + i:06d}.png' for i in (-gap, 0, gap)]


def x4k(root, name):
  kind, clip, *middle = name.split('/')
  return [root / 'test' / kind / clip / f'{i:04d}.png' for i in (0, int(middle[0]) if middle else 16, 32)]


def snu_names(difficulty):
  return [f'{difficulty}/{clip}/000020' for clip in ('GOPRO_test/GOPR0384_11_00', 'YouTube_test/0000')]


X4K = [f'Type{i // 5 + 1}/TEST{i + 1:02d}_{i:03d}_f{100 * i:04d}' for i in range(15)]

# layout, builder, names by split in order, the files of a name
CASES = [
  ('vimeo90k_triplet', 'vimeo90k_triplet', dummy.VIMEO, vimeo),
  ('vimeo_interp_test', 'vimeo90k_triplet', {'test': dummy.VIMEO['test']}, vimeo),
  ('ucf101_triplet', 'ucf101_triplet', {'test': [str(10 * i + 1) for i in range(379)]}, ucf101),
  ('middlebury_other', 'middlebury_other', {'test': list(dummy.MIDDLEBURY)}, middlebury),
  ('snu_film', 'snu_film', {name: snu_names(name) for name in ('easy', 'medium', 'hard', 'extreme')}, snu),
  (
    'x4k1000fps_test',
    'x4k1000fps_test',
    {'test': X4K, 'x8': [f'{name}/{middle:04d}' for name in X4K for middle in (4, 8, 12, 16, 20, 24, 28)]},
    x4k,
  ),
]


@pytest.mark.parametrize(('tree', 'name', 'expected', 'files'), CASES, ids=[case[0] for case in CASES])
def test_the_files_come_back_as_they_are_in_the_order_of_the_lists(tree, name, expected, files, tmp_path):
  root = layout(tree, tmp_path / 'root')
  made = build(name, root, tmp_path / 'built')
  assert set(made.info.splits) == set(expected)
  everything = []
  for split, names in expected.items():
    encoded, decoded = examples(made, split, decoders=SKIP), examples(made, split)
    assert [example[keys.PATH].decode() for example in encoded] == names
    assert made.info.splits[split].num_examples == len(names)
    for path, raw, pixels in zip(names, encoded, decoded, strict=True):
      for frame, file in zip(records.FRAMES, files(root, path), strict=True):
        assert raw[frame] == file.read_bytes()
        np.testing.assert_array_equal(pixels[frame], np.asarray(Image.open(file)))
    everything += names
  assert len(everything) == len(set(everything))


def test_the_root_may_be_the_folder_itself(tmp_path):
  root = layout('vimeo90k_triplet', tmp_path / 'root')
  made = build('vimeo90k_triplet', root / 'vimeo_triplet', tmp_path / 'built')
  assert made.info.splits['train'].num_examples == 4


def test_vimeos_test_folder_may_have_other_files_in_it(tmp_path):
  root = layout('vimeo_interp_test', tmp_path / 'root')
  (root / 'vimeo_interp_test/target/readme.txt').write_text('')
  assert build('vimeo90k_triplet', root, tmp_path / 'built').info.splits['test'].num_examples == 2


def test_vimeos_outer_frames_may_lie_under_input(tmp_path):
  root = layout('vimeo_interp_test', tmp_path / 'root')
  folder = root / 'vimeo_interp_test'
  for path in list(folder.glob('target/*/*/im[13].png')):
    moved = folder / 'input' / path.relative_to(folder / 'target')
    moved.parent.mkdir(parents=True, exist_ok=True)
    path.rename(moved)
  made = build('vimeo90k_triplet', root, tmp_path / 'built')
  assert [example[keys.PATH].decode() for example in examples(made, 'test')] == dummy.VIMEO['test']


@pytest.mark.parametrize('name', NAMES)
def test_metadata_is_whole(name, tmp_path):
  made = builder(name, tmp_path)
  metadata = made.get_metadata()
  assert 'Terms' in metadata.description
  assert '--manual_dir' in metadata.description
  assert set(metadata.tags) <= set(tfds.core.dataset_metadata.valid_tags())
  assert metadata.tags
  assert '@' in metadata.citation or name == 'video_triplets'
  assert (pathlib.Path(made.code_path).parent / 'CITATIONS.bib').exists()
  times = [keys.TIME] if name == 'video_triplets' else []
  assert list(made.info.features) == [*records.FRAMES, keys.PATH, *times]


@pytest.mark.slow
def test_tfds_build_finds_the_builders(tmp_path):
  """`tfds build` imports them as `name.name_dataset_builder` from any folder, without the checkout in its path."""
  (tmp_path / 'film_tf').symlink_to(ROOT / 'film_tf')
  script = (
    'import sys; import tensorflow_datasets as tfds; sys.path.insert(0, sys.argv[1])\n'
    'for name in sys.argv[2:]:\n'
    '  print(tfds.core.community.builder_cls_from_module(f"{name}.{name}_dataset_builder").name)'
  )
  environment = {**os.environ, 'PYTHONPATH': str(tmp_path)}
  words = [sys.executable, '-c', script, ROOT / 'datasets', *NAMES]
  result = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
  assert result.stdout.split() == NAMES, result.stderr


def test_a_built_data_set_is_a_source(tmp_path, monkeypatch):
  build('middlebury_other', layout('middlebury_other', tmp_path / 'root'), tmp_path / 'built')
  monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path / 'built'))
  found = [example[keys.PATH].numpy().decode() for example in sources.ordered('tfds:middlebury_other:test')]
  assert found == list(dummy.MIDDLEBURY)


@pytest.mark.parametrize(('one', 'other'), [('frame_0', 'image'), ('"featuresDict"', '"nothing"')])
def test_a_data_set_that_is_not_of_triplets(one, other, tmp_path, monkeypatch):
  """Of a name that no builder here has, so that TFDS goes by what is written beside its records."""
  build('middlebury_other', layout('middlebury_other', tmp_path / 'root'), tmp_path / 'built')
  folder = tmp_path / 'built' / 'foreign' / '1.0.0'
  (tmp_path / 'built' / 'middlebury_other').rename(folder.parent)
  for name in ('dataset_info.json', 'features.json'):
    text = (folder / name).read_text().replace('middlebury_other', 'foreign')
    (folder / name).write_text(text.replace(one, other) if name == 'features.json' else text)
  monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path / 'built'))
  with pytest.raises(UserError, match='source tfds:foreign:test'):
    sources.find('tfds:foreign:test')


def test_two_splits_share_nothing(tmp_path):
  root = layout('vimeo90k_triplet', tmp_path / 'root')
  (root / 'vimeo_triplet' / 'tri_testlist.txt').write_text('00001/0389\n00001/0001\n')
  with pytest.raises(UserError, match='00001/0001 is listed twice'):
    build('vimeo90k_triplet', root, tmp_path / 'built')
