"""Makes the frames between frames: of a video, or of two images and more.

  python -m film_tf.interpolate A.png B.png --output=mid.png
  python -m film_tf.interpolate A.jpg B.jpg --times=3 --output=slow.gif
  python -m film_tf.interpolate clip.mp4 --output=smooth.mp4             twice the frames a second
  python -m film_tf.interpolate clip.mp4 --fps=60 --output=smooth.mp4    60 frames a second, whatever it had
  python -m film_tf.interpolate clip.mp4 --slow=4 --output=slow.mp4      a quarter of the speed

--times=N makes 2^N - 1 frames between two, --multiply=M makes M - 1. Videos keep their sound, subtitles, colours and
timestamps; --slow, --start and --stop leave the sound out. MODEL is film_mini, which comes with film_tf, or a
SavedModel folder or weights file (.npz) of your own.
"""

from film_tf import cli  # first, for it quiets TensorFlow

from fractions import Fraction  # isort: skip

import tqdm
from absl import flags

from film_tf.data import footage
from film_tf.errors import UserError
from film_tf.inference import outputs, plan, sequence
from film_tf.inference.ahead import ahead
from film_tf.inference.interpolator import Interpolator

MODEL = flags.DEFINE_string('model', 'film_mini', 'film_mini, or a SavedModel folder or weights file (.npz).')
OUTPUT = flags.DEFINE_string('output', None, 'An image for one frame; a video, a .gif or a new folder for all.')
TIMES = flags.DEFINE_integer(
  'times', None, 'How often to halve: 2^times - 1 new frames.', lower_bound=1, upper_bound=10
)
MULTIPLY = flags.DEFINE_integer('multiply', None, 'Times the frames.', lower_bound=1, upper_bound=1024)
FPS = flags.DEFINE_string('fps', None, 'Frames a second, such as 60 or 24000/1001. Of images: at which they are shown.')
SLOW = flags.DEFINE_string('slow', None, 'How many times slower a video becomes, such as 4 or 2.5.')
START = flags.DEFINE_string('start', None, 'Seconds of a video to start at.')
STOP = flags.DEFINE_string('stop', None, 'Seconds of a video to stop at.')
AT_CUT = flags.DEFINE_enum(
  'at_cut', 'hold', sequence.AT_CUT, 'Between two scenes: the last frame again, or both mixed.'
)
DUPLICATES = flags.DEFINE_enum('duplicates', 'keep', sequence.DUPLICATES, 'Leave out frames that repeat, and retime?')
CODEC = flags.DEFINE_string('codec', None, "FFmpeg's name of an encoder; libx264, or libvpx-vp9 for .webm, by default.")
CRF = flags.DEFINE_integer(
  'crf', None, 'Quality of a video: less is better, and larger.', lower_bound=0, upper_bound=63
)
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replace an output file that exists.')
flags.mark_flag_as_required('output')


def main(words):
  output = OUTPUT.value
  parts = _parts()
  if outputs.kind(output) == 'still' and parts not in (None, 2):
    raise UserError(f'{output} holds one frame and {parts - 1} are wanted; give --output a video, a .gif or a folder')
  outputs.check(output, OVERWRITE.value)
  planned = _plan(words, parts)
  if outputs.kind(output) == 'still' and planned.total != 3:
    raise UserError(f'{output} holds the one frame between two images; give --output a video, a .gif or a folder')
  interpolator = Interpolator(MODEL.value)
  made = sequence.interpolate(
    ahead(planned.frames),
    planned.clock,
    interpolator,
    planned.end,
    AT_CUT.value if planned.cuts else None,
    DUPLICATES.value,
  )
  shown = tqdm.tqdm(made, total=planned.total, unit='frame', mininterval=0.5)
  outputs.write(output, shown, planned, CODEC.value, CRF.value, OVERWRITE.value)
  print(output)


def _parts():
  """Into how many a frame is to be made, where that is said."""
  if TIMES.value and MULTIPLY.value:
    raise UserError(f'--times={TIMES.value} and --multiply={MULTIPLY.value} both say how many frames; give one of them')
  return 2**TIMES.value if TIMES.value else MULTIPLY.value


def _plan(words, parts):
  fps, slow, start, stop = (_fraction(flag) for flag in ('fps', 'slow', 'start', 'stop'))
  videos = [word for word in words if word.lower().endswith(footage.VIDEOS)]
  if not videos:
    given = [flag for flag in ('slow', 'start', 'stop') if flags.FLAGS[flag].present]
    if given:
      raise UserError(f'--{given[0]} is for videos; of images, --times and --multiply say how many frames')
    return plan.of_images(words, parts or 2, fps)
  if len(words) != 1:
    raise UserError(f'{videos[0]} is a video, and {len(words) - 1} more inputs are given; expected one video alone')
  if parts and (fps or slow):
    raise UserError(
      '--times and --multiply keep the times of a video, --fps and --slow make new ones; give one of them'
    )
  return plan.of_video(videos[0], parts, fps, slow, start, stop)


def _fraction(flag):
  """The exact value of a flag, or None."""
  value = flags.FLAGS[flag].value
  if value is None:
    return None
  try:
    number = Fraction(value)
  except (ValueError, ZeroDivisionError) as error:
    raise UserError(f'--{flag}={value} is no number; expected one such as 60, 2.5 or 24000/1001') from error
  if number < 0 or (number == 0 and flag in ('fps', 'slow')):
    raise UserError(f'--{flag}={value} is too little; expected more than 0')
  return number


if __name__ == '__main__':
  cli.run(main)
