"""Encoders, in processes whose memory is not the same."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SCRIPT = """
import hashlib, sys
from fractions import Fraction
import av
import numpy as np
from film_tf.media.frame import Frame
from film_tf.media.video_encoder import Encoder
from film_tf.streams.video_format import VideoFormat
from tests.media.videos import picture
random = np.random.default_rng(0)
noisy = (np.clip(picture(i, 128, 192) + random.integers(-20, 20, (128, 192, 3)), 0, 255) for i in range(48))
frames = [Frame(image.astype(np.uint8), Fraction(i, 75)) for i, image in enumerate(noisy)]
with Encoder(VideoFormat(192, 128), Fraction(75), Fraction(1, 75), sys.argv[1]).segment('segment.mkv') as writer:
  for frame in frames:
    writer.write(frame)
with av.open('segment.mkv') as container:
  print(hashlib.md5(b''.join(bytes(packet) for packet in container.demux(video=0))).hexdigest())
"""


@pytest.mark.slow
@pytest.mark.parametrize('codec', ['libx264', 'libvpx-vp9'])
def test_the_same_frames_are_encoded_the_same_whatever_memory_holds(tmp_path, codec):
  """glibc fills memory that is handed out with what MALLOC_PERTURB_ says; elsewhere this is a weaker test."""
  found = set()
  for fill in ('0', '85', '255'):
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'MALLOC_PERTURB_': fill}
    words = [sys.executable, '-c', SCRIPT, codec]
    found.add(subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout)
  assert len(found) == 1
