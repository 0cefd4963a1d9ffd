"""Checks before the work whether an output may go to its place, and whether what is there is what is asked for."""

import os
from collections.abc import Mapping, Sequence
from fractions import Fraction

from film_tf import files
from film_tf.errors import UserError
from film_tf.media import animation, names, video_muxer
from film_tf.media.video_reader import VideoReader
from film_tf.render.parts import folder_of, is_left_over
from film_tf.render.plan import Plan

_LONGEST_NAME = 255  # bytes, of most file systems
_ADDED = len('.1234567..parts.old')  # what names get while they are written


def check(output: str, inputs: Sequence[str], overwrite: bool, resume: bool):
  """Raises where an output cannot go to its place.

  Args:
    output: its name.
    inputs: paths of what it is made of.
    overwrite: it may replace what is there.
    resume: it may be there already, finished, unless parts of it are left.

  Raises:
    UserError: as said.
  """
  path = output.rstrip('/')
  if not path:
    raise UserError(f"--output='{output}' is no name; expected an image, a video, a .gif, a .webp or a folder")
  if any(len(os.fsencode(part)) + _ADDED > _LONGEST_NAME for part in path.split('/')):
    raise UserError(f'{path[:40]}... has a name of more than {_LONGEST_NAME - _ADDED} bytes; choose a shorter one')
  for given in inputs:
    if os.path.exists(path) and os.path.samefile(path, given):
      raise UserError(f'{path} is an input too, and would be lost; choose another --output')
    if os.path.isdir(path) and os.path.samefile(path, os.path.dirname(os.path.abspath(given))):
      raise UserError(f'{path} is the folder of an input; choose a new one')
  if os.path.isfile(path) and (output.endswith('/') or not names.suffix_of(output)):
    raise UserError(f'{path} is a file, which a folder of images does not replace; choose another name')
  if resume and is_finished(output):
    return
  if os.path.isdir(path):
    if os.listdir(path):
      raise UserError(f'{path} exists already and is not empty, and whole folders are not replaced; give a new one')
    files.check(os.path.join(path, 'any'))
  else:
    files.check(path, overwrite)


def is_made(output: str) -> bool:
  """Returns whether an output is there: a file, or a folder that is not empty."""
  return bool(os.listdir(output)) if os.path.isdir(output) else os.path.exists(output)


def is_finished(output: str) -> bool:
  """Returns whether an output is there, and nothing is left to be done for it."""
  return is_made(output) and (not os.path.exists(folder_of(output)) or is_left_over(output))


def differences(output: str, plan: Plan, options: Mapping[str, str]) -> list[str]:
  """Returns in what an output that is there already is not what a plan makes with these options, for people."""
  told = list(_odd_counts(output, plan))
  for name, before in files.noted(output).items():
    if options.get(name, before) != before:
      told.append(f'was made with {name} {before}, and now it is {options[name]}')
  return [f'{output} is of other flags: it {one}; --overwrite without --resume makes it again' for one in told]


def _odd_counts(output, plan):
  """Yields in what the frames of an output are not about those of a plan."""
  suffix, per_given = names.suffix_of(output), Fraction(plan.total or 0, plan.given or 1)
  rate = None
  if suffix in video_muxer.FORMATS:
    video = VideoReader(output)
    count, rate = video.frame_count, video.rate
  else:
    count = len(os.listdir(output)) if os.path.isdir(output) else animation.length(output)
  if plan.total and count > 1 and abs(count - plan.total) > 2 + 2 * per_given:
    yield f'has {count} frames, not about {plan.total}'
  if rate and abs(rate / plan.rate - 1) > 0.02:
    yield f'has {float(rate):.3f} frames a second, not {float(plan.rate):.3f}'
