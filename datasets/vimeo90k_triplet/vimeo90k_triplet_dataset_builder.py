"""Vimeo-90K triplets, whole or the test set alone."""

import tensorflow_datasets as tfds

from film_tf.building import triplet_builder
from film_tf.errors import UserError
from film_tf.media.names import in_natural_order


class Builder(triplet_builder.TripletBuilder):
  """Splits `train` and `test` of the whole download, or `test` of the test set."""

  VERSION = tfds.core.Version('1.0.0')
  HOMEPAGE = 'http://toflow.csail.mit.edu/'
  PUBLISHED = {'train': 51_313, 'test': 3_782}

  def clips(self, root):
    found = triplet_builder.find(root, 'vimeo_triplet/sequences', 'sequences', 'vimeo_interp_test/target', 'target')
    if found.name == 'target':
      return {'test': self._test_only(found)}
    return {split: self._listed(found, f'tri_{split}list.txt') for split in ('train', 'test')}

  def _listed(self, sequences, file):
    names = triplet_builder.lines(sequences.parent / file)
    return [triplet_builder.of_files(name, [sequences / name / f'im{i}.png' for i in (1, 2, 3)]) for name in names]

  def _test_only(self, target):
    """`target/X/Y/im2.png` is between im1 and im3, which lie beside it, or under `input`."""
    clips = []
    for folder in in_natural_order(path for path in target.glob('*/*') if path.is_dir()):
      name = f'{folder.parent.name}/{folder.name}'
      middle = folder / 'im2.png'
      outer = folder if (folder / 'im1.png').exists() else target.parent / 'input' / name
      clips.append(triplet_builder.of_files(name, [outer / 'im1.png', middle, outer / 'im3.png']))
    if not clips:
      raise UserError(f'{target} is empty')
    return clips
