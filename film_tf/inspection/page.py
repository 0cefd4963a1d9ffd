"""Parts of pages that are one file: they open from disk, and need no network and no program but a browser."""

import base64
import html
import io
import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

import film_tf

_HERE = pathlib.Path(__file__).parent
_LOSSLESS = 20_000  # pixels; smaller pictures are kept exactly, since their pixels are seen one by one
_QUALITY = 85  # of WebP, of 100


def document(title: str, body: str) -> str:
  """Returns a whole page: `body` is HTML, `title` is text. The browser is told to fetch nothing."""
  style, script = ((_HERE / name).read_text() for name in ('page.css', 'page.js'))
  policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
  return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="film_tf {film_tf.__version__}">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="icon" href="data:,">
<title>{html.escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>{html.escape(title)}</h1>
{body}
</main>
<script>
{script}</script>
</body>
</html>
"""


def image(pixels: np.ndarray, alt: str) -> str:
  """Returns `[H, W, 3]` uint8 as an element that holds the picture itself; `alt` says what it shows."""
  height, width, _ = pixels.shape
  data = io.BytesIO()
  Image.fromarray(pixels).save(data, 'WEBP', lossless=height * width <= _LOSSLESS, quality=_QUALITY)
  encoded = base64.b64encode(data.getvalue()).decode()
  alt = html.escape(alt)
  return f'<img width="{width}" height="{height}" alt="{alt}" src="data:image/webp;base64,{encoded}">'


def picture(pixels: np.ndarray, label: str) -> str:
  """Returns a picture with its label below, which a click enlarges."""
  return f'<figure class="picture">{image(pixels, label)}<figcaption>{html.escape(label)}</figcaption></figure>'


def plate(title: str, pictures: Sequence[str], caption: str, legend: str = '') -> str:
  """Returns pictures beside each other, under a title, a legend and a caption that says what to look for, in HTML."""
  row = f'<div class="row">{"".join(pictures)}</div>' if pictures else ''
  return f'<section class="plate"><h3>{title}</h3>{row}{legend}<p>{caption}</p></section>'


def steps(name: str, label: str, panels: Sequence[tuple[str, str]], first: int = 0) -> str:
  """Returns panels of which a slider shows one at a time; without scripts all are there, one below the other.

  Args:
    name: of the element, for links.
    label: of the slider.
    panels: what each is called on the slider, in text, and the panel in HTML.
    first: which is shown at first.
  """
  shown = ''.join(f'<div class="step" data-name="{html.escape(text)}">{panel}</div>' for text, panel in panels)
  return (
    f'<div class="steps" id="{name}"><div class="bar"><button type="button" aria-label="back">&larr;</button>'
    f'<input type="range" min="0" max="{len(panels) - 1}" value="{first}" aria-label="{html.escape(label)}">'
    f'<button type="button" aria-label="on">&rarr;</button><output></output></div>{shown}</div>'
  )


def wipe(left: np.ndarray, right: np.ndarray, left_label: str, right_label: str) -> str:
  """Returns two pictures on top of each other, of the same size: a line between them is dragged, or they alternate."""
  labels = (html.escape(label) for label in (left_label, right_label))
  return (
    f'<figure class="picture"><div class="wipe">{image(left, left_label)}{image(right, right_label)}'
    '<input type="range" min="0" max="100" value="50" aria-label="where the line is"></div>'
    f'<figcaption class="ends"><span>{next(labels)}</span><button type="button" class="blink">blink</button>'
    f'<span>{next(labels)}</span></figcaption></figure>'
  )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """Returns a table of cells in HTML; the first column names the rows. It scrolls by itself where it is too wide."""
  lines = [''.join(f'<th scope="col">{cell}</th>' for cell in head)]
  for first, *others in rows:
    lines.append(f'<th scope="row">{first}</th>' + ''.join(f'<td>{cell}</td>' for cell in others))
  return f'<div class="wide"><table>{"".join(f"<tr>{line}</tr>" for line in lines)}</table></div>'


def bar(share: float) -> str:
  """Returns a bar for a table's cell, of which `share` is filled."""
  return f'<span class="track"><span style="width:{100.0 * min(max(share, 0.0), 1.0):.1f}%"></span></span>'


def number(x: float) -> str:
  """Returns a number with as many digits as a reader needs."""
  return f'{x:.0f}' if abs(x) >= 100.0 else f'{x:.1f}' if abs(x) >= 10.0 else f'{x:.2f}'
