"""Reads the tensors of PyTorch files, state dicts and TorchScript, without PyTorch and without running anything.

Such a file is a zip archive: `data.pkl` is a pickle of names, in which every tensor is a reference to one of the files
`data/0`, `data/1` ... A pickle may name any function of Python to be called as it is read. Here it may name the few
that make tensors, which are our own, and nothing else.
"""

import collections
import pickle
import zipfile
from collections.abc import Iterator

import numpy as np

from film_tf import files
from film_tf.errors import UserError

_STORAGES = {
  'DoubleStorage': 'f8', 'FloatStorage': 'f4', 'HalfStorage': 'f2', 'BFloat16Storage': 'bfloat16', 'LongStorage': 'i8',
  'IntStorage': 'i4', 'ShortStorage': 'i2', 'CharStorage': 'i1', 'ByteStorage': 'u1', 'BoolStorage': '?',
}  # fmt: skip


class _Refused(pickle.UnpicklingError):
  """The pickle names what is not needed for tensors."""


class _Module(dict):
  """Stands for an object of TorchScript: its attributes, which are numbers, tensors and other modules."""

  def __init__(self, *args):
    super().__init__()

  def __setstate__(self, state):
    self.update(state)


class _Unpickler(pickle.Unpickler):
  """Admits what makes tensors."""

  def __init__(self, file, storage=None):
    super().__init__(file)
    self._storage = storage

  def find_class(self, module, name):
    known = {
      ('collections', 'OrderedDict'): collections.OrderedDict,
      ('torch._utils', '_rebuild_tensor_v2'): _tensor,
      ('torch._utils', '_rebuild_parameter'): lambda data, *_: data,
      **{('torch', storage): dtype for storage, dtype in _STORAGES.items()},
      **{('torch.jit._pickle', f'build_{kind}list'): list for kind in ('int', 'double', 'bool', 'tensor')},
      ('torch.jit._pickle', 'restore_type_tag'): lambda value, *_: value,
    }
    if (module, name) in known:
      return known[module, name]
    if module.split('.')[0] == '__torch__':
      return _Module
    raise _Refused(f'{module}.{name}')

  def persistent_load(self, reference):
    kind, dtype, key, _, _ = reference
    if kind != 'storage' or self._storage is None:
      raise pickle.UnpicklingError(f'a reference to {kind}')
    return self._storage(dtype, key)


def read(path: str) -> dict[str, np.ndarray]:
  """Returns all tensors of a file that `torch.save` or `torch.jit.save` wrote, by their names in the state dict.

  Raises:
    UserError: the file is damaged, or would run code.
  """
  try:
    with zipfile.ZipFile(path) as archive:
      (pickled,) = (name for name in archive.namelist() if name.count('/') == 1 and name.endswith('/data.pkl'))
      root = pickled.removesuffix('data.pkl')
      if f'{root}byteorder' in archive.namelist() and archive.read(f'{root}byteorder') != b'little':
        raise UserError(f'{path} was written by a big-endian machine; save it again on another')
      storages = {}

      def storage(dtype, key):
        if key not in storages:
          storages[key] = _array(archive.read(f'{root}data/{key}'), dtype)
        return storages[key]

      with archive.open(pickled) as file:
        content = _Unpickler(file, storage).load()
  except _Refused as error:
    raise UserError(_would_run(path, error)) from error
  except (OSError, KeyError, AttributeError, IndexError, TypeError, pickle.UnpicklingError,
          *files.DAMAGED_ARCHIVE) as error:  # fmt: skip
    if isinstance(error, UserError):
      raise
    raise UserError(f'cannot read {path} as a file of PyTorch: {files.reason(error)}; get the file again') from error
  return dict(_tensors(content, ''))


def refuse(path: str):
  """Says why a pickle that is no archive is not read: `.pth` of PyTorch before 1.6, or of another program.

  Raises:
    UserError: always.
  """
  try:
    with open(path, 'rb') as file:
      _Unpickler(file).load()
  except _Refused as error:
    raise UserError(_would_run(path, error)) from error
  except Exception as error:
    raise UserError(f'{path} is a damaged pickle ({files.reason(error)}); get the file again') from error
  raise UserError(
    f'{path} is a pickle as PyTorch wrote before 1.6; load and torch.save it with a newer one, then try again'
  )


def _would_run(path, error):
  return (
    f'{path} would run {error} as it is read, which weights need not; refused. Take a .safetensors file or a '
    'state dict (torch.save(net.state_dict(), ...))'
  )


def _array(data, dtype):
  """Returns the numbers of a storage; bfloat16 is the upper half of float32."""
  if dtype == 'bfloat16':
    return (np.frombuffer(data, '<u2').astype('<u4') << 16).view('<f4')
  return np.frombuffer(data, np.dtype(dtype))


def _tensor(storage, offset, size, strides, *_):
  """Returns a tensor of a storage, of which it may be any regular part."""
  last = offset + sum((n - 1) * stride for n, stride in zip(size, strides, strict=True))
  if min((offset, *size, *strides)) < 0 or (0 not in size and last >= len(storage)):
    raise pickle.UnpicklingError(f'a tensor {list(size)} is larger than its storage of {len(storage)} numbers')
  strides = [stride * storage.itemsize for stride in strides]
  return np.lib.stride_tricks.as_strided(storage[offset:], size, strides, writeable=False)


def _tensors(content, prefix) -> Iterator[tuple[str, np.ndarray]]:
  """Yields all tensors of nested dicts, named as in a state dict."""
  for name, value in content.items() if isinstance(content, dict) else ():
    if isinstance(value, np.ndarray):
      yield f'{prefix}{name}', value
    else:
      yield from _tensors(value, f'{prefix}{name}.')
