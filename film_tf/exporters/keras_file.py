"""Writes `.keras` files, which `tf.keras.models.load_model` reads where film_tf is imported."""

import os

from film_tf import files
from film_tf.exporters import function
from film_tf.model.film_net import FilmNet


def export(net: FilmNet, path: str | os.PathLike, overwrite: bool = False):
  """Writes the network, its sizes and its weights.

  Raises:
    UserError: `path` exists or cannot be written, or a weight is not finite.
  """
  function.check_weights(net, 'float32')
  with files.atomic_write(path, overwrite) as temporary:
    net.save(temporary)
