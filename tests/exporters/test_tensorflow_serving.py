"""The bodies for TensorFlow Serving in docs/serving.md: an exported model takes them, and answers as is said there."""

import json
import re

import numpy as np
import pytest
import tensorflow as tf

from film_tf.exporters import saved_model
from tests.conftest import ROOT

BODIES = [
  json.loads(text) for text in re.findall(r'```json\n(.*?)```', (ROOT / 'docs' / 'serving.md').read_text(), re.S)
]
PHOTOS = [(np.array(BODIES[0]['inputs'][name], np.float32)) for name in ('x0', 'x1')]


def decoded(body, signature):
  """The tensors that TensorFlow Serving makes of a body: of the signature's types, `instances` are put in a batch."""
  specs = signature.structured_input_signature[1]
  if 'instances' in body:
    columns = {name: [instance[name] for instance in body['instances']] for name in specs}
    assert all({*instance} == {*specs} for instance in body['instances'])
  else:
    columns = body['inputs']
    assert {*columns} == {*specs}
  tensors = {name: tf.constant(values, specs[name].dtype) for name, values in columns.items()}
  for name, tensor in tensors.items():
    assert specs[name].shape.is_compatible_with(tensor.shape), name
  return tensors


@pytest.fixture(scope='module')
def signatures(tiny, tmp_path_factory):
  path = tmp_path_factory.mktemp('served') / '1'
  saved_model.export(tiny, path)
  return tf.saved_model.load(str(path)).signatures


@pytest.mark.parametrize('body', BODIES, ids=['columns', 'rows'])
def test_bodies_of_the_documentation_give_the_networks_image(tiny, signatures, body):
  signature = signatures[body.get('signature_name', 'serving_default')]
  outputs = signature(**decoded(body, signature))
  expected = tiny({'x0': PHOTOS[0], 'x1': PHOTOS[1], 'time': np.full((1, 1), 0.5, np.float32)})['image']
  np.testing.assert_allclose(outputs['image'], expected, rtol=1e-5, atol=1e-5)
  levels = {name.partition('/')[0] for name in outputs if '/' in name}
  assert {*outputs} - {name for name in outputs if '/' in name} == {'image', 'x0_warped', 'x1_warped'} - levels
  assert levels >= {
    f'{way}_{kind}' for way in ('forward', 'backward') for kind in ('flow_pyramid', 'residual_flow_pyramid')
  }
  assert all(output.shape[0] == 1 for output in outputs.values()), 'rows need the batch first'


def test_features_and_between_are_no_signatures(signatures):
  assert [*signatures] == ['serving_default']


def test_a_body_of_another_shape_is_refused(signatures):
  signature = signatures['serving_default']
  body = {'inputs': {**BODIES[0]['inputs'], 'time': [0.5]}}
  with pytest.raises(AssertionError, match='time'):
    decoded(body, signature)
