"""Measures models: how near the frames they make between two are to the true ones.

Run it so, in the checkout:

  python -m eval.run --gin_configs=gin/eval/vimeo90k.gin --model=film_mini --model=blend --output=results
  python -m eval.run --gin_configs=gin/eval/xiph_2k.gin --root=/downloads/xiph --model=runs/mini/film.npz
  python -m eval.run --model=film_mini --model=dis --data=clip.mp4 --data=folder/of/triplets --output=scores.csv

A model is film_mini, film_style, a weights file of film_tf (.npz) or of FILM, a SavedModel, or a baseline: repeat,
blend, dis (OpenCV's optical flow). docs/evaluation.md explains benchmarks, protocols and results.
"""

import contextlib
import os
import pathlib
import sys
import tempfile

from absl import flags

from eval import protocols, results, tables
from film_tf import cli, config, files, locks
from film_tf.data import shards
from film_tf.errors import UserError
from film_tf.importers import sources
from film_tf.media import names

MODEL = flags.DEFINE_multi_string(
  'model', None, "film_mini, film_style, weights file (film_tf's or FILM's), SavedModel, repeat, blend or dis."
)
DATA = flags.DEFINE_multi_string(
  'data',
  [],
  'Video, folder of triplets, synthetic, patterns, or tfds:NAME:SPLIT, in place of --gin_configs. Repeatable.',
)
ROOT = flags.DEFINE_string(
  'root', None, 'Folder with the downloaded files of the benchmark, to measure without a build.'
)
PROTOCOL = flags.DEFINE_multi_enum(
  'protocol', None, list(protocols.PROTOCOLS), 'How to measure; see docs/evaluation.md. Repeatable. [film]'
)
MAX_EXAMPLES = flags.DEFINE_integer('max_examples', None, 'Measures on the first of each benchmark.', lower_bound=1)
OUTPUT = flags.DEFINE_string('output', None, 'Folder for results, or a .csv for the scores alone.')
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replaces results that exist.')
RESUME = flags.DEFINE_bool('resume', False, 'Goes on with a run that was interrupted.')
IMAGES = flags.DEFINE_list('images', [], 'Writes images of some examples: worst,median,best or all.')
LPIPS_WEIGHTS = flags.DEFINE_multi_string('lpips_weights', [], 'Weights of AlexNet, and of LPIPS. Repeatable.')
VGG19 = flags.DEFINE_string('vgg19', None, 'imagenet-vgg-verydeep-19.mat, for protocol vgg.')
flags.mark_flag_as_required('model')

BASELINES = ('repeat', 'blend', 'dis')  # models that are no networks


def main(words):
  if words:
    cli.fail(f'unexpected arguments {" ".join(words)}; give --data= for each')
  _check()
  output = OUTPUT.value and OUTPUT.value.rstrip('/')
  finished = RESUME.value and os.path.isfile(os.path.join(output, results.SUMMARY))
  if not finished:
    _check_output(output)
  cli.load_tensorflow()
  from eval import session

  asked = _asked()
  if finished:
    _say(_finished(asked, output), output)
    return
  with _folder(output) as work:
    summary = session.run(asked, work)
    if output and output.endswith('.csv'):
      _copy(os.path.join(work, results.SCORES), output)
  _say(summary, output)


def _check():
  """Raises where something is wrong that can be known without TensorFlow."""
  configs = config.configs_of_flags() if config.GIN_CONFIGS.value else []
  if bool(configs) == bool(DATA.value):
    raise UserError('give either --gin_configs=gin/eval/BENCHMARK.gin or --data=')
  if ROOT.value is not None and (DATA.value or not os.path.isdir(ROOT.value) or not os.listdir(ROOT.value)):
    why = 'goes with --gin_configs' if DATA.value else 'is no folder, or empty'
    raise UserError(f'--root={ROOT.value} {why}; expected the folder of the downloaded files, unpacked')
  strange = set(IMAGES.value) - {'worst', 'median', 'best', 'all'}
  if strange:
    raise UserError(f'--images={",".join(IMAGES.value)}: expected worst, median, best, or all')
  for option, value in (('--resume', RESUME.value), ('--images', IMAGES.value)):
    if value and (not OUTPUT.value or OUTPUT.value.endswith('.csv')):
      raise UserError(f'{option} needs a folder of results; give --output=results')
  for given, what in ((MODEL.value, '--model'), (DATA.value, '--data'), (PROTOCOL.value or [], '--protocol')):
    if len(set(given)) < len(given):
      raise UserError(f'{what} is given twice: {", ".join(given)}')
  for name in set(MODEL.value).difference(BASELINES):
    sources.find(name)
  for path in filter(None, [*LPIPS_WEIGHTS.value, VGG19.value if VGG19.value != 'imagenet' else None]):
    if not os.path.isfile(path):
      raise UserError(f'no such file of weights: {path}')
  for source in DATA.value:
    _check_there(source)


def _check_there(source):
  """Raises where a source is not there, as far as that can be known without TensorFlow."""
  if os.path.exists(source) or source in ('synthetic', 'patterns') or source.startswith('tfds:'):
    return
  if names.suffix_of(source) in names.VIDEOS:
    raise UserError(f'no such file: {source}')
  shards.find(source)


def _check_output(output):
  """Raises where results may not be written."""
  if output is None:
    return
  if output.endswith('.csv'):
    files.check(output, OVERWRITE.value)
    return
  if '://' in output:
    raise UserError(f'--output={output}: results are written to this machine; a .csv may go elsewhere')
  files.check(output, OVERWRITE.value, results.KIND)
  if os.path.lexists(output + results.PART) and not RESUME.value:
    files.check(output + results.PART, True, results.KIND)
    if not OVERWRITE.value:
      raise UserError(
        f'{output}{results.PART} is of a run that was interrupted; go on with --resume, or begin anew with --overwrite'
      )


def _asked():
  """Returns what the flags ask for."""
  from eval import benchmarks, session

  if DATA.value:
    config.parse([], config.GIN_BINDINGS.value)
    named = {results.legible(source): source for source in DATA.value}
    benchmark = benchmarks.Benchmark(named, PROTOCOL.value or ('film',))
  else:
    config.parse_flags()
    chosen = {'protocols': PROTOCOL.value} if PROTOCOL.value else {}
    benchmark = benchmarks.configured(**chosen)
  return session.Asked(
    benchmark, MODEL.value, ROOT.value, MAX_EXAMPLES.value, IMAGES.value, LPIPS_WEIGHTS.value, VGG19.value
  )


def _finished(asked, output):
  """Returns the summary of finished results; raises where they are not of what is asked for."""
  from eval import session

  session.agree(asked, output)
  summary = results.read(output)[1]
  if asked.images and not summary['pictures']:
    raise UserError(f'{output} is finished and has no images; leave --images out, or measure anew with --overwrite')
  return summary


@contextlib.contextmanager
def _folder(output):
  """Yields the folder to work in, which becomes `output`, or is none of the user's where that is no folder."""
  if output is None or output.endswith('.csv'):
    with tempfile.TemporaryDirectory() as work:
      yield work
    return
  work = output + results.PART
  with locks.held(f'{work}.lock', output):
    if not RESUME.value and os.path.isdir(work):
      files.file_system(work).rmtree(work)
    os.makedirs(work, exist_ok=True)
    yield work
    with files.atomic_write(output, OVERWRITE.value, results.KIND) as temporary:
      os.rename(work, temporary)


def _copy(scores, output):
  text = pathlib.Path(scores).read_text(encoding='utf-8')
  with (
    files.atomic_write(output, OVERWRITE.value) as temporary,
    files.file_system(temporary).GFile(temporary, 'w') as file,
  ):
    file.write(text)


def _say(summary, output):
  """Prints the tables; raises where a model gave NaN."""
  print('\n\n'.join(filter(None, [tables.overview(summary), tables.literature(summary)])))
  if output:
    print(output)
  for name, benchmark in summary['benchmarks'].items():
    if benchmark['without_truth']:
      print(f'{name}: {benchmark["without_truth"]} examples without a true frame have no scores', file=sys.stderr)
  if summary['failed']:
    failed = [f'{entry["model"]} on {entry["key"]}' for entry in summary['failed']]
    more = f' and {len(failed) - 3} more' if len(failed) > 3 else ''
    raise UserError(f'NaN, which is in no mean, from {", ".join(failed[:3])}{more}; see note in the scores')


if __name__ == '__main__':
  cli.run(main)
