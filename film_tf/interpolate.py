"""Makes the frames between frames: of videos, animated images, or two images and more.

  python -m film_tf.interpolate A.png B.png --output=mid.png
  python -m film_tf.interpolate photos/ --times=3 --output=slow.gif      a folder of images, in natural order
  python -m film_tf.interpolate clip.mp4 --output=smooth.mp4             twice the frames a second
  python -m film_tf.interpolate clip.mp4 --fps=60 --output=smooth.mp4    60 frames a second, whatever it had
  python -m film_tf.interpolate clip.mp4 --slow=4 --output=slow.mp4      a quarter of the speed
  python -m film_tf.interpolate '*.mp4' --output='slow/{name}.mp4'       each of several

--times=N makes 2^N - 1 new frames between two, --multiply=M makes M - 1, --at=0.25,0.5 makes those. Videos keep their
sound, subtitles, colours and timestamps; --slow leaves the sound out. Work that was interrupted, by Ctrl-C or a crash,
goes on with --resume. --dry_run says how long it would take. MODEL is film_mini, which comes with film_tf, or a
SavedModel folder or weights file (.npz) of your own.
"""

import dataclasses
import sys

import tqdm
from absl import flags

from film_tf import cli
from film_tf.errors import UserError
from film_tf.render import inputs, outputs
from film_tf.render.job import Job
from film_tf.render.outputs import EncodingOptions
from film_tf.render.request import AT_CUT, DUPLICATES, Request, request

MODEL = flags.DEFINE_string('model', 'film_mini', 'film_mini, or a SavedModel folder or weights file (.npz).')
OUTPUT = flags.DEFINE_string(
  'output', None, 'An image for one frame; a video, a .gif, a .webp or a new folder for all. {name} is the input.'
)
flags.DEFINE_integer('times', None, 'How often to halve: 2^times - 1 new frames.', lower_bound=1, upper_bound=10)
flags.DEFINE_integer('multiply', None, 'Makes M - 1 new frames between each pair.', lower_bound=1, upper_bound=1024)
flags.DEFINE_list('at', None, 'Makes new frames at these fractions of the way between two, such as 0.25,0.5.')
flags.DEFINE_string('fps', None, 'Frames a second, such as 60 or 24000/1001. Of images: at which they are shown.')
flags.DEFINE_string('slow', None, 'How many times slower a video becomes, such as 4 or 2.5.')
flags.DEFINE_string('start', None, 'Seconds of a video to start at.')
flags.DEFINE_string('stop', None, 'Seconds of a video to stop at.')
flags.DEFINE_bool('loop', False, 'Makes new frames from the last to the first too.')
flags.DEFINE_enum('at_cut', 'hold', AT_CUT, 'Between two scenes: hold the last frame, or blend both.')
flags.DEFINE_enum(
  'duplicates', 'keep', DUPLICATES, 'Keeps frames that repeat, or leaves them out and fills their time.'
)
flags.DEFINE_string('codec', None, "FFmpeg's name of an encoder; libx264, or libvpx-vp9 for .webm, by default.")
flags.DEFINE_integer('crf', None, 'Quality of a video: less is better, and larger.', lower_bound=0, upper_bound=63)
flags.DEFINE_string('pixel_format', None, "FFmpeg's name of a video's, such as yuv420p; the input's by default.")
flags.DEFINE_enum('images', 'png', outputs.IMAGES, 'Format of the images in a folder.')
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replaces an output file that exists.')
RESUME = flags.DEFINE_bool('resume', False, 'Goes on where work was interrupted; skips outputs that are finished.')
DRY_RUN = flags.DEFINE_bool('dry_run', False, 'Says what would be made, how long it takes and how much memory.')
flags.mark_flag_as_required('output')


def main(words):
  wanted, encoding = request(**_flags_of(Request)), EncodingOptions(**_flags_of(EncodingOptions))
  found = inputs.find(words)
  pairs = zip(found, _names(found), strict=True)
  jobs = [Job(given, name, wanted, encoding, OVERWRITE.value, RESUME.value) for given, name in pairs]
  cli.load_tensorflow()
  from film_tf.inference.interpolator import Interpolator

  interpolator = Interpolator(MODEL.value)
  failed = []
  for job in jobs:  # one that fails does not keep the others waiting until the morning
    try:
      print(job.describe(interpolator) if DRY_RUN.value else _run(job, interpolator))
    except UserError as error:
      failed.append(error.message)
  if failed:
    raise UserError('\n'.join(failed))


def _flags_of(options):
  """Returns the values of the flags that are named as the fields of a class."""
  return {field.name: flags.FLAGS[field.name].value for field in dataclasses.fields(options)}


def _names(found):
  """Returns the name of each input's output."""
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
    bar.total = bar.n  # the estimate was about right, this is exact
  if job.done:
    print(f'{job.output} is there already', file=sys.stderr)
  if report.timing_error:
    print(f'new frames are within {float(report.timing_error) * 1000:.2f} ms of their time', file=sys.stderr)
  return job.output


if __name__ == '__main__':
  cli.run(main)
