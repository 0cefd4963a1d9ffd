"""Renders endless triplets that need no download: layers of texture in motion, rendered exactly at three times.

A scene is a background and soft-edged shapes in front of it. Every layer moves by its own motion, in which each of its
points goes straight and at constant speed: a point at u in the layer is, at time t in [-1/2, 1/2], at

    p(t) = c + t d + (I + t G) u + t s(u)

affine but for s, a slow wave. Textures and shapes are functions of u, so every frame is rendered at its time and none
is resampled from another; the frame between and the flow are exact. Example i of a seed is a pure function of both: a
run can go on anywhere.
"""

import functools

import numpy as np
import tensorflow as tf

from film_tf import keys
from film_tf.data import sources
from film_tf.data.scenes import Scenes, draw

_EXPOSURE = (-0.4, -0.2, 0.2, 0.4)  # when a blurred frame is rendered besides 0, in shares of the time it is exposed
_INVERSIONS = 5  # of a wave, of slope 0.2 at most at either end and 0.28 in blur, by which each reduces the error
_BUFFER = 512  # photographs, still encoded, that are shuffled


def triplets(
  scenes: Scenes, seed: int = 0, start: int = 0, worker: tf.distribute.InputContext | None = None
) -> tf.data.Dataset:
  """Makes all examples of `seed` from number `start` on, without end, in order; of n workers each has every n-th.

  Returns:
    A dataset of dicts: `x0`, `y`, `x1` `[H, W, 3]` float32 in [0, 1]; `time` `[1]`, of y; `forward_flow`,
    `backward_flow`, `middle_flow` `[H, W, 2]`, the motion of what is seen in x0 to x1, of what is seen in x1 to x0, and
    of what is seen in y from x0 to x1, (dx, dy) in pixels. Where the edge of a layer mixes it with what is behind, the
    flow is that of the one with more than half.
  """
  worker = worker or tf.distribute.InputContext()
  numbers = tf.data.Dataset.range(start + worker.input_pipeline_id, np.iinfo(np.int64).max, worker.num_input_pipelines)
  seeds = numbers.map(lambda i: tf.stack([tf.constant(seed, tf.int64), i]))
  if not scenes.photographs:
    return seeds.map(lambda seed: triplet(scenes, seed), tf.data.AUTOTUNE)
  share = start // worker.num_input_pipelines
  photographs = tf.data.Dataset.zip((seeds, sources.shuffled(scenes.photographs, seed, _BUFFER, share, worker)))
  return photographs.map(lambda seed, example: triplet(scenes, seed, _decode(example)), tf.data.AUTOTUNE)


def triplet(scenes: Scenes, seed: tf.Tensor, photograph: tf.Tensor | None = None) -> dict:
  """Renders one example; see `triplets`. `seed`: `[2]` int64; `photograph`: `[H, W, 3]` in [0, 1], of any size."""
  layers = draw(scenes, seed)
  positions = _pixel_grid(scenes.height, scenes.width)  # [P, 2]
  times = (-0.5, layers['time'] - 0.5, 0.5)  # of x0, y, x1
  inside = [_to_layer(scenes, layers, positions, t) for t in times]  # [N, P, 2] each
  alphas = [_coverage(layers, u) for u in inside]
  seen = [_compose(_texture(layers, u, photograph), alpha) for u, alpha in zip(inside, alphas, strict=True)]
  if scenes.blur:
    blurred = functools.partial(_blurred, scenes, layers, positions, photograph, seen, times)
    seen = tf.cond(layers['blurred'], blurred, lambda: seen)
  x0, y, x1 = (_lit(layers, image, t) for image, t in zip(seen, times, strict=True))
  if scenes.noise:
    x0, x1 = (tf.clip_by_value(x + n, 0.0, 1.0) for x, n in zip((x0, x1), tf.unstack(layers['noise']), strict=True))
  image_shape, flow_shape = (scenes.height, scenes.width, 3), (scenes.height, scenes.width, 2)
  forward = _compose(_from_layer(layers, inside[0], 0.5) - positions, tf.round(alphas[0]))
  backward = _compose(_from_layer(layers, inside[2], -0.5) - positions, tf.round(alphas[2]))
  ends = [_from_layer(layers, inside[1], t) for t in (-0.5, 0.5)]
  middle = _compose(ends[1] - ends[0], tf.round(alphas[1]))
  return {
    keys.X0: tf.reshape(x0, image_shape),
    keys.Y: tf.reshape(y, image_shape),
    keys.X1: tf.reshape(x1, image_shape),
    keys.TIME: layers['time'][tf.newaxis],
    keys.FORWARD_FLOW: tf.reshape(forward, flow_shape),
    keys.BACKWARD_FLOW: tf.reshape(backward, flow_shape),
    keys.MIDDLE_FLOW: tf.reshape(middle, flow_shape),
  }


def _blurred(scenes, layers, positions, photograph, seen, times):
  """Averages what is seen while the shutter is open, from the images seen halfway, at `times`."""
  images = []
  for image, t in zip(seen, times, strict=True):
    inside = [_to_layer(scenes, layers, positions, t + at * layers['shutter']) for at in _EXPOSURE]
    others = [_compose(_texture(layers, u, photograph), _coverage(layers, u)) for u in inside]
    images.append(tf.add_n([image, *others]) / (1 + len(others)))
  return images


def _decode(example):
  frame = tf.io.decode_image(example[keys.Y], channels=3, expand_animations=False)
  return tf.image.convert_image_dtype(frame, tf.float32)


def _pixel_grid(height, width):
  x, y = tf.meshgrid(tf.range(width, dtype=tf.float32), tf.range(height, dtype=tf.float32))
  return tf.reshape(tf.stack([x, y], axis=-1), (-1, 2))


def _from_layer(layers, u, t):
  """Returns where points u of the layers are at time t: `[N, P, 2]`."""
  centre = layers['c'] + t * layers['d']
  return centre[:, tf.newaxis] + u + t * tf.matmul(u, layers['g'], transpose_b=True) + t * _wave(layers, u)


def _to_layer(scenes, layers, positions, t):
  """Returns which points of the layers are at `positions` at time t."""
  centre = layers['c'] + t * layers['d']
  back = tf.linalg.inv(tf.eye(2) + t * layers['g'])
  offset = positions - centre[:, tf.newaxis]
  u = tf.matmul(offset, back, transpose_b=True)
  if scenes.bending:
    for _ in range(_INVERSIONS):
      u = tf.matmul(offset - t * _wave(layers, u), back, transpose_b=True)
  return u


def _wave(layers, u):
  """Returns how far the wave takes points u from time -1/2 to 1/2: `[N, P, 2]`."""
  phase = tf.matmul(u, layers['ripple'][..., tf.newaxis]) + layers['phase'][:, tf.newaxis]
  return layers['crest'] * tf.sin(phase)


def _texture(layers, u, photograph):
  """Returns the colours `[N, P, 3]` in [0, 1] of the layers at u."""
  if photograph is None:
    return _drawn(layers, u)
  return tf.cond(layers['photographed'], lambda: _photographed(layers, u, photograph), lambda: _drawn(layers, u))


def _photographed(layers, u, photograph):
  """Gives each layer its own piece of the photograph, which repeats mirrored."""
  last = tf.cast(tf.shape(photograph)[:2] - 1, tf.float32)[::-1]
  x = layers['corner'] * last + layers['zoom'] * u
  x = last - tf.abs(tf.math.floormod(x, 2.0 * last) - last)  # [N, P, 2] within the photograph
  first = tf.minimum(tf.floor(x), last - 1.0)
  weight = x - first
  column, row = tf.unstack(tf.cast(first, tf.int32), axis=-1)
  width, pixels = tf.shape(photograph)[1], tf.reshape(photograph, (-1, 3))
  corner = row * width + column
  wx, wy = weight[..., :1], weight[..., 1:]
  top, bottom = (tf.gather(pixels, i) * (1.0 - wx) + tf.gather(pixels, i + 1) * wx for i in (corner, corner + width))
  return top * (1.0 - wy) + bottom * wy


def _drawn(layers, u):
  """Draws a texture of waves."""
  phase = tf.matmul(u, layers['waves']) + layers['phases']
  waves = tf.sin(phase + 0.7 * tf.sin(0.31 * phase[..., ::-1]))
  return layers['colour'] + layers['contrast'] * tf.tanh(layers['steepness'] * tf.matmul(waves, layers['mix']))


def _coverage(layers, u):
  """Returns how much of each pixel a layer covers, `[N, P]` in [0, 1]; the background covers all."""
  axes = tf.matmul(u, layers['axes']) / layers['radius'][:, tf.newaxis]
  norm = tf.reduce_sum((tf.abs(axes) + 1e-3) ** layers['power'], axis=-1) ** (1.0 / layers['power'][..., 0])
  outline = 0.15 * tf.sin(4.0 * tf.reduce_sum(axes, axis=-1))
  inside = layers['radius'] * (1.0 + outline - norm)  # about the distance to the edge, in pixels
  alpha = tf.clip_by_value(inside / layers['softness'] + 0.5, 0.0, 1.0)
  return tf.concat([tf.ones_like(alpha[:1]), alpha[1:]], axis=0)


def _lit(layers, image, t):
  """Returns the image `[P, 3]` in the light of time t; that of the middle is the texture's own."""
  contrast, brightness = (1.0 + t * layers['contrast_change']), t * layers['brightness_change']
  return tf.clip_by_value(0.5 + contrast * (image - 0.5) + brightness, 0.0, 1.0)


def _compose(values, alphas):
  """Puts layers `[N, P, C]` over each other, back to front, each covering `alphas` `[N, P]` of what is behind it."""
  seen = alphas * tf.math.cumprod(1.0 - alphas, axis=0, exclusive=True, reverse=True)
  return tf.reduce_sum(seen[..., tf.newaxis] * values, axis=0)
