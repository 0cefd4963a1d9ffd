"""Kills commands at random moments and looks whether anything is lost: the old result or the new one is there, whole,
and the same command then does its work and leaves nothing else behind.

python -m tests.kills 3600          all commands in turn for so many seconds, each time with another seed
python -m tests.kills 3600 100      likewise, from seed 100 on
"""

import dataclasses
import fnmatch
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from datasets import dummy
from film_tf.model import weights
from film_tf.model.film_net import FilmNet
from tests import forked
from tests.conftest import TINY, tiny_network
from tests.data import triplets
from tests.faults import snapshot
from tests.media.videos import encode, picture
from tests.training import runs

_SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)
_MOST_KILLS = 3  # of one run


@dataclasses.dataclass(frozen=True)
class Victim:
  """A command, and what it leaves.

  Attributes:
    module: as in `python -m module`.
    words: its arguments.
    prepare: makes the files that it needs, and results that it is to replace.
    results: files and folders that it writes, each whole or not at all.
    again: arguments that are added where it is run after a kill.
    varies: patterns of files of which only the names are the same in every run.
  """

  module: str
  words: Sequence[str]
  prepare: Callable[[pathlib.Path], None]
  results: Sequence[str]
  again: Sequence[str] = ()
  varies: Sequence[str] = ()


def _train(folder):
  triplets.write(folder, [4])


def _export(folder):
  weights.save(FilmNet(TINY), folder / 'old.npz')
  weights.save(tiny_network(), folder / 'net.npz')
  _whole('film_tf.export', ['--model=old.npz', '--output=saved'], folder)


def _build(folder):
  dummy.LAYOUTS['vimeo90k_triplet'](folder / 'root')
  _whole(VICTIMS['build'].module, VICTIMS['build'].words[:-1], folder)
  for path in (folder / 'root').rglob('*.png'):
    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)


def _shards(folder):
  triplets.write(folder, [3])
  _whole('datasets.export_tfrecord', ['set@1', '--output=new@3'], folder)
  triplets.write(folder, [40])


def _video(folder):
  weights.save(tiny_network(), folder / 'net.npz')
  encode(folder / 'clip.mp4', (picture(i) for i in range(150)), sound=2)


def _scores(folder):
  triplets.write(folder, [20])
  (folder / 'scores.csv').write_text('of another time\n')


_TRAIN = ['train.steps = 12', 'evaluation.sources = ["set@1"]', 'evaluation.every = 4', 'train.checkpoint_every = 3']
_SAVED_MODEL = ('*.pb', '*variables.index')
_CLIP = ['clip.mp4', '--model=net.npz', '--multiply=3']
VICTIMS = {
  'train': Victim(
    'film_tf.train',
    runs.words('run', *_TRAIN)[1:],
    _train,
    ['run/film.npz', 'run/saved_model', 'run/best_saved_model'],  # best.npz is another one after each evaluation
    varies=[*_SAVED_MODEL, 'run/commands.txt', 'run/checkpoints/*'],
  ),
  'build': Victim(
    'datasets.build',
    ['vimeo90k_triplet', '--manual_dir=root', '--data_dir=built', '--overwrite'],
    _build,
    ['built/vimeo90k_triplet/1.0.0'],
  ),
  'export': Victim(
    'film_tf.export', ['--model=net.npz', '--output=saved', '--overwrite'], _export, ['saved'], varies=_SAVED_MODEL
  ),
  'shards': Victim(
    'datasets.export_tfrecord',
    ['set@1', '--output=new@3', '--overwrite'],
    _shards,
    [f'new-{i:05d}-of-00003' for i in range(3)],
  ),
  'video': Victim('film_tf.interpolate', [*_CLIP, '--output=out.mp4'], _video, ['out.mp4'], ['--resume']),
  'gif': Victim('film_tf.interpolate', [*_CLIP, '--output=out.gif'], _video, ['out.gif'], ['--resume']),
  'images': Victim('film_tf.interpolate', [*_CLIP, '--output=out'], _video, ['out'], ['--resume']),
  'scores': Victim(
    'eval.run', ['--model=blend', '--data=set@1', '--output=scores.csv', '--overwrite'], _scores, ['scores.csv']
  ),
}


class Trial:
  """What a victim starts from, and what it leaves where nobody kills it.

  Args:
    victim: the command.
    place: an empty folder.
  """

  def __init__(self, victim: Victim, place: pathlib.Path):
    self._victim, self._place = victim, place
    self._before, self._after = place / 'before', place / 'after'
    self._before.mkdir()
    victim.prepare(self._before)
    shutil.copytree(self._before, self._after)
    began = time.monotonic()
    _whole(victim.module, victim.words, self._after)
    self._seconds = time.monotonic() - began

  def kill(self, seed: int):
    """Kills the command once or more often at moments that `seed` says, and looks after each; then lets it end."""
    random_, victim, folder = random.Random(seed), self._victim, self._place / str(seed)
    shutil.copytree(self._before, folder)
    told, words = [self._place / name for name in ('stdout', 'stderr')], [*victim.words]
    for _ in range(random_.randint(1, _MOST_KILLS)):
      process = forked.start(victim.module, *words, cwd=folder, told=told)
      process.join(random_.uniform(0, self._seconds))
      ended = not process.is_alive()
      if not ended:
        _send(process, random_.choice(_SIGNALS))
      said = told[1].read_text() if told[1].exists() else ''
      assert 'Traceback' not in said, said
      assert not ended or process.exitcode == 0, said
      self._look(folder)
      words = [*victim.words, *victim.again]
    _whole(victim.module, words, folder)
    now, whole = (_content(path, victim.varies) for path in (folder, self._after))
    assert now.keys() == whole.keys(), sorted(now.keys() ^ whole.keys())
    assert now == whole, [name for name in now if now[name] != whole[name]]
    shutil.rmtree(folder)
    for path in told:
      path.unlink(missing_ok=True)

  def _look(self, folder):
    """Each result is the old one or the new one, whole; a folder may be aside, where the next run puts it back."""
    for result in self._victim.results:
      now, *allowed = (_content(root / result, self._victim.varies) for root in (folder, self._before, self._after))
      if not now and allowed[0]:
        (aside,) = (folder / result).parent.glob(f'.*.{pathlib.Path(result).name}.old')
        now = _content(aside, self._victim.varies)
      assert now in allowed, f'{result} is neither the old nor the new one: {sorted(now)}'


def _send(process, number):
  signal_ = {signal.SIGKILL: process.kill, signal.SIGTERM: process.terminate}[number]
  signal_()
  process.join(60)
  assert not process.is_alive(), f'{number.name} does not end it'


def _whole(module, words, folder):
  result = forked.command(module, *words, cwd=folder)
  assert result.returncode == 0, result.stderr


def _content(path, varies):
  """Returns the bytes of a file, or of all in a folder, by name; of what varies only the names."""
  found = snapshot(path) if path.is_dir() else {'': path.read_bytes()} if path.exists() else {}
  found = {name: data for name, data in found.items() if '/events/' not in f'/{name}'}
  return {name: b'' if any(fnmatch.fnmatch(name, one) for one in varies) else data for name, data in found.items()}


def main(seconds: float, seed: int = 0):
  """Kills all victims in turn for so long, and prints what was lost."""
  deadline, lost = time.monotonic() + seconds, 0
  with tempfile.TemporaryDirectory() as place:
    trials = {}
    for name, victim in VICTIMS.items():
      (pathlib.Path(place) / name).mkdir()
      trials[name] = Trial(victim, pathlib.Path(place) / name)
    while time.monotonic() < deadline:
      for name, trial in trials.items():
        try:
          trial.kill(seed)
        except AssertionError as error:
          lost += 1
          print(f'{name}, seed {seed}: {error}', flush=True)
      seed += 1
      print(f'{seed} seeds, {lost} losses', flush=True)
  return lost


if __name__ == '__main__':
  sys.exit(main(*map(int, sys.argv[1:])) > 0)
