"""Explains one level of the pyramids: pictures of what the network has there, with numbers and what to look for."""

import dataclasses

import numpy as np

from film_tf.inspection import colours, page
from film_tf.inspection.observation import READ, A, B, Observation
from film_tf.inspection.page import number
from film_tf.model.bilateral_flow_pyramid import SEARCHED_FROM
from film_tf.model.options import Options

NAMES = 'A', 'B'


@dataclasses.dataclass(frozen=True)
class Drawn:
  """What all levels share, so that their pictures can be compared.

  Attributes:
    seen: what the network has.
    options: of the network.
    own: features of depth 0 in colours, of both images on each level, in one basis.
    own_share: of the variance that these colours hold.
    whole: all features in colours, of both images on each level; one basis for levels of as many channels.
    whole_share: of the variance, of each level.
    radius: pixels of the finest level that have the full colour in flows.
  """

  seen: Observation
  options: Options
  own: list
  own_share: float
  whole: list
  whole_share: list[float]
  radius: float

  def size(self, level: int = 0) -> colours.Size:
    """Returns how long the flow of a level is, from A on, in pixels of the finest level."""
    return colours.size(2**level * self.seen.levels[level].flows[0].flow)


def draw(seen: Observation, options: Options) -> Drawn:
  """Draws what needs one basis or one scale for all levels."""
  levels = seen.levels
  own, own_share = colours.of_features([side[..., : options.filters] for one in levels for side in one.features])
  whole, shares = {}, {}
  for count in {one.features[A].shape[-1] for one in levels}:
    alike = [i for i, one in enumerate(levels) if one.features[A].shape[-1] == count]
    pictures, share = colours.of_features([side for i in alike for side in levels[i].features])
    whole |= {i: pictures[2 * place : 2 * place + 2] for place, i in enumerate(alike)}
    shares |= dict.fromkeys(alike, share)
  return Drawn(
    seen,
    options,
    [own[2 * i : 2 * i + 2] for i in range(len(levels))],
    own_share,
    [whole[i] for i in range(len(levels))],
    [shares[i] for i in range(len(levels))],
    max(1.0, *(_most(way.flow) for way in levels[0].flows)),
  )


def _most(flow):
  """Returns the length that 99 of 100 arrows do not exceed."""
  return float(np.quantile(np.linalg.norm(flow, axis=-1), 0.99))


def panel(drawn: Drawn, level: int) -> str:
  """Returns the panel of a level in HTML."""
  plates = [_images, _features, _flows, _warped, _hidden, _decoded]
  return f'<div class="exact">{"".join(plate(drawn, level) for plate in plates)}</div>'


def _images(drawn, level):
  one, side, most = drawn.seen.levels[level], 2**level, drawn.size().most
  height, width, _ = one.images[A].shape
  how = f'each the mean of {side} x {side} pixels' if level else 'as they are'
  labels = [f'{name}, {width} x {height}' for name in NAMES]
  return page.plate(
    'Both images',
    [page.picture(colours.of_image(image), label) for image, label in zip(one.images, labels, strict=True)],
    f'Here the images have {width} x {height} pixels, {how}. Of 100 pixels, 95 move by less than {number(most)} pixels '
    f'between A and B; counted in pixels of this level, that is <b>{number(most / side)}</b>.',
  )


def _features(drawn, level):
  one, o = drawn.seen.levels[level], drawn.options
  count, complete, coarsest = one.features[A].shape[-1], o.sub_levels - 1, o.pyramid_levels - 1
  pictures = [page.picture(drawn.own[level][side], f'of {NAMES[side]}, this scale alone') for side in (A, B)]
  pictures += [page.picture(drawn.whole[level][side], f'of {NAMES[side]}, all {count} channels') for side in (A, B)]
  text = f"""The first two show the {o.filters} channels that are extracted at this size as three colours, their
    principal components, which hold {drawn.own_share:.0%} of what varies. Both images and all levels have one set of
    colours: <b>one colour means one thing</b>. Go through the levels and watch an edge. It keeps its colour although it
    is seen at other sizes, because the same convolutions look at each: that is what the paper calls scale-agnostic. """
  if level < coarsest:
    alike = _correlation(one.features[A], drawn.seen.levels[level + 1].features[A], o.filters)
    text += f"Averaged over 2 x 2 pixels, A's features here correlate with those of level {level + 1} by {alike:.2f}. "
  if level >= complete:
    text += f"""The other two show all {count} channels: those of this scale, and what deeper layers have made of
      up to {complete} finer ones. Levels {complete} to {coarsest} have as many, and share a set of colours here, too
      ({drawn.whole_share[level]:.0%} of what varies)."""
  else:
    text += f"""The other two show all {count} channels. The levels from {complete} on have
      {o.feature_channels(complete)}, for which this one is too fine, so its colours are its own
      ({drawn.whole_share[level]:.0%} of what varies)."""
  return page.plate('Features in three colours', pictures, text)


def _correlation(fine, coarse, channels):
  """Returns how alike features of a level, averaged over 2x2 pixels, and those of the next are: -1 to 1."""
  height, width = (min(f // 2, c) for f, c in zip(fine.shape[:2], coarse.shape[:2], strict=True))
  fine = fine[: 2 * height, : 2 * width, :channels].reshape(height, 2, width, 2, channels).mean(axis=(1, 3))
  coarse = coarse[:height, :width, :channels]
  fine, coarse = (x - x.mean(axis=(0, 1)) if x.size else x for x in (fine, coarse))
  return float((fine * coarse).sum() / max(np.sqrt((fine**2).sum() * (coarse**2).sum()), 1e-12))


def _flows(drawn, level):
  flows = drawn.seen.levels[level].flows
  between = 'Flow from A to B, seen from the frame between'
  titles = [between] if len(flows) == 1 else ['Flow from A to B', 'Flow from B to A']
  return ''.join(_flow(drawn, level, *one) for one in zip(flows, titles, strict=True))


def _flow(drawn, level, flow, title):
  o, coarsest, radius = drawn.options, drawn.options.pyramid_levels - 1, drawn.radius / 2**level
  small = max(_most(flow.residual), 0.05)
  parts = {} if level == coarsest else {f'from level {level + 1}, upsampled': (flow.upsampled, radius)}
  if flow.step is None:
    parts |= {'residual, what this level adds': (flow.residual, small)}
  else:
    parts |= {'what is not learned': (flow.step, small), 'what corrects it': (flow.residual - flow.step, small)}
  parts |= {'sum, the flow of this level': (flow.flow, radius)}
  sizes = {name: colours.size(part) for name, (part, _) in parts.items()}
  rows = [[name, *map(number, size), number(2**level * size.mean)] for name, size in sizes.items()]
  table = page.table(['pixels of this level', 'mean', '95 %', 'largest', 'mean, at the finest'], rows)
  legend = f"""<div class="key">{page.image(colours.wheel(), 'the colours of all directions')}<p class="soft">White does
    not move; the rim moves {number(radius)} pixels of this level, {number(drawn.radius)} of the finest, and
    {number(small)} of this level in what is added.</p></div>"""
  added, total = colours.size(flow.residual).mean, sizes['sum, the flow of this level'].mean
  if level == coarsest:
    told = 'There is nothing coarser to start from, so all of this flow is what is added. '
  else:
    told = f"""What comes from below is smooth, having been found for a quarter of the pixels. What is added,
      {number(added)} pixels on average where the sum has {number(total)}, should be at the edges of what moves. """
  if flow.step is not None:
    if o.search and level >= SEARCHED_FROM:
      told += """This network first looks whether features are more alike 2 pixels to any side. """
    told += """It takes a step of Lucas and Kanade, which has nothing to learn: from slopes and differences of the
      features, it sees 1.5 pixels far either way. What is learned corrects it. """
    if o.propagation:
      told += """Then each pixel borrows flow from 4 pixels beside it where that makes both images more alike, so that
        motion ends where things do; the correction shows both. """
  if level < o.specialized_levels:
    told += 'This level has a predictor of its own.'
  else:
    told += f'Levels {o.specialized_levels} to {coarsest} share one predictor, and this is one of them.'
  return page.plate(
    title, [page.picture(colours.of_flow(*one), name) for name, one in parts.items()], told, legend + table
  )


def _warped(drawn, level):
  one = drawn.seen.levels[level]
  before, after = (255.0 * np.abs(pair[A] - pair[B]).mean() for pair in (one.images, one.warped))
  labels = [f'{name}, moved to the middle' for name in NAMES]
  pictures = [page.picture(colours.of_image(image), text) for image, text in zip(one.warped, labels, strict=True)]
  difference = np.abs(one.warped[A] - one.warped[B]).mean(axis=-1)
  pictures.append(page.picture(colours.of_amounts(difference, 0.25), 'their difference'))
  explained = f'flow explains <b>{1.0 - after / before:.0%}</b> of it' if after < before else 'flow explains none of it'
  return page.plate(
    'Both images, moved half of the way',
    pictures,
    f"""Each pixel of the frame between is read where the flow points, in A and in B, so both should now show the same.
    On this level A and B differ by {number(before)} of 255 on average, and by {number(after)} when they are moved:
    {explained}. In the difference, black is none and pale yellow is 64 of 255 or more. Look for outlines that are there
    twice: there the flow is wrong, or one image does not show what the other does.""",
  )


def _hidden(drawn, level):
  one = drawn.seen.levels[level]
  labels = [f'{NAMES[side]}: {one.hidden[side].mean():.1%} without partner' for side in (A, B)]
  pictures = [page.picture(colours.marked(one.images[side], one.hidden[side]), labels[side]) for side in (A, B)]
  if len(one.flows) == 1:
    text = f"""This network has one flow, seen from the frame between, and so no second one to check it with. But it
      says which pixels are read: magenta are those that give the frame between less than {READ:.0%} of a pixel. They
      are covered there, have left the picture, or are squeezed together."""
  else:
    text = """The flow from A to B, and from there the flow to A, should lead back to where one started. Magenta is
      where it misses by more than about 0.7 pixels and a tenth of the way. Such pixels are covered in the other image,
      have left it, or their flow is wrong."""
  return page.plate('What has no partner', pictures, text)


def _decoded(drawn, level):
  one, title = drawn.seen.levels[level], 'What the decoder takes from this level'
  if one.blanked is None:
    finest = drawn.options.fusion_pyramid_levels - 1
    return page.plate(title, [], f'Nothing: it reads levels 0 to {finest}. This one only helps to find the flow.')
  a, b = one.blanked
  top, none = full_colour(a, b), np.zeros_like(a)
  return page.plate(
    title,
    [
      page.picture(colours.of_sides(a, none, top), 'change without A'),
      page.picture(colours.of_sides(none, b, top), 'change without B'),
      page.picture(colours.of_sides(a, b, top), 'both'),
    ],
    f"""A test: of what the decoder reads of this level, image and features of one side are replaced by their mean, and
    all else stays. The colour says where the result changes, <b class="a">orange</b> without A,
    {number(255.0 * a.mean())} of 255 on average, and <b class="b">blue</b> without B, {number(255.0 * b.mean())}.
    White does not change; full colour is {number(255.0 * top)} of 255. Coarse levels should matter in patches, fine
  ones at edges and in texture.""",
  )


def full_colour(a: np.ndarray, b: np.ndarray) -> float:
  """Returns the change that has the full colour where two changes are drawn: 99 of 100 pixels have no more."""
  return max(float(np.quantile(a + b, 0.99)), 1.0 / 255.0)
