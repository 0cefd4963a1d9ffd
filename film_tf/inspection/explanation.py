"""Makes the page that explains a network on two images: runs it, and writes down what it did."""

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

import film_tf
from film_tf.inference.interpolator import Interpolator
from film_tf.inspection import story
from film_tf.inspection.observation import observe
from film_tf.inspection.pair import Pair
from film_tf.model import weights
from film_tf.model.film_net import FilmNet

_HALVINGS = 2  # of time, for the frames on the page


def page_of(
  net: FilmNet, name: str, pair: Pair, progress: Callable[[int, int], None] = lambda done, total: None
) -> str:
  """Returns the page, in HTML.

  Args:
    net: the network.
    name: what the page calls it.
    pair: the images.
    progress: as for `observe`.
  """
  a, b = (image / np.float32(255.0) for image in pair.images)
  seen = observe(net, a, b, progress)
  made = Interpolator(net).recurse(*pair.images, _HALVINGS)
  count = sum(math.prod(variable.shape) for variable in weights.named(net).values())
  versions = f'film_tf {film_tf.__version__}, TensorFlow {tf.__version__}'
  facts = story.Facts(pair.names, name, count, pair.size, pair.scale, versions)
  return story.write(facts, net.options, pair.images, [pair.images[0], *made, pair.images[1]], seen)
