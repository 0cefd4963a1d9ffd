"""Offers `interpolate_video`, and its frames one by one, to Python."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from film_tf import errors
from film_tf.importers import sources
from film_tf.media.frame import Frame, Position
from film_tf.progress import Progress
from film_tf.render import inputs
from film_tf.render.job import Job, Report, new_frames
from film_tf.render.outputs import EncodingOptions
from film_tf.render.plan import make_plan
from film_tf.render.request import CUT, request

if TYPE_CHECKING:
  from film_tf.inference.interpolator import Interpolator

Source = str | os.PathLike | Sequence[str | os.PathLike]
Number = int | float | str | Fraction


def interpolate_video(
  source: Source,
  output: str | os.PathLike,
  model: str | os.PathLike | Interpolator = 'film_mini',
  *,
  times: int | None = None,
  multiply: int | None = None,
  at: Sequence[Number] | None = None,
  fps: Number | None = None,
  slow: Number | None = None,
  start: Number | None = None,
  stop: Number | None = None,
  time: str = 'auto',
  loop: bool = False,
  at_cut: str = 'hold',
  cut: float = CUT,
  duplicates: str = 'keep',
  deinterlace: bool = False,
  damaged: str = 'stop',
  sound: str = 'leave',
  codec: str | None = None,
  crf: int | None = None,
  pixel_format: str | None = None,
  preset: str | None = None,
  images: str = 'png',
  overwrite: bool = False,
  resume: bool = False,
  progress: Progress | None = None,
) -> Report:
  """Makes the frames between those of a video, or of images.

      film_tf.interpolate_video('clip.mp4', 'smooth.mp4', fps=60)

  Args:
    source: a video, an animated image, a folder of images, a pattern, a list (.txt), or paths of two images and more.
    output: its name says what: a video, an animation, or a folder of images; a still where one frame is wanted.
    model: as of `Interpolator`, or one.
    times: how often to halve: 2^times - 1 new frames between two.
    multiply: multiply - 1 new frames between two.
    at: new frames at these fractions of the way between two, such as [0.25, 0.5].
    fps: frames a second; of images, at which they are shown.
    slow: how many times slower a video becomes.
    start: where to start, in seconds from a video's first frame, or as '1:02:03.5'.
    stop: where to stop, likewise.
    time: `halve` the time between two frames again and again, or go `direct` to each time: exact and faster, but
      not what the published networks were trained for; `auto` is as the network was trained.
    loop: make new frames from the last to the first too.
    at_cut: between two scenes, `hold` the last frame of the first, or `blend` both.
    cut: share of a frame's texture that is lost in the next, above which that is another scene; 1 sees no cuts.
    duplicates: `keep`, or `retime`: leave out frames that show the one before again, and fill their time evenly.
    deinterlace: make whole pictures of an interlaced video's half pictures.
    damaged: at a frame that cannot be decoded, `stop`, or `skip` it and fill its time.
    sound: of a video that becomes slower, `leave` it out or `stretch` it at the same pitch.
    codec: of a video, FFmpeg's name; H.264 by default, VP9 in .webm.
    crf: its quality, less is better.
    pixel_format: FFmpeg's name.
    preset: of its encoder, how much time that takes.
    images: of a folder: png, jpg or webp.
    overwrite: replace an output that exists.
    resume: go on where such a call was interrupted, if it was; return at once where the output exists.
    progress: called after every frame.

  Raises:
    UserError: something of it cannot be read, written, or does not go together.
    Interrupted: by Ctrl-C or SIGTERM; what is finished stays for `resume`.
  """
  with errors.as_in_python():
    wanted = request(
      times=times, multiply=multiply, at=at, fps=fps, slow=slow, start=start, stop=stop, time=time, loop=loop,
      at_cut=at_cut, cut=cut, duplicates=duplicates, deinterlace=deinterlace, damaged=damaged, sound=sound,
    )  # fmt: skip
    encoding = EncodingOptions(codec=codec, crf=crf, pixel_format=pixel_format, preset=preset, images=images)
    found = inputs.find_one(_paths(source))
    job = Job(found, os.fspath(output), wanted.suited(_any_time(model)), encoding, overwrite, resume)
    return job.run(_interpolator(model), progress)


def interpolated_frames(
  source: Source,
  model: str | os.PathLike | Interpolator = 'film_mini',
  *,
  times: int | None = None,
  multiply: int | None = None,
  at: Sequence[Number] | None = None,
  fps: Number | None = None,
  slow: Number | None = None,
  start: Number | None = None,
  stop: Number | None = None,
  time: str = 'auto',
  loop: bool = False,
  at_cut: str = 'hold',
  cut: float = CUT,
  duplicates: str = 'keep',
  deinterlace: bool = False,
  damaged: str = 'stop',
) -> Iterator[Frame]:
  """Yields the frames that `interpolate_video` writes: `pixels` `[H, W, 3 or 4]`, `time` in seconds, a Fraction.

  Args and errors are those of `interpolate_video`.
  """
  with errors.as_in_python():
    wanted = request(
      times=times, multiply=multiply, at=at, fps=fps, slow=slow, start=start, stop=stop, time=time, loop=loop,
      at_cut=at_cut, cut=cut, duplicates=duplicates, deinterlace=deinterlace, damaged=damaged,
    )  # fmt: skip
    wanted = wanted.suited(_any_time(model))
    plan = make_plan(inputs.find_one(_paths(source)), wanted)
    return new_frames(plan, wanted, _interpolator(model), Position())


def _interpolator(model):
  from film_tf.inference.interpolator import Interpolator

  return model if isinstance(model, Interpolator) else Interpolator(model)


def _any_time(model):
  named = isinstance(model, str | os.PathLike)
  return sources.options(sources.find(model)).get('any_time', False) if named else model.any_time


def _paths(source):
  return [source] if isinstance(source, str | os.PathLike) else source
