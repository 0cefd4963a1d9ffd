"""Makes the frames between frames: of videos, animated images, or two images and more.

  python -m film_tf.interpolate A.png B.png --output=mid.png
  python -m film_tf.interpolate photos/ --times=3 --output=slow.gif      a folder of images, in natural order
  python -m film_tf.interpolate clip.mp4 --output=smooth.mp4             twice the frames a second
  python -m film_tf.interpolate clip.mp4 --fps=60 --output=smooth.mp4    60 frames a second, whatever it had
  python -m film_tf.interpolate clip.mp4 --slow=4 --output=slow.mp4      a quarter of the speed
  python -m film_tf.interpolate '*.mp4' --output='slow/{name}.mp4'       each of several

--times=N makes 2^N - 1 frames between two, --multiply=M makes M - 1, --at=0.25,0.5 makes those. Videos keep their
sound, subtitles, colours and timestamps; --slow leaves the sound out. What is cut off, by Ctrl-C or a crash, goes on
with --resume. --dry_run says how long it would take. MODEL is film_mini, which comes with film_tf, or a SavedModel
folder or weights file (.npz) of your own.
"""

from film_tf import cli  # first, for it quiets TensorFlow

import dataclasses  # isort: skip
import sys

import tqdm
from absl import flags

from film_tf.errors import UserError
from film_tf.inference import inputs, outputs, sequence
from film_tf.inference.interpolator import Interpolator
from film_tf.inference.job import Job
from film_tf.inference.outputs import Form
from film_tf.inference.request import Request, request

MODEL = flags.DEFINE_string('model', 'film_mini', 'film_mini, or a SavedModel folder or weights file (.npz).')
OUTPUT = flags.DEFINE_string(
  'output', None, 'An image for one frame; a video, a .gif, a .webp or a new folder for all. {name} is the input.'
)
flags.DEFINE_integer('times', None, 'How often to halve: 2^times - 1 new frames.', lower_bound=1, upper_bound=10)
flags.DEFINE_integer('multiply', None, 'Times the frames.', lower_bound=1, upper_bound=1024)
flags.DEFINE_list('at', None, 'Where between two frames others are wanted, such as 0.25,0.5.')
flags.DEFINE_string('fps', None, 'Frames a second, such as 60 or 24000/1001. Of images: at which they are shown.')
flags.DEFINE_string('slow', None, 'How many times slower a video becomes, such as 4 or 2.5.')
flags.DEFINE_string('start', None, 'Seconds of a video to start at.')
flags.DEFINE_string('stop', None, 'Seconds of a video to stop at.')
flags.DEFINE_bool('loop', False, 'Frames from the last to the first too.')
flags.DEFINE_enum('at_cut', 'hold', sequence.AT_CUT, 'Between two scenes: the last frame again, or both mixed.')
flags.DEFINE_enum('duplicates', 'keep', sequence.DUPLICATES, 'Leave out frames that repeat, and retime?')
flags.DEFINE_string('codec', None, "FFmpeg's name of an encoder; libx264, or libvpx-vp9 for .webm, by default.")
flags.DEFINE_integer('crf', None, 'Quality of a video: less is better, and larger.', lower_bound=0, upper_bound=63)
flags.DEFINE_string('pixel_format', None, "FFmpeg's name of a video's; the input's by default, such as yuv420p.")
flags.DEFINE_enum('images', 'png', outputs.IMAGES, 'Of a folder.')
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replace an output file that exists.')
RESUME = flags.DEFINE_bool('resume', False, 'Go on where this was cut off; leave alone what is there already.')
DRY_RUN = flags.DEFINE_bool('dry_run', False, 'Say what would be made, how long it takes and how much memory.')
flags.mark_flag_as_required('output')


def main(words):
  wanted, form = request(**_given(Request)), Form(**_given(Form))
  found = inputs.find(words)
  pairs = zip(found, _names(found), strict=True)
  jobs = [Job(given, name, wanted, form, OVERWRITE.value, RESUME.value) for given, name in pairs]
  interpolator = Interpolator(MODEL.value)
  failed = []
  for job in jobs:  # one that fails does not keep the others waiting until the morning
    try:
      print(job.describe(interpolator) if DRY_RUN.value else _run(job, interpolator))
    except UserError as error:
      failed.append(error.message)
  if failed:
    raise UserError('\n'.join(failed))


def _given(options):
  """The flags that are called as the fields of a class."""
  return {field.name: flags.FLAGS[field.name].value for field in dataclasses.fields(options)}


def _names(found):
  """The name of each input's output."""
  names = [OUTPUT.value.replace('{name}', given.name) for given in found]
  for i, name in enumerate(names):
    if name in names[:i]:
      first, second = found[names.index(name)].paths[0], found[i].paths[0]
      raise UserError(
        f"{first} and {second} would both become {name}; write {{name}} for each, as in --output='out/{{name}}.mp4'"
      )
  return names


def _run(job, interpolator):
  """Makes one output and returns its name."""
  total = None if job.done else job.plan.total
  with tqdm.tqdm(total=total, unit='frame', mininterval=0.5, smoothing=0.1, delay=0.001) as bar:

    def progress(done, total):
      if not bar.n:
        bar.initial = bar.n = done  # of a resumed work, what is finished does not count as speed
      bar.update(done - bar.n)

    report = job.run(interpolator, progress)
    bar.total = bar.n  # which was about
  if job.done:
    print(f'{job.output} is there already', file=sys.stderr)
  if report.off:
    print(f'new frames are within {float(report.off) * 1000:.2f} ms of their time', file=sys.stderr)
  return job.output


if __name__ == '__main__':
  cli.run(main)
