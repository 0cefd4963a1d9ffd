"""Makes one output of one input, in parts that can be resumed."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import sys
import threading
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import tqdm

from film_tf import files, stopping
from film_tf.errors import DamagedError, UserError
from film_tf.inference import timeline
from film_tf.prefetch import prefetch
from film_tf.progress import Progress
from film_tf.render import destination
from film_tf.render.inputs import Input
from film_tf.render.outputs import EncodingOptions, make_output
from film_tf.render.parts import Part, Parts, remove_left_over
from film_tf.render.plan import Plan, make_plan
from film_tf.render.request import Request

if TYPE_CHECKING:  # it loads TensorFlow, which takes seconds: below only where all has been checked
  from film_tf.inference.interpolator import Interpolator

_FRAMES_PER_PART = 64  # each part is encoded independently; at a second's work each, little is lost
_SAMPLED_PAIRS = 500  # of given frames, by which the network's work is estimated


class Interrupted(KeyboardInterrupt):
  """Ctrl-C or SIGTERM, after which what is finished can be resumed.

  Attributes:
    done: number of frames that are finished.
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
  timing_error: Fraction  # the largest of all frames, in seconds
  notes: Sequence[str] = ()  # what turned out in the meantime, for people


class Job:
  """One input, and what is made of it.

  Attributes:
    output: the name of what is made.
    done: whether it is there already, where it is only to be resumed.
    plan: of what is made.

  Raises:
    UserError: they do not go together, or the output exists and is neither to be replaced nor to be resumed.
  """

  def __init__(
    self,
    given: Input,
    output: str,
    wanted: Request,
    encoding: EncodingOptions,
    overwrite: bool = False,
    resume: bool = False,
  ):
    self.output, self._given, self._wanted, self._encoding = output, given, wanted, encoding
    self._overwrite, self._resume = overwrite, resume
    destination.check(output, given.paths, overwrite, resume)
    self.done = resume and destination.is_finished(output)
    self.plan = make_plan(given, wanted)
    if not self.done:
      self._output = make_output(output, self.plan, encoding)

  @property
  def notes(self) -> list[str]:
    """What a person should know before the work."""
    return [*self.plan.notes, *self._output.notes]

  def run(self, interpolator: Interpolator, progress: Progress | None = None) -> Report:
    """Makes the output.

    Raises:
      UserError, Interrupted: as of `interpolate_video`.
    """
    from film_tf.inference import costs

    if self.done:
      remove_left_over(self.output)
      return Report(0, Fraction(0), destination.differences(self.output, self.plan, self._options(interpolator)))
    shape = self.plan.video_format
    costs.check(interpolator, shape.height, shape.width, shape.bits)
    for note in self.notes:
      print(note, file=sys.stderr)
    parts = Parts(self.output, self._settings(interpolator), self._resume, self._overwrite)
    try:
      self._make(interpolator, parts, progress)
      parts.complete()
      self._output.join(self.output, parts, self._overwrite)
      files.note(self.output, self._options(interpolator))
      parts.remove()
    except UserError as error:
      if not parts.all:
        parts.remove()
        raise
      kept = f'{parts.count} frames are kept in {parts.folder}, --resume goes on'
      if isinstance(error, DamagedError):
        kept = f'what comes before is in {self._output.so_far(parts)}'
      raise UserError(f'{error.message}; {kept}') from error
    finally:
      parts.close()
    found = [f'{self._given.paths[0]} {found}' for found in self.plan.found.values()]
    told = [note for note in [*found, *self._output.found] if note not in self.notes]
    return Report(parts.count, max(part.timing_error for part in parts.parts), told)

  def _make(self, interpolator, parts, progress):
    """Makes the parts that are missing."""
    frames = new_frames(self.plan, self._wanted, interpolator, parts.position)
    if progress:
      progress(parts.count, self.plan.total)
    damage: list[DamagedError] = []
    with _listening() as stop, contextlib.closing(prefetch(frames)) as made:
      whole = _until_damaged(made, damage)
      for first in whole:
        rest_of_part = itertools.islice(whole, _FRAMES_PER_PART - 1)
        part, written = self._encode(itertools.chain([first], rest_of_part), parts, stop, progress)
        if (stop.asked or damage) and self._output.ends_parts:
          parts.tail = part  # a codec would have gone on: what is resumed begins this part again
        else:
          parts.add(part, written)
        if stop.asked:
          done = parts.count + (len(parts.tail.times) if parts.tail else 0)
          raise Interrupted(done, self.plan.total, self._output.so_far(parts))
      if damage:
        raise damage[0]

  def _encode(self, frames, parts, stop, progress):
    """Encodes frames as the next part, until asked to stop; returns it and the files that were written."""
    times, timing_error = [], Fraction(0)
    with self._output.encode(parts) as writer:
      for frame in frames:
        writer.write(frame)
        times.append(frame.time)
        timing_error = max(timing_error, frame.timing_error)
        if progress:
          progress(parts.count + len(times), self.plan.total)
        if stop.asked:
          break
    end = frame.time + (frame.duration or 1 / self.plan.rate)
    return Part(times, end, timing_error, frame.position, writer.display_order), writer.files

  def _options(self, interpolator):
    """Returns what a person chooses: the model and all options."""
    found = {'model': interpolator.identity}
    for options in (self._wanted, self._encoding):
      found |= {field.name: str(getattr(options, field.name)) for field in dataclasses.fields(options)}
    return found

  def _settings(self, interpolator):
    """Returns all that the output depends on."""
    found = self._options(interpolator)
    for path in self._given.paths:
      about = os.stat(path)
      found[os.path.abspath(path)] = f'of {about.st_size} bytes and time {about.st_mtime_ns}'
    return found

  def describe(self, interpolator: Interpolator) -> str:
    """Says what would be made, how long it takes, about, and how much memory."""
    from film_tf.inference import costs, devices

    if self.done:
      differences = destination.differences(self.output, self.plan, self._options(interpolator))
      return '\n'.join([f'{self.output} is there already', *differences])
    plan, height, width = self.plan, self.plan.video_format.height, self.plan.video_format.width
    given = f'{plan.given or "?"} frames of {width}x{height}, {8 * (plan.video_format.bits > 8) + 8} bits'
    cost = costs.measure(interpolator, height, width, plan.video_format.bits)
    steps = _network_runs(plan, self._wanted.loop)
    seconds = steps * cost.seconds / devices.shared_by(interpolator, plan.given or 1)
    return '\n'.join([
      f'{self._given.paths[0]}: {given}, {self._given.kind}',
      f'{self.output}: about {plan.total or "?"} frames, {float(plan.rate):.3f} a second',
      f'network: {steps} times, about {tqdm.tqdm.format_interval(seconds)} on this machine',
      f'memory: about {cost.bytes / 1e9:.1f} GB',
      *self.notes,
    ])  # fmt: skip


def _network_runs(plan: Plan, loop: bool) -> int:
  """Estimates how often the network runs, if frames come evenly and there are no cuts."""
  given = plan.given or 0
  if isinstance(plan.clock, timeline.Subdivision):
    return max(0, given - 1 + loop) * _runs(plan.clock, plan.clock.fractions)
  count, sampled = 0, min(given - 1, _SAMPLED_PAIRS)
  for i in range(sampled):
    begin, end = (plan.clock.start + j / plan.given_rate for j in (i, i + 1))
    moments = plan.clock.moments(begin, end, last=False)
    count += _runs(plan.clock, [timeline.fraction_of(moment, begin, end) for moment in moments])
  return round(count * (given - 1) / max(1, sampled))


def _runs(clock, fractions):
  """Returns how often the network runs between two frames."""
  reached = {clock.reached(fraction) for fraction in fractions}
  return len(reached - {0, 1} if clock.direct else timeline.midpoints(reached))


def new_frames(plan, wanted, interpolator, position):
  """Yields the wanted frames after a position.

  Raises:
    UserError: frames cannot be read, differ, or are too large for the memory.
  """
  import tensorflow as tf

  from film_tf.inference import sequence

  try:
    yield from sequence.interpolate(
      prefetch(plan.read(position.time)),
      plan.clock,
      interpolator,
      end=plan.end,
      at_cut=wanted.at_cut if plan.cuts else None,
      cut_threshold=wanted.cut,
      duplicates=wanted.duplicates,
      skip=position.count,
    )
  except tf.errors.ResourceExhaustedError as error:
    size = f'{plan.video_format.width}x{plan.video_format.height}'
    raise UserError(f'memory does not do for frames of {size} pixels; make them smaller') from error


def _until_damaged(frames, damage):
  """Yields frames; where they end too early, `damage` gets the error."""
  try:
    yield from frames
  except DamagedError as error:
    damage.append(error)


def _listening():
  """Listens to signals, which only the main thread can."""
  if threading.current_thread() is threading.main_thread():
    return stopping.listening()
  return contextlib.nullcontext(stopping.Stop())
