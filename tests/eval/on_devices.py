"""Measures net.npz on some logical CPUs, into a folder named by their number; checks that each has its own network."""

import os
import sys

import numpy as np
import tensorflow as tf

from eval import benchmarks, measures, measuring, session
from tests import forked


def main(devices, source):
  forked.logical_cpus(int(devices))
  os.makedirs(devices)
  session.run(session.Asked(benchmarks.Benchmark({'set': source}), ['net.npz']), devices)
  bench = measuring.Bench(['net.npz'], measures.Measures(['film']))
  for device, loaded in bench._devices.items():
    with tf.device(device):
      made = loaded['net.npz']._interpolator.features(np.zeros((40, 56, 3), np.float32))
    assert {x.device.endswith(device) for x in tf.nest.flatten(made.features) if tf.is_tensor(x)} == {True}


if __name__ == '__main__':
  main(*sys.argv[1:])
