"""Answers requests: the page, and an API of jobs."""

import asyncio
import base64
import contextlib
import importlib.resources
import os
from collections.abc import Collection

import anyio
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

import film_tf
from film_tf.errors import UserError
from film_tf.media import image_file
from film_tf.serving import openapi, results, uploads
from film_tf.serving.guard import Guard
from film_tf.serving.jobs import Job, Jobs, QueueFullError
from film_tf.serving.limits import Limits

_TICK = 0.05  # seconds between two looks at a job
_GONE = 499  # status that nobody reads: the client has gone away


class Api:
  """The answers of a server.

  Args:
    jobs: of the server.
    limits: likewise.
  """

  def __init__(self, jobs: Jobs, limits: Limits):
    self._jobs, self._limits = jobs, limits
    page = importlib.resources.files('film_tf.serving').joinpath('page.html').read_text()
    self._page = page.replace('image/avif"', 'image/avif,.heic,.heif"') if image_file.pillow_heif else page
    self._decoding = anyio.CapacityLimiter(1)  # large photos are decoded one by one

  async def page(self, request: Request) -> Response:
    """Returns the page."""
    return HTMLResponse(self._page)

  async def health(self, request: Request) -> Response:
    """Says that the server is alive, and how busy."""
    return JSONResponse({'status': 'ok', 'version': film_tf.__version__, 'jobs': self._jobs.busy})

  async def description(self, request: Request) -> Response:
    """Returns the OpenAPI description."""
    return JSONResponse(openapi.description(self._limits))

  async def interpolate(self, request: Request) -> Response:
    """Makes one file of two photos, and answers with it; a client that goes away cancels it."""
    job = await self._accepted(request, ('png',), attended=True)
    try:
      while not job.is_over:
        if await request.is_disconnected():
          return Response(status_code=_GONE)
        await asyncio.sleep(_TICK)
      if job.error:
        raise HTTPException(*job.error)
      paths = _answered(job)
      if _is_json(request):
        return await anyio.to_thread.run_sync(_as_json, paths)
      kind = results.TYPES[job.formats[0]]
      response = FileResponse(paths[0], media_type=kind, filename=os.path.basename(paths[0]))
      response.background, job = BackgroundTask(self._jobs.remove, job), None
      return response
    finally:
      if job:
        self._jobs.remove(job)

  async def begin(self, request: Request) -> Response:
    """Accepts a job, and says how it is to be asked about."""
    job = await self._accepted(request, ('gif', 'mp4'), attended=False)
    if await request.is_disconnected():
      self._jobs.remove(job)
      return Response(status_code=_GONE)
    return JSONResponse(self._told(job), 202, {'Location': f'jobs/{job.id}'})

  async def job(self, request: Request) -> Response:
    """Says how far a job is."""
    return JSONResponse(self._told(self._found(request)))

  async def cancel(self, request: Request) -> Response:
    """Cancels a job, or removes its result."""
    self._jobs.remove(self._found(request))
    return Response(status_code=204)

  async def file(self, request: Request) -> Response:
    """Returns one of the files of a job."""
    job, name = self._found(request), request.path_params['name']
    if name not in job.files:
      raise HTTPException(404, f'the job, which is {job.state}, has no file {name!r:.40}')
    kind, kept = results.TYPES[name.rpartition('.')[2]], f'private, max-age={self._limits.keep:.0f}'
    try:
      status = os.stat(job.files[name])
    except FileNotFoundError as error:
      raise HTTPException(404, 'the job has just been removed') from error
    return FileResponse(job.files[name], media_type=kind, headers={'Cache-Control': kept}, stat_result=status)

  async def _accepted(self, request, formats, attended) -> Job:
    """Returns the job of a request, which waits for its turn."""
    try:
      with self._jobs.place() as folder:
        async with asyncio.timeout(self._limits.timeout):
          job = await uploads.read(request, folder, self._limits, formats)
        if attended and len(job.formats) > 1:
          raise HTTPException(400, f'format is {",".join(job.formats)}; expected one, or ask /api/jobs')
        if attended and job.formats[0] == 'png' and job.times > 1 and not _is_json(request):
          raise HTTPException(400, f'times={job.times} makes {job.total - 2} frames; expected format zip, gif or mp4')
        await anyio.to_thread.run_sync(results.check, job, limiter=self._decoding)
        job.attended = attended
        self._jobs.add(job)
        return job
    except QueueFullError as full:
      sentence = f'{full.busy} others are made or wait; try again in {full.retry_after} s'
      raise HTTPException(429, sentence, {'Retry-After': str(full.retry_after)}) from full
    except UserError as error:
      raise HTTPException(422, error.message) from error
    except TimeoutError as error:
      raise HTTPException(408, f'the photos did not arrive within {self._limits.timeout:g} s') from error

  def _found(self, request) -> Job:
    job = self._jobs.find(request.path_params['id'])
    if job is None:
      raise HTTPException(404, 'there is no such job; results are kept for a while only')
    return job

  def _told(self, job):
    """Returns what a client is told of a job."""
    return {
      'id': job.id, 'state': job.state, 'before': self._jobs.position(job), 'done': job.done, 'total': job.total,
      'files': sorted(job.files), 'error': job.error[1] if job.error else None,
    }  # fmt: skip


def application(jobs: Jobs, limits: Limits, names: Collection[str]) -> Starlette:
  """Returns the ASGI application of a server.

  Args:
    jobs: of the server.
    limits: likewise.
    names: by which it may be called, beside its addresses and localhost.
  """
  api = Api(jobs, limits)

  @contextlib.asynccontextmanager
  async def swept(app):
    sweeping = asyncio.create_task(_sweep(jobs))
    yield
    sweeping.cancel()

  routes = [
    Route('/', api.page),
    Route('/healthz', api.health),
    Route('/openapi.json', api.description),
    Route('/api/interpolate', api.interpolate, methods=['POST']),
    Route('/api/jobs', api.begin, methods=['POST']),
    Route('/api/jobs/{id}', api.job, methods=['GET']),
    Route('/api/jobs/{id}', api.cancel, methods=['DELETE']),
    Route('/api/jobs/{id}/{name}', api.file),
  ]
  answers = {HTTPException: _as_error, ClientDisconnect: _as_gone, Exception: _as_failure}
  middleware = [Middleware(Guard, names=names, max_bytes=limits.max_bytes)]
  return Starlette(routes=routes, middleware=middleware, exception_handlers=answers, lifespan=swept)


async def _sweep(jobs):
  while True:
    await asyncio.sleep(1)
    jobs.sweep()


async def _as_error(request, error):
  return JSONResponse({'error': error.detail}, error.status_code, error.headers)


async def _as_gone(request, error):
  return Response(status_code=_GONE)


async def _as_failure(request, error):
  return JSONResponse({'error': 'this server failed; its log says why'}, 500)


def _is_json(request):
  return request.headers['content-type'].lower().startswith('application/json')


def _answered(job):
  """Returns the paths of what was asked for: PNG is the new frames, without those given."""
  (kind,) = job.formats
  names = [name for name in sorted(job.files) if name.endswith(f'.{kind}')]
  return [job.files[name] for name in (names[1:-1] if kind == 'png' else names)]


def _as_json(paths):
  """Returns files as JSON, their bytes in base64."""
  told = []
  for path in paths:
    with open(path, 'rb') as file:
      data = base64.b64encode(file.read()).decode()
    told.append({'name': os.path.basename(path), 'type': results.TYPES[path.rpartition('.')[2]], 'data': data})
  return JSONResponse({'files': told})
