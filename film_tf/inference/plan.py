"""What is to be made of a video or of images: which frames come in, and which are wanted."""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from film_tf.errors import UserError
from film_tf.inference import frames as files_of_frames
from film_tf.inference import timeline
from film_tf.inference.sequence import Frame
from film_tf.inference.video_reader import Look, VideoReader

_SHOWN = Fraction(20)  # frames a second of what is made from images


@dataclasses.dataclass(frozen=True)
class Plan:
  """Frames that come in, and those that are wanted."""

  frames: Iterator[Frame]
  clock: timeline.Division | timeline.Grid
  end: Fraction | None  # seconds, before which all of them are; None is when the last frame that comes in ends
  rate: Fraction  # wanted frames a second, on average
  time_base: Fraction  # seconds, of which the time of every wanted frame is a multiple
  total: int | None  # wanted frames, about
  look: Look
  cuts: bool = False  # whether there may be cuts between frames that come in
  source: VideoReader | None = None  # whose sound and the like fit what is made
  icc_profile: bytes | None = None


def of_video(
  path: str,
  parts: int | None = None,
  fps: Fraction | None = None,
  slow: Fraction | None = None,
  start: Fraction | None = None,
  stop: Fraction | None = None,
) -> Plan:
  """Of a video: its frames times `parts` (by default 2), or `fps` frames a second, it being `slow` times slower.

  Args:
    path: of the video.
    parts: each frame becomes so many; its times are kept.
    fps: by default its own.
    slow: by default 1.
    start: seconds of the file, by default its start.
    stop: likewise, by default its end.

  Raises:
    UserError: it cannot be read, or there is nothing between start and stop.
  """
  video = VideoReader(path)
  begin = video.start if start is None else max(start, video.start)
  frames = video.frames(start, stop)
  first = next(frames, None)
  if first is None:
    raise UserError(f'{path} has no frame from {float(begin)} s to {"its end" if stop is None else f"{float(stop)} s"}')
  if fps or slow:
    rate = fps or video.rate
    clock = timeline.Grid(rate, slow or Fraction(1), first.time)
    time_base, per_second = _common(1 / rate, first.time), rate * (slow or 1)
  else:
    clock = timeline.Division(parts or 2)
    rate = per_second = video.rate * clock.parts
    time_base = video.time_base / clock.parts
  end = min(stop or math.inf, video.length + video.start if video.length else math.inf)
  total = math.ceil((end - first.time) * per_second) if end < math.inf else None
  whole = slow in (None, 1) and start is None and stop is None
  return Plan(
    itertools.chain([first], frames),
    clock,
    stop,
    rate,
    time_base,
    total,
    video.look,
    cuts=True,
    source=video if whole else None,
  )


def of_images(paths: Sequence[str], parts: int, fps: Fraction | None = None) -> Plan:
  """Of two images or more: each becomes `parts` but the last, shown at `fps` (by default 20) frames a second.

  Raises:
    UserError: there are fewer, one cannot be read, or they differ.
  """
  if len(paths) < 2:
    raise UserError(f'{len(paths)} images given; expected two or more, the frames to go between')
  rate = fps or _SHOWN
  first = files_of_frames.read(paths[0])
  height, width, _ = first.pixels.shape

  def read():
    for i, path in enumerate(paths):
      image = files_of_frames.read(path)
      if image.pixels.shape != first.pixels.shape or image.pixels.dtype != first.pixels.dtype:
        raise UserError(f'the images differ: {paths[0]} is {_describe(first)}, {path} is {_describe(image)}')
      yield Frame(image.pixels, i * parts / rate, 1 / rate)

  for _ in read():  # what is wrong is said before the long work
    pass
  return Plan(
    read(),
    timeline.Division(parts),
    None,
    rate,
    1 / rate,
    (len(paths) - 1) * parts + 1,
    Look(width, height, 8 * first.pixels.itemsize, 'yuv420p' if first.pixels.dtype == np.uint8 else 'yuv420p10le'),
    icc_profile=first.icc_profile,
  )


def _common(a, b):
  """The largest time of which both are multiples."""
  denominator = a.denominator * b.denominator
  return Fraction(math.gcd(a.numerator * b.denominator, b.numerator * a.denominator), denominator)


def _describe(frame):
  height, width, _ = frame.pixels.shape
  return f'{width}x{height} of {8 * frame.pixels.itemsize} bits'
