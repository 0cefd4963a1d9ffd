"""No test is left out: all files with tests run on the newest TensorFlow, and those listed for the oldest are there."""

import ast

import pytest

from tests.environments import OLDEST, files_with_tests, on_oldest
from tests.forked import ROOT


def has_tests(path):
  """Whether a Python file defines tests, in a class or not."""
  nodes = ast.walk(ast.parse(path.read_text()))
  return any(isinstance(node, ast.FunctionDef) and node.name.startswith('test_') for node in nodes)


def test_every_file_with_tests_is_in_an_environment():
  """On the newest, pytest collects `test_*.py` under `tests`, and needs a package in every folder."""
  found = {str(path.relative_to(ROOT)) for path in (ROOT / 'tests').rglob('*.py') if has_tests(path)}
  assert found == set(files_with_tests())
  assert all((ROOT / name).with_name('__init__.py').exists() for name in found)


@pytest.mark.parametrize('name', OLDEST)
def test_what_is_listed_for_the_oldest_is_there(name):
  assert any(file == name or file.startswith(f'{name}/') for file in files_with_tests())


def test_makefile_runs_both():
  recipes = (ROOT / 'Makefile').read_text()
  assert '$(VENV)/bin/python $(PYTEST)\n' in recipes
  assert '$(ADDONS)/bin/python $(PYTEST) $$($(ADDONS)/bin/python -m tests.environments oldest)\n' in recipes
  assert {True, False} == {on_oldest(name) for name in files_with_tests()}
