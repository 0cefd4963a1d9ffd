"""UCF101 triplets, the test set of Deep Voxel Flow."""

import tensorflow_datasets as tfds

from film_tf.building import triplet_builder
from film_tf.media.names import in_natural_order


class Builder(triplet_builder.TripletBuilder):
  """Split `test`."""

  VERSION = tfds.core.Version('1.0.0')
  HOMEPAGE = 'https://github.com/liuziwei7/voxel-flow'
  PUBLISHED = {'test': 379}

  def clips(self, root):
    base = triplet_builder.find(root, 'ucf101_interp_ours', '.')
    folders = in_natural_order(path.parent for path in base.glob('*/frame_00.png'))
    triplet_builder.complete(folders, self.PUBLISHED['test'], 'folders with a frame_00.png', base)
    names = ('frame_00.png', 'frame_01_gt.png', 'frame_02.png')  # frame_01_ours.png is a result of that paper
    return {'test': [triplet_builder.of_files(folder.name, [folder / name for name in names]) for folder in folders]}
