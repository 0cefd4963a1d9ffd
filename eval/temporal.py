"""Measures whether made frames fit among the given ones: what the eye sees as a film is played."""

import numpy as np

from eval import baselines
from film_tf.inspection.observation import lost
from film_tf.model.warp import inside, warp


def warping_error(made: np.ndarray, truth: np.ndarray, given: tuple[np.ndarray, np.ndarray]) -> float | None:
  """Returns the mean squared difference, of 255, of a made frame from the given ones warped to it (Lai et al., 2018).

  The flow is DIS between the true frames, and only what is seen in both counts; the same of the true frame is above 0.
  None where nothing of a given frame is seen in the true one, as at a cut.

  Args:
    made: `[H, W, 3]` in [0, 1].
    truth: the true frame, likewise.
    given: the frames before and after it, likewise.
  """
  errors = []
  for frame in given:
    flow, back = (baselines.dis_flow(*pair)[np.newaxis] for pair in ((truth, frame), (frame, truth)))
    seen = (inside(flow, *truth.shape[:2])[0, ..., 0] > 0.0).numpy() & ~lost(flow, back)[0].numpy()
    if not np.any(seen):
      return None
    moved = warp(frame[np.newaxis], flow)[0].numpy()
    difference = np.mean((255.0 * (made - moved)) ** 2, axis=-1)
    errors.append(np.mean(difference[seen]))
  return float(np.mean(errors))


def flicker(made: np.ndarray, given: tuple[np.ndarray, np.ndarray]) -> float:
  """Returns how much brighter than the mean of the given frames a made one is, of 255."""
  return float(255.0 * (made.mean(dtype=np.float64) - np.mean([frame.mean(dtype=np.float64) for frame in given])))


def sharpness(made: np.ndarray, given: tuple[np.ndarray, np.ndarray]) -> float:
  """Returns the mean gradient of a made frame as a share of that of the given ones: less than 1 is blurred."""
  there = np.mean([_gradient(frame) for frame in given])
  return float(_gradient(made) / there) if there else 1.0


def _gradient(image):
  grey = image.mean(axis=-1, dtype=np.float64)
  dy, dx = np.diff(grey, axis=0)[:, :-1], np.diff(grey, axis=1)[:-1]
  return float(np.mean(np.hypot(dx, dy)))
