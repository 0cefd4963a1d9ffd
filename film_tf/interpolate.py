"""Makes the frames between frames: of videos, animated images, or two images and more.

  python -m film_tf.interpolate A.png B.png --output=mid.png
  python -m film_tf.interpolate photos/ --times=3 --output=slow.gif      a folder of images, in natural order
  python -m film_tf.interpolate clip.mp4 --output=smooth.mp4             twice the frames a second
  python -m film_tf.interpolate clip.mp4 --fps=60 --output=smooth.mp4    60 frames a second, whatever it had
  python -m film_tf.interpolate clip.mp4 --slow=4 --output=slow.mp4      a quarter of the speed
  python -m film_tf.interpolate '*.mp4' --output='slow/{name}.mp4'       each of several

--times=N makes 2^N - 1 new frames between two, --multiply=M makes M - 1, --at=0.25,0.5 makes those. Videos keep their
sound, subtitles, colours and timestamps; --slow leaves the sound out, unless --sound=stretch; what cannot be kept is
said before the work.
--start and --stop count from the first frame. Work that was interrupted, by Ctrl-C or a crash, goes on with --resume.
--dry_run says how long it would take. MODEL is film_mini, which comes with film_tf; a SavedModel folder or weights file
(.npz) of your own; or FILM's released weights in any form (docs/weights.md).
"""

import dataclasses
import sys

from absl import flags

from film_tf import cli, progress
from film_tf.errors import UserError
from film_tf.importers import sources
from film_tf.inference import memory
from film_tf.render import inputs, outputs
from film_tf.render.job import Job
from film_tf.render.outputs import EncodingOptions
from film_tf.render.request import AT_CUT, CUT, DAMAGED, DUPLICATES, SOUND, TIME, Request, request

MODEL = flags.DEFINE_string(
  'model', 'film_mini', "film_mini, film_style, or a SavedModel folder or weights file, film_tf's or FILM's."
)
OUTPUT = flags.DEFINE_string(
  'output', None, 'An image for one frame; a video, a .gif, a .webp or a new folder for all. {name} is the input.'
)
flags.DEFINE_integer('times', None, 'How often to halve: 2^times - 1 new frames.', lower_bound=1, upper_bound=10)
flags.DEFINE_integer('multiply', None, 'Makes M - 1 new frames between each pair.', lower_bound=1, upper_bound=1024)
flags.DEFINE_list('at', None, 'Makes new frames at these fractions of the way between two, such as 0.25,0.5.')
flags.DEFINE_string('fps', None, 'Frames a second, such as 60 or 24000/1001. Of images: at which they are shown.')
flags.DEFINE_string('slow', None, 'How many times slower a video becomes, such as 4 or 2.5.')
flags.DEFINE_string('start', None, "Where to start, in seconds from a video's first frame, or as 1:02:03.5.")
flags.DEFINE_string('stop', None, 'Where to stop, likewise.')
flags.DEFINE_enum(
  'time',
  'auto',
  TIME,
  'How times between two frames are met: by halving again and again, or directly, which is exact and faster, but not '
  'what the published networks were trained for; auto is as the network was trained.',
)
flags.DEFINE_bool('loop', False, 'Makes new frames from the last to the first too.')
flags.DEFINE_enum('at_cut', 'hold', AT_CUT, 'Between two scenes: hold the last frame, or blend both.')
flags.DEFINE_float(
  'cut', CUT, "Share of a frame's texture that is lost in the next, above which that is another scene; 1 sees no cuts."
)
flags.DEFINE_enum(
  'duplicates', 'keep', DUPLICATES, 'Keeps frames that repeat, or leaves them out and fills their time.'
)
flags.DEFINE_bool('deinterlace', False, "Makes whole pictures of an interlaced video's half pictures.")
flags.DEFINE_enum(
  'damaged', 'stop', DAMAGED, 'At a frame that cannot be decoded: stop, or skip it, and those around it fill its time.'
)
flags.DEFINE_enum('sound', 'leave', SOUND, 'Of a video that becomes slower: leaves it out, or stretches it.')
flags.DEFINE_string('codec', None, "FFmpeg's name of an encoder; libx264, or libvpx-vp9 for .webm, by default.")
flags.DEFINE_integer('crf', None, 'Quality of a video: less is better, and larger.', lower_bound=0, upper_bound=63)
flags.DEFINE_string('pixel_format', None, "FFmpeg's name of a video's, such as yuv420p; the input's by default.")
flags.DEFINE_string('preset', None, "How much time a video's encoder takes, such as slow: its own name of it.")
flags.DEFINE_enum('images', 'png', outputs.IMAGES, 'Format of the images in a folder.')
PRECISION = flags.DEFINE_enum(
  'precision',
  'auto',
  ['auto', 'float32', 'bfloat16', 'float16'],
  'In which convolutions run; auto is bfloat16 where the processor or device has it, and float32 elsewhere.',
)
MEMORY = flags.DEFINE_string(
  'memory',
  None,
  'Memory that the process may take, such as 8GB; by default what is free. Frames that are too large for it are made '
  'in bands, with the same result.',
)
FLOW_SCALE = flags.DEFINE_enum(
  'flow_scale',
  '1',
  ['1', '0.5'],
  'Size of the images between which flow is estimated: 0.5 is half of each side, faster and less exact; frames are '
  'made at full size.',
)
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replaces an output file that exists.')
RESUME = flags.DEFINE_bool('resume', False, 'Goes on where work was interrupted; skips outputs that are finished.')
DRY_RUN = flags.DEFINE_bool('dry_run', False, 'Says what would be made, how long it takes and how much memory.')
flags.mark_flag_as_required('output')


def main(words):
  wanted, encoding = request(**_flags_of(Request)), EncodingOptions(**_flags_of(EncodingOptions))
  limit = None if MEMORY.value is None else memory.parse(MEMORY.value)
  wanted = wanted.suited(sources.options(sources.find(MODEL.value)).get('any_time', False))
  found = inputs.find(words)
  failed, jobs = [], []
  for given, name in zip(found, _names(found), strict=True):
    try:  # one that fails does not keep the others waiting until the morning
      jobs.append(Job(given, name, wanted, encoding, OVERWRITE.value, RESUME.value))
    except UserError as error:
      failed.append(error.message)
  if jobs:
    cli.load_tensorflow()
    from film_tf.inference.interpolator import Interpolator

    interpolator = Interpolator(
      MODEL.value, precision=PRECISION.value, memory_limit=limit, flow_scale=float(FLOW_SCALE.value)
    )
  for job in jobs:
    try:
      print(job.describe(interpolator) if DRY_RUN.value else _run(job, interpolator))
    except UserError as error:
      failed.append(error.message)
  if failed:
    raise UserError('\n'.join(dict.fromkeys(failed)))


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
  with progress.shown(job.output, None if job.done else job.plan.total) as told:
    report = job.run(interpolator, told)
  if job.done:
    print(f'{job.output} is there already', file=sys.stderr)
  for note in report.notes:
    print(note, file=sys.stderr)
  if report.timing_error:
    print(f'new frames are within {float(report.timing_error) * 1000:.2f} ms of their time', file=sys.stderr)
  return job.output


if __name__ == '__main__':
  cli.run(main)
