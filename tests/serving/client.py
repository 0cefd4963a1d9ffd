"""What a client of the server does, for its tests."""

import io
import time

import pytest
from PIL import Image

from tests.media.videos import picture

requests = pytest.importorskip('requests')


def photo(number=0, size=(64, 48), image_format='PNG', **options) -> bytes:
  """A photo as a file."""
  file = io.BytesIO()
  Image.fromarray(picture(number, *reversed(size))).save(file, image_format, **options)
  return file.getvalue()


def enlarged(path, size) -> bytes:
  """A photo from a file, made larger, as JPEG."""
  file = io.BytesIO()
  with Image.open(path) as image:
    image.resize(size).save(file, 'JPEG')
  return file.getvalue()


def post(server, first=None, second=None, path='interpolate', headers=None, timeout=60, **fields):
  files = {'first': photo(0) if first is None else first, 'second': photo(5) if second is None else second}
  return requests.post(f'{server.url}/api/{path}', files=files, data=fields, headers=headers, timeout=timeout)


def opened(content):
  return Image.open(io.BytesIO(content))


def wait_until(condition):
  end = time.monotonic() + 20
  while not condition():
    assert time.monotonic() < end
    time.sleep(0.05)


def folders(server):
  return {path for path in server.temporary.glob('*/*') if path.is_dir()}


def jobs_of(server):
  return requests.get(f'{server.url}/healthz', timeout=20).json()['jobs']
