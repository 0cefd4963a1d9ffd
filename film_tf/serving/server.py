"""Runs the server until it is asked to end."""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Collection

import numpy as np
import uvicorn

from film_tf.inference import memory
from film_tf.inference.interpolator import Interpolator
from film_tf.serving import results
from film_tf.serving.api import application
from film_tf.serving.jobs import Jobs
from film_tf.serving.limits import Limits

_GRACE = 3  # seconds that requests have to end
_SMALL = np.zeros((64, 64, 3), np.uint8)


def run(listening: socket.socket, interpolator: Interpolator, limits: Limits, names: Collection[str]):
  """Answers requests until Ctrl-C or SIGTERM; then cancels what is made, removes all files and exits.

  Args:
    listening: to whom clients connect.
    interpolator: makes the frames.
    limits: of the server.
    names: by which it may be called, beside its addresses and localhost.
  """
  with tempfile.TemporaryDirectory(prefix='film_tf_serve_', ignore_cleanup_errors=True) as folder:
    tempfile.tempdir = folder  # for uploads that arrive and TensorFlow's own files, too

    def make(job):
      try:
        results.make(job, interpolator, limits.film_side)
      finally:
        memory.give_back()
        if interpolator.bounded:
          interpolator.bounded.forget()  # others have come and gone

    jobs = Jobs(folder, make, limits, lambda: interpolator.between(_SMALL, _SMALL))  # which builds its graphs
    app = application(jobs, limits, names)
    config = uvicorn.Config(
      app, log_level='warning', access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE
    )
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn answers them, and at its end raises them again
      signal.signal(number, lambda number, frame: None)
    host, port, *_ = listening.getsockname()
    print(f'http://{f"[{host}]" if ":" in host else host}:{port}', flush=True)
    _Server(config, jobs).run(sockets=[listening])
    jobs.close(_GRACE)
  sys.stdout.flush()
  sys.stderr.flush()
  os._exit(0)  # Python would wait for threads that are in the middle of a frame, or of a photo that is decoded


class _Server(uvicorn.Server):
  """Ends the jobs when it is asked to end, so that those who wait for them are answered."""

  def __init__(self, config, jobs):
    super().__init__(config)
    self._jobs = jobs

  def handle_exit(self, sig, frame):
    self._jobs.stop()
    super().handle_exit(sig, frame)
