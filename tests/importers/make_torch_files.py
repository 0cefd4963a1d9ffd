"""Writes the PyTorch files of `tests/data_files`, with PyTorch itself (they were written with 2.14.1).

  python -m tests.importers.make_torch_files net.npz tests/data_files

net.npz is the network of `conftest.tiny_network`, as `film_tf.save_weights` wrote it. Only this script needs PyTorch.
"""

import sys

import numpy as np
import torch

from film_tf.importers import names


class Interpolator(torch.nn.Module):
  """Has the weights of a network under the port's names; what it makes is a mean."""

  def __init__(self):
    super().__init__()
    self.levels = [3, 2]

  def forward(self, x0: torch.Tensor, x1: torch.Tensor, batch_dt: torch.Tensor) -> torch.Tensor:
    return (x0 + x1) * batch_dt[:, :, None, None]


def put(module, name, conv):
  """Gives `module` the convolution `conv` as its descendant `name`."""
  first, _, rest = name.partition('.')
  if not rest:
    module.add_module(first, conv)
    return
  if first not in module._modules:
    module.add_module(first, torch.nn.Module())
  put(module._modules[first], rest, conv)


def main(source, folder):
  with np.load(source) as file:
    arrays = dict(file)
  convs = [name.removesuffix('/kernel') for name in arrays if name.endswith('/kernel')]
  parts = names.Parts(4, (3, 3), 1)
  assert sorted(names.here(parts)) == sorted(convs)
  net = Interpolator()
  for here, there in zip(names.here(parts), names.port(parts), strict=True):
    kernel = torch.from_numpy(arrays[f'{here}/kernel'].transpose(3, 2, 0, 1).copy())
    conv = torch.nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel.shape[2:])
    conv.weight.data, conv.bias.data = kernel, torch.from_numpy(arrays[f'{here}/bias'])
    put(net, there, conv)
  torch.save(net.state_dict(), f'{folder}/tiny_state_dict.pt')
  torch.save({'state_dict': dict(net.named_parameters()), 'epoch': 3}, f'{folder}/tiny_parameters.pth')
  torch.save(net, f'{folder}/tiny_whole_object.pt')
  torch.save(net.state_dict(), f'{folder}/tiny_before_1.6.pth', _use_new_zipfile_serialization=False)
  torch.save(net.bfloat16().state_dict(), f'{folder}/tiny_bfloat16.pt')
  torch.jit.script(net.half()).save(f'{folder}/tiny_torchscript_fp16.pt')


if __name__ == '__main__':
  main(*sys.argv[1:])
