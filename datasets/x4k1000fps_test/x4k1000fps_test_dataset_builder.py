"""X4K1000FPS test set (XVFI): 15 clips of 33 frames, 4096x2160 pixels, 1000 frames a second."""

import tensorflow_datasets as tfds

from film_tf.data import triplet_builder
from film_tf.media.names import in_natural_order

CLIPS = 15


class Builder(triplet_builder.TripletBuilder):
  """Split `test`: the middle of each clip, frame 16, from the first and the last, frames 0 and 32."""

  VERSION = tfds.core.Version('1.0.0')
  HOMEPAGE = 'https://github.com/JihyongOh/XVFI'
  PUBLISHED = {'test': CLIPS}

  def clips(self, root):
    base = triplet_builder.find(root, 'Type1', 'test/Type1').parent
    folders = in_natural_order(path for path in base.glob('Type*/*') if path.is_dir())
    triplet_builder.complete(folders, CLIPS, 'clips', base)
    return {
      'test': [
        triplet_builder.of_files(f'{folder.parent.name}/{folder.name}', [folder / f'{i:04d}.png' for i in (0, 16, 32)])
        for folder in folders
      ]
    }
