"""Writes the PyTorch files of `tests/data_files`, with PyTorch itself (they were written with 2.14.1).

  python -m tests.importers.make_torch_files tests/data_files tiny.npz shallow.npz

These are the networks of `conftest.tiny_network` and of the golden `shallow`, as `film_tf.save_weights` wrote them.
Only this script needs PyTorch.
"""

import json
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


def read(path):
  """Returns a network of a weights file, in PyTorch."""
  with np.load(path) as file:
    arrays = dict(file)
  o = json.loads(str(arrays['options']))
  convs = tuple(count + 2 for count in o['flow_convs'])
  parts = names.Parts(2 * o['sub_levels'], convs, o['fusion_pyramid_levels'] - 1)
  net = Interpolator()
  for here, there in zip(names.here(parts), names.port(parts), strict=True):
    kernel = torch.from_numpy(arrays[f'{here}/kernel'].transpose(3, 2, 0, 1).copy())
    conv = torch.nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel.shape[2:])
    conv.weight.data, conv.bias.data = kernel, torch.from_numpy(arrays[f'{here}/bias'])
    put(net, there, conv)
  return net


def main(folder, tiny, shallow):
  torch.save(read(shallow).state_dict(), f'{folder}/shallow_state_dict.pt')
  net = read(tiny)
  torch.save(net.state_dict(), f'{folder}/tiny_state_dict.pt')
  torch.save({'state_dict': dict(net.named_parameters()), 'epoch': 3}, f'{folder}/tiny_parameters.pth')
  torch.save(net, f'{folder}/tiny_whole_object.pt')
  torch.save(net.state_dict(), f'{folder}/tiny_before_1.6.pth', _use_new_zipfile_serialization=False)
  torch.save(net.bfloat16().state_dict(), f'{folder}/tiny_bfloat16.pt')
  torch.jit.script(net.half()).save(f'{folder}/tiny_torchscript_fp16.pt')


if __name__ == '__main__':
  main(*sys.argv[1:])
