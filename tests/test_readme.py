"""The examples of README that are Python, run as they stand."""

import re

import pytest

from tests.conftest import ROOT, run

EXAMPLES = re.findall(r'```python\n(.*?)```', (ROOT / 'README.md').read_text(), re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize('number', [i for i, text in enumerate(EXAMPLES) if text.startswith('import film_tf')])
def test_examples_run(number, tmp_path):
  (tmp_path / 'eval').symlink_to(ROOT / 'eval')
  result = run('-c', EXAMPLES[number], cwd=tmp_path)
  assert result.returncode == 0, result.stderr
