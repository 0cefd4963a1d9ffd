"""Pictures of single examples: the frames, what models make of them, where they err, and how they think things move."""

import html
from typing import NamedTuple

import numpy as np
from PIL import Image

from film_tf.inspection import colours, page

LONGEST = 480  # pixels of the longer side of what is drawn; crops are not scaled
ERROR = 0.25  # of white, that has the full colour
_CROP = 96  # pixels


class Made(NamedTuple):
  """What a model made of an example."""

  model: str
  image: np.ndarray  # `[H, W, 3]` in [0, 1]
  flow: np.ndarray | None  # `[H, W, 2]` pixels, from the first frame to the last, where the model has one
  told: list[str]  # its scores


def panel(x0: np.ndarray, truth: np.ndarray | None, x1: np.ndarray, made: list[Made], where: str) -> str:
  """Returns the panel of an example in HTML.

  Args:
    x0: the first frame, `[H, W, 3]` in [0, 1].
    truth: the frame between, if there is one.
    x1: the last frame.
    made: by each model.
    where: the example's name and numbers, in text.
  """
  height, width, _ = x0.shape
  strip = [page.picture(_drawn(x0), 'first frame')]
  strip += [] if truth is None else [page.picture(_drawn(truth), 'truth')]
  strip.append(page.picture(_drawn(x1), 'last frame'))
  parts = [page.plate('Frames', strip, html.escape(where))]
  best = truth if truth is not None else (x0 + x1) / 2.0
  against = 'truth' if truth is not None else 'mean of both frames'
  wipes = [page.wipe(_drawn(best), _drawn(one.image), against, ', '.join([one.model, *one.told])) for one in made]
  parts.append(page.plate('What was made', wipes, 'Drag the line, or let the two pictures alternate.'))
  if truth is not None:
    errors = [np.abs(one.image - truth).mean(axis=-1) for one in made]
    drawn = [
      page.picture(_small(colours.of_amounts(error, ERROR)), one.model) for error, one in zip(errors, made, strict=True)
    ]
    parts.append(page.plate('Error', drawn, f'Black is none, pale yellow {255 * ERROR:.0f} of 255 or more.'))
    top, left = worst_place(errors[0])
    crop = np.s_[top : top + _CROP, left : left + _CROP]
    crops = [page.picture(colours.of_image(truth[crop]), 'truth')]
    crops += [page.picture(colours.of_image(one.image[crop]), one.model) for one in made]
    place = (
      f'{min(_CROP, width)} x {min(_CROP, height)} pixels from ({left}, {top}) on, where {made[0].model} errs most.'
    )
    parts.append(f'<div class="exact crop">{page.plate("Close up", crops, html.escape(place))}</div>')
  flows = [one for one in made if one.flow is not None]
  if flows:
    radius = max(1.0, *(float(np.quantile(np.linalg.norm(one.flow, axis=-1), 0.99)) for one in flows))
    drawn = [page.picture(_small(colours.of_flow(one.flow, radius)), one.model) for one in flows]
    legend = (
      f'<div class="key">{page.image(colours.wheel(), "the colours of all directions")}<p class="soft">The rim is '
    )
    legend += f'{page.number(radius)} pixels from the first frame to the last; white does not move.</p></div>'
    parts.append(page.plate('Flow', drawn, '', legend))
  return f'<div style="--ratio: {width} / {height}">{"".join(parts)}</div>'


def worst_place(error: np.ndarray) -> tuple[int, int]:
  """Returns top and left of the crop in which an error `[H, W]` is largest in all."""
  height, width = (max(side - _CROP, 0) + 1 for side in error.shape)
  sums = np.pad(error.astype(np.float64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
  rows, columns = (min(_CROP, side) for side in error.shape)
  inside = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
  top, left = np.unravel_index(inside[:height, :width].argmax(), (height, width))
  return int(top), int(left)


def _drawn(image):
  return _small(colours.of_image(image))


def _small(pixels):
  """Scales a picture down where it is larger than the page needs."""
  scale = max(pixels.shape[:2]) / LONGEST
  if scale <= 1.0:
    return pixels
  height, width = (max(round(side / scale), 1) for side in pixels.shape[:2])
  return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def choose(scores: np.ndarray, count: int) -> dict[str, list[int]]:
  """Returns which examples to show: the worst, those around the median and the best, none twice.

  Args:
    scores: `[N]`, more is better; NaN is left out.
    count: of each kind, at most.
  """
  order = [int(i) for i in np.argsort(scores, kind='stable') if np.isfinite(scores[i])]
  middle = max((len(order) - count) // 2, 0)
  kinds = {'worst': order[:count], 'best': order[::-1][:count], 'median': order[middle : middle + count]}
  taken: set[int] = set()
  chosen = {}
  for kind in ('worst', 'best', 'median'):
    chosen[kind] = [i for i in kinds[kind] if i not in taken]
    taken.update(chosen[kind])
  return {kind: chosen[kind] for kind in ('worst', 'median', 'best')}
