"""Measures a new network on logical CPUs, as `test_evaluation` does, and prints the rows as JSON."""

import json
import pathlib
import sys

from film_tf.distribution import strategy
from tests import forked
from tests.training import test_evaluation


def main(devices, folder):
  forked.logical_cpus(devices)
  other = folder / 'other'
  evaluate, _ = test_evaluation.make(other, strategy.build('mirrored'), sources=[str(folder / 'mixed')])
  evaluate(1)
  print(json.dumps(test_evaluation.rows(other)))


if __name__ == '__main__':
  main(int(sys.argv[1]), pathlib.Path(sys.argv[2]))
