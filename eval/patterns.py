"""Draws scenes whose motion is easily mistaken: patterns that repeat, still or moving, and what moves before them."""

import itertools
from collections.abc import Iterator

import numpy as np

HEIGHT, WIDTH = 192, 256  # pixels
_MOTIONS = {'still': (0.0, 0.0), 'moving': (3.0, 1.0)}  # (dx, dy) from x0 to x1, less than half a period
_THING = (24.0, -6.0)  # likewise, of the disc
_RADIUS = 28.0  # of the disc, pixels
_NOISE = 0.02  # standard deviation of x0's and x1's noise, where there is some
_TIMES = (-0.5, 0.0, 0.5)  # x0, y, x1
_SAMPLES = 3  # a side, that the colour of a pixel is the mean of


def scenes() -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
  """Yields each pattern alone, behind a disc, and with noise.

  A name, and x0, y, x1 `[HEIGHT, WIDTH, 3]` float32 in [0, 1]; y is exact, and without noise.
  """
  for (name, pattern), (motion, d), front in itertools.product(_PATTERNS.items(), _MOTIONS.items(), ('', 'disc ')):
    frames = [_drawn(pattern, t, d, bool(front)) for t in _TIMES]
    yield f'{front}{"before " if front else ""}{motion} {name}', *frames
  random = np.random.default_rng(0)
  for name, pattern in _PATTERNS.items():
    frame = _drawn(pattern, 0.0, (0.0, 0.0), front=False)
    x0, x1 = (np.clip(frame + random.normal(0.0, _NOISE, frame.shape), 0.0, 1.0).astype(np.float32) for _ in range(2))
    yield f'still {name} with noise', x0, frame, x1


def _drawn(pattern, time, d, front):
  """Returns the frame of a time, each pixel the mean of what is at several of its places."""
  places = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
  y, x = np.meshgrid(*((np.arange(n)[:, None] + places).ravel() for n in (HEIGHT, WIDTH)), indexing='ij')
  image = pattern(x - time * d[0], y - time * d[1])
  if front:
    u, v = x - WIDTH / 2 - time * _THING[0], y - HEIGHT / 2 - time * _THING[1]
    inside = np.hypot(u, v) < _RADIUS
    image = np.where(inside[..., None], _waves(u, v), image)
  mean = image.reshape(HEIGHT, _SAMPLES, WIDTH, _SAMPLES, 3).mean(axis=(1, 3))
  return mean.astype(np.float32)


def _two_colours(where, one, other):
  return np.where(where[..., None], np.array(one), np.array(other))


def _waves(u, v):
  """A texture that does not repeat within the disc."""
  phases = (0.31 * u + 0.17 * v, 0.11 * u - 0.23 * v + np.sin(0.19 * u), 0.07 * u * np.cos(0.05 * v))
  return np.stack([0.5 + 0.35 * np.sin(phase) for phase in phases], axis=-1)


def _noise(x, y):
  """Smooth noise that does not repeat: what motion of a pattern is compared with."""
  random = np.random.default_rng(1)
  waves = random.normal(0.0, 0.35, (24, 2))
  phase = waves[:, 0] * x[..., None] + waves[:, 1] * y[..., None] + random.uniform(0, 2 * np.pi, 24)
  grey = np.clip(0.5 + 0.1 * np.sin(phase).sum(axis=-1), 0.0, 1.0)
  return np.repeat(grey[..., None], 3, axis=-1)


_PATTERNS = {
  'stripes': lambda x, y: _two_colours((x % 10) < 5, (0.85, 0.8, 0.75), (0.2, 0.25, 0.3)),
  'fence': lambda x, y: _two_colours((x % 14) < 3, (0.9, 0.9, 0.85), (0.25, 0.4, 0.2)),
  'checks': lambda x, y: _two_colours((x // 9 + y // 9) % 2 == 0, (0.8, 0.3, 0.25), (0.85, 0.85, 0.8)),
  'dots': lambda x, y: _two_colours(np.hypot(x % 12 - 6, y % 12 - 6) < 3.5, (0.15, 0.2, 0.5), (0.8, 0.8, 0.7)),
  'bricks': lambda x, y: _two_colours(
    (y % 12 < 2) | ((x + 12 * (y // 12 % 2)) % 24 < 2), (0.75, 0.72, 0.7), (0.55, 0.25, 0.2)
  ),
  'noise': _noise,
}
