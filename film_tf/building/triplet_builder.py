"""Builds TFDS data sets for `datasets/`: one feature spec, and a data set that is complete or is not built."""

import abc
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent import futures

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

from film_tf import files, keys
from film_tf.building import footage
from film_tf.data import records
from film_tf.data.records import Triplet
from film_tf.errors import UserError

LEFT_OUT = 'left_out.txt'


@dataclasses.dataclass(frozen=True)
class Clip:
  """What is read as one, and is whole or broken: the three files of a triplet, or a video."""

  name: str
  triplets: Callable[[], Iterable[Triplet]]  # raises UserError where it is broken


def of_files(name: str, files: Iterable[epath.Path]) -> Clip:
  """Makes a clip of one triplet of three image files, whose bytes are kept."""

  def read():
    pool = futures.ThreadPoolExecutor()  # decoding takes most of the time
    try:
      yield footage.triplet(name, pool.map(footage.image, files))
    finally:
      pool.shutdown(wait=False, cancel_futures=True)  # a file that never comes must not hold who gives up

  return Clip(name, read)


class TripletBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
  """Builds a data set of the triplets that a subclass finds by `clips`.

  Examples are in the order of `clips`. Every frame is decoded once while it is built. One that is missing, damaged, or
  of another size than its neighbours stops the building, once all clips have been looked at, and nothing is left. With
  `skip_broken` the data set is built without those triplets (and what comes after them in a video), and a file
  `left_out.txt` beside the records lists them.

  Raises:
    UserError: from `download_and_prepare`, what is wrong with the files.
  """

  MANUAL_DOWNLOAD_INSTRUCTIONS = 'The README.md beside the builder says where to get the files and how to lay them out.'
  HOMEPAGE = None
  PUBLISHED: Mapping[str, int] = {}  # triplets by split, as the authors count them
  ANY_TIME = False  # whether examples have a `time`; else all are halfway

  def __init__(self, *, skip_broken: bool = False, **kwargs):
    super().__init__(**kwargs)
    self._skip_broken = skip_broken

  @abc.abstractmethod
  def clips(self, root: epath.Path) -> Mapping[str, Iterable[Clip]]:
    """Finds the clips of a folder, by split."""

  def _info(self):
    image = tfds.features.Image(shape=(None, None, 3))
    return self.dataset_info_from_configs(
      features=tfds.features.FeaturesDict(
        {
          **dict.fromkeys(records.FRAMES, image),
          keys.PATH: tfds.features.Text(doc='What names the triplet.'),
          **({keys.TIME: tfds.features.Scalar(np.float32, doc='Of frame_1, from 0 to 1.')} if self.ANY_TIME else {}),
        }
      ),
      homepage=self.HOMEPAGE,
      disable_shuffling=True,  # the order of the lists; training shuffles by itself
    )

  def _split_generators(self, dl_manager):
    splits = self.clips(dl_manager.manual_dir)
    self._left_out, self._names, self._good = [], set(), dict.fromkeys(splits, 0)
    last = list(splits)[-1]
    return {split: self._generate_examples(clips, split, split == last) for split, clips in splits.items()}

  def _generate_examples(self, clips, split, last):
    for clip in clips:
      try:
        for triplet in clip.triplets():
          if triplet.path in self._names:
            raise UserError(f'{triplet.path} is listed twice')
          self._names.add(triplet.path)
          self._good[split] += 1
          example = {**dict(zip(records.FRAMES, triplet.frames, strict=True)), keys.PATH: triplet.path}
          yield triplet.path, {**example, keys.TIME: triplet.time} if self.ANY_TIME else example
      except UserError as error:
        self._left_out.append(files.shortened(f'{clip.name}: {error.message}'))
    if last or not self._good[split]:
      self._finish(split)

  def _finish(self, split):
    """Stops where clips are broken, or lists them; the folder of the records is still a temporary one."""
    count = f'{sum(self._good.values())} triplets are good, {len(self._left_out)} clips are broken'
    if not self._good[split]:
      which = f' none in split {split};' if len(self._good) > 1 else ''
      raise UserError(f'{count};{which} {self._left_out[0] if self._left_out else "there is nothing to build"}')
    if self._left_out and not self._skip_broken:
      raise UserError(f'{count}, the first is {self._left_out[0]}; get them again, or leave them out by --skip_broken')
    if self._left_out:
      (self.data_path / LEFT_OUT).write_text('\n'.join([*self._left_out, '']))


def find(root: epath.Path, *names: str) -> epath.Path:
  """Returns the first of several paths in a folder that exists.

  Raises:
    UserError: there is none; it says what there is instead.
  """
  for name in names:
    if (root / name).exists():
      return root / name
  there = sorted(path.name for path in root.iterdir())
  packed = [name for name in there if name.endswith(('.zip', '.tar', '.gz', '.tgz', '.rar', '.7z'))]
  hint = f'unpack {packed[0]} first' if packed else f'there is {", ".join(there[:5])}{" ..." * (len(there) > 5)}'
  raise UserError(f'{root} has no {" or ".join(names)}; {hint}')


def lines(path: epath.Path) -> list[str]:
  """Reads the lines of a list, without blank ones.

  Raises:
    UserError: it is missing or empty.
  """
  files.check_no_pipe(path)
  try:
    text = path.read_text().removeprefix('\ufeff')  # as some editors begin a text
  except (OSError, UnicodeDecodeError) as error:
    why = 'it is not text in UTF-8' if isinstance(error, UnicodeDecodeError) else files.reason(error)
    raise UserError(f'{path} cannot be read: {why}') from error
  if '\0' in text:
    raise UserError(f'{path} cannot be read: it is not text in UTF-8')
  found = [line.strip() for line in text.splitlines() if line.strip()]
  if not found:
    raise UserError(f'{path} is empty')
  return found


def complete(found: Sequence, expected: int, what: str, root: epath.Path) -> Sequence:
  """Returns what was found, where it is as much as the authors publish.

  Raises:
    UserError: it is not.
  """
  if len(found) != expected:
    raise UserError(f'{root} has {len(found)} {what}; expected {expected}, so the download is not whole')
  return found
