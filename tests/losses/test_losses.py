import numpy as np
import pytest

from film_tf.errors import UserError
from film_tf.losses.losses import Loss

RANDOM = np.random.default_rng(0)
PREDICTION = {'image': RANDOM.random((2, 5, 7, 3), np.float32)}
BATCH = {'y': RANDOM.random((2, 5, 7, 3), np.float32)}


def test_losses_are_weighted_and_logged_without_their_weight():
  total, logs = Loss({'l1': 3.0, 'l2': {0: 0.0, 5: 2.0}})(PREDICTION, BATCH, 5)
  difference = PREDICTION['image'] - BATCH['y']
  l1, l2 = np.abs(difference).mean(), (difference**2).mean()
  np.testing.assert_allclose(total, 3 * l1 + 2 * l2, rtol=1e-6)
  np.testing.assert_allclose([logs[name] for name in ('l1', 'l2', 'weight/l1', 'weight/l2')], [l1, l2, 3, 2], rtol=1e-6)


@pytest.mark.parametrize(
  'weights', [{}, None, {'l7': 1.0}, {'l1': -1.0}, {'l1': '1'}, {'l1': True}, ['l1'], {'l1': {5: 1.0}}]
)
def test_wrong_weights_are_refused(weights):
  with pytest.raises(UserError, match=r'loss\.weights'):
    Loss(weights)


def test_missing_vgg_weights_say_where_to_get_them():
  with pytest.raises(UserError, match=r'imagenet-vgg-verydeep-19\.mat from https://'):
    Loss({'vgg': 1.0})
