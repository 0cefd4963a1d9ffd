"""Protocols against scikit-image, plain TensorFlow, PyTorch's formulas in NumPy, and closed forms."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from skimage import metrics as reference

from eval import lpips, measures, protocols, ssim, temporal
from eval.triplets import Triplet
from film_tf.errors import UserError
from film_tf.losses import vgg19
from tests.conftest import pair
from tests.losses.test_perceptual import GOLDEN, drawn


@pytest.fixture(scope='module')
def images():
  """A made and a true image, of odd sizes, the first a little out of [0, 1]."""
  true = pair(1, 37, 50)['x0'][0]
  noise = np.random.default_rng(1).normal(0, 0.1, true.shape)
  return (true + noise).astype(np.float32), true


def triplet(true, **others):
  return Triplet('a', true, true, true, **others)


def scores(protocol, made, true):
  return measures.Measures([protocol])(made, triplet(true), None)[protocol]


def rounded(image):
  return np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)


def test_film_is_plain_tensorflow_clipped_and_not_rounded(images):
  made, true = images
  clipped = tf.clip_by_value(made, 0, 1)
  found = scores('film', made, true)
  assert found['psnr'] == pytest.approx(float(tf.image.psnr(clipped, true, 1)), abs=1e-6 * 30)
  assert found['ssim'] == pytest.approx(float(tf.image.ssim(clipped[None], tf.constant(true)[None], 1)[0]), abs=1e-6)
  assert found['ie'] == pytest.approx(255 * np.mean(np.abs(clipped - true)), rel=1e-6)
  assert found['psnr'] == pytest.approx(
    reference.peak_signal_noise_ratio(true, clipped.numpy(), data_range=1), abs=1e-4
  )


def test_softsplat_is_scikit_image_of_8_bits(images):
  made, true = map(rounded, images)
  found = scores('softsplat', *images)
  assert found['psnr'] == pytest.approx(reference.peak_signal_noise_ratio(true, made), abs=1e-4)
  assert found['ssim'] == pytest.approx(reference.structural_similarity(true, made, channel_axis=2), abs=1e-4)
  assert found['ie'] == pytest.approx(np.mean(np.abs(made.astype(float) - true)))


def test_rife_is_a_convolution_of_the_volume(images):
  made, true = (rounded(image).astype(np.float32) / 255 for image in images)
  window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
  window /= window.sum()
  kernel = np.einsum('i,j,k->ijk', window, window, window)[..., None, None]

  def mean(volume):
    padded = np.pad(volume.astype(np.float64), 5, mode='edge')
    return tf.nn.conv3d(padded[None, ..., None], kernel, [1] * 5, 'VALID').numpy()[0, ..., 0]

  a, b = mean(made), mean(true)
  c1, c2 = 0.01**2, 0.03**2
  spread = mean(made * made) - a * a + mean(true * true) - b * b + c2
  structure = (2 * (mean(made * true) - a * b) + c2) / spread
  expected = np.mean((2 * a * b + c1) / (a * a + b * b + c1) * structure)
  found = scores('rife', *images)
  assert found['ssim'] == pytest.approx(expected, abs=1e-5)
  assert found['psnr'] == pytest.approx(reference.peak_signal_noise_ratio(true, made, data_range=1), abs=1e-4)


def test_xvfi_is_of_luma(images):
  made, true = (rounded(image).astype(float) for image in images)
  luma = [16 + (65.481 * x[..., 0] + 128.553 * x[..., 1] + 24.966 * x[..., 2]) / 255 for x in (made, true)]
  expected = reference.structural_similarity(luma[1], luma[0], data_range=np.ptp(luma[0]))
  found = scores('xvfi', *images)
  assert found['ssim'] == pytest.approx(expected, abs=1e-4)
  assert found['psnr'] == pytest.approx(scores('softsplat', *images)['psnr'])
  grey = np.full((16, 16, 3), 99, np.uint8)
  assert ssim.luma(grey, grey) == pytest.approx(1)


@pytest.mark.parametrize('protocol', ['film', 'softsplat', 'rife', 'xvfi'])
def test_closed_forms(protocol):
  true = np.full((32, 32, 3), 100 / 255, np.float32)
  true[::2] = 50 / 255
  same = scores(protocol, true, true)
  assert same == {'psnr': np.inf, 'ssim': pytest.approx(1), 'ie': 0}
  found = scores(protocol, true + np.float32(10 / 255), true)
  assert found['psnr'] == pytest.approx(20 * np.log10(255 / 10), abs=1e-3)
  assert found['ie'] == pytest.approx(10, abs=1e-4)


def test_protocols_differ_where_papers_do(images):
  found = [scores(protocol, *images)['ssim'] for protocol in ('film', 'softsplat', 'rife', 'xvfi')]
  assert len({round(value, 3) for value in found}) == 4


def test_flow_errors_are_distances():
  flow = np.zeros((4, 5, 2), np.float32)
  truth = triplet(np.zeros((4, 5, 3), np.float32), flow=flow + np.array([3, 4]), middle_flow=flow + np.array([0, 2]))
  measure = measures.Measures(['flow'])
  assert measure(truth.y, truth, flow)['flow'] == {'epe': 5, 'epe_middle': 2}


def lpips_weights(random):
  """AlexNet's and LPIPS' weights by their names, small and random."""
  weights = {}
  for i, shape in lpips._LAYERS.items():
    weights[f'features.{i}.weight'] = random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
    weights[f'features.{i}.bias'] = random.normal(0, 0.1, shape[0]).astype(np.float32)
  mixes = {
    f'lin{i}.model.1.weight': random.random((1, shape[0], 1, 1), np.float32)
    for i, shape in enumerate(lpips._LAYERS.values())
  }
  return weights, mixes


def plain_lpips(a, b, weights, mixes):
  """LPIPS in NumPy: windows times kernels."""

  def convolved(x, kernel, bias, stride, padding):
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2:], (1, 2))[:, ::stride, ::stride]
    return np.maximum(np.einsum('ihwyx,oiyx->ohw', windows, kernel, optimize=True) + bias[:, None, None], 0)

  def pooled(x):
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))[:, ::2, ::2].max(axis=(3, 4))

  def features(image):
    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    x = ((2 * image.astype(np.float64) - 1 - shift) / scale).transpose(2, 0, 1)
    for i, stride, padding in ((0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1)):
      x = pooled(x) if i in (3, 6) else x
      x = convolved(x, weights[f'features.{i}.weight'], weights[f'features.{i}.bias'], stride, padding)
      yield x / (np.sqrt(np.sum(x**2, axis=0)) + 1e-10)

  layers = zip(features(a), features(b), mixes.values(), strict=True)
  return sum(np.mean(np.sum(mix[0] * (x - y) ** 2, axis=0)) for x, y, mix in layers)


def test_lpips_is_that_of_plain_numpy(tmp_path):
  weights, mixes = lpips_weights(np.random.default_rng(0))
  np.savez(tmp_path / 'a.npz', **weights)
  np.savez(tmp_path / 'b.npz', **mixes)
  a, b = (image[0] for image in (pair(1, 75, 91)['x0'], pair(1, 75, 91, seed=1)['x0']))
  measure = measures.Measures(['lpips'], [str(tmp_path / 'a.npz'), str(tmp_path / 'b.npz')])
  found = measure(a, triplet(b), None)['lpips']['lpips']
  assert found == pytest.approx(plain_lpips(a, b, weights, mixes), rel=1e-4)
  assert measure(a, triplet(a), None)['lpips']['lpips'] == 0
  with pytest.raises(UserError, match=r'a\.npz have no lin0\.model\.1\.weight of shape \[1, 64, 1, 1\]'):
    lpips.Lpips([str(tmp_path / 'a.npz')])


def test_lpips_says_what_is_no_file_of_weights():
  old = pathlib.Path(__file__).parents[1] / 'data_files' / 'tiny_before_1.6.pth'
  with pytest.raises(UserError, match=r'before 1\.6'):
    lpips.Lpips([str(old)])
  with pytest.raises(UserError, match=r'tiny_state_dict\.pt have no features\.0\.weight'):
    lpips.Lpips([str(old.with_name('tiny_state_dict.pt'))])


def test_vgg_and_style_are_those_of_the_original(monkeypatch):
  monkeypatch.setattr(vgg19, 'load', lambda file: vgg19.Vgg19(drawn()))  # no file of theirs comes with film_tf
  measure = measures.Measures(['vgg'], vgg='given.mat')
  pairs = zip(GOLDEN['image'], GOLDEN['reference'], strict=True)  # its numbers are means of them
  found = [measure(made, triplet(true), None)['vgg'] for made, true in pairs]
  for name in ('vgg', 'style'):
    assert np.mean([scores[name] for scores in found]) == pytest.approx(float(GOLDEN[f'{name}_loss']), rel=1e-4)


def test_flicker_and_sharpness_by_hand():
  stripes = np.zeros((8, 8, 3), np.float32)
  stripes[:, ::2] = 0.4
  assert temporal.flicker(stripes + np.float32(2 / 255), (stripes, stripes)) == pytest.approx(2, abs=1e-3)
  assert temporal.sharpness(stripes, (stripes, stripes)) == 1
  assert temporal.sharpness(0.5 * stripes, (stripes, stripes)) == pytest.approx(0.5)
  assert temporal.sharpness(stripes, (0 * stripes, 0 * stripes)) == 1


def test_warping_error_is_that_of_brightness_where_all_moves():
  pytest.importorskip('cv2', reason="needs pip install '.[dis]'")
  y, x = np.mgrid[:96, :128].astype(np.float32)

  def scene(time):
    waves = [np.sin((x - 4 * time) / 5 + i) * np.cos((y - 2 * time) / 6 - i) for i in range(3)]
    return (0.5 + 0.3 * np.stack(waves, axis=-1)).astype(np.float32)

  given, truth = (scene(0), scene(1)), scene(0.5)
  right = temporal.warping_error(truth, truth, given)
  assert right < 8
  brighter = temporal.warping_error(truth + np.float32(0.1), truth, given)
  assert brighter == pytest.approx(right + 25.5**2, rel=0.05)


def test_warping_error_is_of_what_is_seen_in_both(monkeypatch):
  """What moves out of the frame, or is on the other side of a cut, has no place to be compared with."""
  y, x = np.mgrid[:64, :96].astype(np.float32)
  image = np.stack([0.5 + 0.3 * np.sin(x / 5 + i) * np.cos(y / 6) for i in range(3)], axis=-1)
  flow = np.zeros((64, 96, 2), np.float32)
  flow[..., 0] = 8  # all moves right
  flows = {True: flow, False: -flow}
  moved = np.roll(image, 8, axis=1)  # its first eight columns are what was last
  monkeypatch.setattr(temporal.baselines, 'dis_flow', lambda a, b: flows[a is image])
  assert temporal.warping_error(image, image, (moved, moved)) == pytest.approx(0, abs=1e-6)
  broken = image.copy()
  broken[:, -8:] = 0  # is seen in none of the given frames
  assert temporal.warping_error(broken, image, (moved, moved)) == pytest.approx(0, abs=1e-6)
  flows[True] = flow + 200  # out of the frame
  assert temporal.warping_error(image, image, (moved, moved)) is None
  flows[True], flows[False] = flow, flow  # they never lead back
  assert temporal.warping_error(image, image, (moved, moved)) is None


def test_what_is_seen_is_told_by_the_flow_where_it_points(monkeypatch):
  """Five columns move by 5, and back by 5.9, which is near enough for so long a way, if it is read where they end."""
  image, frame = np.full((32, 64, 3), 0.5, np.float32), np.full((32, 64, 3), 0.5, np.float32)
  flow, back = np.zeros((2, 32, 64, 2), np.float32)
  flow[:, :5, 0], back[:, 5:10, 0], frame[:, 5:10] = 5, -5.9, 0.7
  monkeypatch.setattr(temporal.baselines, 'dis_flow', lambda a, b: flow if a is image else back)
  expected = (0.2 * 255) ** 2 * 5 / (64 - 5)  # of the five where others come back to nothing is seen
  assert temporal.warping_error(image, image, (frame, frame)) == pytest.approx(expected, rel=1e-4)


def test_unknown_protocols():
  with pytest.raises(UserError, match='there is no protocol flim; expected film, softsplat, rife'):
    protocols.check(['flim'])
  for name, words in (('lpips', '--lpips_weights'), ('vgg', '--vgg19')):
    with pytest.raises(UserError, match=words):
      measures.Measures([name])
