"""The server as programs use it: a real process, real requests."""

import base64
import concurrent.futures
import io
import os
import re
import signal
import socket
import subprocess
import sys
import zipfile

import av
import numpy as np
import pytest
from PIL import Image, ImageCms

from film_tf.media import image_file
from film_tf.media.frame import Frame
from film_tf.render.api import interpolate_video
from tests.conftest import ROOT, assert_user_error, command
from tests.media.videos import picture
from tests.serving.client import folders, jobs_of, opened, photo, post, requests, wait_until
from tests.serving.conftest import QUEUE, SAMPLES, Server

openapi_spec_validator = pytest.importorskip('openapi_spec_validator')
jsonschema = pytest.importorskip('jsonschema')  # which the other brings


def test_the_frame_between_is_that_of_interpolate(server, interpolator, tmp_path):
  answer = post(server, *(path.read_bytes() for path in SAMPLES))
  assert answer.status_code == 200
  assert answer.headers['content-type'] == 'image/png'
  interpolate_video(SAMPLES, tmp_path / 'expected.png', interpolator)
  expected = np.asarray(Image.open(tmp_path / 'expected.png')).astype(int)
  assert np.abs(np.asarray(opened(answer.content)) - expected).max() <= 1  # bits of a convolution


@pytest.mark.parametrize(('times', 'count'), [(1, 1), (2, 3)])
def test_films_and_archives_have_all_frames(server, times, count):
  gif = opened(post(server, times=times, format='gif', fps=10).content)
  assert (gif.n_frames, gif.info['duration']) == (count + 2, 100)
  with av.open(io.BytesIO(post(server, times=times, format='mp4', fps=10).content)) as film:
    stream = film.streams.video[0]
    assert (stream.codec_context.name, stream.codec_context.pix_fmt, stream.average_rate) == ('h264', 'yuv420p', 10)
    assert len(list(film.decode(video=0))) == count + 2
  with zipfile.ZipFile(io.BytesIO(post(server, times=times, format='zip').content)) as archive:
    assert archive.namelist() == [f'frame_{i:04d}.png' for i in range(count + 2)]
    np.testing.assert_array_equal(opened(archive.read('frame_0000.png')), picture(0))


_BLOCKS = """
import numpy as np
from film_tf import serve
from film_tf.inference import memory

serve._give_memory_back()
del [np.ones(30 * 2**20, np.uint8)][0]  # from now on glibc would keep blocks up to this size
before = memory.used()
large, small = zip(*((np.ones(16 * 2**20, np.uint8), np.ones(10**5, np.uint8)) for _ in range(16)))
del large
print(memory.used() - before)
"""


def test_large_blocks_are_given_back_among_small_ones():
  """As those of the bands of a large photo are, which others could not use."""
  environment = {name: value for name, value in os.environ.items() if name != 'GLIBC_TUNABLES'}
  words = [sys.executable, '-c', _BLOCKS]
  kept = subprocess.run(words, env=environment | {'PYTHONPATH': str(ROOT)}, capture_output=True, check=True).stdout
  assert int(kept) < 50e6


def test_json_is_answered_with_json(server):
  fields = {'first': photo(0), 'second': photo(5)}
  body = {name: base64.b64encode(value).decode() for name, value in fields.items()} | {'times': 2}
  kind = {'Content-Type': 'Application/JSON'}
  answer = requests.post(f'{server.url}/api/interpolate', json=body, headers=kind, timeout=60)
  assert answer.status_code == 200
  files = answer.json()['files']
  assert [file['name'] for file in files] == [f'frame_{i:04d}.png' for i in (1, 2, 3)]
  same = post(server).content
  np.testing.assert_array_equal(opened(base64.b64decode(files[1]['data'])), opened(same))


def test_a_job_says_how_far_it_is_and_keeps_its_files(server):
  answer = post(server, path='jobs', times=2)
  assert answer.status_code == 202
  url = f'{server.url}/api/{answer.headers["location"]}'
  wait_until(lambda: requests.get(url, timeout=20).json()['state'] == 'done')
  job = requests.get(url, timeout=20).json()
  assert (job['done'], job['total'], job['error']) == (5, 5, None)
  assert job['files'] == ['film.gif', 'film.mp4', *(f'frame_{i:04d}.png' for i in range(5))]
  part = requests.get(f'{url}/film.mp4', headers={'Range': 'bytes=0-9'}, timeout=20)
  assert (part.status_code, len(part.content)) == (206, 10)
  assert requests.get(f'{url}/first', timeout=20).status_code == 404
  assert requests.delete(url, timeout=20).status_code == 204
  assert requests.get(url, timeout=20).json() == {'error': 'there is no such job; results are kept for a while only'}
  assert not list(server.temporary.rglob(job['id']))


def test_photos_are_turned_and_their_place_is_not_passed_on(server):
  exif = Image.Exif()
  exif[0x0112] = 6
  exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)  # GPS latitude
  profile = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
  turned = [photo(i, image_format='JPEG', exif=exif, icc_profile=profile) for i in range(2)]
  assert opened(turned[0]).getexif().get_ifd(0x8825)
  answer = post(server, *turned, format='zip')
  with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
    for name in archive.namelist():
      image = opened(archive.read(name))
      assert image.size == (48, 64)
      assert image.info['icc_profile'] == profile
      assert not image.getexif()


def test_odd_sizes_deep_and_transparent_photos_become_films(server, tmp_path):
  image_file.write(tmp_path / 'deep.png', Frame(picture(0).astype(np.uint16) * 257))
  image_file.write(tmp_path / 'clear.png', Frame(np.dstack([picture(0), np.full((48, 64), 100, np.uint8)])))
  deep, clear = ((tmp_path / name).read_bytes() for name in ('deep.png', 'clear.png'))
  for one, size in ((photo(size=(61, 47)), (60, 46)), (deep, (64, 48)), (clear, (64, 48))):
    with av.open(io.BytesIO(post(server, one, one, format='mp4').content)) as film:
      context = film.streams.video[0].codec_context
      assert (context.width, context.height, context.pix_fmt) == (*size, 'yuv420p')


def test_many_at_once_are_asked_to_come_again(server):
  big = [photo(i, size=(640, 480)) for i in range(2)]
  with concurrent.futures.ThreadPoolExecutor(100) as threads:
    answers = list(threads.map(lambda _: post(server, *big, times=3, format='zip'), range(100)))
  made = [answer for answer in answers if answer.status_code == 200]
  refused = [answer for answer in answers if answer.status_code == 429]
  assert len(made) >= QUEUE + 1
  assert len(made) + len(refused) == 100
  assert all(int(answer.headers['retry-after']) >= 1 for answer in refused)
  assert re.fullmatch(r'3 others are made or wait; try again in \d+ s', refused[0].json()['error'])
  assert post(server).status_code == 200


def test_a_client_that_goes_away_cancels_its_job(server):
  """While its photos arrive, and while its frames are made."""
  before = folders(server)
  with pytest.raises(requests.ReadTimeout):
    post(server, *(photo(i, size=(1000, 750), image_format='JPEG') for i in range(2)), times=4, format='gif', timeout=1)
  wait_until(lambda: jobs_of(server) == 0)
  host, port = server.url.removeprefix('http://').split(':')
  with socket.create_connection((host, int(port))) as client:
    head = f'POST /api/interpolate HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=x\r\n'
    client.sendall(f'{head}Content-Length: 100000\r\n\r\n--x\r\nContent-Disp'.encode())
    wait_until(lambda: jobs_of(server) == 1)
  wait_until(lambda: jobs_of(server) == 0)
  assert post(server).status_code == 200
  wait_until(lambda: folders(server) <= before)


@pytest.mark.parametrize(
  ('headers', 'status', 'sentence'),
  [
    ({'Host': 'evil.example'}, 421, "this server is not 'evil.example'"),
    ({'Host': ''}, 421, 'this server is not'),
    ({'Origin': 'https://evil.example'}, 403, "pages of 'https://evil.example' may not use this server"),
    ({'Origin': 'null'}, 403, "pages of 'null'"),
    ({'Origin': 'http://['}, 403, "pages of 'http://['"),
  ],
  ids=str,
)
def test_other_sites_may_not_use_it(server, headers, status, sentence):
  answer = requests.post(f'{server.url}/api/interpolate', files={'first': photo()}, headers=headers, timeout=20)
  assert answer.status_code == status
  assert sentence in answer.json()['error']
  assert 'access-control-allow-origin' not in answer.headers
  for name in ('localhost:1', '[::1]:1', '192.0.2.1', 'film.test'):
    own = {'Host': name, 'Origin': f'https://{name}'}
    assert requests.get(f'{server.url}/healthz', headers=own, timeout=20).json()['status'] == 'ok'


def test_what_is_not_there_is_said_in_json(server):
  for method, path, status in (('get', 'none', 404), ('get', 'api/jobs/none', 404), ('get', 'api/jobs', 405)):
    answer = requests.request(method, f'{server.url}/{path}', timeout=20)
    assert (answer.status_code, [*answer.json()]) == (status, ['error'])


def test_openapi_is_valid_and_true(server):
  """Every operation is there, and answers with what its schema says."""
  description = requests.get(f'{server.url}/openapi.json', timeout=20).json()
  openapi_spec_validator.validate(description)
  schemas = description['components']['schemas']
  checked = {'Health': requests.get(f'{server.url}/healthz', timeout=20).json()}
  checked['Error'] = post(server, times=9).json()
  checked['Job'] = post(server, path='jobs').json()
  body = {name: base64.b64encode(photo(i)).decode() for i, name in enumerate(('first', 'second'))}
  checked['Files'] = requests.post(f'{server.url}/api/interpolate', json=body, timeout=60).json()
  assert {*schemas} == {*checked}
  for name, value in checked.items():
    jsonschema.validate(value, schemas[name])
  for path, operations in description['paths'].items():
    for method in {*operations} - {'parameters'}:
      url = server.url + path.replace('{id}', checked['Job']['id']).replace('{name}', 'frame_0001.png')
      answer = requests.request(method, url, timeout=20)
      assert str(answer.status_code) in operations[method]['responses'], (method, path, answer.text)


def test_ctrl_c_ends_it_while_a_frame_is_made(tmp_path, network):
  server = Server(tmp_path, f'--model={network}')
  post(server, *(photo(i, size=(1200, 900), image_format='JPEG') for i in range(2)), path='jobs', times=4)
  with concurrent.futures.ThreadPoolExecutor(1) as threads:
    waiting = threads.submit(post, server)
    wait_until(lambda: jobs_of(server) == 2)
    assert server.end(signal.SIGINT) == 0
    answer = waiting.result()
  assert (answer.status_code, answer.json()) == (503, {'error': 'the server is ending'})
  assert not list(server.temporary.iterdir())
  assert server.log.read_text() == ''


def test_mistakes_are_one_line_before_tensorflow_is_loaded(server, tmp_path):
  port = server.url.rpartition(':')[2]
  for words, parts in (
    ([f'--port={port}'], [f'cannot listen at 127.0.0.1, port {port}: Address already in use; choose another --port']),
    (['--host=203.0.113.7'], ['cannot listen at 203.0.113.7']),
    (['--memory=some'], ['memory is']),
    (['--allow_hosts=a.test,https://b.test'], ['--allow_hosts has https://b.test; expected a name without port']),
    (['--max_pixels=0'], ['max_pixels=0']),
    (['--max_pixels=178956971'], ['max_pixels=178956971']),
    (['--model=none.npz'], ['none.npz']),
    (['photos'], ['unexpected arguments photos']),
  ):
    assert_user_error(command('film_tf.serve', *words, cwd=tmp_path), *parts)


@pytest.mark.slow
def test_memory_that_does_not_do_is_one_line(tmp_path):
  assert_user_error(command('film_tf.serve', '--port=0', '--memory=100MB', cwd=tmp_path), 'memory')
