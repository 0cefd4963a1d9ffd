import builtins
import io

import numpy as np
import pytest
import tensorflow as tf

from film_tf.errors import UserError
from film_tf.inference import precision
from film_tf.inference.interpolator import Interpolator
from film_tf.model import warp, weights
from tests import conftest

ON_CPU = pytest.mark.skipif(bool(tf.config.list_physical_devices('GPU')), reason='of processors')


@pytest.fixture
def processor(monkeypatch):
  """Gives the processor other flags."""

  def with_flags(flags):
    real = builtins.open
    text = f'processor : 0\nflags : fpu avx2 {flags}\n'
    monkeypatch.setattr(
      builtins, 'open', lambda path, *args: io.StringIO(text) if path == '/proc/cpuinfo' else real(path, *args)
    )

  return with_flags


@ON_CPU
@pytest.mark.parametrize(
  ('flags', 'asked', 'expected'),
  [
    ('', 'auto', 'float32'), ('avx512_bf16', 'auto', 'bfloat16'), ('amx_bf16', 'auto', 'bfloat16'),
    ('', 'bfloat16', 'bfloat16'), ('avx512_bf16', 'float32', 'float32'), ('avx512_fp16', 'float16', 'float16'),
  ],
)  # fmt: skip
def test_what_a_processor_has(processor, tiny, flags, asked, expected):
  processor(flags)
  net = precision.converted(tiny, asked)
  assert net.compute_dtype == expected
  assert net is tiny or expected != 'float32'
  for name, value in weights.named(tiny).items():
    np.testing.assert_array_equal(weights.named(net)[name], value)


@ON_CPU
def test_what_it_does_not_have(processor, tiny):
  processor('avx512_bf16')
  with pytest.raises(UserError, match='float16, which this processor does not have'):
    precision.converted(tiny, 'float16')
  with pytest.raises(UserError, match="'half'; expected one of auto, float32"):
    precision.converted(tiny, 'half')


def test_images_are_near_and_the_model_says_so(tiny):
  a, b = (conftest.pair(1, 40, 40)[key][0] for key in ('x0', 'x1'))
  exact, fast = Interpolator(tiny), Interpolator(tiny, precision='bfloat16')
  error = np.abs(exact.between(a, b) - fast.between(a, b)).mean()
  assert 0 < error < 0.02
  assert fast.identity == f'{exact.identity} in bfloat16'


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_compiled_warps_are_the_same_function(dtype):
  random = np.random.default_rng(0)

  @tf.function(input_signature=[tf.TensorSpec([None] * 3 + [5], dtype), tf.TensorSpec([None] * 3 + [2])])
  def compiled(image, flow):
    with warp.compiled():
      return warp.warp(image, flow)

  atol = {'float32': 1e-6, 'bfloat16': 0.02}[dtype]
  for size in ((1, 1), (7, 5), (20, 33)):
    image = tf.cast(random.random((2, *size, 5)), dtype)
    flow = tf.constant(random.normal(0, 9, (2, *size, 2)), tf.float32)
    expected = tf.cast(warp.warp(image, flow), tf.float32)
    np.testing.assert_allclose(tf.cast(compiled(image, flow), tf.float32), expected, atol=atol)
  (function,) = compiled.get_concrete_function().graph.as_graph_def().library.function
  assert function.attr['_XlaMustCompile'].b
