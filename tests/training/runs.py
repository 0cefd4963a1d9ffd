"""Runs of the command on a tiny network, for tests of it."""

import numpy as np
import tensorflow as tf

from tests import conftest, forked

TINY = [
  'model.pyramid_levels = 2', 'model.fusion_pyramid_levels = 2', 'model.specialized_levels = 1', 'model.sub_levels = 2',
  'model.filters = 4', 'model.flow_convs = [1, 1]', 'model.flow_filters = [4, 4]', 'synthetic.height = 32',
  'synthetic.width = 32', 'synthetic.max_motion = 4.0', 'train.batch_size = 2', 'train.log_every = 5',
  'train.show_every = 1000', 'train.checkpoint_every = 10', 'optimizer.learning_rate = 1e-3',
  'train.deterministic = True', "train.precision = 'float32'", "loss.weights = {'l1': 1.0}",
  'model.residual_fusion = False',
]  # fmt: skip


def words(folder, *bindings):
  flags = [f'--gin_bindings={binding}' for binding in [*TINY, *bindings]]
  return ['film_tf.train', '--gin_configs=gin/film_demo.gin', f'--base_dir={folder}', *flags]


def train(folder, *bindings):
  result = conftest.command(*words(folder, *bindings), cwd=folder.parent)
  assert result.returncode == 0, result.stderr
  return result


def final_weights(folder):
  with np.load(folder / 'film.npz') as file:
    return {name: value for name, value in file.items() if name != 'options'}


def state(folder, step):
  """Everything in the checkpoint of a step, by its name: weights, averages, the optimiser's state, the step."""
  reader = tf.train.load_checkpoint(str(folder / 'checkpoints' / f'step-{step}'))
  names = [name for name in reader.get_variable_to_shape_map() if 'save_counter' not in name]
  return {name: reader.get_tensor(name) for name in names if not name.startswith('_CHECKPOINTABLE')}


def assert_same_state(folder, other, step):
  ours, theirs = state(folder, step), state(other, step)
  assert ours.keys() == theirs.keys()
  for name, value in theirs.items():
    np.testing.assert_array_equal(ours[name], value, err_msg=name)


def start(folder, *bindings, **environment):
  """Starts the command as a process that can be sent signals."""
  return forked.Process(*words(folder, *bindings), cwd=folder.parent, **environment)


def has_shown(folder):
  """Says whether a run has written its first strip of images."""
  return any(path.stat().st_size > 2000 for path in (folder / 'events').glob('*'))
