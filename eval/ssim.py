"""Computes SSIM as the benchmarks of other papers do, beside FILM's in `film_tf.metrics`."""

import numpy as np

from film_tf.errors import UserError

_C1, _C2 = 0.01**2, 0.03**2  # for images in [0, 1]
_LUMA = np.array([65.481, 128.553, 24.966]) / 255.0  # of 8-bit RGB, from 16 to 235 (BT.601)


def uniform(image: np.ndarray, reference: np.ndarray) -> float:
  """Returns scikit-image's SSIM of 8-bit RGB `[H, W, 3]`: 7x7 uniform windows, mean of the colours (SoftSplat)."""
  return float(_skimage().structural_similarity(image, reference, data_range=255, channel_axis=-1))


def luma(image: np.ndarray, reference: np.ndarray) -> float:
  """Returns scikit-image's SSIM of the luma of 8-bit RGB, its range that of the luma of `image` (XVFI).

  An image of one grey has no range; 1 stands for it.
  """
  made, true = (16.0 + pixels.astype(np.float64) @ _LUMA for pixels in (image, reference))
  spread = float(made.max() - made.min()) or 1.0
  return float(_skimage().structural_similarity(true, made, data_range=spread))


def gaussian_3d(image: np.ndarray, reference: np.ndarray) -> float:
  """Returns the SSIM of RGB `[H, W, 3]` in [0, 1] as a volume: 11x11x11 Gaussian windows, sigma 1.5 (RIFE)."""
  _skimage()
  from scipy import ndimage  # comes with scikit-image

  def mean(volume):
    return ndimage.gaussian_filter(volume, 1.5, mode='nearest', radius=5)

  a, b = image.astype(np.float64), reference.astype(np.float64)
  mean_a, mean_b = mean(a), mean(b)
  variances = mean(a * a) - mean_a**2 + mean(b * b) - mean_b**2
  covariance = mean(a * b) - mean_a * mean_b
  likeness = (2.0 * mean_a * mean_b + _C1) * (2.0 * covariance + _C2)
  return float(np.mean(likeness / ((mean_a**2 + mean_b**2 + _C1) * (variances + _C2))))


def _skimage():
  try:
    from skimage import metrics  # an extra
  except ImportError as error:
    raise UserError("this protocol needs scikit-image; pip install '.[eval]'") from error
  return metrics
