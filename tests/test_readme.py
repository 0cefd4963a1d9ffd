"""What README, docs/ and the map say: examples in Python run, links lead to files, no file is missing."""

import re

import pytest

from tests.conftest import ROOT

PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
EXAMPLES = {
  f'{page.name}-{number}': text
  for page in PAGES
  for number, text in enumerate(re.findall(r'```python\n(.*?)```', page.read_text(), re.DOTALL))
}


@pytest.mark.slow
@pytest.mark.parametrize('name', EXAMPLES)
def test_examples_run(name, tmp_path, monkeypatch):
  (tmp_path / 'eval').symlink_to(ROOT / 'eval')
  monkeypatch.chdir(tmp_path)
  exec(compile(EXAMPLES[name], name, 'exec'), {})


@pytest.mark.parametrize('page', sorted(ROOT.glob('*.md')) + PAGES[1:], ids=lambda page: page.name)
def test_links_lead_to_files(page):
  links = re.findall(r'\]\((?!https?://)([^)#]+)', page.read_text())
  missing = [link for link in links if not (page.parent / link).exists()]
  assert not missing


def test_every_file_is_on_the_map():
  named = re.findall(r'`(\w+)`', (ROOT / 'WORKSPACE.md').read_text())
  missing = {path.stem for path in (ROOT / 'film_tf').rglob('*.py')} - {'__init__', *named}
  assert not missing, 'add them to WORKSPACE.md'
