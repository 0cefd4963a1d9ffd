"""Compares the memory of a long video with that of a short one: the peak should not grow with the number of frames.

  python -m benchmarks.memory

A video of 100 frames and one of 2,000, 320x180 and drawn here, each doubled by film_mini in a process of its own. The
peak is that of the network; `tests/render/test_videos.py` counts packets.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
from fractions import Fraction

import av
import numpy as np

HEIGHT, WIDTH = 180, 320


def draw(path, count):
  """Draws a pattern that moves, and noise."""
  random = np.random.default_rng(0)
  y, x = np.mgrid[:HEIGHT, :WIDTH]
  with av.open(str(path), 'w') as out:
    stream = out.add_stream('libx264', rate=25)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, 'yuv420p'
    for i in range(count):
      waves = [np.sin((x - 2 * i) / 9 + c) + np.cos((y + i) / (7 + c)) for c in range(3)]
      noise = random.normal(0, 12, (HEIGHT, WIDTH, 3))
      pixels = np.clip(127 + 50 * np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)
      frame = av.VideoFrame.from_ndarray(pixels, format='rgb24')
      frame.pts, frame.time_base = i, Fraction(1, 25)
      out.mux(stream.encode(frame))
    out.mux(stream.encode())


def peak(path):
  """Returns the bytes that doubling a video takes at most."""
  words = [sys.executable, '-m', 'film_tf.interpolate', str(path), f'--output={path.with_suffix(".double.mp4")}']
  with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
  assert process.returncode == 0, words
  return usage.ru_maxrss * 1024


def main():
  with tempfile.TemporaryDirectory() as folder:
    peaks = {}
    for count in (100, 2000):
      path = pathlib.Path(folder) / f'{count}.mp4'
      draw(path, count)
      peaks[count] = peak(path)
      print(f'{count:5} frames: {peaks[count] / 1e9:.3f} GB')
  print(f'2,000 frames take {peaks[2000] / peaks[100]:.3f} times the memory of 100')


if __name__ == '__main__':
  main()
