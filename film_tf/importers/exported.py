"""Reads the network of a SavedModel that film_tf exported, without running its graphs."""

import json
import os

from film_tf import files
from film_tf.errors import UserError
from film_tf.importers import sources, tensorflow_file
from film_tf.model import weights
from film_tf.model.film_net import FilmNet

_LIST = 'weights'  # of `saved_model.Served`, in the order of `weights.named`


def read(path: str | os.PathLike, **kwargs) -> FilmNet:
  """Makes the network, of the sizes and variables that are in the folder; `kwargs` (dtype, name) go to `FilmNet`.

  Raises:
    UserError: they cannot be read, or are not there.
  """
  try:
    with open(os.path.join(path, sources.SIZES)) as file:
      options = json.load(file)
  except FileNotFoundError as error:
    raise UserError(
      f'{path} is a SavedModel of an earlier film_tf, which does not tell its sizes; '
      'give the weights file (.npz) that it was made of'
    ) from error
  except (OSError, ValueError) as error:
    raise UserError(f'cannot read the sizes of {path}: {files.reason(error)}; export it again') from error
  net = FilmNet(weights.sizes_of(options, path), **kwargs)
  named = weights.named(net)
  arrays = tensorflow_file.read_list(os.path.join(path, 'variables', 'variables'), _LIST, len(named))
  weights.assign(net, dict(zip(named, arrays, strict=True)), str(path))
  return net
