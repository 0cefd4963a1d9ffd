"""Writes the page that explains FILM on two images."""

import html
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from film_tf.inspection import colours, level, page
from film_tf.inspection.observation import A, B, Observation
from film_tf.inspection.page import number
from film_tf.model.options import Options


class Facts(NamedTuple):
  """What the page says of where its pictures come from."""

  names: tuple[str, str]  # of both images
  model: str
  weights: int  # how many
  size: tuple[int, int]  # of the images as they were given, width and height
  scale: float  # of these to those that the page shows, 1 or more
  versions: str


def write(
  facts: Facts, options: Options, images: Sequence[np.ndarray], frames: Sequence[np.ndarray], seen: Observation
) -> str:
  """Returns the page.

  Args:
    facts: where all comes from.
    options: of the network.
    images: both, `[H, W, 3]` uint8.
    frames: evenly spaced, from the first image to the second with those made between, `[H, W, 3]` uint8.
    seen: what the network has made of the images.
  """
  drawn = level.draw(seen, options)
  height, width, _ = images[A].shape
  levels = range(options.pyramid_levels)
  panels = [(f'level {i}: {_size(seen, i)} pixels', level.panel(drawn, i)) for i in reversed(levels)]
  body = f"""<div style="--ratio: {width} / {height}">
{_head(facts, width, height)}
{_result(images, frames)}
<h2>How it is found</h2>
{_idea(drawn)}
<h3>The pyramids</h3>
{_pyramids(seen)}
<h3>What each level adds to the flow</h3>
{_added(drawn)}
<h2>Level by level</h2>
<p>Move the slider from the coarsest level to the finest, as the network goes; arrow keys do, too. A click on a picture
enlarges it.</p>
{page.steps('levels', 'level of the pyramids', panels)}
<h2>What the decoder took from where</h2>
{_decoded(drawn)}
<h2>What you do not see here</h2>
{_limits(options)}
</div>"""
  return page.document('How FILM makes the frame between', body)


def _size(seen, i):
  height, width, _ = seen.levels[i].images[A].shape
  return f'{width} x {height}'


def _head(facts, width, height):
  a, b, model = (html.escape(text) for text in (*facts.names, facts.model))
  text = (
    f'<p>FILM is a network that paints the image between two others. This page shows what it does on the way, on '
    f'<b class="a">A</b>, {a}, and <b class="b">B</b>, {b}. All numbers and pictures are of these two, and were made '
    f'by the layers of {model}, a network of {facts.weights:,} weights.</p>'
  )
  if facts.scale > 1.0:
    text += (
      f'<p>The images were scaled down for this page, from {facts.size[0]} x {facts.size[1]} pixels to {width} x '
      f'{height}: a pixel here is {facts.scale:.2f} of yours.</p>'
    )
  return f'{text}<p class="soft">{width} x {height} pixels; {html.escape(facts.versions)}</p>'


def _result(images, frames):
  last, middle = len(frames) - 1, len(frames) // 2
  names = ['A, time 0', *(f'made, time {i / last:g}' for i in range(1, last)), 'B, time 1']
  panels = [(name, page.picture(frame, name)) for name, frame in zip(names, frames, strict=True)]
  a, b, made = (image.astype(np.float32) for image in (*images, frames[middle]))
  mean = (a + b) / 2.0
  return f"""<h2>The frame between</h2>
<div class="columns"><div>{page.steps('time', 'time', panels, middle)}
<p>Time goes from A to B. The frame in the middle, 0.5, is made first; the others are made by halving again, between
that one and A or B.</p></div>
<div><div class="bar"><b>Drag the line.</b></div>
{page.wipe(np.round(mean).astype(np.uint8), frames[middle], 'mean of A and B', 'made by FILM')}
<p>A and B differ by {number(np.abs(a - b).mean())} of 255 on average. In their mean all that moves is there twice; the
frame that the network makes is {number(np.abs(made - mean).mean())} of 255 from that mean.</p></div></div>"""


def _idea(drawn):
  o, size = drawn.options, drawn.size()
  coarsest = o.pyramid_levels - 1
  bilateral = """ This network, which is a small one, finds one flow instead of two, as seen from the frame between:
what moves from A to B is half of the way behind there and half of the way ahead."""
  mixed = ' This network paints only what a mix of both moved images lacks, and the shares of that mix.'
  if o.second_look:
    mixed += (
      ' It then reads both images again, ahead, behind and where nothing has moved, to blur what cannot be known.'
    )
  return f"""<p>In these two images things move by {number(size.mean)} pixels on average, 95 of 100 pixels by less than
{number(size.most)}, and the farthest by {number(size.largest)}. A convolution looks at 3 x 3 pixels; to see that far,
it would take very many. So FILM goes to where motion is small.</p>
<p><b>Features (section 3.1 of the paper).</b> Both images are halved again and again, to {o.pyramid_levels} sizes. At
each, the same few convolutions describe what is there; their weights are the same for all sizes and both images. A
motion of {number(size.most)} pixels at level 0 is one of {number(size.most / 2**coarsest)} at level {coarsest}. Since
both are described in the same words, what is learned from the many small motions holds for the few large ones.</p>
<p><b>Flow (section 3.2).</b> From the coarsest level to the finest: take the flow found so far, double its size and its
length, move the other image's features by it, and let a small network say what is still missing, the <i>residual</i>.
The levels from {o.specialized_levels} on share one such network.{bilateral if o.bilateral_flow else ''}</p>
<p><b>Fusion (section 3.3).</b> On the {o.fusion_pyramid_levels} finest levels both images and their features are moved
to the middle, and a decoder, again from coarse to fine, paints the frame from what it reads there. Nobody tells it what
is hidden where; it has learned to take what fits.{mixed if o.residual_fusion else ''}</p>"""


def _pyramids(seen):
  rows = []
  for side, name in enumerate(level.NAMES):
    images = [page.image(colours.of_image(one.images[side]), f'{name}, level {i}') for i, one in enumerate(seen.levels)]
    parts = [f'<figure style="flex: {2.0**-i:.6f} 1 0">{image}</figure>' for i, image in enumerate(images)]
    rows.append(
      f'<div><div class="pyramid">{"".join(parts)}</div><p class="soft">{name}, levels 0 to {len(parts) - 1}</p></div>'
    )
  sizes = ', '.join(_size(seen, i) for i in range(len(seen.levels)))
  return f"""<div class="columns">{''.join(rows)}</div><p>{sizes} pixels. Find the level on which you can hardly tell A
from B any more: there the search begins.</p>"""


def _added(drawn):
  levels, rows = drawn.seen.levels, []
  added = [colours.size(one.flows[0].residual).mean for one in levels]
  lengths = [2**i * mean for i, mean in enumerate(added)]
  for i in reversed(range(len(levels))):
    bar = page.bar(lengths[i] / max(*lengths, 1e-6))
    rows.append([f'level&nbsp;{i}', bar, *map(number, (lengths[i], drawn.size(i).mean, added[i]))])
  table = page.table(['', '', 'added', 'flow so far', "added, in the level's pixels"], rows)
  return f"""{table}<p>Mean lengths of the flow from A to B. Level {int(np.argmax(lengths))} adds most for these
images. The last column counts in pixels of the level itself, {number(max(added))} at most: that far the network has to
look.</p>"""


def _decoded(drawn):
  seen = drawn.seen
  a, b = seen.blanked
  top, total = level.full_colour(a, b), np.maximum(a + b, 1e-6)
  clear = [float((one > 2.0 * other).mean()) for one, other in ((a, b), (b, a))]
  pictures = [
    page.picture(colours.of_sides(a, b, top), 'change without A and without B'),
    page.picture(colours.of_share(a / total), 'whose change is larger'),
  ]
  text = f"""The same test on all levels at once: image and features of one side are replaced by their mean, and the
flows stay. Without A the result changes by {number(255.0 * a.mean())} of 255 on average, without B by
{number(255.0 * b.mean())}. In the first picture, <b class="a">orange</b> is what changes without A,
<b class="b">blue</b> what changes without B, grey what changes without either, and white what does not, as with a mean
of the picture's own colour; full colour is {number(255.0 * top)} of 255. The second shows only whose change is larger:
A's more than twice that of B on {clear[A]:.0%} of the picture, B's on {clear[B]:.0%}. Compare it with the magenta of
level 0: what B does not show must come from A, and the other way round."""
  if seen.share is not None:
    share = seen.share[..., np.newaxis]
    mix = share * seen.levels[0].warped[A] + (1.0 - share) * seen.levels[0].warped[B]
    painted = np.abs(seen.image - mix).mean(axis=-1)
    pictures += [
      page.picture(colours.of_share(seen.share), 'shares of the mix'),
      page.picture(colours.of_amounts(painted, 0.1), 'what is painted on top'),
    ]
    text += f"""</p><p>This network says it itself, too. The third picture has the shares of the mix of both moved
images, {seen.share.mean():.0%} of A on average. The fourth is what is painted on top of that mix,
{number(255.0 * painted.mean())} of 255 on average; black is nothing, and pale yellow 26 or more."""
  return page.plate('A test', pictures, text)


def _limits(options):
  return f"""<p>Inside the network images are padded to a multiple of {options.alignment} pixels, by repeating their
border; the pictures are without. Three colours do not hold all of so many channels; the percentages say how much they
do. That a result changes when something is replaced by its mean shows that it was used, and not how the network would
do without it, since it was never trained so. And a flow is what helped to paint the frame, not a measurement: the
published network was never shown a true one.</p>
<p>The paper is Reda et al., FILM: Frame Interpolation for Large Motion, ECCV 2022, arXiv 2202.04901. Flow has the
colours of Baker et al., A Database and Evaluation Methodology for Optical Flow, IJCV 2011; flow and return are
compared as in Sundaram, Brox and Keutzer, ECCV 2010.</p>"""
