"""Holds the network that XLA compiles to a golden: python -m tests.model.compiled NAME."""

import sys

from tests.model import test_film_net

if __name__ == '__main__':
  test_film_net.check_golden(sys.argv[1], 'xla')
