"""Makes the frames between two frames.

  python -m film_tf.interpolate A.png B.png --output=mid.png
  python -m film_tf.interpolate A.jpg B.jpg --times=3 --output=slow.gif
  python -m film_tf.interpolate A.jpg B.jpg --times=3 --output=frames/ --model=MODEL

MODEL is film_mini, which comes with film_tf, or a SavedModel folder or weights file (.npz) of your own. A .gif or a
folder gets both frames and the 2^times - 1 between.
"""

from film_tf import cli  # first, for it quiets TensorFlow

import os  # isort: skip

import tqdm
from absl import flags

from film_tf import files
from film_tf.errors import UserError
from film_tf.inference import frames
from film_tf.inference.interpolator import Interpolator

MODEL = flags.DEFINE_string('model', 'film_mini', 'film_mini, or a SavedModel folder or weights file (.npz).')
OUTPUT = flags.DEFINE_string('output', None, 'A .png, .jpg or .webp for one frame; a .gif or a new folder for all.')
TIMES = flags.DEFINE_integer('times', 1, 'How often to halve: 2^times - 1 new frames.', lower_bound=1, upper_bound=10)
FPS = flags.DEFINE_float('fps', 20.0, 'Frames a second of a .gif.', lower_bound=0.1, upper_bound=50.0)
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replace an output file that exists.')
flags.mark_flag_as_required('output')


def main(words):
  if len(words) != 2:
    raise UserError(f'{len(words)} images given; expected two, the frames to go between')
  output = OUTPUT.value
  kind = _kind(output)
  if kind == 'still' and TIMES.value != 1:
    raise UserError(
      f'--times={TIMES.value} makes {2**TIMES.value - 1} frames; give --output a .gif or a folder for them'
    )
  if kind == 'folder' and os.path.exists(output):
    raise UserError(f'{output} exists already; give a new folder')
  files.check(output, OVERWRITE.value)
  a, b = map(frames.read, words)
  if a.pixels.shape != b.pixels.shape or a.pixels.dtype != b.pixels.dtype:
    raise UserError(f'the images differ: {words[0]} is {_describe(a)}, {words[1]} is {_describe(b)}')

  made = Interpolator(MODEL.value).recurse(a.pixels, b.pixels, TIMES.value)
  made = tqdm.tqdm(made, total=2**TIMES.value - 1, unit='frame')
  made = (frames.Frame(pixels, a.icc_profile) for pixels in made)
  if kind == 'still':
    frames.write(output, next(made), OVERWRITE.value)
  elif kind == 'gif':
    frames.write_gif(output, [a, *made, b], FPS.value, OVERWRITE.value)
  else:
    with files.whole(output) as folder:
      os.mkdir(folder)
      for i, frame in enumerate(f for part in ([a], made, [b]) for f in part):
        frames.write(os.path.join(folder, f'frame_{i:04d}.png'), frame)
  print(output)


def _kind(output):
  """What the name of the output asks for: still, gif or folder."""
  suffix = os.path.splitext(output)[1].lower()
  if suffix == '.gif':
    return 'gif'
  if output.endswith('/') or not suffix:
    return 'folder'
  frames.still_format(output)
  return 'still'


def _describe(frame):
  height, width, _ = frame.pixels.shape
  return f'{width}x{height} of {8 * frame.pixels.itemsize} bits'


if __name__ == '__main__':
  cli.run(main)
