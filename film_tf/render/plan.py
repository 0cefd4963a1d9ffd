"""Plans what is made of a video or of images: which frames come in, and which are wanted."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

import numpy as np

from film_tf.errors import UserError
from film_tf.inference import timeline
from film_tf.media import animation, image_file
from film_tf.media.frame import Frame
from film_tf.media.video_muxer import OtherStreams
from film_tf.media.video_reader import VideoReader
from film_tf.render.inputs import Input
from film_tf.render.request import Request
from film_tf.streams.video_format import VideoFormat

_DEFAULT_FPS = Fraction(20)  # at which what is made from images is shown
_MOST_BETWEEN = 10000  # frames for each that is given
_NEAR_RATE = Fraction(1, 100)  # by which a rate may differ from a multiple of the given one to be called near


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
  """Which frames come in, and which are wanted."""

  read: Callable[[Fraction | None], Iterator[Frame]]  # yields the frames from a time on
  clock: timeline.Subdivision | timeline.Grid
  end: Fraction | None = None  # seconds, before which all wanted frames are; None is when the last given frame ends
  rate: Fraction  # wanted frames a second, on average
  time_base: Fraction  # seconds, of which the time of every wanted frame is a multiple
  given: int | None  # frames that come in, about
  given_rate: Fraction  # of them a second, on average
  total: int | None  # wanted frames, about
  video_format: VideoFormat
  alpha: bool = False  # whether frames are RGBA
  cuts: bool = False  # whether there may be cuts between frames that come in
  other_streams: OtherStreams | None = None  # sound and the like, where they fit what is made
  icc_profile: bytes | None = None
  repeats: int | None = 0  # how often an animation is shown again; 0 is for ever, None not at all
  notes: tuple[str, ...] = ()  # what a person should know before the work
  found: Mapping[str, str] = dataclasses.field(default_factory=dict)  # and after it, of what was read

  @property
  def one_new_frame(self) -> bool:
    """Whether a single frame is made, so that the output may be a still image."""
    return self.total is not None and self.given is not None and self.total - self.given == 1 and not self.cuts

  @property
  def shape(self) -> tuple[int, int, int]:
    """Height, width and channels of the frames."""
    return self.video_format.height, self.video_format.width, 4 if self.alpha else 3


def make_plan(given: Input, request: Request) -> Plan:
  """Plans what is made of an input.

  Raises:
    UserError: it cannot be read, there is too little of it, or what is requested does not go with it.
  """
  if given.kind == 'video':
    return _plan_video(given.paths[0], request)
  alone = [name for name in ('slow', 'start', 'stop') if getattr(request, name) is not None]
  if alone:
    raise UserError(f'--{alone[0]} is for videos; of images, --times, --multiply and --at say which frames')
  for name in ('deinterlace', 'damaged'):
    if getattr(request, name) != getattr(Request, name):
      raise UserError(f'--{name} is for videos; leave it out')
  return _plan_images(given.paths, request) if given.kind == 'images' else _plan_animation(given.paths[0], request)


def _plan_video(path: str, request: Request) -> Plan:
  """Plans twice the frames of a video by default. What is made begins at 0, or where the video does."""
  video = VideoReader(path, request.deinterlace, request.damaged)
  tick = video.time_base
  zero = video.zero if request.start is None else (video.start + request.start) // tick * tick
  since, until = (None if at is None else video.start + at for at in (request.start, request.stop))
  first = next(video.frames(since, until), None)
  if first is None:
    to = 'its end' if request.stop is None else f'{float(request.stop)} s'
    raise UserError(f'{path} has no frame from {float(request.start or 0)} s to {to}')

  def read(position):
    for frame in video.frames(since if position is None else zero + position, until):
      yield dataclasses.replace(frame, time=frame.time - zero, lost=tuple(time - zero for time in frame.lost))

  slow = request.slow or Fraction(1)
  clock, rate = request.clock(video.rate, first.time - zero)
  if isinstance(clock, timeline.Grid):
    time_base, per_second = timeline.common(1 / rate, clock.start), rate * slow
  else:
    time_base, per_second = tick * clock.unit, rate
  _check_count(per_second / video.rate)
  begin = first.time - video.start
  seconds = min(request.stop or math.inf, video.length or math.inf) - begin
  whole = request.start is None and request.stop is None
  given = video.frame_count if whole else math.ceil(seconds * video.rate) if seconds < math.inf else None
  notes = [*video.notes, *_notes_on_rate(clock, video.rate)]
  return Plan(
    read=_looped(read) if request.loop else read,
    clock=clock,
    end=None if until is None else until - zero,
    rate=rate,
    time_base=time_base,
    given=given,
    given_rate=video.rate,
    total=math.ceil(seconds * per_second) if seconds < math.inf else None,
    video_format=video.format,
    cuts=True,
    other_streams=OtherStreams(video, zero, request.start is not None, until, slow, request.sound),
    notes=tuple(f'{path} {note}' for note in notes),
    found=video.found,
  )


def _check_count(between: Fraction):
  """Raises where more frames are wanted between two than anybody could mean."""
  if between > _MOST_BETWEEN:
    raise UserError(f'{float(between):.0f} frames are wanted for each that is given; expected {_MOST_BETWEEN} at most')


def _notes_on_rate(clock, rate):
  """Says what a new rate does that nobody might expect."""
  if not isinstance(clock, timeline.Grid):
    if not clock.fractions:
      yield 'gets no new frames by --multiply=1; those that it has are encoded again'
    return
  between = clock.fps * clock.slow / rate
  if between > 2**clock.halvings and not clock.direct:
    most = 2**clock.halvings
    yield f'gets {most} times between two frames at most at a new rate; some frames are shown more than once'
  near = round(between)
  if near >= 1 and between != near and abs(between / near - 1) < _NEAR_RATE:
    yield (
      f'has {float(rate):.3f} frames a second: --fps={near * rate / clock.slow} looks like {float(clock.fps):g}, and '
      f'needs the network for {near - 1} of {near} frames, not for nearly every one'
    )


def _plan_images(paths: Sequence[str], request: Request) -> Plan:
  """Plans one new frame between two images by default, shown at `fps` frames a second."""
  if len(paths) < 2:
    raise UserError(f'{paths[0]} is one image; expected two or more, the frames to go between')
  clock = request.subdivision
  rate = request.fps or _DEFAULT_FPS
  step = (len(clock.fractions) + 1) / rate
  first = image_file.read(paths[0])
  alpha = first.pixels.shape[-1] == 4
  for path in paths[1:]:  # what is wrong is said before the long work
    image = image_file.read(path)
    alpha = alpha or image.pixels.shape[-1] == 4
    if image.pixels.shape[:2] != first.pixels.shape[:2] or image.pixels.dtype != first.pixels.dtype:
      raise UserError(f'the images differ: {paths[0]} is {_describe(first)}, {path} is {_describe(image)}')

  def read(since):
    for i, path in enumerate(paths):
      if since is None or i * step >= since:
        pixels = image_file.read(path).pixels
        yield Frame(image_file.with_alpha(pixels) if alpha else pixels, i * step, step if request.loop else 1 / rate)

  height, width, _ = first.pixels.shape
  return Plan(
    read=_looped(read) if request.loop else read,
    clock=clock,
    rate=rate,
    time_base=timeline.common(1 / rate, clock.unit * step),
    given=len(paths),
    given_rate=1 / step,
    total=(len(paths) - 1 + request.loop) * (len(clock.fractions) + 1) + (not request.loop),
    video_format=VideoFormat(
      width=width,
      height=height,
      bits=8 * first.pixels.itemsize,
      pixel_format='yuv420p' if first.pixels.dtype == np.uint8 else 'yuv420p10le',
    ),
    alpha=alpha,
    icc_profile=first.icc_profile,
    notes=tuple(f'{paths[0]} {note}' for note in _notes_on_rate(clock, rate)),
  )


def _plan_animation(path: str, request: Request) -> Plan:
  """Plans twice the frames of an animated image by default, its times kept."""
  count, alpha = 0, False
  for last in animation.read(path):
    count, alpha = count + 1, alpha or last.pixels.shape[-1] == 4
  length = last.time + last.duration
  clock, rate = request.clock(count / length, Fraction(0))
  _check_count(rate * length / count)
  height, width, _ = last.pixels.shape

  def read(since):
    for frame in animation.read(path):
      if since is None or frame.time >= since:
        yield dataclasses.replace(frame, pixels=image_file.with_alpha(frame.pixels) if alpha else frame.pixels)

  return Plan(
    read=_looped(read) if request.loop else read,
    clock=clock,
    rate=rate,
    time_base=1 / rate if isinstance(clock, timeline.Grid) else Fraction(1, 1000) * clock.unit,
    given=count,
    given_rate=count / length,
    total=math.ceil(length * rate),
    video_format=VideoFormat(width=width, height=height),
    alpha=alpha,
    cuts=True,
    repeats=animation.repeats(path),
    notes=tuple(f'{path} {note}' for note in _notes_on_rate(clock, count / length)),
  )


def _looped(read):
  """Returns a `read` that yields the frames and, when the last one ends, the first again."""

  def around(since):
    for frame in read(since):
      yield frame
    yield Frame(next(read(None)).pixels, frame.time + frame.duration)

  return around


def _describe(frame):
  height, width, _ = frame.pixels.shape
  return f'{width}x{height} of {8 * frame.pixels.itemsize} bits'
