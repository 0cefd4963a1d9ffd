"""X4K1000FPS test set (XVFI): 15 clips of 33 frames, 4096x2160 pixels, 1000 frames a second."""

import tensorflow_datasets as tfds

from film_tf.building import triplet_builder
from film_tf.media.names import in_natural_order

CLIPS = 15
LAST = 32  # the last frame; the first is 0
X8 = range(4, LAST, 4)  # frames that are made to have eight times as many


class Builder(triplet_builder.TripletBuilder):
  """Splits `test`: the middle of each clip, frame 16, from the first and the last, frames 0 and 32; and `x8`: frames
  4, 8 ... 28 from the same two, whose names end with the number of the frame.
  """

  VERSION = tfds.core.Version('1.1.0')
  RELEASE_NOTES = {'1.1.0': 'Split x8.'}
  HOMEPAGE = 'https://github.com/JihyongOh/XVFI'
  PUBLISHED = {'test': CLIPS, 'x8': CLIPS * len(X8)}

  def clips(self, root):
    base = triplet_builder.find(root, 'Type1', 'test/Type1').parent
    folders = in_natural_order(path for path in base.glob('Type*/*') if path.is_dir())
    triplet_builder.complete(folders, CLIPS, 'clips', base)
    return {
      'test': [self._clip(folder, '', LAST // 2) for folder in folders],
      'x8': [self._clip(folder, f'/{middle:04d}', middle) for folder in folders for middle in X8],
    }

  def _clip(self, folder, suffix, middle):
    files = [folder / f'{i:04d}.png' for i in (0, middle, LAST)]
    return triplet_builder.of_files(f'{folder.parent.name}/{folder.name}{suffix}', files)
