import numpy as np
from skimage import metrics as reference

from film_tf import metrics


def test_psnr_is_scikit_images_of_clipped_images():
  random = np.random.default_rng(0)
  truth = random.random((3, 20, 30, 3), np.float32)
  image = truth + random.normal(0, 0.2, truth.shape).astype(np.float32)
  pairs = zip(truth, np.clip(image, 0, 1), strict=True)
  expected = [reference.peak_signal_noise_ratio(t, i, data_range=1) for t, i in pairs]
  np.testing.assert_allclose(metrics.psnr(image, truth), expected, rtol=1e-5)


def test_ssim_is_scikit_images_where_windows_lie_inside():
  random = np.random.default_rng(0)
  truth = random.random((2, 24, 30, 3), np.float32)
  image = truth + random.normal(0, 0.2, truth.shape).astype(np.float32)
  options = {'gaussian_weights': True, 'sigma': 1.5, 'use_sample_covariance': False, 'full': True, 'channel_axis': -1}
  for t, i, found in zip(truth, np.clip(image, 0, 1), metrics.ssim(image, truth), strict=True):
    _, everywhere = reference.structural_similarity(t, i, data_range=1, **options)
    np.testing.assert_allclose(found, everywhere[5:-5, 5:-5].mean(), rtol=1e-4)
