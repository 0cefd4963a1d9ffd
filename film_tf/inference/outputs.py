"""Where made frames go, by the name of the output: a still, an animation, a folder of images or a video.

All but a still come in parts: `encode` finishes one, `join` makes the whole of them.
"""

import dataclasses
import os
from collections.abc import Iterable, Sequence
from fractions import Fraction

from film_tf import files
from film_tf.errors import UserError
from film_tf.inference import animations, video_writer
from film_tf.inference import frames as files_of_frames
from film_tf.inference.parts import Part, Parts
from film_tf.inference.plan import Plan
from film_tf.inference.sequence import Frame
from film_tf.inference.video_encoder import CODECS, Encoder

IMAGES = ('png', 'jpg', 'webp')


@dataclasses.dataclass(frozen=True)
class Form:
  """How an output is encoded, where its name leaves that open."""

  codec: str | None = None  # of a video, FFmpeg's name; H.264 by default, VP9 in .webm
  crf: int | None = None  # quality of a video, less is better
  pixel_format: str | None = None  # of a video, FFmpeg's name; that of the input by default
  images: str = 'png'  # of a folder; PNG has 16 bits where the input has

  def __post_init__(self):
    if self.images not in IMAGES:
      raise UserError(f'--images={self.images} is not known; expected one of {", ".join(IMAGES)}')


class Still:
  """The one frame that is made."""

  def __init__(self, path: str, plan: Plan, form: Form):
    self.path, self.plan = path, plan
    if plan.total != 3:
      raise UserError(
        f'{path} holds one frame and {plan.total - 2 if plan.total else "more"} are wanted; '
        'give --output a video, a .gif or a folder'
      )
    files_of_frames.check(path, files_of_frames.still_format(path), shape_of(plan))

  def write(self, frames: Iterable[Frame], overwrite: bool = False):
    """Writes it."""
    image = list(frames)[1]
    files_of_frames.write(self.path, files_of_frames.Frame(image.pixels, self.plan.icc_profile), overwrite)


class _Images:
  """Numbered images."""

  def __init__(self, path: str, plan: Plan, images: str):
    self.path, self.plan = path.rstrip('/'), plan
    self._suffix = f'.{images}'
    self._digits = max(4, len(str(plan.total or 10**8)) + 1)

  def encode(self, parts: Parts, frames: Iterable[Frame]) -> Sequence[int]:
    """Writes the frames of the next part."""
    for number, frame in enumerate(frames, start=parts.count):
      image = files_of_frames.Frame(frame.pixels, self.plan.icc_profile)
      files_of_frames.write(self._image(parts, number), image, overwrite=True)
    return ()

  def _image(self, parts, number):
    return os.path.join(parts.path('frames'), f'frame_{number:0{self._digits}d}{self._suffix}')


class _Joined:
  """What can be seen only when parts are joined."""

  def so_far(self, parts: Parts) -> str:
    """Joins what is finished, in the folder of parts, and says where."""
    path = parts.path(f'so_far{os.path.splitext(self.path)[1]}')
    self.join(path, parts, overwrite=True)
    return path


class Folder(_Images):
  """Numbered images in a new folder."""

  def __init__(self, path: str, plan: Plan, form: Form):
    super().__init__(path, plan, form.images)
    files_of_frames.check(path, files_of_frames.FORMATS[self._suffix], shape_of(plan))

  def join(self, path: str, parts: Parts, overwrite: bool = False):
    """Makes the folder."""
    for number in range(parts.count, parts.count + len(os.listdir(parts.path('frames')))):
      if os.path.exists(self._image(parts, number)):  # after the last that is noted
        os.remove(self._image(parts, number))
    with files.whole(path, overwrite) as temporary:
      os.rename(parts.path('frames'), temporary)

  def so_far(self, parts: Parts) -> str:
    """Where what is finished can be seen."""
    return parts.path('frames')


class Animation(_Images, _Joined):
  """A GIF or animated WebP, of images that are kept until it is whole."""

  def __init__(self, path: str, plan: Plan, form: Form):
    super().__init__(path, plan, 'png')
    files_of_frames.check(path, animations.FORMATS[os.path.splitext(path)[1].lower()], shape_of(plan))

  def join(self, path: str, parts: Parts, overwrite: bool = False):
    """Makes the animation."""
    images = (files_of_frames.read(self._image(parts, number)).pixels for number in range(parts.count))
    times = [time for part in parts.parts for time in part.times]
    animations.write(path, images, [time - times[0] for time in (*times, parts.parts[-1].end)], overwrite)


class Video(_Joined):
  """A video, of pieces each encoded by itself."""

  def __init__(self, path: str, plan: Plan, form: Form):
    self.path, self.plan = path, plan
    suffix = video_writer.suffix_of(path)
    if plan.alpha:
      raise UserError(f'{path} is a video, which holds no transparency here; choose a folder, .webp or .gif')
    codec = form.codec or CODECS[suffix]
    self._encoder = Encoder(plan.look, plan.rate, plan.time_base, codec, form.crf, form.pixel_format)
    self._encoder.check(path, video_writer.FORMATS[suffix])

  def encode(self, parts: Parts, frames: Iterable[Frame]) -> Sequence[int]:
    """Encodes the next piece, and returns the turns of its packets."""
    return self._encoder.encode(self._piece(parts, len(parts.parts)), frames)

  def join(self, path: str, parts: Parts, overwrite: bool = False):
    """Makes the video."""
    pieces = [video_writer.Piece(self._piece(parts, i), p.times, p.turns) for i, p in enumerate(parts.parts)]
    look, time_base, rest = self.plan.look, self.plan.time_base, self.plan.rest
    video_writer.join(path, pieces, parts.parts[-1].end, look, time_base, rest, overwrite)

  def _piece(self, parts, number):
    return parts.path(f'{number:06d}.mkv')


def of(path: str, plan: Plan, form: Form) -> Still | Folder | Animation | Video:
  """What the name asks for, checked as far as it can be before the long work.

  Raises:
    UserError: the name asks for nothing that we write, or for what cannot hold such frames.
  """
  suffix = os.path.splitext(path)[1].lower()
  if path.endswith('/') or not suffix:
    output = Folder
  elif suffix in video_writer.FORMATS:
    output = Video
  elif suffix == '.gif' or (suffix in animations.FORMATS and plan.total != 3):
    output = Animation
  elif suffix in files_of_frames.FORMATS:
    output = Still
  else:
    known = ', '.join([*files_of_frames.FORMATS, '.gif', *video_writer.FORMATS])
    raise UserError(f'cannot write {path}: expected a name that ends in {known}, or a folder')
  for name in ('codec', 'crf', 'pixel_format'):
    if getattr(form, name) is not None and output is not Video:
      raise UserError(f'--{name} is for videos, and {path} is none')
  if form.images != Form.images and output is not Folder:
    raise UserError(f'--images={form.images} is for a folder of images, and {path} is none')
  return output(path, plan, form)


def shape_of(plan: Plan) -> tuple[int, int, int]:
  """Height, width and channels of the frames."""
  return plan.look.height, plan.look.width, 4 if plan.alpha else 3


def part_of(frames: Iterable[Frame], sink: Folder | Video, parts: Parts, usual: Fraction) -> Part:
  """Encodes frames, one or more, as the next part; the last is shown for `usual` seconds where it does not say."""
  times, off, last = [], Fraction(0), None

  def each():
    nonlocal off, last
    for last in frames:
      times.append(last.time)
      off = max(off, last.off)
      yield last

  turns = sink.encode(parts, each())
  return Part(times, last.time + (last.duration or usual), off, last.place, turns)
