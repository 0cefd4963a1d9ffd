"""What is to be made of a video or of images: which frames come in, and which are wanted."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np

from film_tf.errors import UserError
from film_tf.inference import animations, timeline
from film_tf.inference import frames as files_of_frames
from film_tf.inference.inputs import Input
from film_tf.inference.request import Request
from film_tf.inference.sequence import Frame
from film_tf.inference.video_reader import Look, VideoReader
from film_tf.inference.video_writer import Rest

_SHOWN = Fraction(20)  # frames a second of what is made from images
_HDR = {16: 'PQ', 18: 'HLG'}  # FFmpeg's numbers of transfer functions


@dataclasses.dataclass(frozen=True)
class Plan:
  """Frames that come in, and those that are wanted."""

  read: Callable[[Fraction | None], Iterator[Frame]]  # the frames from a time on
  clock: timeline.Shares | timeline.Grid
  end: Fraction | None  # seconds, before which all of them are; None is when the last frame that comes in ends
  rate: Fraction  # wanted frames a second, on average
  time_base: Fraction  # seconds, of which the time of every wanted frame is a multiple
  given: int | None  # frames that come in, about
  given_rate: Fraction  # of them a second, on average
  total: int | None  # wanted frames, about
  look: Look
  alpha: bool = False  # whether frames are RGBA
  cuts: bool = False  # whether there may be cuts between frames that come in
  rest: Rest | None = None  # sound and the like, where they fit what is made
  icc_profile: bytes | None = None
  notes: tuple[str, ...] = ()  # what a person should know


def of(given: Input, request: Request) -> Plan:
  """Of an input.

  Raises:
    UserError: it cannot be read, there is too little of it, or what is requested does not go with it.
  """
  if given.kind == 'video':
    return of_video(given.paths[0], request)
  alone = [name for name in ('slow', 'start', 'stop') if getattr(request, name) is not None]
  if alone:
    raise UserError(f'--{alone[0]} is for videos; of images, --times, --multiply and --at say which frames')
  return of_images(given.paths, request) if given.kind == 'images' else of_animation(given.paths[0], request)


def of_video(path: str, request: Request) -> Plan:
  """Of a video: by default twice its frames. What is made begins at 0, or where the video does.

  Raises:
    UserError: it cannot be read, or there is nothing between start and stop.
  """
  video = VideoReader(path)
  begin = request.start or Fraction(0)
  end = None if request.stop is None else request.stop - begin
  first = next(video.frames(request.start, request.stop), None)
  if first is None:
    until = 'its end' if end is None else f'{float(request.stop)} s'
    raise UserError(f'{path} has no frame from {float(begin)} s to {until}')

  def read(since):
    frames = video.frames(request.start if since is None else begin + since, request.stop)
    return (dataclasses.replace(frame, time=frame.time - begin) for frame in frames)

  slow = request.slow or Fraction(1)
  clock, rate = request.clock(video.rate, first.time - begin)
  if isinstance(clock, timeline.Grid):
    time_base, per_second = timeline.common(1 / rate, clock.start), rate * slow
  else:
    time_base, per_second = video.time_base * clock.unit, rate
  seconds = min(end or math.inf, video.length + video.start - begin if video.length else math.inf) - (
    first.time - begin
  )
  notes = [] if slow == 1 else [f'{path}: --slow leaves the sound out']
  notes += [f'{path}: {note}' for note in video.notes]
  if video.look.colour[3] in _HDR:
    notes.append(f'{path} is HDR ({_HDR[video.look.colour[3]]}); it is interpolated as it is coded')
  return Plan(
    _looped(read) if request.loop else read,
    clock,
    end,
    rate,
    time_base,
    math.ceil(seconds * video.rate) if seconds < math.inf else None,
    video.rate,
    math.ceil(seconds * per_second) if seconds < math.inf else None,
    video.look,
    cuts=True,
    rest=Rest(video, request.start, request.stop) if slow == 1 else None,
    notes=tuple(notes),
  )


def of_images(paths: Sequence[str], request: Request) -> Plan:
  """Of two images or more: by default one more between two, shown at `fps` (by default 20) frames a second.

  Raises:
    UserError: there are fewer, one cannot be read, or they differ.
  """
  if len(paths) < 2:
    raise UserError(f'{paths[0]} is one image; expected two or more, the frames to go between')
  clock, _ = dataclasses.replace(request, fps=None).clock(Fraction(1), Fraction(0))
  rate = request.fps or _SHOWN
  step = (len(clock.shares) + 1) / rate
  first = files_of_frames.read(paths[0])
  alpha = first.pixels.shape[-1] == 4
  for path in paths[1:]:  # what is wrong is said before the long work
    image = files_of_frames.read(path)
    alpha = alpha or image.pixels.shape[-1] == 4
    if image.pixels.shape[:2] != first.pixels.shape[:2] or image.pixels.dtype != first.pixels.dtype:
      raise UserError(f'the images differ: {paths[0]} is {_describe(first)}, {path} is {_describe(image)}')

  def read(since):
    for i, path in enumerate(paths):
      if since is None or i * step >= since:
        pixels = files_of_frames.read(path).pixels
        yield Frame(
          files_of_frames.with_alpha(pixels) if alpha else pixels, i * step, step if request.loop else 1 / rate
        )

  height, width, _ = first.pixels.shape
  return Plan(
    _looped(read) if request.loop else read,
    clock,
    None,
    rate,
    timeline.common(1 / rate, clock.unit * step),
    len(paths),
    1 / step,
    (len(paths) - 1 + request.loop) * (len(clock.shares) + 1) + (not request.loop),
    Look(width, height, 8 * first.pixels.itemsize, 'yuv420p' if first.pixels.dtype == np.uint8 else 'yuv420p10le'),
    alpha,
    icc_profile=first.icc_profile,
  )


def of_animation(path: str, request: Request) -> Plan:
  """Of an animated GIF, WebP or PNG: by default twice its frames, its times kept.

  Raises:
    UserError: it is damaged.
  """
  count, alpha, last = 0, False, None
  for last in animations.read(path):
    count, alpha = count + 1, alpha or last.pixels.shape[-1] == 4
  length = last.time + last.duration
  clock, rate = request.clock(count / length, Fraction(0))
  height, width, _ = last.pixels.shape

  def read(since):
    for frame in animations.read(path):
      if since is None or frame.time >= since:
        yield dataclasses.replace(frame, pixels=files_of_frames.with_alpha(frame.pixels) if alpha else frame.pixels)

  return Plan(
    _looped(read) if request.loop else read,
    clock,
    None,
    rate,
    1 / rate if isinstance(clock, timeline.Grid) else Fraction(1, 1000) * clock.unit,
    count,
    count / length,
    math.ceil(length * rate),
    Look(width, height),
    alpha,
    cuts=True,
  )


def _looped(read):
  """The frames and, when the last one ends, the first again."""

  def around(since):
    frame = None
    for frame in read(since):
      yield frame
    yield Frame(next(read(None)).pixels, frame.time + frame.duration)

  return around


def _describe(frame):
  height, width, _ = frame.pixels.shape
  return f'{width}x{height} of {8 * frame.pixels.itemsize} bits'
