"""Which tests run in which environment: all of them on the newest TensorFlow, on the oldest what it could change.

python -m tests.environments          a table of all test files
python -m tests.environments oldest   the files for the oldest, as arguments of pytest
"""

import sys

from tests.forked import ROOT

# Networks, gradients, data and the files of weights may differ between the versions. Videos, photographs, dataset
# trees, flags, kills and full disks do not depend on them; `test_road` goes through the commands once.
OLDEST = [
  'tests/conformance/test_road.py',
  'tests/data/test_augment.py',
  'tests/data/test_motion.py',
  'tests/data/test_pipeline.py',
  'tests/data/test_sources.py',
  'tests/data/test_synthetic.py',
  'tests/datasets/test_export_tfrecord.py',
  'tests/eval/test_protocols.py',
  'tests/exporters',
  'tests/importers/test_network.py',
  'tests/importers/test_odd_files.py',
  'tests/inference/test_devices.py',
  'tests/inference/test_interpolator.py',
  'tests/inspection',
  'tests/losses',
  'tests/model',
  'tests/test_metrics.py',
  'tests/training/test_checkpoints.py',
  'tests/training/test_evaluation.py',
  'tests/training/test_loop.py',
  'tests/training/test_lowering.py',
  'tests/training/test_optimizer.py',
  'tests/distribution/test_strategy.py',
  'tests/training/test_trainer.py',
]


def files_with_tests() -> list[str]:
  """Returns all test files, relative to the repository."""
  return sorted(str(path.relative_to(ROOT)) for path in (ROOT / 'tests').rglob('test_*.py'))


def on_oldest(name: str) -> bool:
  """Whether a test file runs on the oldest TensorFlow too."""
  return any(name == path or name.startswith(f'{path}/') for path in OLDEST)


def main(words):
  if words == ['oldest']:
    print(*OLDEST)
  else:
    for name in files_with_tests():
      print(f'{name:50} newest{"  oldest" if on_oldest(name) else ""}')


if __name__ == '__main__':
  main(sys.argv[1:])
