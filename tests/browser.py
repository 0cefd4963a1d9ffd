"""A real browser for tests of pages: Debian's Chromium, driven by playwright.

`pytest_plugins = ['tests.browser']` in a test file gives its fixtures.
"""

import shutil

import pytest


@pytest.fixture(scope='module')
def chromium():
  """A running Chromium; not for longer than a test file, for it holds an event loop."""
  playwright = pytest.importorskip('playwright.sync_api', reason="playwright is missing; pip install '.[web]'")
  path = shutil.which('chromium')
  if path is None:
    pytest.skip('there is no chromium; apt-get install chromium')
  with playwright.sync_playwright() as driver:
    browser = driver.chromium.launch(executable_path=path, args=['--no-sandbox'])
    yield browser
    browser.close()


@pytest.fixture
def page(chromium):
  """An empty page; at the end, anything that went wrong in it fails the test."""
  context = chromium.new_context(accept_downloads=True)
  page = context.new_page()
  wrong = []
  page.on('console', lambda message: wrong.append(message.text) if message.type in ('error', 'warning') else None)
  page.on('pageerror', lambda error: wrong.append(str(error)))
  yield page
  context.close()
  assert not wrong
