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


def test_flow_is_the_mean_distance_over_levels_and_directions():
  """A flow that is off by (3, 4) pixels on the finest level is off by 5, and by half of it a level on."""
  truth = RANDOM.random((2, 8, 8, 2)).astype(np.float32)
  coarse = truth.reshape(2, 4, 2, 4, 2, 2).mean(axis=(2, 4)) / 2
  off, right = np.float32([3, 4]), np.float32([0, 0])
  prediction = {
    'forward_flow_pyramid': [truth + off, coarse + off / 2],
    'backward_flow_pyramid': [truth + right, coarse + right],
  }
  _, terms = Loss({'flow': 1.0})(prediction, {'forward_flow': truth, 'backward_flow': truth})
  np.testing.assert_allclose(terms['flow'], (5 + 2.5 + 0 + 0) / 4, rtol=1e-5)


@pytest.mark.parametrize('weights', [{}, None, {'l7': 1.0}, {'l1': -1.0}, {'l1': '1'}, {'l1': True}, ['l1']])
def test_wrong_weights_are_refused(weights):
  with pytest.raises(UserError, match=r'loss\.weights'):
    Loss(weights)
