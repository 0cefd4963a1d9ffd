"""The house: which room may import which, and what a wheel carries."""

import ast
import os
import re
import subprocess
import sys
import zipfile

import pytest

from tests.conftest import ROOT, run

# A file imports only from rooms before its own; WORKSPACE.md draws it.
ROOMS = [
  ['errors', 'keys'],
  ['cli', 'files', 'locks', 'fields', 'config', 'metrics', 'stopping', 'progress', 'prefetch'],
  ['streams'],
  ['media'],
  ['model'],
  ['importers'],
  ['data', 'losses'],
  ['building'],
  ['exporters'],
  ['distribution'],
  ['training'],
  ['inference'],
  ['inspection'],
  ['render'],
  ['serving'],
  ['train', 'preview', 'export', 'convert', 'interpolate', 'inspect', 'serve'],
]
MODEL = [
  'options',
  'blocks',
  'pyramid',
  'warp',
  'feature_pyramid',
  'lucas_kanade',
  'search',
  'propagation',
  'flow_pyramid',
  'bilateral_flow_pyramid',
  'fusion_decoder',
  'second_look',
  'film_net',
  'pretrained',
  'weights',
]
FILES = sorted(path for folder in ('film_tf', 'datasets', 'eval') for path in (ROOT / folder).rglob('*.py'))


def imports_of(path):
  """The modules of ours that a file imports, dotted."""
  for node in ast.walk(ast.parse(path.read_text())):
    if isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      assert node.level == 0, f'{path} has a relative import'
      yield from (f'{node.module}.{alias.name}' for alias in node.names)


def rank(module):
  """The place of a module of film_tf: its room, then within `model` its turn."""
  parts = module.split('.')
  room = next((i for i, names in enumerate(ROOMS) if parts[1] in names), None)
  assert room is not None, f'{module} is in no room; add it to ROOMS and to WORKSPACE.md'
  return room, MODEL.index(parts[2]) if parts[1] == 'model' and len(parts) > 2 else 0


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path):
  module = '.'.join(path.relative_to(ROOT).with_suffix('').parts)
  for imported in imports_of(path):
    if module.startswith('film_tf'):
      assert not imported.startswith(('datasets.', 'eval.')), f'{module} imports {imported}'
      if imported.startswith('film_tf.') and path.name != '__init__.py':
        same_room = imported.split('.')[1] == module.split('.')[1] != 'model'
        assert same_room or rank(imported) <= rank(module), f'{module} imports {imported}, a later room'
        assert imported.split('.')[:3] != module.split('.')[:3] or len(module.split('.')) < 3


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_says_what_it_is_for_and_is_short(path):
  source = path.read_text()
  if source:
    assert ast.get_docstring(ast.parse(source)), path
  assert len(source.splitlines()) <= 300


def test_no_room_is_too_large():
  for room in [path for path in (ROOT / 'film_tf').iterdir() if path.is_dir()]:
    assert sum(len(path.read_text().splitlines()) for path in room.glob('*.py')) <= 1500, room


COMMANDS = ['film_tf/train.py', 'film_tf/preview.py', 'film_tf/export.py', 'film_tf/convert.py',
            'film_tf/interpolate.py', 'film_tf/inspect.py', 'film_tf/serve.py', 'eval/run.py', 'eval/compare.py',
            'eval/model_card.py', 'eval/report.py',
            'datasets/build.py', 'datasets/export_tfrecord.py']  # fmt: skip


@pytest.mark.parametrize('names', ['film_tf/media/*.py', 'film_tf/render/*.py', *COMMANDS])
def test_what_opens_at_once_does_not_load_tensorflow(names):
  """Media files and the checks of what a person names need none; commands load it after their checks."""
  modules = ['.'.join(path.relative_to(ROOT).with_suffix('').parts) for path in ROOT.glob(names)]
  assert modules
  script = f'import sys, {", ".join(modules)}; sys.exit("tensorflow" in sys.modules)'
  result = run('-c', script, cwd=ROOT)
  assert result.returncode == 0, result.stderr


def test_nothing_needs_what_is_outside_the_repository():
  for path in [*FILES, *ROOT.glob('gin/**/*.gin'), ROOT / 'setup.py', ROOT / 'Makefile']:
    assert '../shared' not in path.read_text(), path


def test_tests_of_what_is_outside_the_repository_skip_without_it():
  """A test that looks for it says why it is skipped where it is missing."""
  outside = re.compile(r"['/]shared['/]")
  for path in (ROOT / 'tests').rglob('*.py'):
    if outside.search(path.read_text()):
      skips = re.findall(r'skipif\(not \w+\.exists\(\), reason=|pytest\.skip\(', path.read_text())
      assert skips or path.name == 'test_house.py', f'{path} fails where there is no ../shared'


@pytest.mark.slow
def test_a_wheel_works_from_any_folder(tmp_path):
  """It carries the gin files inside film_tf, none of the names that are somebody else's, and finds its configs."""
  build = [sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation', '-w', tmp_path, ROOT]
  subprocess.run(build, check=True, cwd=tmp_path)
  (wheel,) = tmp_path.glob('film_tf-*.whl')
  with zipfile.ZipFile(wheel) as file:
    names = file.namelist()
    file.extractall(tmp_path / 'installed')
  assert {name.split('/')[0] for name in names if '.dist-info' not in name} == {'film_tf'}
  expected = {f'film_tf/{path.relative_to(ROOT)}' for path in (ROOT / 'gin').rglob('*.gin')}
  assert expected == {name for name in names if name.endswith('.gin')}
  data = ['pretrained/film_mini.npz', 'py.typed', 'inspection/page.css', 'inspection/page.js', 'serving/page.html']
  assert {f'film_tf/{name}' for name in data} <= set(names)
  script = (
    'import film_tf.training.experiment; from film_tf import config; from film_tf.model import options\n'
    'config.parse(["gin/film_mini.gin"]); print(options.configured().filters, config.__file__)'
  )
  environment = {**os.environ, 'PYTHONPATH': str(tmp_path / 'installed')}
  result = subprocess.run([sys.executable, '-c', script], cwd=tmp_path, env=environment, capture_output=True, text=True)
  assert result.stdout.split() == ['16', str(tmp_path / 'installed' / 'film_tf' / 'config.py')], result.stderr
