"""Reads `.safetensors`: names and arrays, nothing that runs."""

import numpy as np

from film_tf import files
from film_tf.errors import UserError


def read(path: str) -> dict[str, np.ndarray]:
  """Returns all tensors by their names.

  Raises:
    UserError: the file cannot be read, or not to its end, or the library for it is not installed.
  """
  try:
    import safetensors.numpy  # an extra
  except ImportError as error:
    raise UserError(f"{path} is read with safetensors; pip install '.[safetensors]'") from error
  try:
    return safetensors.numpy.load_file(path)
  except AttributeError as error:  # what safetensors makes of it
    raise UserError(
      f'{path} has numbers of a type that NumPy lacks, such as float8; take a file of 16 or 32 bits'
    ) from error
  except (OSError, TypeError, safetensors.SafetensorError) as error:
    raise UserError(f'cannot read {path} as .safetensors: {files.reason(error)}; get the file again') from error
