"""SNU-FILM: 310 triplets in each of four difficulties, from small motion to extreme."""

import tensorflow_datasets as tfds

from film_tf.building import triplet_builder
from film_tf.errors import UserError

DIFFICULTIES = ('easy', 'medium', 'hard', 'extreme')


class Builder(triplet_builder.TripletBuilder):
  """A split for each difficulty; they share frames, and the lists say which."""

  VERSION = tfds.core.Version('1.0.0')
  HOMEPAGE = 'https://myungsub.github.io/CAIN/'
  PUBLISHED = dict.fromkeys(DIFFICULTIES, 310)

  def clips(self, root):
    frames = triplet_builder.find(root, 'test', 'SNU-FILM/test')
    lists = triplet_builder.find(frames.parent, 'test-easy.txt', 'eval_modes/test-easy.txt').parent
    splits = {name: triplet_builder.lines(lists / f'test-{name}.txt') for name in DIFFICULTIES}
    return {name: [self._clip(name, line, frames) for line in found] for name, found in splits.items()}

  def _clip(self, difficulty, line, frames):
    # The lists say data/SNU-FILM/test/GOPRO_test/..., from where the authors worked.
    files = [file.partition('/test/')[2] or file.removeprefix('test/') for file in line.split()]
    if len(files) != 3:
      raise UserError(f'test-{difficulty}.txt has a line {line!r}; expected three files')
    return triplet_builder.of_files(f'{difficulty}/{files[1].removesuffix(".png")}', [frames / file for file in files])
