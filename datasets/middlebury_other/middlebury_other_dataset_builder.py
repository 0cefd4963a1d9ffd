"""Middlebury's interpolation sequences with a public middle frame."""

import tensorflow_datasets as tfds

from film_tf.building import triplet_builder

SCENES = (
  'Beanbags', 'Dimetrodon', 'DogDance', 'Grove2', 'Grove3', 'Hydrangea',
  'MiniCooper', 'RubberWhale', 'Urban2', 'Urban3', 'Venus', 'Walking',
)  # fmt: skip


class Builder(triplet_builder.TripletBuilder):
  """Split `test`."""

  VERSION = tfds.core.Version('1.0.0')
  HOMEPAGE = 'https://vision.middlebury.edu/flow/data/'
  PUBLISHED = {'test': len(SCENES)}

  def clips(self, root):
    data, truth = triplet_builder.find(root, 'other-data'), triplet_builder.find(root, 'other-gt-interp')
    return {
      'test': [
        triplet_builder.of_files(
          scene, [data / scene / 'frame10.png', truth / scene / 'frame10i11.png', data / scene / 'frame11.png']
        )
        for scene in SCENES
      ]
    }
