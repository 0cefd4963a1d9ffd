"""Finished results, as eval.run leaves them, of scores that a test makes up."""

import numpy as np

from eval import results


def write(folder, rows, **summary):
  """Writes results in the format of docs/evaluation.md."""
  folder.mkdir(exist_ok=True)
  models = list(dict.fromkeys(row['model'] for row in rows))
  with results.appended(str(folder / results.SCORES), ['film'], models or ['none']) as scores:
    scores.write(rows)
  whole = {'format': 1, 'versions': {}, 'protocols': {}, 'benchmarks': {}, 'failed': [], 'pictures': []}
  whole['models'] = {model: {'sha256': None} for model in models}
  results.write_json(str(folder / results.SUMMARY), {**whole, **summary})
  return str(folder)


def rows_of(model, psnr, benchmark='set', motion=None):
  motion = np.arange(len(psnr)) if motion is None else motion
  return [
    {
      'benchmark': benchmark,
      'key': f'{i:05d}',
      'model': model,
      'protocol': 'film',
      'motion': motion[i],
      'psnr': value,
      'ssim': value,
    }
    for i, value in enumerate(psnr)
  ]
