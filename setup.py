"""Which folders are packages; all else is in pyproject.toml, which cannot say that `film_tf.gin` lies in `gin/`."""

import setuptools

setuptools.setup(
  # The gin files are installed as film_tf/gin. `datasets` and `eval` are used from a checkout: on PyPI, the names are
  # other people's.
  packages=[*setuptools.find_packages(include=['film_tf', 'film_tf.*']), 'film_tf.gin'],
  package_dir={'film_tf.gin': 'gin'},
  package_data={
    'film_tf': ['py.typed', 'pretrained/*.npz', 'inspection/page.*', 'serving/page.html'],
    'film_tf.gin': ['*.gin', '*/*.gin'],
  },
)
