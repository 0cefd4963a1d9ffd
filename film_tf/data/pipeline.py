"""Makes batches from sources."""

import contextlib
import dataclasses
import re
from collections.abc import Iterable, Mapping

import gin
import numpy as np
import tensorflow as tf

from film_tf import fields, files, keys, metrics
from film_tf.data import augment, sources, synthetic
from film_tf.data.augment import Augmentation
from film_tf.data.scenes import Scenes
from film_tf.errors import UserError
from film_tf.fields import Count, Positive

_BLOCK = 4096  # choices of a source that are drawn at once
_CHATTER = ('\t', ' ', 'Graph execution error', 'Detected at node', '<stack traces')  # begins what says nothing
_PATIENCE = 1000  # crops in a row that may be out of the motion range


@dataclasses.dataclass(frozen=True)
class Data:
  """What a run is trained on.

  Raises:
    UserError: sources or buffer are not what is expected.
  """

  # Weights by the names that `film_tf.data.sources` explains.
  sources: Mapping[str, Positive] = dataclasses.field(default_factory=lambda: {'synthetic': 1.0})
  shuffle_buffer: Count = 512  # encoded triplets to draw from; about 0.3 MB each for Vimeo-90K

  def __post_init__(self):
    fields.check(self, 'data')
    if not self.sources or '' in self.sources:
      raise UserError(f'data.sources is {dict(self.sources)}; expected weights by name of source')

  @property
  def has_flow(self) -> bool:
    """Whether some examples, the synthetic ones, have their true flow."""
    return 'synthetic' in self.sources


configured = gin.external_configurable(Data, name='data')
"""`Data` from gin: `data.sources = {'/data/vimeo90k_train@200': 3.0, 'synthetic': 1.0}`."""


@tf.autograph.experimental.do_not_convert  # which took most of the time in which these graphs are made
def training(
  data: Data,
  scenes: Scenes,
  augmentation: Augmentation,
  batch_size: int,
  seed: int,
  start: int = 0,
  worker: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
  """Makes batches without end.

  Args:
    data: what to draw from.
    scenes: what synthetic examples look like.
    augmentation: what to do to those of files.
    batch_size: examples a batch of this worker.
    seed: the same seed gives the same batches.
    start: examples that all workers together have had before; the batches go on from there (with a motion range, a
      little before: the crops that it left out are not counted).
    worker: which of several workers this is.

  Returns:
    Batches with `x0`, `y`, `x1` `[B, crop, crop, 3]` float32 in [0, 1] and `time`; where `data.has_flow`, also
    `forward_flow`, `backward_flow`, `middle_flow` `[B, crop, crop, 2]`, NaN where an example is of a file.

  Raises:
    UserError: a source does not exist, or scenes and crops that are to be mixed differ in size.
  """
  # The order, and why: files are shuffled, so that epochs differ; interleaved, so that a batch mixes clips; shuffled as
  # encoded images, which are a tenth the size of decoded ones; decoded; augmented one by one, so that each example has
  # its own; batched last, with static shapes as a TPU wants; prefetched, so that the device never waits.
  worker = worker or tf.distribute.InputContext()
  size = (scenes.height, scenes.width)
  if data.has_flow and len(data.sources) > 1 and size != (augmentation.crop, augmentation.crop):
    raise UserError(
      f'synthetic scenes of {size[0]}x{size[1]} pixels cannot be mixed with crops of {augmentation.crop}; '
      'make synthetic.height, synthetic.width and augmentation.crop equal'
    )
  n, index = worker.num_input_pipelines, worker.input_pipeline_id
  choices, had = _choices(data, seed + index, start // n)  # every worker makes its own, of its own examples
  streams = []
  for name, before in zip(data.sources, had, strict=True):
    if name == 'synthetic':
      streams.append(synthetic.triplets(scenes, seed, before * n, worker))
    else:
      encoded = sources.shuffled(name, seed, data.shuffle_buffer, before, worker)
      numbered = tf.data.Dataset.zip((tf.data.Dataset.range(before * n + index, tf.int64.max, n), encoded))
      stream = numbered.map(lambda i, x: _augmented(x, tf.stack([seed, i]), augmentation), tf.data.AUTOTUNE)
      stream = _selected(stream, name, augmentation.motion_range) if augmentation.motion_range else stream
      streams.append(stream.map(_with_unknown_flow) if data.has_flow else stream)
  examples = streams[0] if len(streams) == 1 else tf.data.Dataset.choose_from_datasets(streams, choices)
  return examples.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def _choices(data, seed, start):
  """Draws numbers of sources by their weights, without end, from number `start` on; and how often each came before."""
  weights = np.cumsum(list(data.sources.values()))
  bounds = tf.constant(weights[:-1] / weights[-1], tf.float32)

  def block(number):  # drawn in blocks, so that many can be counted at once
    draws = tf.random.stateless_uniform((_BLOCK,), tf.stack([tf.constant(seed, tf.int64), number]))
    return tf.searchsorted(bounds, draws, side='right', out_type=tf.int64)

  blocks, rest = divmod(start, _BLOCK)
  before = np.zeros(len(weights), np.int64)
  for number in range(blocks + 1):
    drawn = block(tf.constant(number, tf.int64)).numpy()[: rest if number == blocks else _BLOCK]
    before += np.bincount(drawn, minlength=len(weights))
  return tf.data.Dataset.range(blocks, tf.int64.max).map(block).unbatch().skip(rest), before.tolist()


@tf.autograph.experimental.do_not_convert
def evaluation(name: str, batch_size: int = 1) -> tf.data.Dataset:
  """Makes batches of every triplet of a source exactly once, in order, whole and unchanged.

  Args:
    name: of the source, see `film_tf.data.sources`; its frames have `metrics.SMALLEST` pixels or more either way.
    batch_size: examples a batch, the last may have fewer; all of a batch must have one size.

  Returns:
    Batches with `path` `[B]`, `x0`, `y`, `x1` `[B, H, W, 3]` float32 in [0, 1], `time` `[B, 1]`.
  """

  def decoded(example):
    frames, time = _checked(example, metrics.SMALLEST, 'for SSIM')
    x0, y, x1 = tf.unstack(tf.image.convert_image_dtype(frames, tf.float32))
    return {keys.PATH: example[keys.PATH], **_example(x0, y, x1, time)}

  return sources.ordered(name).map(decoded, tf.data.AUTOTUNE).batch(batch_size).prefetch(tf.data.AUTOTUNE)


def decode(example: Mapping) -> tf.Tensor:
  """Decodes the frames of an example (`film_tf.data.records.parse`): `[3, H, W, 3]` uint8, in order of time."""
  frames = [tf.io.decode_image(example[key], channels=3, expand_animations=False) for key in (keys.X0, keys.Y, keys.X1)]
  return tf.stack(frames)


@contextlib.contextmanager
def readable(names: Iterable[str]):
  """Turns errors of batches from the sources `names`, within it, into ones for people.

  Raises:
    UserError: a file is damaged, is no triplets, or has frames that are too small; or none fits the motion range.
  """
  try:
    yield
  except tf.errors.DataLossError as error:
    raise UserError(f'damaged files: {_damaged(names) or files.reason(error)}') from error
  except (tf.errors.NotFoundError, tf.errors.FailedPreconditionError, tf.errors.PermissionDeniedError) as error:
    if 'expected to contain' in error.message:
      raise UserError(f'files have fewer records than their data set: {_damaged(names)}') from error
    said = files.shortened(_cause(error.message))
    raise UserError(f'cannot read {", ".join(filter(None, names))}: {said}') from error
  except (tf.errors.InvalidArgumentError, UnicodeDecodeError) as error:
    # The latter is of an error's message, which has what a damaged record calls its path.
    message = error.object.decode('utf-8', 'replace') if isinstance(error, UnicodeDecodeError) else error.message
    if isinstance(error, tf.errors.InvalidArgumentError) and 'Iterator' not in message:
      raise
    ours = re.search(r'assertion failed: (.*)', message)
    if ours:
      raise UserError(re.sub(r'[\[\]]', '', ours[1])) from error  # TensorFlow brackets its parts
    cause = _cause(message)
    raise UserError(f'there is what is no triplet in {", ".join(filter(None, names))}: {cause}') from error


def check(name: str):
  """Reads the first triplet of a source.

  Raises:
    UserError: there is no such source, it has no triplets, or its first record is none.
  """
  with readable([name]):
    if not any(True for _ in sources.ordered(name).take(1)):
      raise UserError(f'source {name} has no triplets')


def _damaged(names):
  return ', '.join(file for name in names for file in sources.damaged(name))


def _cause(message):
  """Returns the line of one of TensorFlow's messages that says what is wrong with the data."""
  lines = [line for line in message.splitlines() if line and not line.startswith(_CHATTER)]
  return re.sub(r'.*Iterator::\S+ |.*?}} ', '', lines[-1] if lines else message)


def _augmented(example, seed, augmentation):
  frames, time = _checked(example, augmentation.crop, 'for augmentation.crop')
  frames, time = augment.augment(frames, time, seed, augmentation)
  made = _example(*tf.unstack(frames), time)
  return (made, augment.in_motion_range(frames, *augmentation.motion_range)) if augmentation.motion_range else made


def _checked(example, pixels, why):
  """Returns the frames of an example, which must have so many pixels both ways, and the time of the middle one."""
  frames, time = decode(example), example[keys.TIME]
  size, name = tf.shape(frames)[1:3], ['triplet', example[keys.PATH]]
  large = tf.debugging.Assert(tf.reduce_all(size >= pixels), [*name, 'has', size, 'pixels; it needs', pixels, why])
  between = tf.debugging.Assert((time > 0) & (time < 1), [*name, 'is at time', time, 'and should be between 0 and 1'])
  with tf.control_dependencies([large, between]):
    return tf.identity(frames), tf.identity(time)


def _selected(stream, name, motion_range):
  """Yields the examples in the motion range; counts the others, or a range that nothing fits would look like a hang."""
  low, high = motion_range

  def count(misses, pair):
    misses = tf.where(pair[1], 0, misses + 1)
    message = [name, 'has', misses, 'crops in a row that are out of augmentation.motion_range', low, 'to', high]
    tf.debugging.Assert(misses < _PATIENCE, message)
    return misses, pair

  return stream.scan(tf.constant(0), count).filter(_second).map(_first)


def _first(example, fits):
  return example


def _second(example, fits):
  return fits


def _example(x0, y, x1, time):
  return {keys.X0: x0, keys.Y: y, keys.X1: x1, keys.TIME: time[tf.newaxis]}


def _with_unknown_flow(example):
  unknown = tf.fill((*example[keys.Y].shape[:2], 2), np.nan)
  return {**example, **dict.fromkeys((keys.FORWARD_FLOW, keys.BACKWARD_FLOW, keys.MIDDLE_FLOW), unknown)}
