"""Measures one made image by the protocols that were asked for."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from eval import ssim, temporal
from eval.lpips import Lpips
from eval.triplets import Triplet
from film_tf import metrics
from film_tf.data import motion
from film_tf.errors import UserError
from film_tf.losses import perceptual, vgg19

_IMAGE = tf.TensorSpec([None, None, 3], tf.float32)
_BATCH = tf.TensorSpec([1, None, None, 3], tf.float32)
_moved = tf.function(lambda x0, x1: motion.measure(x0, x1).mean, input_signature=[_IMAGE] * 2, autograph=False)


class Measures:
  """Measures by protocols.

  Args:
    protocols: their names.
    lpips: files of weights, for `lpips`.
    vgg: file of weights, for `vgg`.

  Raises:
    UserError: a protocol needs a file or a package that is not there.
  """

  def __init__(self, protocols: Sequence[str], lpips: Sequence[str] = (), vgg: str | None = None):
    self.protocols = protocols
    self._film = tf.function(_film, input_signature=[_IMAGE] * 2, autograph=False)
    if 'lpips' in protocols:
      if not lpips:
        raise UserError('protocol lpips needs weights; give --lpips_weights=alexnet.pth --lpips_weights=alex.pth')
      self._lpips = tf.function(Lpips(lpips), input_signature=[_BATCH] * 2, autograph=False)
    if 'vgg' in protocols:
      if not vgg:
        raise UserError('protocol vgg needs weights; give --vgg19=imagenet-vgg-verydeep-19.mat')
      self._vgg = vgg19.load(vgg)

  def __call__(self, made: np.ndarray, triplet: Triplet, flow: np.ndarray | None) -> dict[str, dict[str, float | None]]:
    """Returns metrics by protocol.

    Args:
      made: `[H, W, 3]` float32 in [0, 1].
      triplet: with the true image.
      flow: of the model from x0 to x1, `[H, W, 2]`, for `flow`.
    """
    return {name: getattr(self, f'_by_{name}')(made, triplet, flow) for name in self.protocols}

  def _by_film(self, made, triplet, flow):
    return dict(zip(('psnr', 'ssim', 'ie'), map(float, self._film(made, triplet.y)), strict=True))

  def _by_softsplat(self, made, triplet, flow):
    made, true = _rounded(made), _rounded(triplet.y)
    return {**_errors(made, true), 'ssim': ssim.uniform(made, true)}

  def _by_rife(self, made, triplet, flow):
    made, true = _rounded(made), _rounded(triplet.y)
    return {**_errors(made, true), 'ssim': ssim.gaussian_3d(made / 255.0, true / 255.0)}

  def _by_xvfi(self, made, triplet, flow):
    made, true = _rounded(made), _rounded(triplet.y)
    return {**_errors(made, true), 'ssim': ssim.luma(made, true)}

  def _by_lpips(self, made, triplet, flow):
    return {'lpips': float(self._lpips(made[np.newaxis], triplet.y[np.newaxis])[0])}

  def _by_vgg(self, made, triplet, flow):
    prediction, batch = ({'vgg': self._vgg(image[np.newaxis])} for image in (made, triplet.y))
    return {'vgg': float(perceptual.vgg(prediction, batch)), 'style': float(perceptual.style(prediction, batch))}

  def _by_flow(self, made, triplet, flow):
    return {'epe': _distance(flow, triplet.flow), 'epe_middle': _distance(flow, triplet.middle_flow)}

  def _by_temporal(self, made, triplet, flow):
    given = triplet.x0, triplet.x1
    return {
      'warping_error': temporal.warping_error(made, triplet.y, given),
      'flicker': temporal.flicker(made, given),
      'sharpness': temporal.sharpness(made, given),
    }


def moved(triplet: Triplet) -> float | None:
  """Returns how far things move in the mean, in pixels; None where images are too small to say."""
  return float(_moved(triplet.x0, triplet.x1)) if min(triplet.x0.shape[:2]) >= motion.MIN_SIDE else None


def _film(made, true):
  made = tf.clip_by_value(made, 0.0, 1.0)
  pair = made[tf.newaxis], true[tf.newaxis]
  return metrics.psnr(*pair)[0], metrics.ssim(*pair)[0], 255.0 * tf.reduce_mean(tf.abs(made - true))


def _rounded(image):
  return np.round(255.0 * np.clip(image, 0.0, 1.0)).astype(np.uint8)


def _errors(made, true):
  """Returns the PSNR and the mean absolute difference of 8-bit images."""
  difference = made.astype(np.float64) - true
  square = float(np.mean(difference**2))
  return {'psnr': 10.0 * np.log10(255.0**2 / square) if square else np.inf, 'ie': float(np.mean(np.abs(difference)))}


def _distance(flow, truth):
  return float(np.mean(np.linalg.norm(flow.astype(np.float64) - truth, axis=-1)))
