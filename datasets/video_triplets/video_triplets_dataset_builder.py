"""Triplets from your own footage: a folder of videos, or of folders of frames."""

import dataclasses
import itertools

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from film_tf import fields, files
from film_tf.building import footage, triplet_builder
from film_tf.data import motion
from film_tf.errors import UserError
from film_tf.fields import Amount, Count, PixelsOr0, Share
from film_tf.media.names import VIDEOS, in_natural_order

_IMAGE = tf.TensorSpec([None, None, 3], tf.uint8)
_measure = tf.function(motion.measure, input_signature=[_IMAGE] * 2, autograph=False)


@dataclasses.dataclass(eq=False)
class Config(tfds.core.BuilderConfig):
  """Which triplets to take; `--config='{"name": "fast", "stride": 2}'` makes one of your own.

  Raises:
    UserError: a value is out of range.
  """

  stride: Count = 1  # frames from the first to the one between, and on to the last
  between: Count = 1  # frames between the first and the last, `stride` apart, of which each makes a triplet of its time
  step: Count = 2  # frames from one triplet to the next
  min_motion: Amount = 1.0  # pixels that something must move from the first frame to the last
  max_lost: Share = motion.CUT  # share of the first frame's texture that may be missing in the last; more is a cut
  min_difference: Amount = motion.DUPLICATE  # mean difference of two neighbours, of 255; less is a duplicate
  height: PixelsOr0 = 0  # pixels to shrink frames to, with their width; 0 keeps them as they are
  tile: PixelsOr0 = 0  # pixels of squares to cut frames into, kept where something moves; 0 keeps all

  def __post_init__(self):
    fields.check(self, 'config')
    if self.tile and self.tile < motion.MIN_SIDE:
      raise UserError(f'config.tile is {self.tile}; expected {motion.MIN_SIDE} pixels or more, or 0 for whole frames')


class Builder(triplet_builder.TripletBuilder):
  """Split `train`, in the order of the names; `train[90%:]` is then the last videos."""

  VERSION = tfds.core.Version('1.1.0')
  RELEASE_NOTES = {'1.0.0': 'Frames halfway.', '1.1.0': 'Each with its time.'}
  ANY_TIME = True
  BUILDER_CONFIGS = [
    Config(name='default', description='Neighbouring frames.'),
    Config(name='stride2', stride=2, description='Every second frame: twice the motion.'),
    Config(name='stride3', stride=3, step=3, description='Every third frame.'),
    Config(name='quarters', between=3, step=4, description='Three frames between the first and the last.'),
    Config(name='all', min_motion=0.0, max_lost=1.0, min_difference=0.0, description='All, to measure on.'),
  ]

  def clips(self, root):
    sources = {}
    for path in footage.files(root):
      if path.suffix.lower() in VIDEOS:
        sources[path] = footage.video
      elif path.suffix.lower() in footage.IMAGES:
        sources[path.parent] = lambda folder: map(footage.image, footage.images(folder))
    if not sources:
      triplet_builder.find(root, 'videos or folders of frames')
    return {'train': [self._clip(root, path, sources[path]) for path in in_natural_order(sources)]}

  def _clip(self, root, path, read):
    name, config = files.legible(path.relative_to(root)), self.builder_config

    def triplets():
      shrunk = map(self._shrunk, read(path))
      for number, *window in footage.windows(shrunk, config.stride, config.step, config.between):
        height, width = footage.size(window)
        if self._useful([frame.pixels for frame in window]):
          for place, frames in self._tiles(window, height, width):
            yield from self._triplets(f'{name}/{number:06d}{place}', frames)

    return triplet_builder.Clip(name, triplets)

  def _triplets(self, path, frames):
    """Yields the first and the last frame with each that is between them."""
    first, *between, last = frames
    parts = len(between) + 1
    for i, frame in enumerate(between, 1):
      yield footage.triplet(f'{path}/{i}of{parts}' if parts > 2 else path, (first, frame, last), i / parts)

  def _shrunk(self, frame):
    height, width, _ = frame.pixels.shape
    wanted = self.builder_config.height
    if not wanted or wanted >= height:
      return frame
    small = Image.fromarray(frame.pixels).resize((round(width * wanted / height), wanted), Image.Resampling.BOX)
    return footage.SourceImage(frame.name, np.asarray(small))

  def _tiles(self, window, height, width):
    """Yields the frames whole, or their squares in which something moves, each with its place."""
    side = self.builder_config.tile
    if not side:
      yield '', window
      return
    if min(height, width) < side:
      raise UserError(f'{window[0].name} has {width}x{height} pixels, too few for a tile of {side}')
    for y in range(height % side // 2, height - side + 1, side):
      for x in range(width % side // 2, width - side + 1, side):
        tile = [footage.SourceImage(frame.name, frame.pixels[y : y + side, x : x + side]) for frame in window]
        if _measure(tile[0].pixels, tile[-1].pixels).largest >= self.builder_config.min_motion:
          yield f'/{y},{x}', tile

  def _useful(self, frames):
    """Returns whether there is no duplicate, no cut, and enough motion."""
    config = self.builder_config
    if config.min_difference and any(
      motion.is_duplicate(x, y, config.min_difference) for x, y in itertools.pairwise(frames)
    ):
      return False
    if config.min_motion == 0.0 and config.max_lost >= 1.0:  # all there is, of any size
      return True
    _, largest, lost = _measure(frames[0], frames[-1])
    return bool(lost <= config.max_lost and largest >= config.min_motion)
