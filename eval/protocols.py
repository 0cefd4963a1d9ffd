"""Names how papers measure: the same images have other scores by another of these. Loads no TensorFlow."""

import dataclasses

from film_tf.errors import UserError


@dataclasses.dataclass(frozen=True)
class Protocol:
  """How images are measured; `eval.measures` does it."""

  metrics: tuple[str, ...]  # its columns
  words: str  # what it does, for people
  pixels: int = 11  # that an image must have either way


PROTOCOLS = {
  'film': Protocol(
    ('psnr', 'ssim', 'ie'), 'clipped to [0, 1], not rounded; PSNR and SSIM of tf.image (11x11 Gaussian windows, RGB)'
  ),
  'softsplat': Protocol(
    ('psnr', 'ssim', 'ie'), 'rounded to 8 bits; SSIM of scikit-image as it comes (7x7 uniform windows, RGB)', 7
  ),
  'rife': Protocol(
    ('psnr', 'ssim', 'ie'),
    'rounded to 8 bits; SSIM of 11x11x11 Gaussian windows over rows, columns and colours, borders repeated',
    1,
  ),
  'xvfi': Protocol(
    ('psnr', 'ssim', 'ie'),
    'rounded to 8 bits; PSNR of RGB; SSIM of luma by scikit-image, its range that of the luma that was made',
    7,
  ),
  'lpips': Protocol(('lpips',), 'LPIPS 0.1 of AlexNet, with weights from --lpips_weights', 31),
  'vgg': Protocol(('vgg', 'style'), "FILM's VGG-19 and style losses, with weights from --vgg19"),
  'flow': Protocol(
    ('epe', 'epe_middle'),
    'end-point error in pixels, of the flow from x0 to x1 where things are in x0, and where they are in the middle',
  ),
  'temporal': Protocol(
    ('warping_error', 'flicker', 'sharpness'),
    'mean squared difference (of 255) from the given images, warped by the flow of the true ones where seen in both; '
    'brightness (of 255) above or below the given images; gradients, of 1 in the given images',
  ),
}
LOWER_IS_BETTER = ('ie', 'lpips', 'vgg', 'style', 'epe', 'epe_middle', 'warping_error')
METRICS = tuple(dict.fromkeys(metric for protocol in PROTOCOLS.values() for metric in protocol.metrics))


def check(names):
  """Raises where a name is that of no protocol, or none is given.

  Raises:
    UserError: as said.
  """
  for name in names:
    if name not in PROTOCOLS:
      raise UserError(f'there is no protocol {name}; expected {", ".join(PROTOCOLS)}')
  if not names:
    raise UserError(f'no protocol; expected one or more of {", ".join(PROTOCOLS)}')
  if len(set(names)) < len(names):
    raise UserError(f'a protocol is given twice: {", ".join(names)}')
