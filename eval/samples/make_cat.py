"""Makes the sample frames: a camera that moves over one photograph while a cup slides past in front of it.

  python eval/samples/make_cat.py

Both photographs come with scikit-image and are CC0: Chelsea the cat, by Stefan van der Walt, and a coffee cup, by
Rachel Michetti. Every frame is sampled from them once, at its own time, so cat_truth.png is what lies between the
other two.
"""

import pathlib

import numpy as np
from PIL import Image
from skimage import data, transform

HEIGHT, WIDTH = 208, 320
CUP_CENTRE, CUP_RADII = (307, 187), (206, 176)  # of the saucer in its photograph, in pixels


def view(photograph, centre, scale, angle, at):
  """Samples a photograph so that its point `centre` is seen at `at`, `scale` times as large, turned by `angle`."""
  to_frame = (
    transform.AffineTransform(translation=-np.array(centre))
    + transform.SimilarityTransform(scale=scale, rotation=angle)
    + transform.AffineTransform(translation=at)
  )
  smooth = transform.rescale(photograph, scale, channel_axis=-1, anti_aliasing=True, order=3)
  shrink = transform.AffineTransform(scale=1 / scale)
  return transform.warp(smooth, (shrink + to_frame).inverse, output_shape=(HEIGHT, WIDTH), order=3, mode='edge')


def frame(t):
  """The scene at time t in [0, 1]."""
  cat = view(data.chelsea() / 255, (225 + 9 * t, 140 - 3 * t), 0.80, 0.03 * t, (WIDTH / 2, HEIGHT / 2))
  coffee = data.coffee() / 255
  y, x = np.mgrid[: coffee.shape[0], : coffee.shape[1]]
  distance = np.hypot((x - CUP_CENTRE[0]) / CUP_RADII[0], (y - CUP_CENTRE[1]) / CUP_RADII[1])
  alpha = np.clip((1 - distance) * 40, 0, 1)[..., None]
  cup = view(np.concatenate([coffee * alpha, alpha], -1), CUP_CENTRE, 0.22, 0.2 * t, (40 + 18 * t, 150 - 6 * t))
  return np.clip(cup[..., :3] + (1 - cup[..., 3:]) * cat, 0, 1)


if __name__ == '__main__':
  for name, t in {'cat_0': 0.0, 'cat_truth': 0.5, 'cat_1': 1.0}.items():
    image = Image.fromarray(np.round(255 * frame(t)).astype(np.uint8))
    image.save(pathlib.Path(__file__).parent / f'{name}.png', optimize=True)
