"""Draws scenes: their layers, where these are, how they move and what they look like."""

import dataclasses
from typing import Annotated

import gin
import numpy as np
import tensorflow as tf

from film_tf import fields
from film_tf.fields import Pixels, Range, Share

WAVES = 8  # plane waves that a drawn texture is made of
_PHOTOGRAPHED = 0.75  # share of scenes with textures from photographs, where there are any
_BLURRED = 0.25  # share of scenes with motion blur, which costs five renderings
_TIMES = (0.125, 0.875)  # of y: nearer to x0 or x1 there is little to learn
_STRAIN = 0.4  # the steepest slope of the wave that bends a layer


@dataclasses.dataclass(frozen=True)
class Scenes:
  """What kind of scenes to draw.

  Raises:
    UserError: a value is out of range.
  """

  height: Pixels = 256  # pixels
  width: Pixels = 256  # pixels
  shapes: Annotated[int, Range(0, 1000)] = 4  # at most this many in front of the background, 0 or more
  max_motion: Annotated[float, Range(0.0, 64.0)] = 32.0  # no pixel moves farther from x0 to x1, in pixels, 0 to 64
  bending: Annotated[float, Range(0.0, 0.5)] = 0.0  # share of the motion that may be a wave, 0 to 0.5
  blur: Share = 0.0  # share of the time from x0 to y that the shutter of one scene in four is open, at most; 0 to 1
  lighting: Share = 0.0  # brightness and contrast change by up to this share from x0 to x1, 0 to 1
  noise: Share = 0.0  # standard deviation of noise in x0 and x1 is up to this; white is 1
  any_time: bool = False  # y is at any time from 1/8 to 7/8 of the way from x0 to x1, instead of halfway
  photographs: str = ''  # a source whose frames are textures of three scenes in four; '' draws all

  def __post_init__(self):
    fields.check(self, 'synthetic')


configured = gin.external_configurable(Scenes, name='synthetic')
"""`Scenes` with its defaults from gin: `synthetic.max_motion = 16`."""


def draw(scenes: Scenes, seed: tf.Tensor) -> dict:
  """Draws one scene: a dict of tensors. Those of layers have a row a layer, back to front; of the whole scene are

  `photographed`, `blurred` `[]` (whether it is), `shutter`, `contrast_change`, `brightness_change`, `time` `[]` (of y,
  from 0 to 1), and `noise` `[2, H * W, 3]`, of x0 and x1.
  """
  seeds = iter(tf.unstack(tf.random.experimental.stateless_split(seed, 40)))
  n = 1 + tf.random.stateless_uniform((), next(seeds), 0, scenes.shapes + 1, tf.int32)

  def uniform(shape, low, high):
    return tf.random.stateless_uniform((n, *shape), next(seeds), low, high)

  def of_scene(low=0.0, high=1.0):
    return tf.random.stateless_uniform((), next(seeds), low, high)

  def log_uniform(shape, low, high):
    return tf.exp(uniform(shape, np.log(low), np.log(high)))

  size = np.array([scenes.width, scenes.height], np.float32)
  diagonal, pixels = float(np.linalg.norm(size)), scenes.height * scenes.width

  # Motion: its bound is shared out to translation d, deformation G and wave s so that no visible pixel exceeds it, for
  # the flow is d + s + G (I -+ G/2)^-1 (p - c -+ (d + s)/2), and |G (I -+ G/2)^-1| <= g / (1 - g/2) where g = |G|.
  motion = scenes.max_motion * uniform((1,), 0.0, 1.0)
  length = diagonal * log_uniform((1,), 0.2, 1.0)  # of the wave
  crest = tf.minimum(scenes.bending * motion * uniform((1,), 0.0, 1.0), _STRAIN * length / (2.0 * np.pi))
  bound = motion - crest
  deforming = uniform((1,), 0.0, 0.5)
  angle = uniform((), -np.pi, np.pi)
  d = (1.0 - deforming) * bound * _direction(angle)
  strain = deforming * bound / (diagonal + motion)
  g = tf.random.stateless_normal((n, 2, 2), next(seeds))
  g *= (strain / (1.0 + strain / 2.0))[..., tf.newaxis] / tf.norm(g, axis=(1, 2), keepdims=True)

  # Texture: waves of 5 pixels to half the image, bent by a slow one, steepened into edges by tanh.
  wavelength = log_uniform((1, WAVES), 5.0, max(diagonal / 2.0, 6.0))
  waves = 2.0 * np.pi / wavelength * tf.transpose(_direction(uniform((WAVES,), -np.pi, np.pi)), (0, 2, 1))
  mix = tf.random.stateless_normal((n, WAVES, 3), next(seeds)) + 2.0 * uniform((WAVES, 1), -1.0, 1.0)  # mostly grey
  colour = uniform((1, 3), 0.1, 0.9)

  # Shape: a ball of some p-norm, stretched and turned, with a wavy outline.
  radius = np.sqrt(pixels) * log_uniform((1,), 0.08, 0.4)
  turn = _direction(uniform((), -np.pi, np.pi))
  axes = tf.stack([turn, tf.stack([-turn[:, 1], turn[:, 0]], axis=-1)], axis=-1) * log_uniform((1, 2), 0.6, 1.6)
  return {
    'c': size * uniform((2,), 0.0, 1.0),
    'd': d,
    'g': g,
    'waves': waves,  # [N, 2, K]
    'phases': uniform((1, WAVES), -np.pi, np.pi),
    'mix': mix * tf.sqrt(wavelength / diagonal)[:, 0, :, tf.newaxis],  # long waves are strong
    'steepness': log_uniform((1, 1), 1.0, 6.0),
    'colour': colour,
    'contrast': tf.minimum(colour, 1.0 - colour) * uniform((1, 3), 0.3, 1.0),
    'axes': axes,
    'power': log_uniform((1, 1), 1.0, 8.0),
    'radius': radius,
    'softness': uniform((1,), 1.0, 3.0),
    'crest': crest[:, tf.newaxis] * _direction(uniform((1,), -np.pi, np.pi)),
    'ripple': 2.0 * np.pi / length * _direction(uniform((), -np.pi, np.pi)),
    'phase': uniform((1,), -np.pi, np.pi),
    'corner': uniform((1, 2), 0.0, 1.0),  # where a photograph lies
    'zoom': log_uniform((1, 1), 0.6, 1.25),
    'photographed': of_scene() < _PHOTOGRAPHED,
    'blurred': of_scene() < _BLURRED,
    'shutter': 0.5 * scenes.blur * of_scene(),
    'contrast_change': scenes.lighting * of_scene(-1.0),
    'brightness_change': scenes.lighting * of_scene(-1.0),
    'noise': scenes.noise * of_scene() * tf.random.stateless_normal((2, pixels, 3), next(seeds)),
    'time': of_scene(*_TIMES) if scenes.any_time else tf.constant(0.5),
  }


def _direction(angle):
  return tf.stack([tf.cos(angle), tf.sin(angle)], axis=-1)
