"""Records for tests: frames that say by their pixels who they are."""

import io

import numpy as np
import tensorflow as tf
from PIL import Image

from film_tf.data import records


def frame(number, time, height=24, width=32) -> np.ndarray:
  """`[H, W, 3]` uint8, different for each number and time, and nowhere the same left and right."""
  y, x = np.mgrid[:height, :width]
  return np.stack([x * 7 % 256, y * 9 % 256, np.full_like(x, (number * 16 + time * 5) % 256)], axis=-1).astype(np.uint8)


def png(pixels) -> bytes:
  file = io.BytesIO()
  Image.fromarray(pixels).save(file, 'PNG')
  return file.getvalue()


def write(folder, counts, height=24, width=32) -> str:
  """Writes shards with `counts` triplets each, and returns their name. Triplet i has path `i`."""
  number = 0
  for shard, count in enumerate(counts):
    with tf.io.TFRecordWriter(f'{folder}/set-{shard:05d}-of-{len(counts):05d}') as writer:
      for _ in range(count):
        images = tuple(png(frame(number, time, height, width)) for time in range(3))
        writer.write(records.encode(records.Triplet(str(number), images, height, width)))
        number += 1
  return f'{folder}/set@{len(counts)}'
