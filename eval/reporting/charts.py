"""Charts as inline SVG: lines with intervals, steps of a histogram."""

import html
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

COLOURS = ('#0068c9', '#d66000', '#1a8f5a', '#a3399b', '#8a6d00', '#5b6675')
_WIDTH, _HEIGHT = 480, 260  # of the drawing; a page scales it
_BINS = 6, 30  # of a histogram, at least and at most
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 12, 44  # margins for the labels


class Line(NamedTuple):
  """A line of a chart."""

  name: str
  x: np.ndarray
  y: np.ndarray
  low: np.ndarray | None = None  # of the interval around each point
  high: np.ndarray | None = None


def lines(series: Sequence[Line], x_label: str, y_label: str, alt: str, zero: bool = False) -> str:
  """Draws lines, each in a colour of its own, with a legend in the order given.

  Args:
    series: the lines.
    x_label: of the axis below.
    y_label: of the axis on the left.
    alt: what the chart shows, for who cannot see it.
    zero: draw the line y = 0, too.
  """
  x = np.concatenate([line.x for line in series])
  y = np.concatenate([part for line in series for part in (line.y, line.low, line.high) if part is not None])
  y = np.append(y, 0.0) if zero else y
  ticks_x, ticks_y = ticks(x.min(), x.max()), ticks(y.min(), y.max())
  left, right = min(x.min(), ticks_x[0]), max(x.max(), ticks_x[-1])
  bottom, top = min(y.min(), ticks_y[0]), max(y.max(), ticks_y[-1])

  def at(x, y):
    across = (x - left) / max(right - left, 1e-9) * (_WIDTH - _LEFT - _RIGHT)
    up = (y - bottom) / max(top - bottom, 1e-9) * (_HEIGHT - _TOP - _BOTTOM)
    return f'{_LEFT + across:.1f},{_HEIGHT - _BOTTOM - up:.1f}'

  parts = []
  for tick in ticks_y:
    (x1, y1), (x2, _) = (at(place, tick).split(',') for place in (left, right))
    colour = '#5b6675' if zero and tick == 0.0 else '#d9dee5'
    parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y1}" stroke="{colour}"/>')
    parts.append(f'<text x="{_LEFT - 6}" y="{float(y1) + 4:.1f}" text-anchor="end">{tick:g}</text>')
  for tick in ticks_x:
    x1 = at(tick, bottom).split(',')[0]
    parts.append(f'<text x="{x1}" y="{_HEIGHT - _BOTTOM + 17}" text-anchor="middle">{tick:g}</text>')
  parts.append(
    f'<text x="{(_LEFT + _WIDTH) // 2}" y="{_HEIGHT - 6}" text-anchor="middle">{html.escape(x_label)}</text>'
  )
  middle = (_HEIGHT - _BOTTOM + _TOP) // 2
  turned = f'transform="rotate(-90 13 {middle})" text-anchor="middle"'
  parts.append(f'<text x="13" y="{middle}" {turned}>{html.escape(y_label)}</text>')
  for line, colour in zip(series, _colours(len(series)), strict=True):
    if line.low is not None:
      around = [at(*point) for point in zip(line.x, line.high, strict=True)]
      around += [at(*point) for point in zip(line.x[::-1], line.low[::-1], strict=True)]
      parts.append(f'<polygon points="{" ".join(around)}" fill="{colour}" opacity="0.15"/>')
      parts += [f'<circle cx="{p[0]}" cy="{p[1]}" r="3" fill="{colour}"/>'
                for p in (at(*point).split(',') for point in zip(line.x, line.y, strict=True))]  # fmt: skip
    points = ' '.join(at(*point) for point in zip(line.x, line.y, strict=True))
    parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
  drawing = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{html.escape(alt)}">{"".join(parts)}</svg>'
  return f'<figure class="chart">{drawing}{legend([line.name for line in series])}</figure>'


def legend(names: Sequence[str]) -> str:
  """Returns names, each behind its colour."""
  keys = zip(names, _colours(len(names)), strict=True)
  return ''.join(
    f'<span class="name"><i style="background:{colour}"></i>{html.escape(name)}</span>' for name, colour in keys
  )


def histogram(values: dict[str, np.ndarray], label: str, alt: str) -> str:
  """Draws how the values of several models are distributed, as per cent of the examples in ranges of equal size."""
  every = np.concatenate(list(values.values()))
  bins = int(np.clip(2.0 * np.sqrt(len(every) / len(values)), *_BINS))
  edges = np.linspace(every.min(), max(every.max(), every.min() + 1e-6), bins + 1)
  series = []
  for name, one in values.items():
    share = 100.0 * np.histogram(one, edges)[0] / max(len(one), 1)
    series.append(Line(name, np.repeat(edges, 2), np.concatenate([[0.0], np.repeat(share, 2), [0.0]])))
  return lines(series, label, '% of examples', alt)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
  """Returns round numbers from about `low` to `high`."""
  rough = max(high - low, 1e-9) / most
  power = 10.0 ** np.floor(np.log10(rough))
  step = next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if power * factor >= rough)
  return [float(step * i) for i in range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1)] or [
    float(low)
  ]


def _colours(count):
  return [COLOURS[i % len(COLOURS)] for i in range(count)]
