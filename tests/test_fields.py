"""Every options class against every kind of wrong value."""

import dataclasses
import math

import pytest

from datasets.video_triplets.video_triplets_dataset_builder import Config
from film_tf.data.augment import Augmentation
from film_tf.data.pipeline import Data
from film_tf.data.scenes import Scenes
from film_tf.errors import UserError
from film_tf.losses.losses import Loss
from film_tf.model.options import Options
from film_tf.training.evaluation import Evaluation
from film_tf.training.optimizer import OptimizerOptions
from film_tf.training.settings import Train

CLASSES = [Options, OptimizerOptions, Evaluation, Data, Augmentation, Scenes, Train, Config]
NEVER = [b'bytes', object(), math.nan, -math.inf, 1e39, [None], {1: 1}, 1 + 1j]
NOT_BY_DEFAULT = {
  bool: ['no', 1, 0.0],
  int: [True, 'no', 1.5, -5, 10**13, None],
  float: [True, 'no', -1e-3, math.inf, None],
}
NOT_BY_DEFAULT |= {str: [True, 1], tuple: ['text', 1, [object()]], dict: [[], 'text', {'a': 'b'}, {'a': math.nan}, {}]}


def own_fields():
  found = []
  for cls in CLASSES:
    for field in dataclasses.fields(cls):
      if field.name in cls.__annotations__:
        found.append(pytest.param(cls, field.name, id=f'{cls.__name__}.{field.name}'))
  return found


@pytest.mark.parametrize(('cls', 'name'), own_fields())
def test_every_field_is_checked_against_its_annotation(cls, name):
  named = {'name': 'a'} if cls is Config else {}
  default = getattr(cls(**named), name)
  for value in [*NEVER, *NOT_BY_DEFAULT.get(type(default), [])]:
    with pytest.raises(UserError, match=name):
      cls(**named, **{name: value})
  assert cls(**named, **{name: default}) is not None


@pytest.mark.parametrize(
  'weights',
  [{}, {'l1': math.nan}, {'l1': math.inf}, {'l1': 0.0}, {'l1': {0: 0.0, 5: 0}}, {'l1': '1'}, {'l1': True}, [1], None,
   {'l1': {0: 1.0, True: 2.0}}, {'l3': 1.0}],
)  # fmt: skip
def test_weights_of_losses(weights):
  with pytest.raises(UserError, match=r'loss\.weights'):
    Loss(weights)
