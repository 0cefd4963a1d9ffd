"""Packaging. TensorFlow is an extra, for its builds (CPU, CUDA, TPU) exclude each other."""

import pathlib
import re

import setuptools

HERE = pathlib.Path(__file__).parent
VERSION = re.search(r"__version__ = '(.+)'", (HERE / 'film_tf' / '__init__.py').read_text())[1]
TENSORFLOW = '>=2.15.1,<2.22'

setuptools.setup(
  name='film_tf',
  version=VERSION,
  description='FILM, Frame Interpolation for Large Motion, in TensorFlow',
  long_description=(HERE / 'README.md').read_text(),
  long_description_content_type='text/markdown',
  license='Apache-2.0',
  python_requires='>=3.10',
  # The gin files ride inside film_tf, as film_tf/gin; `datasets` and `eval` are somebody else's names on PyPI and are
  # used from a checkout.
  packages=[*setuptools.find_packages(include=['film_tf', 'film_tf.*']), 'film_tf.gin'],
  package_dir={'film_tf.gin': 'gin'},
  package_data={'film_tf': ['pretrained/*.npz'], 'film_tf.gin': ['*.gin', '*/*.gin']},
  install_requires=['absl-py', 'gin-config>=0.5', 'numpy', 'pillow>=10.1', 'tensorboard', 'tqdm'],
  extras_require={
    'cpu': [f'tensorflow-cpu{TENSORFLOW}'],
    'cuda': [f'tensorflow[and-cuda]{TENSORFLOW}'],
    'tpu': ['tensorflow-tpu==2.20.0', 'libtpu==0.0.21'],  # the newest there is; it asks for libtpu ~= 0.0.14
    'addons': [
      'tensorflow-cpu==2.15.1',
      'tensorflow-addons==0.23.0',
      'numpy<2',
      'tensorflow-metadata<1.16',
    ],  # Python <= 3.11
    'data': ['tensorflow-datasets', 'importlib_resources'],
    'video': ['av>=18'],
    'vgg': ['scipy'],
    'demo': ['scikit-video'],
    'dis': ['opencv-python-headless'],
    'jax': ['jax'],
    'test': ['pytest', 'pytest-xdist', 'ruff', 'scikit-image'],
  },
  entry_points={
    'console_scripts': [
      'film_tf_train = film_tf.cli:train',
      'film_tf_preview = film_tf.cli:preview',
      'film_tf_interpolate = film_tf.cli:interpolate',
      'film_tf_export = film_tf.cli:export',
    ]
  },
)
