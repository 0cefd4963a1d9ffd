"""What cannot be used is answered with a sentence, and leaves nothing behind."""

import struct
import zlib

import pytest

from tests.serving.client import enlarged, jobs_of, photo, post, requests
from tests.serving.conftest import MAX_BYTES, SAMPLES, Server


def bomb(width=60000, height=60000):
  """A PNG of few bytes and very many pixels."""

  def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

  header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
  return (
    b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(bytes(10**6))) + chunk(b'IEND', b'')
  )


def scans(count):
  """A progressive JPEG that goes over its pixels very often."""
  content = photo(image_format='JPEG', progressive=True)
  last = content.rindex(b'\xff\xda')
  return content[:last] + content[last:-2] * count + content[-2:]


GIF, SVG = photo(image_format='GIF'), b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
BAD = {
  'wrong type': ({'first': b'%PDF-1.7 a letter'}, 415, 'first is no photo that can be read; expected one of PNG, JPEG'),
  'GIF': ({'first': GIF}, 415, 'first is no photo'),
  'SVG': ({'second': SVG}, 415, 'second is no photo'),
  'scans': ({'first': scans(250)}, 415, 'first has too many scans; save it anew'),
  'too large': ({'first': bytes(MAX_BYTES)}, 413, f'larger than {MAX_BYTES} bytes'),
  'bomb': ({'second': bomb()}, 413, 'second has too many pixels'),
  'smaller bomb': ({'second': bomb(5000, 5000)}, 413, 'second has 5000x5000 pixels; 13000000 are allowed'),
  'truncated': ({'first': SAMPLES[0].read_bytes()[:5000]}, 422, 'cannot read image first: image file is truncated'),
  'empty': ({'first': b''}, 400, 'first is empty'),
  'two sizes': ({'second': photo(size=(50, 48))}, 422, 'first is 64x48 of 8 bits, second is 50x48'),
  'one pixel': ({'first': photo(size=(1, 1))}, 400, 'first has 1x1 pixels; expected 16 or more'),
  'times': ({'times': 5}, 400, "times is '5'; expected a number from 1 to 4"),
  'half times': ({'times': 1.5}, 400, 'times is 1.5; expected a whole number'),
  'format': ({'format': 'webp'}, 400, "format is 'webp'; expected one of png, gif, mp4, zip"),
  'format twice': ({'format': 'zip,zip,gif'}, 400, "format is 'zip,zip,gif'; expected one of png"),
  'fps': ({'fps': 'nan'}, 400, "fps is 'nan'"),
  'long number': ({'fps': '1e9999999'}, 400, "fps is '1e9999999'; expected a number from 1 to 50"),
  'small number': ({'times': '1e-9999999'}, 400, "times is '1e-9999999'; expected a number from 1 to 4"),
  'several frames': ({'times': 2}, 400, 'times=2 makes 3 frames; expected format zip, gif or mp4'),
  'unknown field': ({'tims': 2}, 400, "there is no field 'tims'; expected first, format, fps, second, times"),
}


@pytest.mark.parametrize('name', BAD)
def test_bad_uploads_are_told_in_a_sentence(server, name):
  words, status, sentence = BAD[name]
  answer = post(server, **words)
  assert (answer.status_code, [*answer.json()]) == (status, ['error'])
  assert sentence in answer.json()['error']
  assert jobs_of(server) == 0


@pytest.mark.parametrize(
  ('options', 'status', 'sentence'),
  [
    (
      {'data': b'first=1', 'headers': {'Content-Type': 'text/plain'}},
      415,
      'the body is text/plain; expected multipart',
    ),
    ({'data': b'{', 'headers': {'Content-Type': 'application/json'}}, 400, 'the body is no JSON'),
    ({'data': b'[[1],' * 99, 'headers': {'Content-Type': 'application/json'}}, 400, 'the JSON has too many parts'),
    ({'json': [1]}, 400, 'the JSON is no object'),
    ({'json': {'first': 'no base 64'}}, 400, 'first is neither a file nor base64'),
    ({'json': {'first': 7}}, 400, 'first is missing'),
    ({'json': {'first': 'AAAA', 'times': True}}, 400, 'times is True'),
    ({'files': {'first': b'1'}, 'data': {'x' * 99: '1'}}, 400, "there is no field 'xxx"),
    ({'data': b'--x', 'headers': {'Content-Type': 'multipart/form-data'}}, 400, 'boundary'),
    ({'files': [('first', photo())] * 3}, 400, 'Too many files'),
    ({'data': iter([b'x' * 100_000] * 40), 'headers': {'Content-Type': 'application/json'}}, 413, 'larger'),
  ],
  ids=lambda value: value if isinstance(value, str) else '',
)
def test_bad_requests_are_told_in_a_sentence(server, options, status, sentence):
  answer = requests.post(f'{server.url}/api/interpolate', timeout=20, **options)
  assert answer.status_code == status, answer.text
  assert sentence in answer.json()['error']


def test_memory_comes_back(server):
  """Three times all bad uploads leave the process as large as it was."""
  post(server)
  before = server.memory()
  for words, *_ in [*BAD.values()] * 3:
    post(server, **words)
  post(server)
  assert server.memory() < before + 20


@pytest.mark.slow
def test_photos_are_made_in_the_memory_allowed(server, tmp_path, network, request):
  """At once they would take 720 MB more than a small one. It comes back afterwards."""
  post(server)
  allowed = server.memory() + 550
  server = Server(tmp_path, f'--model={network}', f'--memory={allowed:.0f}MiB')
  request.addfinalizer(server.process.kill)  # where the test fails
  post(server)
  before = server.memory()
  answer = post(server, *(enlarged(path, (1600, 1200)) for path in SAMPLES), timeout=300)
  assert answer.status_code == 200, answer.text
  assert server.memory('VmHWM') < allowed
  assert server.memory() < before + 100
  assert server.end() == 0
