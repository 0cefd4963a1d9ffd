import pytest

from film_tf.errors import UserError
from film_tf.model.options import Options, configured


@pytest.mark.parametrize(
  ('wrong', 'numbers'),
  [
    ({'pyramid_levels': 3}, ['pyramid_levels=3', 'specialized_levels=3']),
    ({'fusion_pyramid_levels': 8}, ['fusion_pyramid_levels=8', 'pyramid_levels=7']),
    ({'specialized_levels': 2, 'flow_convs': (3,) * 3, 'flow_filters': (8,) * 3}, ['specialized_levels=2', '3']),
    ({'flow_convs': (3, 3)}, ['2 entries', 'specialized_levels=3', '4']),
    ({'flow_filters': (1, 2, 2, 2)}, ['1', '2 or more']),
    ({'filters': 2.5}, ['filters', '2.5', 'whole number']),
    ({'filters': True}, ['filters', 'True']),
    ({'sub_levels': 0}, ['sub_levels', '0']),
    ({'flow_convs': (3, 3, 3, '3')}, ['flow_convs', "'3'"]),
    ({'flow_filters': 64}, ['flow_filters', '64']),
    ({'use_aux_outputs': 1}, ['use_aux_outputs', '1', 'True or False']),
  ],
)
def test_contradictions_are_named_with_both_numbers(wrong, numbers):
  with pytest.raises(UserError) as error:
    Options(**wrong)
  for number in numbers:
    assert number in error.value.message


def test_feature_channels_are_k_3k_7k_15k_15k():
  assert [Options().feature_channels(i) for i in range(6)] == [64, 192, 448, 960, 960, 960]


def test_gin_configures_the_copy_and_leaves_the_class_alone():
  import gin

  gin.parse_config('model.filters = 16')
  assert configured() == Options(filters=16)
  assert Options().filters == 64
