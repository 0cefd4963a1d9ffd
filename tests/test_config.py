import pathlib

import gin
import pytest

from film_tf import config
from film_tf.data import pipeline, scenes
from film_tf.data.pipeline import Data
from film_tf.errors import UserError
from film_tf.losses import losses
from film_tf.losses.losses import Loss
from film_tf.model import options
from film_tf.training import evaluation, settings
from film_tf.training.evaluation import Evaluation
from tests import conftest

CONFIGS = sorted(path.name for path in (conftest.ROOT / 'gin').glob('*.gin'))


@pytest.mark.parametrize('name', CONFIGS)
@pytest.mark.parametrize('given', ['gin/{}', '{}'])
def test_ours_are_found_from_any_folder_with_their_includes(name, given, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  config.parse([given.format(name)])
  assert isinstance(options.configured(), options.Options)
  assert isinstance(scenes.configured(), scenes.Scenes)
  weight = 0.5 if name in ('film_mini_third.gin', 'film_mini_fourth.gin', 'film_mini_sixth.gin') else 1.0
  assert gin.query_parameter('loss.weights')['l1'] == weight  # not all can be made: vgg needs a file


@pytest.mark.parametrize('name', sorted(path.name for path in (conftest.ROOT / 'gin' / 'ablation').iterdir()))
@pytest.mark.parametrize('base', ['film_l1.gin', 'film_small.gin'])
def test_ablations_change_the_network_its_loss_or_its_data(base, name):
  def read(*configs):
    gin.clear_config()
    config.parse(configs)
    return options.configured(), gin.query_parameter('loss.weights'), scenes.configured()

  assert read(base, f'gin/ablation/{name}') != read(base)


@pytest.mark.parametrize('leaf', ['data/footage', 'data/vimeo90k', 'evaluation/vimeo90k', 'loss/l1_warped_flow'])
def test_leaves_go_behind_an_experiment(leaf):
  config.parse(['film_l1.gin', f'gin/{leaf}.gin'])
  assert (pipeline.configured(), evaluation.configured(), losses.configured()) != (Data(), Evaluation(), Loss())


def test_film_l1_is_the_published_network():
  config.parse(['film_l1.gin'])
  assert options.configured() == options.Options()


def test_later_files_and_bindings_override(tmp_path):
  mine = tmp_path / 'mine.gin'
  mine.write_text("include 'gin/film_demo.gin'\nmodel.filters = 24\nsynthetic.shapes = 1")
  config.parse([str(mine)], ['synthetic.shapes = 2', 'synthetic.max_motion = 8.0'])
  assert options.configured().filters == 24
  assert scenes.configured() == scenes.Scenes(64, 64, 2, 8.0)


@pytest.mark.parametrize(
  ('binding', 'parts'),
  [
    ('modle.filters = 8', ['modle', 'Did you mean model?']),
    ('model.filtres = 8', ['filtres']),
    ('model.filters = %width', ['nothing says what %width is']),
    ('model.filters = @model()', ['a value is made of itself', 'model of model']),
    ('a = %b\nb = %a', ['a value is made of itself', 'a of b of a']),
    ('model.filters = ', ['model.filters']),
    ('model.filters = 8 9', ['model.filters']),
    ('filters', ['filters']),
    ("include 'nowhere.gin'", ['nowhere.gin']),
    ('import nowhere', ['nowhere']),
    (f'train.steps = {"[" * 3000}', ['train.steps = [[', 'too many brackets']),
    (f'train.steps = "{"x" * 3000}', ['train.steps = "xxx']),
  ],
)
def test_what_gin_cannot_use_is_one_clear_line(binding, parts):
  with pytest.raises(UserError) as error:
    config.parse(['film_mini.gin'], [binding])
  assert '\n' not in error.value.message
  assert len(error.value.message) < 1000
  for part in parts:
    assert part in error.value.message


def test_a_missing_file_lists_those_that_there_are():
  with pytest.raises(UserError) as error:
    config.parse(['gin/mine.gin'])
  for name in ['gin/mine.gin', *CONFIGS]:
    assert name in error.value.message


def test_a_file_that_is_nearly_named_is_found_for_the_message():
  with pytest.raises(UserError, match=r'film_tf has gin/eval/ucf101\.gin$'):
    config.parse(['gin/eval/ucf_101.gin'])


def test_operative_config_repeats_the_run(tmp_path):
  config.parse(['film_mini.gin'], ['synthetic.max_motion = 5.0'])
  before = options.configured(), scenes.configured(), losses.configured()
  path = tmp_path / 'config.gin'
  config.save_operative(str(path))
  assert list(tmp_path.iterdir()) == [path]
  gin.clear_config()
  config.parse([str(path)])
  assert (options.configured(), scenes.configured(), losses.configured()) == before


@pytest.mark.parametrize('name', ['steps', 'batch_size', 'log_every', 'show_every', 'checkpoint_every'])
@pytest.mark.parametrize('value', [0, -1, 2.5, None])
def test_counts_of_a_run_are_checked(name, value, tmp_path):
  with pytest.raises(UserError, match=name):
    settings.Train(**{name: value})
  assert not (tmp_path / 'run').exists()


def test_gin_folder_never_shadows_gin_config():
  assert not list((conftest.ROOT / 'gin').rglob('*.py'))
  assert pathlib.Path(gin.__file__).parent != conftest.ROOT / 'gin'


def test_a_note_of_commands_may_hold_anything(tmp_path, monkeypatch):
  monkeypatch.setattr(config.sys, 'orig_argv', ['python', 'a\udcff'])
  (tmp_path / 'commands.txt').write_bytes(b'\xff mine\n')
  config.save_command(str(tmp_path / 'commands.txt'), 'from step 0')
  first, *_, command, _ = (tmp_path / 'commands.txt').read_text().splitlines()
  assert (first, command) == ('\\xff mine', "  python 'a\\xff'")
