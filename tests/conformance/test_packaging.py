"""Packaging: each tool has one version, wherever it is named."""

import re
import tomllib

from tests.conftest import ROOT


def test_linters_have_the_same_version_everywhere():
  project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
  pinned = project['optional-dependencies']['lint']
  assert all('==' in requirement for requirement in pinned)
  assert set(pinned) <= set((ROOT / 'constraints' / 'newest.txt').read_text().split())
  hooks = re.findall(r'ruff==[\d.]+', (ROOT / '.pre-commit-config.yaml').read_text())
  assert hooks
  assert set(hooks) <= set(pinned)
