"""Serves a page on which two photos become the frames between them, and an API for programs.

  python -m film_tf.serve                                             then open http://127.0.0.1:8000
  curl -F first=@A.jpg -F second=@B.jpg http://127.0.0.1:8000/api/interpolate --output middle.png

Only this machine reaches it, unless --host says otherwise. One job is made at a time, --queue others wait, and more are
refused for the moment. Photos and results are in a temporary folder, and are removed after --keep seconds and at the
end. docs/serving.md has the API, and how to put it behind another server.
"""

import importlib.util
import os
import socket
import sys

from absl import flags

from film_tf import cli, files
from film_tf.errors import UserError
from film_tf.importers import sources
from film_tf.inference import memory
from film_tf.serving.limits import Limits

HOST = flags.DEFINE_string('host', '127.0.0.1', 'Address to listen at; 0.0.0.0 is all of this machine, for everybody.')
PORT = flags.DEFINE_integer('port', 8000, 'Port to listen at; 0 is one that is free.', lower_bound=0, upper_bound=65535)
ALLOW_HOSTS = flags.DEFINE_list(
  'allow_hosts', [], 'Names under which it is reached, such as film.example.org, beside its addresses and localhost.'
)
MODEL = flags.DEFINE_string(
  'model', 'film_mini', "film_mini, film_style, or a SavedModel folder or weights file, film_tf's or FILM's."
)
PRECISION = flags.DEFINE_enum(
  'precision', 'auto', ['auto', 'float32', 'bfloat16', 'float16'], 'In which convolutions run, as in interpolate.'
)
MEMORY = flags.DEFINE_string(
  'memory', None, 'Memory that the process may take, such as 8GB; by default what is free, when a photo comes.'
)
MAX_BYTES = flags.DEFINE_integer('max_bytes', 64_000_000, 'Bytes of a request at most: of both photos.', lower_bound=1)
MAX_PIXELS = flags.DEFINE_integer(
  'max_pixels', 50_000_000, "Pixels of a photo at most; more than Pillow's limit is not read.", 1, 178_956_970
)
QUEUE = flags.DEFINE_integer('queue', 4, 'Jobs that wait at most, while one is made.', lower_bound=0, upper_bound=1000)
TIMEOUT = flags.DEFINE_float('timeout', 600.0, 'Seconds that a job may take, looked at after every frame.', 1.0)
KEEP = flags.DEFINE_float('keep', 600.0, 'Seconds for which results are kept.', 1.0)
RESULTS = flags.DEFINE_integer('results', 8, 'Results that are kept at most.', lower_bound=1, upper_bound=10000)
_LARGE = 4 * 2**20  # bytes of a block that is given back at once
_LIBRARIES = {'starlette': 'starlette', 'uvicorn': 'uvicorn', 'python_multipart': 'python-multipart', 'av': 'av'}


def main(words):
  cli.no_arguments(words)
  if wrong := [name for name in ALLOW_HOSTS.value if ':' in name or '/' in name]:
    raise UserError(f'--allow_hosts has {wrong[0]}; expected a name without port or path, such as film.example.org')
  limit = None if MEMORY.value is None else memory.parse(MEMORY.value)
  limits = Limits(
    max_bytes=MAX_BYTES.value, max_pixels=MAX_PIXELS.value, queue=QUEUE.value, timeout=TIMEOUT.value,
    keep=KEEP.value, results=RESULTS.value,
  )  # fmt: skip
  if missing := [name for module, name in _LIBRARIES.items() if importlib.util.find_spec(module) is None]:
    raise UserError(f"film_tf.serve needs {', '.join(missing)}; pip install '.[serve]'")
  sources.find(MODEL.value)
  _give_memory_back()
  with _listening() as listening:
    cli.load_tensorflow()
    from film_tf.inference.interpolator import Interpolator
    from film_tf.serving import server

    interpolator = Interpolator(MODEL.value, precision=PRECISION.value, memory_limit=limit)
    if interpolator.bounded:
      interpolator.bounded.bands(1, 64, 64)  # raises where memory does not do for the smallest photos
    if not listening.getsockname()[0].startswith(('127.', '::1')):
      print('anybody who reaches this machine can use it; docs/serving.md says how to restrict that', file=sys.stderr)
    server.run(listening, interpolator, limits, ALLOW_HOSTS.value)


def _give_memory_back():
  """Starts this process anew, with allocators that return to the system what a large photo took.

  oneDNN's own keeps it. That of glibc, with huge pages, is as fast (3.3 s against 3.5 s for 2000x1500 pixels), but its
  settings are read only when a process starts. Left alone it keeps blocks of up to 32 MiB, as those of bands are, among
  others that are in use, where nothing else fits: a third of the memory of a photo in bands.
  """
  if 'GLIBC_TUNABLES' not in os.environ:
    tunables = f'glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold={_LARGE}'
    settings = {'GLIBC_TUNABLES': tunables, 'TF_ONEDNN_USE_SYSTEM_ALLOCATOR': '1'}
    os.execve(sys.executable, sys.orig_argv, {**os.environ, **settings})


def _listening():
  """Returns a socket at the wanted address, before the seconds in which TensorFlow is loaded."""
  try:
    family, *_, address = socket.getaddrinfo(HOST.value, PORT.value, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(address)
    listening.listen()
    return listening
  except OSError as error:
    raise UserError(
      f'cannot listen at {HOST.value}, port {PORT.value}: {files.reason(error)}; choose another --port or --host'
    ) from error


if __name__ == '__main__':
  cli.run(main)
