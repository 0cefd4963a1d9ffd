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

from film_tf import files
from film_tf.errors import DamagedError, UserError
from film_tf.inference import costs, inputs, outputs, plan, sequence, timeline
from film_tf.inference.ahead import ahead
from film_tf.inference.inputs import Input
from film_tf.inference.interpolator import Interpolator
from film_tf.inference.outputs import Form
from film_tf.inference.parts import Parts, folder_of
from film_tf.inference.request import Request, request
from film_tf.inference.sequence import Frame
from film_tf.training import stopping

_PART = 64  # frames; the next ones of an encoder start afresh, about once a second
Progress = Callable[[int, int | None], None]  # called with how many frames are done, and of how many, about
Source = str | os.PathLike | Sequence[str | os.PathLike]


class Interrupted(Exception):  # noqa: N818
  """Somebody asked to stop; what is finished can be resumed.

  Attributes:
    done: how many frames are finished.
    folder: where they are.
    so_far: an output of them, or None.
  """

  def __init__(self, done: int, folder: str, so_far: str | None):
    super().__init__(f'stopped after {done} frames; resume to go on')
    self.done, self.folder, self.so_far = done, folder, so_far


@dataclasses.dataclass(frozen=True)
class Report:
  """What has been made."""

  frames: int  # in all
  made: int  # by the network
  off: Fraction  # seconds by which one of them shows another time than asked for, at most


def interpolate_video(
  source: Source,
  output: str | os.PathLike,
  model: str | os.PathLike | Interpolator = 'film_mini',
  *,
  at_cut: str = 'hold',
  duplicates: str = 'keep',
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
    at_cut: from the last frame of a scene to the first of the next, `hold` that, or `blend` both.
    duplicates: `retime` leaves out frames that show the one before again, and has those between in even steps.
    overwrite: replace an output that exists.
    resume: go on where such a call was cut off, if it was; return at once where the output exists.
    progress: called after every frame.
    codec: of a video, FFmpeg's name; H.264 by default, VP9 in .webm.
    crf: its quality, less is better.
    pixel_format: FFmpeg's name.
    images: of a folder: png, jpg or webp.
    **wanted: which frames, as of `Request`: times, multiply, at, fps, slow, start, stop, loop. Numbers, strings or
      Fractions.

  Raises:
    UserError: something of it cannot be read, written, or does not go together.
    Interrupted: by Ctrl-C or SIGTERM; what is finished stays for `resume`.
  """
  job = Job(
    one(source), os.fspath(output), request(**wanted), at_cut, duplicates, Form(codec, crf, pixel_format, images)
  )
  return job.run(model, overwrite, resume, progress)


def interpolated_frames(
  source: Source,
  model: str | os.PathLike | Interpolator = 'film_mini',
  *,
  at_cut: str = 'hold',
  duplicates: str = 'keep',
  **wanted,
) -> Iterator[Frame]:
  """The frames that `interpolate_video` writes, one by one: `pixels` `[H, W, 3 or 4]`, and `time` in
  seconds, a Fraction.

  Args and errors are its own.
  """
  planned = plan.of(one(source), request(**wanted))
  return _frames(planned, _model(model), at_cut, duplicates)


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

  Raises:
    UserError: they do not go together.
  """

  def __init__(self, given: Input, output: str, wanted: Request, at_cut: str, duplicates: str, form: Form):
    self.given, self.output, self._wanted, self._form = given, output, wanted, form
    self._at_cut, self._duplicates = at_cut, duplicates
    self.plan = plan.of(given, wanted)
    self._sink = outputs.of(output, self.plan, form)

  def run(self, model, overwrite: bool = False, resume: bool = False, progress: Progress | None = None) -> Report:
    """Makes it; as of `interpolate_video`."""
    if resume and os.path.exists(self.output) and not os.path.exists(folder_of(self.output)):
      return Report(0, 0, Fraction(0))
    files.check(self.output.rstrip('/'), overwrite)
    if isinstance(self._sink, outputs.Folder) and os.path.isdir(self.output):
      raise UserError(f'{self.output} exists already, and whole folders are not replaced; give a new one')
    interpolator = _model(model)
    costs.check(interpolator, self.plan.look.height, self.plan.look.width)
    for note in self.plan.notes:
      print(note, file=sys.stderr)
    if isinstance(self._sink, outputs.Still):
      self._sink.write(_frames(self.plan, interpolator, self._at_cut, self._duplicates), overwrite)
      return Report(1, 1, Fraction(0))
    parts = Parts(self.output, self._settings(interpolator), resume, overwrite)
    try:
      self._make(interpolator, parts, progress)
      self._sink.join(self.output, parts, overwrite)
    except tf.errors.ResourceExhaustedError as error:
      size = f'{self.plan.look.width}x{self.plan.look.height}'
      raise UserError(f'the memory does not do for frames of {size} pixels; make them smaller') from error
    except UserError as error:
      if not parts.parts:
        parts.remove()
        raise
      if isinstance(error, DamagedError):
        raise UserError(f'{error.message}; what comes before is in {self._so_far(parts)}') from error
      raise UserError(f'{error.message}; {parts.count} frames are kept in {parts.folder}, --resume goes on') from error
    parts.remove()
    off = max(part.off for part in parts.parts)
    return Report(parts.count, sum(part.made for part in parts.parts), off)

  def _make(self, interpolator, parts, progress):
    """Adds what is missing of the parts."""
    frames = _frames(self.plan, interpolator, self._at_cut, self._duplicates, parts.place)
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
          raise Interrupted(parts.count, parts.folder, self._so_far(parts))

  def _so_far(self, parts):
    """Makes an output of what is finished, inside the folder of parts."""
    if type(self._sink) is outputs.Folder:
      return parts.path('frames')
    path = parts.path(f'so_far{os.path.splitext(self.output)[1]}')
    self._sink.join(path, parts, overwrite=True)
    return path

  def _settings(self, interpolator):
    """What the output depends on."""
    found = {'model': interpolator.identity, 'at_cut': self._at_cut, 'duplicates': self._duplicates}
    found |= {field.name: str(getattr(self._wanted, field.name)) for field in dataclasses.fields(self._wanted)}
    found |= {field.name: str(getattr(self._form, field.name)) for field in dataclasses.fields(self._form)}
    for path in self.given.paths:
      about = os.stat(path)
      found[os.path.abspath(path)] = f'of {about.st_size} bytes and time {about.st_mtime_ns}'
    return found

  def describe(self, model) -> str:
    """What would be made, and about how long it takes and how much memory."""
    planned, height, width = self.plan, self.plan.look.height, self.plan.look.width
    given = f'{planned.given or "?"} frames of {width}x{height}, {8 * (planned.look.bits > 8) + 8} bits'
    cost = costs.measure(_model(model), height, width)
    steps = self._steps()
    seconds = steps * cost.seconds
    told = (
      f'{seconds / 3600:.1f} hours'
      if seconds > 5400
      else f'{seconds / 60:.0f} minutes'
      if seconds > 90
      else f'{seconds:.0f} seconds'
    )
    return '\n'.join([
      f'{self.given.paths[0]}: {given}, {self.given.kind}',
      f'{self.output}: about {planned.total or "?"} frames, {float(planned.rate):.3f} a second',
      f'network: {steps} times, about {told} on this machine',
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


def _frames(planned, interpolator, at_cut, duplicates, place=sequence.Place()):  # noqa: B008
  given = ahead(planned.read(place.time))
  at_cut = at_cut if planned.cuts else None
  return sequence.interpolate(given, planned.clock, interpolator, planned.end, at_cut, duplicates, place.count)


def _model(model):
  return model if isinstance(model, Interpolator) else Interpolator(model)


def _listening():
  """As `stopping.listening`, where signals can be listened to."""
  if threading.current_thread() is threading.main_thread():
    return stopping.listening()
  return contextlib.nullcontext(stopping.Stop())
