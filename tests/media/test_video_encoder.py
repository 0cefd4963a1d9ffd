"""Encoders: colours stay where they are, and memory that is not the same changes nothing."""

import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from film_tf.media.frame import Frame
from film_tf.media.video_encoder import Encoder
from film_tf.media.video_reader import VideoReader
from tests.conftest import ROOT
from tests.media.videos import encode

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


@pytest.mark.parametrize('codec', ['libx264', 'libx265', 'libvpx-vp9', 'libsvtav1', 'mpeg1video'])
def test_colours_do_not_move_and_encoders_are_quiet(tmp_path, codec, capfd):
  """H.264 has chroma left of the middle of its pixels: half a pixel aside, such stripes come to 24 dB."""
  crf = None if codec == 'mpeg1video' else 1
  stripes = np.stack([127 + 80 * np.sin(np.arange(128) / 2 + 2 * i) for i in range(3)], axis=-1)
  source = encode(tmp_path / 'a.mp4', [np.broadcast_to(stripes.astype(np.uint8), (64, 128, 3))])
  video = VideoReader(source)
  (given,) = video.frames()
  with Encoder(video.format, Fraction(25), Fraction(1, 25), codec, crf).segment(str(tmp_path / 'b.mkv')) as writer:
    writer.write(Frame(given.pixels, Fraction(0)))
  (found,) = VideoReader(str(tmp_path / 'b.mkv')).frames()
  errors = np.square(np.subtract(given.pixels, found.pixels, dtype=float))
  assert 10 * np.log10(255**2 / errors.mean()) > (45 if crf else 38)
  assert not capfd.readouterr().err
