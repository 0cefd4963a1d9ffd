"""film_tf: FILM, Frame Interpolation for Large Motion, in TensorFlow.

The frame between two frames a and b, NumPy arrays:

    import film_tf
    middle = film_tf.Interpolator().between(a, b)
"""

import importlib

__version__ = '0.1.0'

_DOOR = {
  'FilmNet': 'model.film_net.FilmNet',
  'Options': 'model.options.Options',
  'warp': 'model.warp.warp',
  'load_weights': 'model.weights.load',
  'save_weights': 'model.weights.save',
  'load_saved_model': 'exporters.saved_model.load',
  'export_saved_model': 'exporters.saved_model.export',
  'Interpolator': 'inference.interpolator.Interpolator',
  'interpolate_video': 'render.api.interpolate_video',
  'interpolated_frames': 'render.api.interpolated_frames',
  'Interrupted': 'render.job.Interrupted',
  'UserError': 'errors.UserError',
}

__all__ = [*_DOOR, '__version__']


def __getattr__(name):
  # Imported on first use: `python -m film_tf.train` comes through here before `film_tf.cli` has quieted TensorFlow.
  if name not in _DOOR:
    raise AttributeError(f'module film_tf has no attribute {name}')
  module, _, attribute = _DOOR[name].rpartition('.')
  return getattr(importlib.import_module(f'film_tf.{module}'), attribute)


def __dir__():
  return __all__
