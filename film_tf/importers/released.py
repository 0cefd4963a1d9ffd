"""FILM's released weights, by name: where they are kept on this machine, and where they come from.

They do not come with film_tf. `python -m film_tf.convert SOURCE --name=film_style` puts them into the user's cache.
"""

import os
import pathlib

from film_tf import files
from film_tf.errors import UserError

_DRIVE = 'https://drive.google.com/drive/folders/1q8110-qp225asX3DQvZnfLfJPkCHmDpy'
_KAGGLE, _HUGGING_FACE = 'kaggle:', 'hf:'  # begin what `fetch` takes

NAMES = {
  'film_style': f'{_KAGGLE}google/film/tensorFlow2/film/1',
  'film_l1': 'film_net/L1/saved_model',
  'film_vgg': 'film_net/VGG/saved_model',
}
"""The released networks, and the source of each: in a hub, or in Google's release folder."""


def place(name: str) -> str:
  """Returns the path of the weights file of a name, `film_tf/NAME.npz` in the user's cache folder."""
  cache = os.environ.get('XDG_CACHE_HOME', '')
  folder = pathlib.Path(cache) if os.path.isabs(cache) else pathlib.Path.home() / '.cache'  # as XDG has it
  return str(folder / 'film_tf' / f'{name}.npz')


def find(name: str) -> str:
  """Returns the path of the weights file of a name.

  Raises:
    UserError: it is not there; the message says how it comes there.
  """
  path = place(name)
  if not os.path.isfile(path):
    raise UserError(
      f"{name}, of FILM's released weights, is not on this machine ({path}). Download them from Google's folder "
      f'{_DRIVE}, from Kaggle Models (google/film) or, as .safetensors, from Hugging Face '
      f'(Comfy-Org/frame_interpolation), then: python -m film_tf.convert {NAMES[name]} --name={name}{_help(name)}'
    )
  return path


def _help(name):
  return " (this downloads it too, after pip install '.[hub]')" if NAMES[name].startswith(_KAGGLE) else ''


def fetch(source: str) -> str:
  """Returns the path of what a hub keeps, from the cache of the hub's own client or downloaded by it.

  Args:
    source: `kaggle:OWNER/MODEL/FRAMEWORK/VARIATION/VERSION` or `hf:OWNER/REPOSITORY/FILE`; any other is a path already.

  Raises:
    UserError: the client is not installed, or cannot get it.
  """
  if not source.startswith((_KAGGLE, _HUGGING_FACE)):
    return source
  hub, _, name = source.partition(':')
  if hub == 'hf' and name.count('/') < 2:
    raise UserError(f'cannot get {source}: expected hf:OWNER/REPOSITORY/FILE')
  try:
    if hub == 'kaggle':
      import kagglehub  # an extra

      return kagglehub.model_download(name)
    import huggingface_hub  # likewise

    owner, repository, file = name.split('/', 2)
    return huggingface_hub.hf_hub_download(f'{owner}/{repository}', file)
  except ImportError as error:
    raise UserError(
      f"{source} needs the hub's client: pip install '.[hub]'. Or download it by hand, and give the file or folder"
    ) from error
  except Exception as error:  # of the clients' many, some are nothing more special
    raise UserError(f'cannot get {source}: {files.reason(error)}') from error
