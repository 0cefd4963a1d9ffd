"""Endless triplets that need no download: layers of procedural texture in motion, rendered exactly at three times.

A scene is a background and soft-edged shapes in front of it. Every layer moves by its own affine motion, in which each
of its points goes straight and at constant speed: a point at u in the layer is, at time t in [-1/2, 1/2], at

    p(t) = c + t d + (I + t G) u

Textures and shapes are formulas, so every frame is rendered at its time and none is resampled from another; the middle
frame and the flow are exact. Example i of a seed is a pure function of both: a run can go on anywhere.
"""

import dataclasses

import gin
import numpy as np
import tensorflow as tf

from film_tf import keys
from film_tf.errors import UserError

_WAVES = 8  # plane waves a texture is made of
_TIMES = (-0.5, 0.0, 0.5)  # x0, y, x1


@dataclasses.dataclass(frozen=True)
class Scenes:
  """What kind of scenes to draw.

  Raises:
    UserError: a value is out of range.
  """

  height: int = 256  # pixels
  width: int = 256  # pixels
  shapes: int = 4  # at most this many in front of the background, 0 or more
  max_motion: float = 32.0  # no pixel moves farther from x0 to x1, in pixels, 0 to 64

  def __post_init__(self):
    if not 0.0 <= self.max_motion <= 64.0:
      raise UserError(f'synthetic max_motion is {self.max_motion}; expected 0 to 64 pixels')
    if min(self.height, self.width) < 1 or self.shapes < 0:
      raise UserError(
        f'synthetic scenes of {self.height}x{self.width} pixels with {self.shapes} shapes; '
        'expected a size of at least 1x1 and 0 or more shapes'
      )


def triplets(
  scenes: Scenes, seed: int = 0, start: int = 0, worker: tf.distribute.InputContext | None = None
) -> tf.data.Dataset:
  """All examples of `seed` from number `start` on, without end, in order; of n workers each has every n-th.

  Returns:
    A dataset of dicts: `x0`, `y`, `x1` `[H, W, 3]` float32 in [0, 1]; `time` `[1]`, always 0.5; `forward_flow`,
    `backward_flow` `[H, W, 2]`, the motion of what is seen in x0 to x1 and of what is seen in x1 to x0, (dx, dy) in
    pixels. Where the edge of a layer mixes it with what is behind, the flow is that of the one with more than half.
  """
  worker = worker or tf.distribute.InputContext()
  numbers = tf.data.Dataset.range(start + worker.input_pipeline_id, np.iinfo(np.int64).max, worker.num_input_pipelines)
  return numbers.map(lambda i: triplet(scenes, tf.stack([tf.constant(seed, tf.int64), i])), tf.data.AUTOTUNE)


configured = gin.external_configurable(Scenes, name='synthetic')
"""`Scenes` with its defaults from gin: `synthetic.max_motion = 16`."""


def triplet(scenes: Scenes, seed: tf.Tensor) -> dict:
  """One example; see `triplets`. `seed`: `[2]` int64."""
  layers = draw(scenes, seed)
  positions = _pixel_grid(scenes.height, scenes.width)  # [P, 2]
  inside = [_to_layer(layers, positions, t) for t in _TIMES]  # [N, P, 2] each
  colours, alphas = zip(*[(_texture(layers, u), _coverage(layers, u)) for u in inside], strict=True)
  x0, y, x1 = map(_compose, colours, alphas)
  image_shape, flow_shape = (scenes.height, scenes.width, 3), (scenes.height, scenes.width, 2)
  forward = _compose(_from_layer(layers, inside[0], 0.5) - positions, tf.round(alphas[0]))
  backward = _compose(_from_layer(layers, inside[2], -0.5) - positions, tf.round(alphas[2]))
  return {
    keys.X0: tf.reshape(x0, image_shape),
    keys.Y: tf.reshape(y, image_shape),
    keys.X1: tf.reshape(x1, image_shape),
    keys.TIME: tf.constant([0.5]),
    keys.FORWARD_FLOW: tf.reshape(forward, flow_shape),
    keys.BACKWARD_FLOW: tf.reshape(backward, flow_shape),
  }


def draw(scenes: Scenes, seed: tf.Tensor) -> dict:
  """Draws the layers of one scene, back to front: a dict of tensors with a row a layer."""
  seeds = iter(tf.unstack(tf.random.experimental.stateless_split(seed, 24)))
  n = 1 + tf.random.stateless_uniform((), next(seeds), 0, scenes.shapes + 1, tf.int32)

  def uniform(shape, low, high):
    return tf.random.stateless_uniform((n, *shape), next(seeds), low, high)

  def log_uniform(shape, low, high):
    return tf.exp(uniform(shape, np.log(low), np.log(high)))

  size = np.array([scenes.width, scenes.height], np.float32)
  diagonal = float(np.linalg.norm(size))

  # Motion: its bound is shared out to translation d and deformation G so that no visible pixel exceeds it, for the flow
  # is d + G (I -+ G/2)^-1 (p - c -+ d/2), and |G (I -+ G/2)^-1| <= g / (1 - g/2) where g = |G|.
  bound = scenes.max_motion * uniform((1,), 0.0, 1.0)
  deforming = uniform((1,), 0.0, 0.5)
  angle = uniform((), -np.pi, np.pi)
  d = (1.0 - deforming) * bound * _direction(angle)
  strain = deforming * bound / (diagonal + bound)
  g = tf.random.stateless_normal((n, 2, 2), next(seeds))
  g *= (strain / (1.0 + strain / 2.0))[..., tf.newaxis] / tf.norm(g, axis=(1, 2), keepdims=True)

  # Texture: waves of 5 pixels to half the image, bent by a slow one, steepened into edges by tanh.
  wavelength = log_uniform((1, _WAVES), 5.0, max(diagonal / 2.0, 6.0))
  waves = 2.0 * np.pi / wavelength * tf.transpose(_direction(uniform((_WAVES,), -np.pi, np.pi)), (0, 2, 1))
  mix = tf.random.stateless_normal((n, _WAVES, 3), next(seeds)) + 2.0 * uniform((_WAVES, 1), -1.0, 1.0)  # mostly grey
  colour = uniform((1, 3), 0.1, 0.9)

  # Shape: a ball of some p-norm, stretched and turned, with a wavy outline.
  radius = np.sqrt(scenes.height * scenes.width) * log_uniform((1,), 0.08, 0.4)
  turn = _direction(uniform((), -np.pi, np.pi))
  axes = tf.stack([turn, tf.stack([-turn[:, 1], turn[:, 0]], axis=-1)], axis=-1) * log_uniform((1, 2), 0.6, 1.6)
  return {
    'c': size * uniform((2,), 0.0, 1.0),
    'd': d,
    'g': g,
    'waves': waves,  # [N, 2, K]
    'phases': uniform((1, _WAVES), -np.pi, np.pi),
    'mix': mix * tf.sqrt(wavelength / diagonal)[:, 0, :, tf.newaxis],  # long waves are strong
    'steepness': log_uniform((1, 1), 1.0, 6.0),
    'colour': colour,
    'contrast': tf.minimum(colour, 1.0 - colour) * uniform((1, 3), 0.3, 1.0),
    'axes': axes,
    'power': log_uniform((1, 1), 1.0, 8.0),
    'radius': radius,
    'softness': uniform((1,), 1.0, 3.0),
  }


def _direction(angle):
  return tf.stack([tf.cos(angle), tf.sin(angle)], axis=-1)


def _pixel_grid(height, width):
  x, y = tf.meshgrid(tf.range(width, dtype=tf.float32), tf.range(height, dtype=tf.float32))
  return tf.reshape(tf.stack([x, y], axis=-1), (-1, 2))


def _from_layer(layers, u, t):
  """Where points u of the layers are at time t: `[N, P, 2]`."""
  centre = layers['c'] + t * layers['d']
  return centre[:, tf.newaxis] + u + t * tf.matmul(u, layers['g'], transpose_b=True)


def _to_layer(layers, positions, t):
  """Which points of the layers are at `positions` at time t."""
  centre = layers['c'] + t * layers['d']
  back = tf.linalg.inv(tf.eye(2) + t * layers['g'])
  return tf.matmul(positions - centre[:, tf.newaxis], back, transpose_b=True)


def _texture(layers, u):
  """Colours `[N, P, 3]` in [0, 1] of the layers at u."""
  phase = tf.matmul(u, layers['waves']) + layers['phases']
  waves = tf.sin(phase + 0.7 * tf.sin(0.31 * phase[..., ::-1]))
  return layers['colour'] + layers['contrast'] * tf.tanh(layers['steepness'] * tf.matmul(waves, layers['mix']))


def _coverage(layers, u):
  """How much of each pixel a layer covers, `[N, P]` in [0, 1]; the background covers all."""
  axes = tf.matmul(u, layers['axes']) / layers['radius'][:, tf.newaxis]
  norm = tf.reduce_sum((tf.abs(axes) + 1e-3) ** layers['power'], axis=-1) ** (1.0 / layers['power'][..., 0])
  outline = 0.15 * tf.sin(4.0 * tf.reduce_sum(axes, axis=-1))
  inside = layers['radius'] * (1.0 + outline - norm)  # about the distance to the edge, in pixels
  alpha = tf.clip_by_value(inside / layers['softness'] + 0.5, 0.0, 1.0)
  return tf.concat([tf.ones_like(alpha[:1]), alpha[1:]], axis=0)


def _compose(values, alphas):
  """Puts layers `[N, P, C]` over each other, back to front, each covering `alphas` `[N, P]` of what is behind it."""
  seen = alphas * tf.math.cumprod(1.0 - alphas, axis=0, exclusive=True, reverse=True)
  return tf.reduce_sum(seen[..., tf.newaxis] * values, axis=0)
