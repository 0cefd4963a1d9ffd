"""film_tf: FILM, Frame Interpolation for Large Motion, in TensorFlow.

The frame between two frames a and b, NumPy arrays:

    import film_tf
    middle = film_tf.Interpolator().between(a, b)
"""

import importlib
import os
import re
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what `_LAZY` says, for type checkers and editors
  from film_tf.errors import UserError
  from film_tf.exporters.saved_model import export as export_saved_model
  from film_tf.exporters.saved_model import load as load_saved_model
  from film_tf.importers.network import load as load_weights
  from film_tf.inference.interpolator import Interpolator
  from film_tf.model.film_net import FilmNet
  from film_tf.model.options import Options
  from film_tf.model.warp import warp
  from film_tf.model.weights import save as save_weights
  from film_tf.render.api import interpolate_video, interpolated_frames
  from film_tf.render.job import Interrupted

__version__ = '0.1.0'

__all__ = [
  'FilmNet',
  'Interpolator',
  'Interrupted',
  'Options',
  'UserError',
  '__version__',
  'export_saved_model',
  'interpolate_video',
  'interpolated_frames',
  'load_saved_model',
  'load_weights',
  'save_weights',
  'warp',
]

_LAZY = {  # public names, and where they are imported from on first use: importing film_tf does not load TensorFlow
  'FilmNet': 'film_tf.model.film_net.FilmNet',
  'Options': 'film_tf.model.options.Options',
  'warp': 'film_tf.model.warp.warp',
  'load_weights': 'film_tf.importers.network.load',
  'save_weights': 'film_tf.model.weights.save',
  'load_saved_model': 'film_tf.exporters.saved_model.load',
  'export_saved_model': 'film_tf.exporters.saved_model.export',
  'Interpolator': 'film_tf.inference.interpolator.Interpolator',
  'interpolate_video': 'film_tf.render.api.interpolate_video',
  'interpolated_frames': 'film_tf.render.api.interpolated_frames',
  'Interrupted': 'film_tf.render.job.Interrupted',
  'UserError': 'film_tf.errors.UserError',
}


def _is_command():
  """Returns whether this is loaded for one of our commands: `python -m film_tf.train`, or `film_tf_train`."""
  words, script = sys.orig_argv, os.path.basename(sys.argv[0])
  module = words[words.index('-m') + 1] if '-m' in words[:-1] else ''
  return module.startswith(('film_tf.', 'eval.', 'datasets.')) or re.fullmatch(r'film_tf_\w+', script) is not None


if _is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
  signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules load has no traceback; `cli.run` listens again

if not TYPE_CHECKING:  # or type checkers would take any other name for a public one too

  def __getattr__(name):
    if name not in _LAZY:
      raise AttributeError(f'module film_tf has no attribute {name}')
    module, _, attribute = _LAZY[name].rpartition('.')
    return getattr(importlib.import_module(module), attribute)


def __dir__():
  return __all__
