"""Compares a network that was converted with the program that it came from, which is run for it."""

import importlib.util
import pathlib
import zipfile

import numpy as np
import tensorflow as tf
from PIL import Image

from film_tf import files, keys
from film_tf.errors import UserError
from film_tf.importers import sources
from film_tf.importers.sources import Source
from film_tf.model.film_net import FilmNet

_FRAMES = pathlib.Path(__file__).resolve().parents[2] / 'eval' / 'samples'  # of a checkout


def check(source: Source):
  """Raises where there is nothing to run, or nothing to run it on.

  Raises:
    UserError: as said.
  """
  if not _FRAMES.exists():
    raise UserError(f'--verify compares on two frames of a checkout of film_tf, {_FRAMES}, which are not there')
  if source.kind == sources.SAVED_MODEL and source.file.endswith('saved_model.pb'):
    return
  if source.kind == sources.TORCH and any('/code/' in name for name in zipfile.ZipFile(source.path).namelist()):
    if importlib.util.find_spec('torch') is None:
      raise UserError(f'--verify runs {source.path} in PyTorch, which is not installed: pip install torch')
    return
  raise UserError(f'--verify: {source.path} holds weights alone, and no program to run; leave --verify out')


def largest_difference(net: FilmNet, source: Source) -> float:
  """Returns the largest difference between an image of `net` and of the program in `source`, of values in [0, 1].

  Raises:
    UserError: the program cannot be run.
  """
  x0, x1 = (_frame(i, net.options.alignment) for i in (0, 1))
  time = np.full((1, 1), 0.5, np.float32)
  made = net({keys.X0: x0, keys.X1: x1, keys.TIME: time})[keys.IMAGE].numpy()
  run = _tensorflow if source.kind == sources.SAVED_MODEL else _torch
  return float(np.abs(made - run(source.path, x0, x1, time)).max())


def _frame(i, multiple):
  """Returns one of two frames, `[1, H, W, 3]`, cut to a size that needs no padding."""
  image = np.asarray(Image.open(_FRAMES / f'cat_{i}.png').convert('RGB'), np.float32) / 255
  height, width = (size // multiple * multiple for size in image.shape[:2])
  return image[np.newaxis, :height, :width]


def _tensorflow(path, x0, x1, time):
  """Returns the image of a SavedModel, called as those of the original are."""
  inputs = {keys.X0: tf.constant(x0), keys.X1: tf.constant(x1), keys.TIME: tf.constant(time)}
  try:
    return tf.saved_model.load(path)(inputs, training=False)[keys.IMAGE].numpy()
  except (OSError, TypeError, ValueError, KeyError, tf.errors.OpError) as error:
    raise UserError(f"{path} cannot be called as the original's models are: {files.reason(error)}") from error


def _torch(path, x0, x1, time):
  """Returns the image of a TorchScript program, called as the port is: NCHW."""
  import torch  # an extra

  x0, x1 = (torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))) for x in (x0, x1))
  try:
    with torch.no_grad():
      program = torch.jit.load(path, map_location='cpu').float().eval()
      return program(x0, x1, torch.from_numpy(time)).numpy().transpose(0, 2, 3, 1)
  except (RuntimeError, TypeError, AttributeError) as error:
    raise UserError(f'{path} cannot be called as the port is: {files.reason(error)}') from error
