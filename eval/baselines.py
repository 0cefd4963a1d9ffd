"""What a network has to beat: repeating, blending, and classical optical flow.

Each takes two images `[H, W, 3]` float32 RGB in [0, 1] and a time from 0 to 1, and returns the one then.
"""

import numpy as np
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.model.warp import warp


def repeat(x0: np.ndarray, x1: np.ndarray, time: float = 0.5) -> np.ndarray:
  """Returns the first image again."""
  return x0


def blend(x0: np.ndarray, x1: np.ndarray, time: float = 0.5) -> np.ndarray:
  """Returns the mean of both, weighted by how near they are."""
  return x0 * np.float32(1.0 - time) + x1 * np.float32(time)


def dis(x0: np.ndarray, x1: np.ndarray, time: float = 0.5) -> np.ndarray:
  """Warps both images by their share of DIS flow, and blends.

  The flow from the image between is taken to be that share of the flow from either image, at the same pixel.

  Raises:
    UserError: there is no OpenCV.
  """
  flows = np.float32(time) * dis_flow(x1, x0), np.float32(1.0 - time) * dis_flow(x0, x1)
  warped = [warp(x[np.newaxis], flow[np.newaxis])[0] for x, flow in zip((x0, x1), flows, strict=True)]
  return tf.add_n([(1.0 - time) * warped[0], time * warped[1]]).numpy()


def dis_flow(x0: np.ndarray, x1: np.ndarray) -> np.ndarray:
  """Returns DIS flow (Kroeger et al., ECCV 2016; OpenCV's medium preset) from x0 to x1, `[H, W, 2]`.

  Raises:
    UserError: there is no OpenCV.
  """
  try:
    import cv2  # an extra
  except ImportError as error:
    raise UserError("DIS flow needs OpenCV; pip install '.[dis]'") from error
  estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
  grey = (cv2.cvtColor(np.round(255 * x).astype(np.uint8), cv2.COLOR_RGB2GRAY) for x in (x0, x1))
  return estimator.calc(*grey, None)


MODELS = {'repeat': repeat, 'blend': blend, 'dis': dis}
