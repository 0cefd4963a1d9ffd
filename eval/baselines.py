"""What a network has to beat: repeating, blending, and classical optical flow.

Each takes two images `[H, W, 3]` float32 RGB in [0, 1] and returns the one between.
"""

import numpy as np
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.model.warp import warp


def repeat(x0: np.ndarray, x1: np.ndarray) -> np.ndarray:
  """Returns the first image again."""
  return x0


def blend(x0: np.ndarray, x1: np.ndarray) -> np.ndarray:
  """Returns the mean of both."""
  return (x0 + x1) / 2


def dis(x0: np.ndarray, x1: np.ndarray) -> np.ndarray:
  """Warps both images halfway along DIS flow (Kroeger et al., ECCV 2016; OpenCV's medium preset), and blends.

  The flow from the middle is taken to be half of that from either image, at the same pixel.

  Raises:
    UserError: there is no OpenCV.
  """
  try:
    import cv2  # an extra
  except ImportError as error:
    raise UserError("dis needs OpenCV; pip install '.[dis]'") from error
  estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
  grey0, grey1 = (cv2.cvtColor(np.round(255 * x).astype(np.uint8), cv2.COLOR_RGB2GRAY) for x in (x0, x1))
  flows = estimator.calc(grey1, grey0, None), estimator.calc(grey0, grey1, None)
  aligned = [warp(x[np.newaxis], 0.5 * flow[np.newaxis])[0] for x, flow in zip((x0, x1), flows, strict=True)]
  return tf.add_n(aligned).numpy() / 2


MODELS = {'repeat': repeat, 'blend': blend, 'dis': dis}
