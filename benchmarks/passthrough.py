"""Measures how well the given frames of videos come through at the default quality: PSNR of each video's worst frame.

  python -m benchmarks.passthrough clip.mp4 other.mp4      with each of the default encoders
  python -m benchmarks.passthrough clip.mp4 --codecs=libx264,libvpx-vp9 --crf=8

The size is that of a frame in the output, beside that of one in the source's file.
"""

import argparse
import itertools
import os
import tempfile

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import numpy as np

import film_tf
from film_tf.media.video_reader import VideoReader

CODECS = 'libx264,libvpx-vp9,libsvtav1,libx265'


def worst(path, codec, crf, most, interpolator):
  """Returns PSNR of the worst and the mean frame that came through, and the ratio of the files' bytes a frame."""
  video = VideoReader(path)
  with tempfile.TemporaryDirectory() as folder:
    output = os.path.join(folder, 'output.webm' if codec == 'libvpx-vp9' else 'output.mkv')
    options = {'multiply': 1, 'stop': most / float(video.rate), 'codec': codec, 'crf': crf}
    count = film_tf.interpolate_video(path, output, interpolator, **options).frames
    pairs = itertools.zip_longest(itertools.islice(video.frames(), count), VideoReader(output).frames())
    errors = [np.square(_unit(a.pixels) - _unit(b.pixels)).mean() for a, b in pairs]
    ratio = os.path.getsize(output) / count / (os.path.getsize(path) / video.frame_count)
  return *(-10 * np.log10(max(error, 1e-8)) for error in (max(errors), np.mean(errors))), ratio


def _unit(pixels):
  """Returns pixels of 8 or 16 bits in [0, 1]."""
  return np.float32(pixels) / np.iinfo(pixels.dtype).max


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('videos', nargs='+')
  parser.add_argument('--codecs', default=CODECS)
  parser.add_argument('--crf', type=int)
  parser.add_argument('--frames', type=int, default=150, help='of each video, at most')
  options = parser.parse_args()
  interpolator = film_tf.Interpolator()
  for codec in options.codecs.split(','):
    rows = []
    for path in options.videos:
      rows.append((*worst(path, codec, options.crf, options.frames, interpolator), os.path.basename(path)))
      least, mean, ratio, name = rows[-1]
      print(f'{codec:12} {least:6.2f} dB worst {mean:6.2f} mean, {ratio:5.2f} times the size  {name}', flush=True)
    least, _, _, name = min(rows)
    ratio = np.median([row[2] for row in rows])
    print(f'{codec:12} worst of all {least:.2f} dB, {name}; median size {ratio:.2f} times', flush=True)


if __name__ == '__main__':
  main()
