"""Draws training examples, with numbers about them, so that a person can check data by looking."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from film_tf import keys
from film_tf.data import motion
from film_tf.errors import UserError

COLUMNS = 2  # examples beside each other
_LABEL = 18  # pixels above each example for its numbers


class Statistics(NamedTuple):
  """What is measured of one example."""

  largest: float  # pixels that something moves from x0 to x1, see `motion.Motion`
  mean: float  # pixels that what is seen in both moves
  lost: float  # share of x0's texture not found in x1
  brightness: float  # mean of the middle, 0 to 1
  off_middle: float  # how far the middle is from x0 and x1, of how far these are from each other; about 1/2 to 1


def statistics(example: Mapping) -> Statistics:
  """Measures an example without a batch axis.

  Args:
    example: `x0`, `y`, `x1` `[H, W, 3]` in [0, 1].

  Raises:
    UserError: it has fewer than `motion.MIN_SIDE` rows or columns.
  """
  x0, y, x1 = (example[key] for key in (keys.X0, keys.Y, keys.X1))
  if min(x0.shape[:2]) < motion.MIN_SIDE:
    raise UserError(f'examples of {x0.shape[0]}x{x0.shape[1]} pixels; their motion needs {motion.MIN_SIDE} both ways')
  moved = motion.measure(x0, x1)
  apart = tf.reduce_mean(tf.abs(x1 - x0))
  off = tf.maximum(tf.reduce_mean(tf.abs(y - x0)), tf.reduce_mean(tf.abs(y - x1)))
  numbers = (moved.largest, moved.mean, moved.lost, tf.reduce_mean(y), tf.math.divide_no_nan(off, apart))
  return Statistics(*(float(number) for number in numbers))


def draw(examples: Sequence[Mapping], found: Sequence[Statistics]) -> np.ndarray:
  """Draws a row of x0, y, x1 and the difference of x0 and x1 for each example, with the statistics found of it.

  Returns:
    `[H, W, 3]` uint8.
  """
  height, width, _ = examples[0][keys.X0].shape
  rows = -(-len(examples) // COLUMNS)
  sheet = Image.new('RGB', (COLUMNS * (4 * width + _LABEL), rows * (height + _LABEL)), 'white')
  pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
  for number, example in enumerate(examples):
    left, top = number // rows * (4 * width + _LABEL), number % rows * (height + _LABEL)
    x0, y, x1 = (np.asarray(example[key]) for key in (keys.X0, keys.Y, keys.X1))
    strip = np.concatenate([x0, y, x1, np.abs(x1 - x0)], axis=1)
    sheet.paste(Image.fromarray((255.0 * strip.clip(0.0, 1.0)).round().astype(np.uint8)), (left, top + _LABEL))
    one = found[number]
    text = f'{number}: up to {one.largest:.0f} px, mean {one.mean:.1f} px, {one.lost:.0%} lost'
    pen.text((left + 2, top + 2), text, fill='black', font=font)
  return np.asarray(sheet)


def table(found: Sequence[Statistics]) -> str:
  """Returns the statistics of all examples in a few lines."""
  values = np.array(found)
  names = ('largest motion, px', 'mean motion, px', 'texture lost, %', 'brightness, %', 'middle off, %')
  lines = [f'{len(found)} examples       least  median    most']
  for name, column, scale in zip(names, values.T, (1, 1, 100, 100, 100), strict=True):
    least, median, most = scale * np.quantile(column, (0.0, 0.5, 1.0))
    lines.append(f'{name:18} {least:8.1f} {median:7.1f} {most:7.1f}')
  return '\n'.join(lines)
