"""How soon every command answers: `--help`, a misspelt flag, a missing input, an output that exists.

  python -m benchmarks.startup
  python -m benchmarks.startup ../older_checkout

Each is a process of its own, and so are the two to compare with, an empty Python and one that imports TensorFlow. All
take turns, so that other work on the machine slows all alike; the median counts.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import tqdm

ROUNDS = 5
HERE = pathlib.Path(__file__).parent.parent
SAMPLES = [str(HERE / 'eval' / 'samples' / f'cat_{i}.png') for i in (0, 1)]
CONFIG = f'--gin_configs={HERE}/gin/film_l1.gin'
# Of every command: arguments that name no input that exists, and arguments of which all but the output is right.
COMMANDS = {
  'film_tf.interpolate': (['nothing.mp4', '--output=x.mp4'], [*SAMPLES, '--output={folder}/there.png']),
  'film_tf.train': (['--gin_configs=nothing.gin', '--base_dir=x'], None),  # a run that exists goes on
  'film_tf.export': (['--model=nothing.npz', '--output=x'], ['--output={folder}/there']),
  'film_tf.convert': (['nothing.pt', '--output=x.npz'], ['nothing.pt', '--output={folder}/there.npz']),
  'film_tf.preview': (['--gin_configs=nothing.gin', '--output=x.png'], [CONFIG, '--output={folder}/there.png']),
  'film_tf.inspect': (['nothing.png', 'nothing.png', '--output=x.html'], [*SAMPLES, '--output={folder}/there.html']),
  'eval.run': (
    ['--model=blend', '--data=nothing.mp4'],
    ['--model=blend', f'--data={HERE}/eval/samples', '--output={folder}/there.csv'],
  ),
  'eval.report': (['nothing.csv', '--output=x.html'], ['nothing.csv', '--output={folder}/there.html']),
  'datasets.build': (
    ['ucf101_triplet', '--manual_dir=nothing'],
    ['ucf101_triplet', f'--manual_dir={HERE}/eval', '--data_dir={folder}'],
  ),
  'datasets.export_tfrecord': (['nothing', '--output=x'], ['{folder}/one.tfrecord', '--output={folder}/there.png']),
}
CASES = ('--help', 'misspelt flag', 'missing input', 'existing output')


def prepare(folder):
  """Writes what exists already: outputs, and a source with one record."""
  import tensorflow as tf

  for name in ('there', 'ucf101_triplet/1.0.0'):
    (folder / name).mkdir(parents=True)
  for name in ('there.png', 'there.csv', 'there.npz', 'there.html'):
    (folder / name).touch()
  with tf.io.TFRecordWriter(str(folder / 'one.tfrecord')) as writer:
    writer.write(b'')


def processes(folder):
  """Returns the words of every process, by command and case."""
  found = {'python': ['-c', 'pass'], 'python and TensorFlow': ['-c', 'import tensorflow']}
  for command, (missing, existing) in COMMANDS.items():
    for case, words in zip(CASES, (['--help'], ['--misspelt'], missing, existing), strict=True):
      if words is not None:
        found[command, case] = ['-m', command, *(word.format(folder=folder) for word in words)]
  return found


def seconds(words, checkout):
  """Returns how long a process takes."""
  begin = time.perf_counter()
  result = subprocess.run([sys.executable, *words], cwd=checkout, capture_output=True, text=True)
  taken = time.perf_counter() - begin
  expected = (0,) if words[0] == '-c' else (0, 1) if words[-1] == '--help' else (1, 2)  # absl ends --help with 1
  assert result.returncode in expected, (words, result.stderr)
  return taken


def main():
  checkout = sys.argv[1] if len(sys.argv) > 1 else HERE
  with tempfile.TemporaryDirectory() as folder:
    prepare(pathlib.Path(folder))
    words = processes(folder)
    taken = {name: [] for name in words}
    for _ in tqdm.trange(ROUNDS, unit='round'):
      for name in words:
        taken[name].append(seconds(words[name], checkout))
  medians = {name: statistics.median(times) for name, times in taken.items()}
  python, tensorflow = (medians.pop(name) for name in ('python', 'python and TensorFlow'))
  print(f'an empty Python takes {python:.2f} s, one that imports TensorFlow {tensorflow:.2f} s')
  print(f'{"command":26}{"case":17}{"seconds":>8}  of TensorFlow')
  for (command, case), median in medians.items():
    print(f'{command:26}{case:17}{median:8.2f}{median / tensorflow:15.2f}')


if __name__ == '__main__':
  main()
