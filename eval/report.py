"""Shows what `eval.run` has measured: a page to look at, and the same tables in Markdown.

  python -m eval.run --model=film_mini --model=blend --data=clip.mp4 --images=worst,median,best --output=results
  python -m eval.report results --output=report.html
  python -m eval.report mine other --output=report.html        several models on the same examples

The page is one file and opens without network: scores beside those of the literature, how they are distributed and
depend on motion, and the worst, median and best examples. Of several models the first is compared with the others.
"""

from absl import flags

from eval import results
from film_tf import cli, files
from film_tf.errors import UserError

OUTPUT = flags.DEFINE_string('output', None, 'The page, a .html; beside it, a .md is written.')
OVERWRITE = flags.DEFINE_bool('overwrite', False, 'Replaces output files that exist.')
flags.mark_flag_as_required('output')


def main(words):
  if not words:
    raise UserError('no results are given; expected: python -m eval.report results --output=report.html')
  if not OUTPUT.value.endswith('.html'):
    raise UserError(f'--output={OUTPUT.value}; expected a name that ends in .html')
  outputs = [OUTPUT.value, f'{OUTPUT.value.removesuffix(".html")}.md']
  for output in outputs:
    files.check(output, OVERWRITE.value)
  for word in words:
    results.read(word)
  cli.load_tensorflow()
  from eval.reporting import report

  for output, text in zip(outputs, report.make(words), strict=True):
    with files.atomic_write(output, OVERWRITE.value) as temporary, open(temporary, 'w', encoding='utf-8') as file:
      file.write(text)
    print(output)


if __name__ == '__main__':
  cli.run(main)
