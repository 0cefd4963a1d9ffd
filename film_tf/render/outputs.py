"""Writes frames to what the output's name asks for: a still image, an animation, a folder of images or a video.

Every output is made in parts: `encode` writes the frames of one, `join` makes the whole of them.
"""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from film_tf import files
from film_tf.errors import UserError
from film_tf.media import animation, image_file, names, upright, video_muxer
from film_tf.media.frame import Frame
from film_tf.media.rehearsal import rehearse
from film_tf.media.video_encoder import CODECS, Encoder
from film_tf.render.parts import Parts
from film_tf.render.plan import Plan

IMAGES = ('png', 'jpg', 'webp')
_FRAMES = files.FolderKind('a folder of images', '', ())  # which replaces an empty one alone


@dataclasses.dataclass(frozen=True)
class EncodingOptions:
  """How an output is encoded, where its name leaves that open."""

  codec: str | None = None  # of a video, FFmpeg's name; H.264 by default, VP9 in .webm
  crf: int | None = None  # quality of a video, less is better
  pixel_format: str | None = None  # of a video, FFmpeg's name; that of the input by default
  preset: str | None = None  # of a video, how much time its encoder takes; the encoder's own name of it
  images: str = 'png'  # of a folder; PNG has 16 bits where the input has

  def __post_init__(self):
    if self.images not in IMAGES:
      raise UserError(f'--images={self.images} is not known; expected one of {", ".join(IMAGES)}')


class FrameWriter(Protocol):
  """Writes the frames of one part."""

  @property
  def display_order(self) -> Sequence[int]:
    """Of a video, for every packet the number of its frame in the order in which they are shown."""

  @property
  def files(self) -> Sequence[str]:
    """Paths of what is written."""

  def write(self, frame: Frame):
    """Writes the next frame."""


class Output(Protocol):
  """What is made, in parts."""

  @property
  def notes(self) -> Sequence[str]:
    """What a person should know before the work."""

  @property
  def found(self) -> Sequence[str]:
    """What a person should know after the work."""

  @property
  def ends_parts(self) -> bool:
    """Whether the last frames of a part are others where it is cut short."""

  def encode(self, parts: Parts) -> contextlib.AbstractContextManager[FrameWriter]:
    """Returns what writes the frames of the next part; it is complete when the context ends."""

  def join(self, path: str, parts: Parts, overwrite: bool = False):
    """Makes the whole of all parts, as `path`."""

  def so_far(self, parts: Parts) -> str:
    """Makes what is finished visible, in the folder of parts, and returns where."""


class _Numbered:
  """Writes numbered images in the folder of parts."""

  display_order, ends_parts = (), False

  def __init__(self, path: str, plan: Plan, suffix: str):
    self.found: list[str] = []
    self._plan, self._suffix = plan, suffix
    self._digits = max(4, len(str(plan.total or 10**8)) + 1)
    self.notes = list(_notes_on_images(path, plan))
    image_file.check(path, image_file.FORMATS[suffix], _upright_shape(plan))

  @contextlib.contextmanager
  def encode(self, parts: Parts) -> Iterator[FrameWriter]:
    """Yields itself, to write the frames after those that are finished."""
    self._parts, self._next, self.files = parts, parts.count, []
    yield self

  def write(self, frame: Frame):
    """Writes an image."""
    path = self._image(self._parts, self._next)
    image_file.write(path, _as_seen(frame, self._plan), overwrite=True)
    self.files.append(path)
    self._next += 1

  def _image(self, parts, number):
    return os.path.join(parts.path('frames'), f'frame_{number:0{self._digits}d}{self._suffix}')


class Folder(_Numbered):
  """Makes a new folder of numbered images."""

  def __init__(self, path: str, plan: Plan, encoding: EncodingOptions):
    super().__init__(path, plan, f'.{encoding.images}')

  def join(self, path: str, parts: Parts, overwrite: bool = False):
    """Renames the folder, without images of a part that was not finished; an empty folder may be there."""
    finished = {self._image(parts, number) for number in range(parts.count)}
    for name in os.listdir(parts.path('frames')):
      if parts.path(os.path.join('frames', name)) not in finished:
        os.remove(parts.path(os.path.join('frames', name)))
    with files.atomic_write(path, overwrite or os.path.isdir(path), _FRAMES) as temporary:
      os.rename(parts.path('frames'), temporary)

  def so_far(self, parts: Parts) -> str:
    """Returns the folder of what is finished."""
    return parts.path('frames')


class Animation(_Numbered):
  """Makes a GIF or animated WebP, of images that are kept until it is complete."""

  def __init__(self, path: str, plan: Plan, encoding: EncodingOptions):
    super().__init__(path, plan, '.png')
    image_format = names.format_of(path, animation.FORMATS)
    image_file.check(path, image_format, _upright_shape(plan))
    self._path = path
    if plan.rate > animation.MAX_RATE[image_format]:
      most = animation.MAX_RATE[image_format]
      self.notes.append(
        f'{path} holds {most} frames a second at most, not {float(plan.rate):g}; the others are left out'
      )

  def join(self, path: str, parts: Parts, overwrite: bool = False):
    """Writes the animation."""
    images = (image_file.read(self._image(parts, number)).pixels for number in range(parts.count))
    times = [time for part in parts.parts for time in part.times]
    times = [time - times[0] for time in (*times, parts.parts[-1].end)]
    left = animation.write(path, images, times, overwrite, self._plan.repeats)
    if left:
      self.found.append(f'{path}: {left} of {parts.count} frames are left out, for they come too fast')

  def so_far(self, parts: Parts) -> str:
    """Writes an animation of what is finished."""
    joined = parts.path(f'so_far{names.suffix_of(self._path)}')
    self.join(joined, parts, overwrite=True)
    return joined


class Still:
  """Makes an image of the one new frame."""

  display_order, ends_parts, notes, found = (), False, (), ()

  def __init__(self, path: str, plan: Plan, encoding: EncodingOptions):
    if not plan.one_new_frame:
      wanted = plan.total - plan.given if plan.total and plan.given else 'more'
      raise UserError(f'{path} holds one frame and {wanted} are wanted; give --output a video, a .gif or a folder')
    image_file.check(path, names.format_of(path, image_file.FORMATS), plan.shape)
    self._plan, self._name = plan, f'still{names.suffix_of(path)}'

  @contextlib.contextmanager
  def encode(self, parts: Parts) -> Iterator[FrameWriter]:
    """Yields itself, to write the frame that is between the given ones."""
    self._parts, self.files = parts, []
    yield self

  def write(self, frame: Frame):
    """Writes the frame if it is not at the time of a given one."""
    if frame.time * self._plan.given_rate % 1:
      path = self._parts.path(self._name)
      image_file.write(path, _as_seen(frame, self._plan), overwrite=True)
      self.files.append(path)

  def join(self, path: str, parts: Parts, overwrite: bool = False):
    """Renames the image."""
    with files.atomic_write(path, overwrite) as temporary:
      os.rename(parts.path(self._name), temporary)

  def so_far(self, parts: Parts) -> str:
    """Returns the folder of parts: the image is there, or nothing is."""
    return parts.folder


class Video:
  """Makes a video of segments that are encoded independently."""

  ends_parts = True

  def __init__(self, path: str, plan: Plan, encoding: EncodingOptions):
    container = video_muxer.container_of(path)
    if plan.alpha:
      raise UserError(f'{path} is a video, which holds no transparency here; choose a folder, .webp or .gif')
    self._path, self._plan = path, plan
    self.found: list[str] = []
    codec = encoding.codec or CODECS[names.suffix_of(path)]
    self._encoder = Encoder(
      plan.video_format, plan.rate, plan.time_base, codec, encoding.crf, encoding.pixel_format, encoding.preset
    )
    self._encoder.check(path, container)
    lost = rehearse(path, next(plan.read(None)), self._encoder, plan.other_streams)
    self.notes = [*(f'{path}: {note}' for note in self._encoder.notes()), *(f'{path} {one}' for one in lost)]

  def encode(self, parts: Parts) -> contextlib.AbstractContextManager[FrameWriter]:
    """Returns what writes the next segment."""
    return self._encoder.segment(self._segment(parts, len(parts.parts)))

  def join(self, path: str, parts: Parts, overwrite: bool = False):
    """Joins the segments."""
    joined = self._join(path, parts.parts, parts, self._plan.other_streams, overwrite)
    self.found = [f'{path} {one}' for one in joined.damaged]

  def _join(self, path, finished, parts, others, overwrite):
    segments = [
      video_muxer.Segment(self._segment(parts, number), part.times, part.display_order)
      for number, part in enumerate(finished)
    ]
    end, encoder = finished[-1].end, self._encoder
    return video_muxer.join(
      path, segments, end, encoder.video_format, encoder.time_base, encoder.rate, others, overwrite
    )

  def so_far(self, parts: Parts) -> str:
    """Joins what is finished, with the sound of as long."""
    joined, others = parts.path(f'so_far{names.suffix_of(self._path)}'), self._plan.other_streams
    if others:
      end = others.zero + parts.all[-1].end / others.slow
      others = dataclasses.replace(others, stop=end if others.stop is None else min(end, others.stop))
    self._join(joined, parts.all, parts, others, overwrite=True)
    return joined

  def _segment(self, parts, number):
    return parts.path(f'{number:06d}.mkv')


def make_output(path: str, plan: Plan, encoding: EncodingOptions) -> Output:
  """Makes the output that a name asks for, checked as far as it can be before the long work.

  Raises:
    UserError: the name asks for nothing that is written, or for what cannot hold such frames.
  """
  suffix = names.suffix_of(path)
  kind: Callable[[str, Plan, EncodingOptions], Output]
  if path.endswith('/') or not suffix:
    kind = Folder
  elif suffix in video_muxer.FORMATS:
    kind = Video
  elif suffix == '.gif' or (suffix in animation.FORMATS and not plan.one_new_frame):
    kind = Animation
  elif suffix in image_file.FORMATS:
    kind = Still
  else:
    known = ', '.join([*image_file.FORMATS, '.gif', *video_muxer.FORMATS])
    raise UserError(f'cannot write {path}: expected a name that ends in {known}, or a folder')
  for name in ('codec', 'crf', 'pixel_format', 'preset'):
    if getattr(encoding, name) is not None and kind is not Video:
      raise UserError(f'--{name} is for videos, and {path} is none')
  if encoding.images != EncodingOptions.images and kind is not Folder:
    raise UserError(f'--images={encoding.images} is for a folder of images, and {path} is none')
  return kind(path, plan, encoding)


def _upright_shape(plan):
  """Returns height, width and channels of the images that are made of frames."""
  width, height = upright.size(plan.video_format)
  return height, width, plan.shape[2]


def _as_seen(frame, plan):
  """Returns a frame as an image file has it, which says neither how it is rotated nor what its pixels are like."""
  return dataclasses.replace(
    frame, pixels=upright.upright(frame.pixels, plan.video_format), icc_profile=plan.icc_profile
  )


def _notes_on_images(path, plan):
  """Says what images do not hold of a video."""
  others = plan.other_streams
  if others and len([times for times in others.video.survey.streams.values() if times.packets]) > 1:
    yield f'{path} holds images alone; sound and what else there is are left out'
