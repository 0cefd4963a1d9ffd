"""Jobs without a network: what is kept, for how long, and in which order they are made."""

import os
import threading
import time
from fractions import Fraction

import av
import pytest
from PIL import Image

from film_tf.errors import UserError
from film_tf.serving import results
from film_tf.serving.jobs import Job, Jobs, QueueFullError, StoppedError
from film_tf.serving.limits import Limits
from tests.serving.client import wait_until


class Maker:
  """Makes a job when it is told to."""

  def __init__(self):
    self.go, self.made, self.error = threading.Event(), [], None

  def __call__(self, job):
    while not self.go.wait(0.01):
      job.check()
    if self.error:
      raise self.error
    self.made.append(job)


@pytest.fixture
def begin(tmp_path):
  """Begins jobs of limits: returns them, and what makes them."""
  running = []

  def begun(prepare=lambda: None, **limits):
    maker = Maker()
    running.append(Jobs(str(tmp_path), maker, Limits(**limits), prepare))
    return running[-1], maker

  yield begun
  for jobs in running:
    assert jobs.close(5)


def add(jobs, attended=False):
  with jobs.place() as folder:
    job = Job(os.path.basename(folder), folder, [], 1, ['png'], Fraction(20), attended)
    jobs.add(job)
  return job


def test_one_is_made_at_a_time_in_their_order_and_a_bounded_number_waits(begin):
  jobs, maker = begin(queue=2)
  added = [add(jobs) for _ in range(3)]
  wait_until(lambda: added[0].state == 'running')
  assert [(job.state, jobs.position(job)) for job in added] == [('running', 0), ('waiting', 1), ('waiting', 2)]
  with pytest.raises(QueueFullError, match='3 jobs are made or wait'), jobs.place():
    pass
  jobs.remove(added[1])
  added.append(add(jobs))
  maker.go.set()
  wait_until(lambda: all(job.is_over for job in added))
  assert maker.made == [added[0], added[2], added[3]]
  assert not os.path.exists(added[1].folder)


def test_what_does_not_arrive_leaves_nothing(begin, tmp_path):
  jobs, _ = begin()
  with jobs.place() as folder:
    assert jobs.busy == 1
    assert os.path.isdir(folder)
  assert jobs.busy == 0
  assert not list(tmp_path.iterdir())


def test_a_job_that_is_cancelled_while_it_is_made_is_stopped_and_removed(begin):
  jobs, _ = begin()
  job = add(jobs)
  wait_until(lambda: job.state == 'running')
  jobs.remove(job)
  assert jobs.find(job.id) is None
  wait_until(lambda: not os.path.exists(job.folder))


def test_an_archive_for_nobody_is_not_written(tmp_path):
  job = Job('1', str(tmp_path), [], 1, ['zip'], Fraction(20), state='cancelled')
  with pytest.raises(StoppedError):
    results._write_zip(tmp_path / 'film.zip', [__file__], job, 64)


def test_narrow_photos_become_films_of_two_pixels(tmp_path):
  Image.new('RGB', (16, 4000)).save(tmp_path / 'a.png')
  job = Job('1', str(tmp_path), [], 1, ['mp4'], Fraction(20), state='running')
  results._write_mp4(str(tmp_path / 'film.mp4'), [tmp_path / 'a.png'] * 3, job, 200)
  with av.open(tmp_path / 'film.mp4') as film:
    assert (film.streams.video[0].width, film.streams.video[0].height) == (2, 200)


def test_a_job_that_nobody_asks_about_is_cancelled(begin):
  jobs, _ = begin(patience=0.2)
  gone, asked, attended = add(jobs), add(jobs), add(jobs, attended=True)
  time.sleep(0.3)
  jobs.find(asked.id)
  jobs.sweep()
  assert [job.state for job in (gone, asked, attended)] == ['cancelled', 'waiting', jobs.find(attended.id).state]
  assert not attended.is_over


def test_a_job_that_takes_too_long_fails_and_others_go_on(begin):
  jobs, maker = begin(timeout=0.1)
  job = add(jobs)
  wait_until(lambda: job.state == 'running')
  time.sleep(0.2)
  jobs.sweep()
  assert job.error == (504, 'it took longer than 0.1 s; send smaller photos or fewer times')
  other = add(jobs)
  maker.go.set()
  wait_until(lambda: other.state == 'done')


def test_results_are_kept_for_a_time_and_in_a_number(begin):
  jobs, maker = begin(keep=0.3, results=2, queue=5)
  maker.go.set()
  added = [add(jobs) for _ in range(3)]
  wait_until(lambda: added[-1].is_over)
  jobs.sweep()
  assert [os.path.exists(job.folder) for job in added] == [False, True, True]
  time.sleep(0.4)
  jobs.sweep()
  assert not any(os.path.exists(job.folder) for job in added)


def test_jobs_that_fail_keep_no_photos_and_leave_results_where_they_are(begin):
  jobs, maker = begin(results=1)
  maker.go.set()
  made = add(jobs)
  wait_until(lambda: made.is_over)
  maker.error = UserError('memory does not do')
  failed = add(jobs)
  wait_until(lambda: not os.path.exists(failed.folder))
  jobs.sweep()
  assert os.path.exists(made.folder)
  assert jobs.find(failed.id).state == 'failed'


@pytest.mark.parametrize(
  ('error', 'told'),
  [
    (UserError('memory does not do'), (422, 'memory does not do')),
    (ZeroDivisionError('division'), (500, 'this server failed; its log says why')),
  ],
)
def test_errors_are_told_and_the_next_is_made(begin, error, told, capsys):
  jobs, maker = begin()
  maker.error = error
  maker.go.set()
  job = add(jobs)
  wait_until(lambda: job.is_over)
  assert (job.state, job.error) == ('failed', told)
  assert ('ZeroDivisionError' in capsys.readouterr().err) == (told[0] == 500)
  maker.error, other = None, add(jobs)
  wait_until(lambda: other.is_over)
  assert other.state in ('done', 'failed')


def test_jobs_are_made_where_nothing_could_be_prepared(begin, capsys):
  jobs, maker = begin(lambda: 1 / 0)
  maker.go.set()
  job = add(jobs)
  wait_until(lambda: job.state == 'done')
  assert 'ZeroDivisionError' in capsys.readouterr().err


def test_what_fails_is_said_in_json_and_files_that_have_gone_are_not_there(begin):
  pytest.importorskip('httpx2')  # with which Starlette's client asks
  testclient, api = (pytest.importorskip(name) for name in ('starlette.testclient', 'film_tf.serving.api'))
  jobs, maker = begin()
  maker.go.set()
  job = add(jobs)
  wait_until(lambda: job.is_over)
  client = testclient.TestClient(api.application(jobs, Limits(), ['testserver']), raise_server_exceptions=False)
  job.files = {'film.gif': os.path.join(job.folder, 'film.gif'), 'film.odd': ''}
  answer = client.get(f'/api/jobs/{job.id}/film.gif')
  assert (answer.status_code, answer.json()) == (404, {'error': 'the job has just been removed'})
  answer = client.get(f'/api/jobs/{job.id}/film.odd')
  assert (answer.status_code, answer.json()) == (500, {'error': 'this server failed; its log says why'})
