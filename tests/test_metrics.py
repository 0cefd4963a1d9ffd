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
