"""Encodes a triplet as a record, in the TFRecord format of the original, so that records on disk keep working."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from film_tf import keys

FRAMES = ('frame_0', 'frame_1', 'frame_2')  # before, middle, after


@dataclasses.dataclass(frozen=True)
class Triplet:
  """Three frames in time, each as the bytes of an image file."""

  path: str  # what names the triplet in its data set, such as 00001/0389
  frames: tuple[bytes, bytes, bytes]  # PNG or JPEG, in order of time
  height: int  # pixels, the same for all three
  width: int
  time: float = 0.5  # of the middle one, from 0 to 1


@dataclasses.dataclass(frozen=True)
class RecordFiles:
  """The files of a source, or parts of them, and how their records are read."""

  files: list[str]  # TFRecord files
  skips: list[int]  # records at the front of each that are not meant
  counts: list[int]  # records after these that are; -1 is all
  parse: Callable[[tf.Tensor], dict]  # a serialized record to a dict of strings, see `parse`


def encode(triplet: Triplet) -> bytes:
  """Serializes a `tf.train.Example` with `path` and, a frame, `frame_i/encoded`, `format`, `height`, `width`.

  And with `time`, where that is not the original's, halfway.
  """
  features = {keys.PATH: _bytes(triplet.path.encode('utf-8', 'surrogateescape'))}
  if triplet.time != 0.5:
    features[keys.TIME] = tf.train.Feature(float_list=tf.train.FloatList(value=[triplet.time]))
  for name, frame in zip(FRAMES, triplet.frames, strict=True):
    features[f'{name}/encoded'] = _bytes(frame)
    features[f'{name}/format'] = _bytes(b'png' if frame.startswith(b'\x89PNG') else b'jpg')
    features[f'{name}/height'] = _int(triplet.height)
    features[f'{name}/width'] = _int(triplet.width)
  return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def parse(serialized: tf.Tensor) -> dict:
  """Parses a record to strings: `path`, and `x0`, `y`, `x1` as encoded images; and to `time`, 0.5 where none is said.

  Shape `[]`, or `[B]` for a batch.
  """
  spec = {f'{name}/encoded': tf.io.FixedLenFeature([], tf.string) for name in FRAMES}
  spec[keys.PATH] = tf.io.FixedLenFeature([], tf.string, '')
  spec[keys.TIME] = tf.io.FixedLenFeature([], tf.float32, 0.5)
  parsed = tf.io.parse_example(serialized, spec)
  x0, y, x1 = (parsed[f'{name}/encoded'] for name in FRAMES)
  return {keys.PATH: parsed[keys.PATH], keys.X0: x0, keys.Y: y, keys.X1: x1, keys.TIME: parsed[keys.TIME]}


def from_tfds(example: dict) -> dict:
  """Returns what `parse` does, of an example of a data set in `datasets/` whose images are not decoded."""
  x0, y, x1 = (example[name] for name in FRAMES)
  time = example.get(keys.TIME, tf.constant(0.5))
  return {keys.PATH: example[keys.PATH], keys.X0: x0, keys.Y: y, keys.X1: x1, keys.TIME: time}


def _bytes(value):
  return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _int(value):
  return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
