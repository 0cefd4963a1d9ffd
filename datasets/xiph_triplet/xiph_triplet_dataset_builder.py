"""Xiph: eight 4K clips, as SoftSplat and FILM measure on them."""

import dataclasses

import numpy as np
import tensorflow_datasets as tfds

from film_tf.building import footage, triplet_builder
from film_tf.errors import UserError
from film_tf.media.names import in_natural_order

SCENES = (
  'BoxingPractice', 'Crosswalk', 'DrivingPOV', 'FoodMarket',
  'FoodMarket2', 'RitualDance', 'SquareAndTimelapse', 'Tango',
)  # fmt: skip
FRAMES = 100  # the first of each clip; 2, 4 ... 98 are made from their neighbours


def area(pixels):
  """Halves by the mean of 2x2 pixels, as SoftSplat's benchmark does (OpenCV's INTER_AREA)."""
  return np.floor(_blocks(pixels.astype(np.float32)) + 0.5).astype(np.uint8)


def linear_light(pixels):
  """Halves by the mean of 2x2 pixels in linear light, gamma 2.2, as FILM's tool does."""
  light = (pixels.astype(np.float32) / 255.0) ** 2.2
  return np.floor(255.0 * _blocks(light) ** (1.0 / 2.2) + 0.5).astype(np.uint8)


def centre(pixels):
  """Cuts the middle out, half the height and width."""
  height, width, _ = pixels.shape
  return pixels[height // 4 : -(height // 4), width // 4 : -(width // 4)]


def _blocks(pixels):
  height, width, channels = pixels.shape
  return pixels.reshape(height // 2, 2, width // 2, 2, channels).mean(axis=(1, 3))


@dataclasses.dataclass(eq=False)
class Config(tfds.core.BuilderConfig):
  """How 4096x2160 pixels become 2048x1080."""

  how: str = 'area'


HOW = {'area': area, 'linear_light': linear_light, 'centre': centre}


class Builder(triplet_builder.TripletBuilder):
  """Split `test`: 49 triplets of each clip, from its `.y4m` file or its frames as PNG."""

  VERSION = tfds.core.Version('1.0.0')
  HOMEPAGE = 'https://media.xiph.org/video/derf/'
  BUILDER_CONFIGS = [
    Config(name='2k', how='area', description='Halved by the mean of 2x2 pixels, as in SoftSplat.'),
    Config(name='2k_film', how='linear_light', description="Halved in linear light, as FILM's own tool does."),
    Config(name='4k', how='centre', description='The middle 2048x1080 pixels.'),
  ]
  PUBLISHED = {'test': 392}
  SIZE = (2160, 4096)

  def clips(self, root):
    base = triplet_builder.find(root, 'netflix', '.')
    return {'test': [triplet_builder.Clip(scene, lambda scene=scene: self._triplets(base, scene)) for scene in SCENES]}

  def _triplets(self, base, scene):
    frames = (self._converted(frame) for frame in self._frames(base, scene))
    for number, *window in footage.windows(frames, step=2):
      yield footage.triplet(f'{scene}/{number + 1:03d}', window)

  def _frames(self, base, scene):
    """Yields the first frames of a scene."""
    videos = [*base.glob(f'*_{scene}_*.y4m'), *base.glob(f'{scene}.y4m')]
    files = in_natural_order([*base.glob(f'{scene}-*.png'), *base.glob(f'{scene}/*.png')])
    if not videos and not files:
      raise UserError(f'{base} has neither *_{scene}_*.y4m nor {scene}-001.png nor {scene}/001.png')
    frames = footage.video(videos[0]) if videos else map(footage.image, files)
    for number, frame in enumerate(frames, 1):
      yield frame
      if number == FRAMES:
        return
    raise UserError(f'{(videos or files)[0]}: there are fewer than {FRAMES} frames')

  def _converted(self, frame):
    if frame.pixels.shape[:2] != self.SIZE:
      height, width, _ = frame.pixels.shape
      raise UserError(f'{frame.name} has {width}x{height} pixels; expected {self.SIZE[1]}x{self.SIZE[0]}')
    return footage.SourceImage(frame.name, HOW[self.builder_config.how](frame.pixels))
