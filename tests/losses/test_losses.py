import numpy as np
import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.losses.losses import Loss

RANDOM = np.random.default_rng(0)
PREDICTION = {'image': RANDOM.random((2, 5, 7, 3), np.float32)}
BATCH = {'y': RANDOM.random((2, 5, 7, 3), np.float32)}


def test_l1_is_the_mean_absolute_difference_and_is_weighted():
  total, terms = Loss({'l1': 3.0})(PREDICTION, BATCH)
  expected = np.abs(PREDICTION['image'] - BATCH['y']).mean()
  np.testing.assert_allclose(terms['l1'], expected, rtol=1e-6)
  np.testing.assert_allclose(total, 3 * expected, rtol=1e-6)


def test_loss_of_a_perfect_prediction_is_zero():
  assert Loss({'l1': 1.0})({'image': tf.constant(BATCH['y'])}, BATCH)[0] == 0


@pytest.mark.parametrize('weights', [{}, None, {'l7': 1.0}, {'l1': -1.0}, {'l1': '1'}, {'l1': True}, ['l1']])
def test_wrong_weights_are_refused(weights):
  with pytest.raises(UserError, match=r'loss\.weights'):
    Loss(weights)
