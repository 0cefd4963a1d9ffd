"""Where made frames go: a still, a GIF, a folder of images or a video, by the name of the output."""

import os
from collections.abc import Iterable

from film_tf import files
from film_tf.errors import UserError
from film_tf.inference import frames as files_of_frames
from film_tf.inference import video_writer
from film_tf.inference.plan import Plan
from film_tf.inference.sequence import Frame


def kind(path: str) -> str:
  """What the name asks for: still, gif, video or folder.

  Raises:
    UserError: none of these.
  """
  suffix = os.path.splitext(path)[1].lower()
  if path.endswith('/') or not suffix:
    return 'folder'
  if suffix in video_writer.CODECS:
    return 'video'
  if suffix == '.gif':
    return 'gif'
  if suffix in files_of_frames.FORMATS:
    return 'still'
  known = [*files_of_frames.FORMATS, '.gif', *video_writer.CODECS]
  raise UserError(f'cannot write {path}: expected a name that ends in {", ".join(known)}, or a folder')


def check(path: str, overwrite: bool = False):
  """Raises what `write` would raise of the name, but before the long work."""
  if kind(path) == 'folder' and os.path.exists(path):
    raise UserError(f'{path} exists already; give a new folder')
  files.check(path, overwrite)


def write(
  path: str, made: Iterable[Frame], plan: Plan, codec: str | None = None, crf: int | None = None, overwrite=False
):
  """Writes what was made by a plan: of a still the first frame that is between others, else all frames.

  Args:
    path: its name says what, see `kind`.
    made: in order of time.
    plan: of what is made.
    codec: of a video, see `video_writer.write`.
    crf: likewise.
    overwrite: replace an existing file; folders never are.

  Raises:
    UserError: it exists or cannot be written.
  """
  wanted = kind(path)
  if wanted == 'video':
    video_writer.write(path, made, plan.look, plan.time_base, plan.rate, plan.source, codec, crf, overwrite)
    return
  images = (files_of_frames.Frame(frame.pixels, plan.icc_profile) for frame in made if wanted != 'still' or frame.made)
  if wanted == 'still':
    files_of_frames.write(path, next(images), overwrite)
  elif wanted == 'gif':
    files_of_frames.write_gif(path, images, float(plan.rate), overwrite)
  else:
    with files.whole(path) as folder:
      os.mkdir(folder)
      digits = max(4, len(str(plan.total or 10**9)))
      for i, image in enumerate(images):
        files_of_frames.write(os.path.join(folder, f'frame_{i:0{digits}d}.png'), image)
