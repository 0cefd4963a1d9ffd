"""The networks that come with film_tf, by name. MODEL_CARD.md says how each was trained and what it is good for."""

import hashlib
import os
import pathlib

from film_tf.errors import UserError

SHA256 = {'film_mini': 'c45163028eaba8210d29c10f9d9930c2c8fe753b5941b423f16330ded972515e'}
"""Of each one's weights file."""

_FOLDER = pathlib.Path(__file__).resolve().parent.parent / 'pretrained'


def find(model: str | os.PathLike) -> str:
  """Returns the path of the weights file that a name stands for; a name that is not in `SHA256` is a path itself.

  A file or folder of such a name is `./film_mini`.

  Raises:
    UserError: there is no such model, or the file did not come with film_tf, or was changed since.
  """
  name = os.fspath(model)
  if name not in SHA256:
    if '://' not in name and not os.path.exists(name):
      raise UserError(
        f'no such model: {name}; expected {", ".join(SHA256)}, a weights file (.npz) or a SavedModel folder'
      )
    return name
  path = _FOLDER / f'{name}.npz'
  try:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
  except OSError as error:
    raise UserError(f'{path}, which should have come with film_tf, cannot be read; install film_tf again') from error
  if found != SHA256[name]:
    raise UserError(f'{path} is not the file that came with film_tf (its SHA-256 is {found}); install film_tf again')
  return str(path)
