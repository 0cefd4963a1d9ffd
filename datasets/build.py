"""Builds a data set in `datasets/` from files that you have.

Run it so, in the checkout:

  python -m datasets.build vimeo90k_triplet --manual_dir=/downloads/vimeo_triplet
  python -m datasets.build xiph_triplet --config=2k --manual_dir=/downloads/xiph
"""

import contextlib
import importlib
import io
import json
import os
import pathlib
import re

from absl import flags

from film_tf import cli, files, locks
from film_tf.errors import UserError

CONFIG = flags.DEFINE_string('config', None, 'Configuration by name, or as JSON where a data set has options.')
MANUAL_DIR = flags.DEFINE_string('manual_dir', None, 'Folder with the files, unpacked.')
DATA_DIR = flags.DEFINE_string('data_dir', None, 'Folder for built data sets. [$TFDS_DATA_DIR, ~/tensorflow_datasets]')
SKIP_BROKEN = flags.DEFINE_bool('skip_broken', False, 'Leaves out what is damaged, and lists it beside the records.')
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Builds again what is built.')
flags.mark_flag_as_required('manual_dir')


def main(words):
  known = sorted(path.parent.name for path in pathlib.Path(__file__).parent.glob('*/*_dataset_builder.py'))
  if len(words) != 1 or words[0] not in known:
    raise UserError(f'expected one data set, not {" ".join(words) or "none"}; there are {", ".join(known)}')
  if not os.path.isdir(MANUAL_DIR.value) or not os.listdir(MANUAL_DIR.value):
    kind = 'is a file; unpack it' if os.path.isfile(MANUAL_DIR.value) else 'does not exist, or is empty'
    raise UserError(f'manual_dir {MANUAL_DIR.value} {kind}; expected a folder as datasets/{words[0]}/README.md says')
  build(words[0])


def build(name):
  """Builds a data set, and prints where it is and how many triplets it has."""
  root = os.path.expanduser(DATA_DIR.value or os.environ.get('TFDS_DATA_DIR') or '~/tensorflow_datasets')
  _check_where_it_may_be(name, root)
  cli.load_tensorflow()
  try:
    import tensorflow_datasets as tfds
    from etils import epath

    from film_tf.building import triplet_builder
  except ImportError as error:
    raise UserError(f"{error}; pip install '.[data]'") from error
  if not os.isatty(2):
    tfds.disable_progress_bar()
  cls = importlib.import_module(f'datasets.{name}.{name}_dataset_builder').Builder
  options = {'config': _config(cls), 'skip_broken': SKIP_BROKEN.value}
  root = epath.Path(root)
  # Asked of a folder that does not exist, or TFDS would read what is built there, damaged or not.
  place = cls(**options, data_dir=root / '.none').data_path.relative_to(root / '.none')  # NAME/CONFIG/VERSION
  folder = root / place
  files.check(folder, OVERWRITE.value, files.DATA_SET)
  try:
    folder.parent.mkdir(parents=True, exist_ok=True)
  except files.system_errors() as error:
    raise UserError(f'cannot write {folder}: {files.reason(error)}') from error
  with locks.held(folder.parent / f'.{folder.name}.lock', f'{folder}'):
    builder = _built(cls, options, folder)
  for split, info in builder.info.splits.items():
    published = builder.PUBLISHED.get(split, info.num_examples)
    note = f' (the authors have {published:,})' if published != info.num_examples else ''
    print(f'tfds:{builder.info.full_name.rpartition("/")[0]}:{split} has {info.num_examples:,} triplets{note}')
  left_out = folder / triplet_builder.LEFT_OUT
  print(f'{folder}{", what is left out is in " + str(left_out) if left_out.exists() else ""}')


def _check_where_it_may_be(name, root):
  """Raises where it is built already, as far as that can be known without TensorFlow: not of a default --config."""
  config = CONFIG.value or ''
  if '://' in root or config.startswith('{'):
    return
  builder = pathlib.Path(__file__).parent / name / f'{name}_dataset_builder.py'
  (version,) = re.findall(r"VERSION = tfds\.core\.Version\('(.+)'\)", builder.read_text())
  files.check(os.path.join(root, name, config, version), OVERWRITE.value, files.DATA_SET)


def _config(cls):
  """Returns what --config says: a name, or a configuration of one's own."""
  value = CONFIG.value
  names = [config.name for config in cls.BUILDER_CONFIGS]
  if value is None or value in names:
    return value
  if not names:
    raise UserError(f'--config={value}: {cls.name} has no configurations')
  try:
    config = cls.builder_config_cls(**json.loads(value))
  except UserError:
    raise
  except (TypeError, ValueError, RecursionError) as error:
    raise UserError(f'--config={value}: {error}; expected one of {", ".join(names)}, or JSON') from error
  if config.name in names:
    raise UserError(f'--config={value}: there is a {config.name} already; choose another name')
  return config


def _built(cls, options, folder):
  """Builds beside `folder`, and puts it in its place when all is there; what a killed build left goes first."""
  import tensorflow_datasets as tfds

  work = folder.parent / f'.{folder.name}.building'
  try:
    if work.exists():
      work.rmtree()
    with (
      files.atomic_write(folder, OVERWRITE.value, files.DATA_SET) as temporary,
      contextlib.redirect_stdout(io.StringIO()),  # TFDS announces a download
    ):
      builder = cls(**options, data_dir=work)
      builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=MANUAL_DIR.value))
      builder.data_path.rename(temporary)
    return builder
  except RuntimeError as error:  # as TFDS makes one of what it cannot raise again
    if not isinstance(error.__cause__, files.system_errors()):
      raise
    raise UserError(f'cannot write {folder}: {files.reason(error.__cause__)}') from error
  finally:
    if work.exists():
      work.rmtree()


if __name__ == '__main__':
  cli.run(main)
