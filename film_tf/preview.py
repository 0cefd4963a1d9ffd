"""Draws what the trainer will see: a contact sheet of training examples, with how far things move in them.

  python -m film_tf.preview --gin_configs=gin/film_mini.gin --output=sheet.png

A row is the first frame, the middle, the last, and the difference of first and last. "Lost" is the share of the first
frame's texture not found in the last: near 100 % are cuts. "Middle off" is how far the middle is from the other two, of
how far these are apart: over 100 % it is hardly the middle.
"""

from absl import flags
from PIL import Image

from film_tf import cli, config, files
from film_tf.errors import UserError

OUTPUT = flags.DEFINE_string('output', None, 'The sheet, a .png.')
EXAMPLES = flags.DEFINE_integer('examples', 16, 'Number of examples.', lower_bound=1, upper_bound=512)
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replaces an output file that exists.')
flags.mark_flag_as_required('output')
flags.adopt_module_key_flags(config)


def main(words):
  if words or not OUTPUT.value.endswith('.png'):
    raise UserError(f'--output={OUTPUT.value} {" ".join(words)}; expected one name that ends in .png')
  files.check(OUTPUT.value, OVERWRITE.value)
  config.configs_of_flags()
  cli.load_tensorflow()
  from film_tf.data import augment, contact_sheet, pipeline, scenes
  from film_tf.training import settings

  config.parse_flags()
  data, drawn, augmentation = pipeline.configured(), scenes.configured(), augment.configured()
  with pipeline.readable([*data.sources, drawn.photographs]):
    batches = pipeline.training(data, drawn, augmentation, batch_size=EXAMPLES.value, seed=settings.configured().seed)
    batch = next(iter(batches))
  examples = [{key: value[i].numpy() for key, value in batch.items()} for i in range(EXAMPLES.value)]
  found = [contact_sheet.statistics(example) for example in examples]
  with files.atomic_write(OUTPUT.value, OVERWRITE.value) as temporary:
    Image.fromarray(contact_sheet.draw(examples, found)).save(temporary, 'PNG')
  print(contact_sheet.table(found))
  print(OUTPUT.value)


if __name__ == '__main__':
  cli.run(main)
