"""Reads what a client asks for: two photos, checked before they are decoded, and what is to be made of them."""

import base64
import binascii
import json
import os
import re
import shutil
from collections.abc import Mapping
from fractions import Fraction

import PIL
from PIL import Image
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from film_tf.serving import results
from film_tf.serving.jobs import Job
from film_tf.serving.limits import Limits

PHOTOS = ('first', 'second')  # fields, and the names of their files
MOST_TIMES, MOST_FPS, DEFAULT_FPS = 4, 50, 20  # GIF holds no more frames a second
_FIELDS = {*PHOTOS, 'times', 'format', 'fps'}
_FORMATS = ('PNG', 'JPEG', 'WEBP', 'AVIF', 'HEIF')  # Pillow's names of what cameras and editors make
_LEAST_SIDE = 16  # pixels
_MOST_MARKS = 100  # that make lists and objects in JSON, whose parts take far more memory than bytes
_SEGMENT = re.compile(rb'\xff[\x02-\xcf\xd9-\xfe]')  # of a JPEG: a marker that a length follows, or the end
_END, _SCAN = b'\xff\xd9', b'\xff\xda'
_MOST_SCANS, _MOST_SEGMENTS = 200, 4000  # of a JPEG; cameras and editors write 12 scans at most


async def read(request: Request, folder: str, limits: Limits, formats: tuple[str, ...]) -> Job:
  """Reads a request, multipart or JSON, and writes its photos to a folder.

  Args:
    request: with fields `first` and `second`, and perhaps `times`, `format` and `fps`.
    folder: for the job.
    limits: of the server.
    formats: what is made where the request does not say.

  Raises:
    HTTPException: it is not as the server takes it; 400, 413 or 415 with a sentence.
  """
  kind = request.headers.get('content-type', '').partition(';')[0].strip().lower()
  if kind == 'multipart/form-data':
    async with request.form(max_files=len(PHOTOS), max_fields=len(_FIELDS)) as form:
      fields = dict(form.multi_items())
      if len(fields) < len(form.multi_items()):
        raise HTTPException(400, f'a field is given twice; expected each once: {", ".join(sorted(_FIELDS))}')
      return await run_in_threadpool(_job, fields, folder, limits, formats)
  if kind == 'application/json':
    body = await request.body()
    if sum(body.count(mark) for mark in (b'[', b'{', b',')) > _MOST_MARKS:  # base64 has none of them
      raise HTTPException(400, 'the JSON has too many parts; expected {"first": base64, "second": base64}')
    try:
      fields = json.loads(body)
    except (ValueError, RecursionError) as error:
      raise HTTPException(400, f'the body is no JSON: {error}') from error
    if not isinstance(fields, dict):
      raise HTTPException(400, 'the JSON is no object; expected {"first": base64, "second": base64}')
    return await run_in_threadpool(_job, fields, folder, limits, formats)
  raise HTTPException(415, f'the body is {kind or "of no type"}; expected multipart/form-data or application/json')


def _job(fields: Mapping, folder: str, limits: Limits, formats: tuple[str, ...]) -> Job:
  if unknown := sorted({*fields} - _FIELDS):
    raise HTTPException(400, f'there is no field {unknown[0]!r:.40}; expected {", ".join(sorted(_FIELDS))}')
  asked = fields.get('format', ','.join(formats))
  chosen = tuple(asked.split(',')) if isinstance(asked, str) else ()
  if not {*chosen} <= {*results.TYPES} or len({*chosen}) != len(chosen) or not chosen:
    kinds = ', '.join(results.TYPES)
    raise HTTPException(400, f'format is {asked!r:.40}; expected one of {kinds}, or several, each once')
  times = _number(fields, 'times', 1, 1, MOST_TIMES)
  if times.denominator > 1:
    raise HTTPException(400, f'times is {float(times):g}; expected a whole number, 1 to {MOST_TIMES}')
  fps = _number(fields, 'fps', DEFAULT_FPS, 1, MOST_FPS)
  photos = [_photo(fields.get(name), name, folder, limits) for name in PHOTOS]
  return Job(os.path.basename(folder), folder, photos, int(times), chosen, fps)


def _number(fields, name, default, least, most):
  value = fields.get(name, default)
  try:
    text = value if isinstance(value, int | float) else str(value)[:20]
    number = Fraction(text) if least <= float(text) <= most else None  # a Fraction of 1e999999999 would take hours
  except (ValueError, OverflowError):
    number = None
  if number is None or isinstance(value, bool):
    raise HTTPException(400, f'{name} is {value!r:.40}; expected a number from {least} to {most}')
  return number


def _photo(value, name, folder, limits):
  """Writes a photo to the folder and looks at its header; returns its path."""
  path = os.path.join(folder, name)
  if isinstance(value, UploadFile):
    with open(path, 'wb') as file:
      shutil.copyfileobj(value.file, file)
  elif isinstance(value, str) and value:
    try:
      content = base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error) as error:
      raise HTTPException(400, f'{name} is neither a file nor base64; expected a photo') from error
    with open(path, 'wb') as file:
      file.write(content)
  else:
    raise HTTPException(400, f'{name} is missing; expected two photos, first and second')
  _check(path, name, limits)
  return path


def _check(path, name, limits):
  """Raises where a photo is none or too large, by its header: nothing is decoded."""
  if os.path.getsize(path) == 0:
    raise HTTPException(400, f'{name} is empty; expected a photo')
  Image.init()
  known = [kind for kind in _FORMATS if kind in Image.OPEN]
  expected = ', '.join(kind.replace('HEIF', 'HEIC') for kind in known)
  try:
    with Image.open(path, formats=known) as image:
      width, height = image.size
      is_jpeg = image.format in ('JPEG', 'MPO')
  except Image.DecompressionBombError as error:
    raise HTTPException(413, f'{name} has too many pixels; {limits.max_pixels} are allowed') from error
  except (PIL.UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
    raise HTTPException(415, f'{name} is no photo that can be read; expected one of {expected}') from error
  if width * height > limits.max_pixels:
    raise HTTPException(413, f'{name} has {width}x{height} pixels; {limits.max_pixels} are allowed, make it smaller')
  if min(width, height) < _LEAST_SIDE:
    raise HTTPException(400, f'{name} has {width}x{height} pixels; expected {_LEAST_SIDE} or more either way')
  if is_jpeg and _has_many_scans(path):
    raise HTTPException(415, f'{name} has too many scans; save it anew')


def _has_many_scans(path):
  """Returns whether a JPEG would hold its decoder for long: every scan goes over all pixels again."""
  with open(path, 'rb') as file:
    content = file.read()
  scans = at = 0
  for _ in range(_MOST_SEGMENTS):
    segment = _SEGMENT.search(content, at)
    if segment is None or segment[0] == _END:
      return False
    scans += segment[0] == _SCAN
    if scans > _MOST_SCANS:
      return True
    at = segment.end() + int.from_bytes(content[segment.end() : segment.end() + 2])
  return True
