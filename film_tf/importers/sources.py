"""Finds what the name of a model stands for, by looking into it and not at its suffix; loads no TensorFlow."""

import dataclasses
import glob
import io
import json
import os
import re
import zipfile

import numpy as np

from film_tf import files
from film_tf.errors import UserError
from film_tf.importers import released
from film_tf.model import pretrained

NPZ = 'a weights file of film_tf'
SAVED_MODEL = 'a SavedModel'
CHECKPOINT = 'a TensorFlow checkpoint'
SAFETENSORS = 'a .safetensors file'
TORCH = 'a PyTorch file'
PICKLE = 'a pickle'

NAMES = (*pretrained.SHA256, *released.NAMES)  # of models, which are no paths
_KNOWN = f'{", ".join(NAMES)}, a weights file (.npz, .safetensors, .pt), a SavedModel folder or a TensorFlow checkpoint'
SIZES = os.path.join('assets.extra', 'film_tf.json')  # in a SavedModel that film_tf exported: `Options`
_LFS = b'version https://git-lfs.github.com/spec/'  # how a file of Git LFS begins that was not fetched


@dataclasses.dataclass(frozen=True)
class Source:
  """Weights that were found."""

  kind: str  # one of those above
  path: str  # of the file or folder; of a checkpoint, what the names of its files begin with
  file: str  # that changes when the weights do


def find(model: str | os.PathLike) -> Source:
  """Finds a model.

  Args:
    model: a name in `pretrained.SHA256` or `released.NAMES`, or a path; a file or folder of such a name is
      `./film_mini`.

  Raises:
    UserError: there is none, or it is nothing that film_tf reads.
  """
  name = os.fspath(model)
  if name in pretrained.SHA256:
    path = pretrained.find(name)
    return Source(NPZ, path, path)
  if name in released.NAMES:
    path = released.find(name)
    return Source(NPZ, path, path)
  if '://' in name:  # only TensorFlow can look into it
    return Source(NPZ, name, name)
  if os.path.isdir(name):
    return _folder(name)
  prefix = re.sub(r'\.(index|data-\d{5}-of-\d{5})$', '', name)
  if os.path.isfile(f'{prefix}.index'):
    return _checkpoint(prefix)
  if not os.path.exists(name):
    raise UserError(f'no such model: {name}; expected {_KNOWN}')
  return Source(_kind(name), name, name)


def options(source: Source) -> dict:
  """Returns what a file of film_tf's says of its network, the fields of `Options`; an empty dict of others.

  What cannot be read says nothing here: loading it does.
  """
  try:
    if source.kind == SAVED_MODEL:
      with open(os.path.join(source.path, SIZES)) as file:
        return dict(json.load(file))
    if source.kind == NPZ:
      with files.file_system(source.path).GFile(source.path, 'rb') as file, np.load(io.BytesIO(file.read())) as archive:
        return dict(json.loads(str(archive['options'])))
  except (*files.system_errors(), ValueError, KeyError, TypeError, *files.DAMAGED_ARCHIVE):
    pass
  return {}


def _folder(path):
  """Returns the SavedModel or the newest checkpoint in a folder."""
  variables, graph = (os.path.join(path, *names) for names in (('variables', 'variables'), ('saved_model.pb',)))
  if os.path.isfile(f'{variables}.index'):
    for file in glob.glob(f'{glob.escape(path)}/**', recursive=True):
      if os.path.exists(file) and not os.path.isdir(file):
        _check_fetched(file)
    return Source(SAVED_MODEL, path, graph if os.path.isfile(graph) else f'{variables}.index')
  if os.path.isfile(graph):
    raise UserError(f'{path} is a SavedModel without its variables/variables.index; get all of its files')
  if found := glob.glob(os.path.join(glob.escape(path), '*.index')):
    return _checkpoint(max(found, key=lambda name: [int(n) for n in re.findall(r'\d+', os.path.basename(name))])[:-6])
  if not os.listdir(path):
    raise UserError(f'{path} is an empty folder; expected a SavedModel or a TensorFlow checkpoint in it')
  within = [file for depth in ('*', '*/*') for file in sorted(glob.glob(f'{glob.escape(path)}/{depth}/saved_model.pb'))]
  hint = f'; did you mean {os.path.dirname(within[0])}?' if within else ''
  raise UserError(f'{path} is a folder with no SavedModel (saved_model.pb, variables/) and no checkpoint in it{hint}')


def _checkpoint(prefix):
  for file in glob.glob(f'{glob.escape(prefix)}.*'):
    _check_fetched(file)
  return Source(CHECKPOINT, prefix, f'{prefix}.index')


def _check_fetched(path):
  files.check_no_pipe(path)
  with open(path, 'rb') as file:
    if file.read(len(_LFS)) == _LFS:
      raise UserError(f'{path} is a Git LFS pointer, not the file itself; run `git lfs pull` where it was cloned')


def _kind(path):
  """Returns which kind a file is."""
  try:
    _check_fetched(path)
    with open(path, 'rb') as file:
      start = file.read(9)
    if zipfile.is_zipfile(path):
      with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
      if any(re.fullmatch(r'[^/]+/data\.pkl', name) for name in names):
        return TORCH
      if any(name.endswith('.npy') for name in names):
        return NPZ
  except UserError:
    raise
  except (OSError, *files.DAMAGED_ARCHIVE) as error:
    raise UserError(f'cannot read {path}: {files.reason(error)}') from error
  if os.path.basename(path) in ('saved_model.pb', 'keras_metadata.pb', 'fingerprint.pb'):
    raise UserError(f'{path} is one file of a SavedModel; give its folder, {os.path.dirname(path) or "."}')
  if not start or start[:4] == b'PK\x03\x04':  # how an archive begins
    raise UserError(f'{path} is {"cut off" if start else "empty"}; get the file again')
  if start[8:] == b'{' and start[:8] != bytes(8):  # after the length of a header in JSON
    return SAFETENSORS
  if start[:1] == b'\x80':
    return PICKLE
  raise UserError(f'{path} is none of the files of weights that film_tf reads; expected {_KNOWN}')
