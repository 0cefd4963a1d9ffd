"""Augmentations of a triplet: pure functions of stacked frames and a seed.

All of them move or turn the three frames alike. Frames are `[3, H, W, 3]` (before, middle, after), a seed is `[2]`
int64; none keeps state, so example i of a seed is always augmented in the same way.
"""

import dataclasses
import math
from typing import Annotated

import gin
import tensorflow as tf

from film_tf import fields
from film_tf.data import motion
from film_tf.errors import UserError
from film_tf.fields import Amount, Pixels, Range, Share


@dataclasses.dataclass(frozen=True)
class Augmentation:
  """Which augmentations a training example gets; the defaults are the published ones.

  Raises:
    UserError: a value is out of range.
  """

  crop: Pixels = 256  # pixels, height and width of what the trainer sees
  quarter_turns: bool = True  # rotation by 0, 90, 180 or 270 degrees, each as likely
  flip: bool = True  # left-right, every second time
  rotation_probability: Share = 0.5  # how often to rotate by a small angle
  rotation_degrees: Annotated[float, Range(0.0, 180.0)] = 45.0  # which is at most this, either way
  time_reversal: bool = True  # swap before and after, every second time
  colour_jitter: Annotated[float, Range(0.0, 0.99)] = 0.0  # change of brightness, contrast, saturation
  # Take only crops in which what moves farthest from x0 to x1 moves by so many pixels, least and most; None is all.
  motion_range: tuple[Amount, Amount] | None = None

  def __post_init__(self):
    fields.check(self, 'augmentation')
    if self.motion_range is not None:
      if self.motion_range[0] >= self.motion_range[1]:
        raise UserError(f'augmentation.motion_range is {self.motion_range}; expected (least, most), in pixels')
      if self.crop < motion.MIN_SIDE:
        raise UserError(f'augmentation.crop is {self.crop}; motion_range needs {motion.MIN_SIDE} pixels at least')


configured = gin.external_configurable(Augmentation, name='augmentation')
"""`Augmentation` with its defaults from gin: `augmentation.crop = 192`."""


def augment(
  frames: tf.Tensor, time: tf.Tensor | float, seed: tf.Tensor, options: Augmentation
) -> tuple[tf.Tensor, tf.Tensor]:
  """Draws and applies all that `options` asks for.

  Args:
    frames: `[3, H, W, 3]`, uint8 or float in [0, 1].
    time: of the one between, from 0 to 1.
    seed: `[2]` int64.
    options: what to do.

  Returns:
    `[3, crop, crop, 3]` float32 in [0, 1], and the time of the one between in these.
  """
  time = tf.convert_to_tensor(time)
  geometry, reversal, colour = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
  frames = crop(frames, geometry, options)  # first, so that the rest works on few pixels
  if options.time_reversal:
    frames, time = reverse_time(frames, time, reversal)
  if options.colour_jitter:
    frames = colour_jitter(frames, colour, options.colour_jitter)
  return tf.ensure_shape(frames, (3, options.crop, options.crop, 3)), time


def crop(frames: tf.Tensor, seed: tf.Tensor, options: Augmentation) -> tf.Tensor:
  """Cuts a random square out of the frames, turned by quarters, by a small angle every so often, and mirrored.

  What is turned by a small angle is sampled from the frames directly, at the pixels of the crop alone, its centre drawn
  so that it lies inside them. Where they are too small for that (a 256 pixel crop at 45 degrees wants 362) the rest
  mirrors them; nothing is ever black.

  Returns:
    `[3, crop, crop, 3]` float32 in [0, 1].

  Raises:
    InvalidArgumentError: the frames are smaller than the crop.
  """
  place, turn, draw, quarters, mirror = tf.unstack(tf.random.experimental.stateless_split(seed, 5))
  size = tf.shape(frames)[1:3]
  tf.debugging.assert_greater_equal(size, options.crop, 'frames are smaller than augmentation.crop')
  place = tf.random.stateless_uniform((2,), place)

  def upright():
    y, x = tf.unstack(tf.cast(tf.floor(place * tf.cast(size - options.crop + 1, tf.float32)), tf.int32))
    square = tf.slice(frames, [0, y, x, 0], [-1, options.crop, options.crop, -1])
    square = tf.image.convert_image_dtype(square, tf.float32)
    square = quarter_turn(square, quarters) if options.quarter_turns else square
    return flip(square, mirror) if options.flip else square

  def turned():
    limit = math.radians(options.rotation_degrees)
    angle = tf.random.stateless_uniform((), turn, -limit, limit)
    reach = (tf.abs(tf.cos(angle)) + tf.abs(tf.sin(angle))) * (options.crop - 1) / 2.0  # half the crop's bounding box
    last = tf.cast(size - 1, tf.float32)
    low, high = tf.minimum(reach, last / 2.0), tf.maximum(last - reach, last / 2.0)
    if options.quarter_turns:  # and mirroring: sampling elsewhere costs nothing
      angle += math.pi / 2.0 * tf.cast(_quarters(quarters), tf.float32)
    mirrored = _coin(mirror) if options.flip else tf.constant(False)
    return rotated_crop(frames, low + (high - low) * place, angle, options.crop, mirrored)

  return tf.cond(tf.random.stateless_uniform((), draw) < options.rotation_probability, turned, upright)


# Compiled it takes a sixth of the time, most of which would go to intermediate results. XLA compiles it anew for every
# size of frames, in about 0.15 seconds.
@tf.function(jit_compile=True, autograph=False)
def rotated_crop(
  frames: tf.Tensor, centre: tf.Tensor, angle: tf.Tensor, size: int, mirrored: tf.Tensor | bool = False
) -> tf.Tensor:
  """Samples a square of `size` pixels around `centre` (y, x), bilinearly; outside the frames are their mirror image.

  The square is turned by `angle` radians, and then left and right are swapped if it is to be `mirrored`. With the
  centre of the frames for `centre` it is the middle of `tfa.image.rotate(frames, angle, 'bilinear')`.

  Returns:
    `[3, size, size, C]` float32 in [0, 1].
  """
  frames = tf.image.convert_image_dtype(frames, tf.float32)
  _, height, width, channels = tf.unstack(tf.shape(frames))
  pixels = tf.reshape(frames, (3, height * width, channels))
  angle, step = tf.cast(angle, tf.float32), tf.range(size, dtype=tf.float32) - (size - 1) / 2.0
  right, down = tf.where(mirrored, -step, step), step[:, tf.newaxis]
  y, below, y_weight = _neighbours(centre[0] + tf.sin(angle) * right + tf.cos(angle) * down, height)
  x, beside, x_weight = _neighbours(centre[1] + tf.cos(angle) * right - tf.sin(angle) * down, width)

  def row(y):
    left = tf.gather(pixels, y * width + x, axis=1)
    return left + x_weight * (tf.gather(pixels, y * width + beside, axis=1) - left)

  top, bottom = row(y), row(below)
  return top + y_weight * (bottom - top)


def _neighbours(position, size):
  """Returns the two indices around each position, mirrored into [0, size), and the weight `[..., 1]` of the second."""
  last = tf.cast(size - 1, tf.float32)
  position = tf.clip_by_value(last - tf.abs(last - tf.abs(position)), 0.0, last)
  first = tf.floor(position)
  index = tf.cast(first, tf.int32)
  return index, tf.minimum(index + 1, size - 1), (position - first)[..., tf.newaxis]


def quarter_turn(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
  """Rotates by 0, 90, 180 or 270 degrees, each as likely; frames are square."""
  return tf.image.rot90(frames, _quarters(seed))


def flip(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
  """Mirrors left and right, every second time."""
  # tf.reverse takes a sixth of the time of a slice with step -1.
  return tf.cond(_coin(seed), lambda: tf.reverse(frames, [2]), lambda: frames)


def reverse_time(frames: tf.Tensor, time: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
  """Swaps before and after, every second time; `time` is that of the frame between."""
  return tf.cond(_coin(seed), lambda: (tf.reverse(frames, [0]), 1.0 - time), lambda: (frames, time))


def colour_jitter(frames: tf.Tensor, seed: tf.Tensor, share: float) -> tf.Tensor:
  """Scales brightness, contrast and saturation, each by 1 - share to 1 + share, alike in all frames."""
  brightness, contrast, saturation = tf.unstack(tf.random.stateless_uniform((3,), seed, 1.0 - share, 1.0 + share))
  frames *= brightness
  mean = tf.reduce_mean(frames)
  frames = mean + contrast * (frames - mean)
  grey = tf.reduce_mean(frames, axis=-1, keepdims=True)
  return tf.clip_by_value(grey + saturation * (frames - grey), 0.0, 1.0)


def in_motion_range(frames: tf.Tensor, low: float, high: float) -> tf.Tensor:
  """Tells whether what moves farthest between first and last frame (`motion.measure`) moves `low` to `high` pixels."""
  largest = motion.measure(frames[0], frames[2]).largest
  return (low <= largest) & (largest <= high)


def _quarters(seed):
  return tf.random.stateless_uniform((), seed, 0, 4, tf.int32)


def _coin(seed):
  return tf.random.stateless_uniform((), seed) < 0.5
