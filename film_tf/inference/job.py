"""From what a person names to what they get: `interpolate_video`, its frames one by one, and its plan in words."""

import contextlib
import dataclasses
import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import tensorflow as tf
import tqdm

from film_tf import files
from film_tf.errors import DamagedError, UserError
from film_tf.inference import costs, inputs, outputs, plan, sequence, timeline
from film_tf.inference.ahead import ahead
from film_tf.inference.inputs import Input
from film_tf.inference.interpolator import Interpolator
from film_tf.inference.outputs import Form
from film_tf.inference.parts import Parts, folder_of
from film_tf.inference.request import Request, request
from film_tf.inference.sequence import Frame, Place
from film_tf.training import stopping

_PART = 64  # frames; the next ones of an encoder start afresh, about once a second
Progress = Callable[[int, int | None], None]  # called with how many frames are done, and of how many, about
Source = str | os.PathLike | Sequence[str | os.PathLike]


class Interrupted(KeyboardInterrupt):
  """Ctrl-C or SIGTERM, after which what is finished can be resumed.

  Attributes:
    done: how many frames are finished.
    so_far: where they can be seen.
  """

  def __init__(self, done: int, total: int | None, so_far: str):
    super().__init__(
      f'stopped after {done} of about {total or "?"} frames; they are in {so_far}. '
      'To go on, add --resume to the same command'
    )
    self.done, self.so_far = done, so_far


@dataclasses.dataclass(frozen=True)
class Report:
  """What has been made."""

  frames: int  # in all; 0 where the output was there already
  off: Fraction  # seconds by which one of them shows another time than asked for, at most


def interpolate_video(
  source: Source,
  output: str | os.PathLike,
  model: str | os.PathLike | Interpolator = 'film_mini',
  *,
  overwrite: bool = False,
  resume: bool = False,
  progress: Progress | None = None,
  codec: str | None = None,
  crf: int | None = None,
  pixel_format: str | None = None,
  images: str = 'png',
  **wanted,
) -> Report:
  """Makes the frames between those of a video, or of images.

      film_tf.interpolate_video('clip.mp4', 'smooth.mp4', fps=60)

  Args:
    source: a video, an animated image, a folder of images, a pattern, a list (.txt), or paths of two images and more.
    output: its name says what: a video, an animation, or a folder of images; a still where one frame is wanted.
    model: as of `Interpolator`, or one.
    overwrite: replace an output that exists.
    resume: go on where such a call was cut off, if it was; return at once where the output exists.
    progress: called after every frame.
    codec: of a video, FFmpeg's name; H.264 by default, VP9 in .webm.
    crf: its quality, less is better.
    pixel_format: FFmpeg's name.
    images: of a folder: png, jpg or webp.
    **wanted: which frames, as of `Request`: times, multiply, at, fps, slow, start, stop, loop, at_cut, duplicates.
      Numbers may be strings and Fractions too.

  Raises:
    UserError: something of it cannot be read, written, or does not go together.
    Interrupted: by Ctrl-C or SIGTERM; what is finished stays for `resume`.
  """
  form = Form(codec, crf, pixel_format, images)
  return Job(one(source), os.fspath(output), request(**wanted), form, overwrite, resume).run(model, progress)


def interpolated_frames(
  source: Source,
  model: str | os.PathLike | Interpolator = 'film_mini',
  **wanted,
) -> Iterator[Frame]:
  """The frames that `interpolate_video` writes, one by one: `pixels` `[H, W, 3 or 4]`, and `time` in
  seconds, a Fraction.

  Args and errors are its own.
  """
  asked = request(**wanted)
  return _frames(plan.of(one(source), asked), asked, _model(model), Place())


def one(source: Source) -> Input:
  """The one input that is named.

  Raises:
    UserError: there are more.
  """
  found = inputs.find([source] if isinstance(source, str | os.PathLike) else source)
  if len(found) > 1:
    raise UserError(f'{found[0].paths[0]} and {found[1].paths[0]} are two inputs; expected one')
  return found[0]


class Job:
  """One input, and what is to be made of it.

  Attributes:
    output: the name of what is made.
    done: whether it is there already, and only to be resumed.
    plan: of what is made; None where it is done.

  Raises:
    UserError: they do not go together, or the output exists and is neither to be replaced nor to be resumed.
  """

  def __init__(
    self, given: Input, output: str, wanted: Request, form: Form, overwrite: bool = False, resume: bool = False
  ):
    self.output, self._given, self._wanted, self._form = output, given, wanted, form
    self._overwrite, self._resume, self.plan = overwrite, resume, None
    self.done = resume and os.path.exists(output) and not os.path.exists(folder_of(output))
    if self.done:
      return
    files.check(output.rstrip('/'), overwrite)
    if os.path.isdir(output):
      raise UserError(f'{output} exists already, and whole folders are not replaced; give a new one')
    self.plan = plan.of(given, wanted)
    self._sink = outputs.of(output, self.plan, form)

  def run(self, model, progress: Progress | None = None) -> Report:
    """Makes it; as of `interpolate_video`."""
    if self.done:
      return Report(0, Fraction(0))
    interpolator = _model(model)
    costs.check(interpolator, self.plan.look.height, self.plan.look.width)
    for note in self.plan.notes:
      print(note, file=sys.stderr)
    if isinstance(self._sink, outputs.Still):
      self._sink.write(_frames(self.plan, self._wanted, interpolator, Place()), self._overwrite)
      return Report(1, Fraction(0))
    parts = Parts(self.output, self._settings(interpolator), self._resume, self._overwrite)
    try:
      self._make(interpolator, parts, progress)
      self._sink.join(self.output, parts, self._overwrite)
    except UserError as error:
      if not parts.parts:
        parts.remove()
        raise
      kept = f'{parts.count} frames are kept in {parts.folder}, --resume goes on'
      if isinstance(error, DamagedError):
        kept = f'what comes before is in {self._sink.so_far(parts)}'
      raise UserError(f'{error.message}; {kept}') from error
    parts.remove()
    return Report(parts.count, max(part.off for part in parts.parts))

  def _make(self, interpolator, parts, progress):
    """Adds what is missing of the parts."""
    frames = _frames(self.plan, self._wanted, interpolator, parts.place)
    with _listening() as stop, contextlib.closing(ahead(frames)) as made:
      if progress:
        progress(parts.count, self.plan.total)

      def until_asked(frames):
        for done, frame in enumerate(frames, start=parts.count + 1):
          yield frame
          if progress:
            progress(done, self.plan.total)
          if stop.asked:
            return

      while (first := next(made, None)) is not None:
        batch = until_asked(itertools.chain([first], itertools.islice(made, _PART - 1)))
        parts.add(outputs.part_of(batch, self._sink, parts, 1 / self.plan.rate))
        if stop.asked:
          raise Interrupted(parts.count, self.plan.total, self._sink.so_far(parts))

  def _settings(self, interpolator):
    """What the output depends on."""
    found = {'model': interpolator.identity}
    for asked in (self._wanted, self._form):
      found |= {field.name: str(getattr(asked, field.name)) for field in dataclasses.fields(asked)}
    for path in self._given.paths:
      about = os.stat(path)
      found[os.path.abspath(path)] = f'of {about.st_size} bytes and time {about.st_mtime_ns}'
    return found

  def describe(self, model) -> str:
    """What would be made, and about how long it takes and how much memory."""
    if self.done:
      return f'{self.output} is there already'
    planned, height, width = self.plan, self.plan.look.height, self.plan.look.width
    given = f'{planned.given or "?"} frames of {width}x{height}, {8 * (planned.look.bits > 8) + 8} bits'
    cost = costs.measure(_model(model), height, width)
    steps = self._steps()
    return '\n'.join([
      f'{self._given.paths[0]}: {given}, {self._given.kind}',
      f'{self.output}: about {planned.total or "?"} frames, {float(planned.rate):.3f} a second',
      f'network: {steps} times, about {tqdm.tqdm.format_interval(steps * cost.seconds)} on this machine',
      f'memory: about {cost.bytes / 1e9:.1f} GB',
      *planned.notes,
    ])  # fmt: skip

  def _steps(self):
    """How often the network runs, if frames come evenly and there are no cuts."""
    planned, given = self.plan, self.plan.given or 0
    if isinstance(planned.clock, timeline.Shares):
      each = len(timeline.midpoints(map(timeline.nearest, planned.clock.shares)))
      return max(0, given - 1 + self._wanted.loop) * each
    count, checked = 0, min(given - 1, 500)
    start = planned.clock.start
    for i in range(checked):
      begin, end = (start + j / planned.given_rate for j in (i, i + 1))
      moments = planned.clock.moments(begin, end, last=False)
      count += len(timeline.midpoints(timeline.nearest(timeline.share_of(m, begin, end)) for m in moments))
    return round(count * (given - 1) / max(1, checked))


def _frames(planned, wanted, interpolator, place):
  given, at_cut = ahead(planned.read(place.time)), wanted.at_cut if planned.cuts else None
  try:
    yield from sequence.interpolate(
      given, planned.clock, interpolator, planned.end, at_cut, wanted.duplicates, place.count
    )
  except tf.errors.ResourceExhaustedError as error:
    size = f'{planned.look.width}x{planned.look.height}'
    raise UserError(f'memory does not do for frames of {size} pixels; make them smaller') from error


def _model(model):
  return model if isinstance(model, Interpolator) else Interpolator(model)


def _listening():
  """As `stopping.listening`, where signals can be listened to."""
  if threading.current_thread() is threading.main_thread():
    return stopping.listening()
  return contextlib.nullcontext(stopping.Stop())
