"""Runs `eval.session` for tests of what it measures and keeps."""

from eval import benchmarks, results, session


def asked(sources, models=('blend',), protocols=('film',), frames=0, **others):
  return session.Asked(benchmarks.Benchmark(sources, protocols, frames), models, **others)


def measured(folder, *args, **kwargs):
  """Runs in a folder that it makes, and returns the rows of its scores and the summary."""
  folder.mkdir()
  summary = session.run(asked(*args, **kwargs), str(folder))
  return list(results.rows(folder / results.SCORES)), summary
