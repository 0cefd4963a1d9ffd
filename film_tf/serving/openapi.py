"""Describes the API in OpenAPI 3.1, with the limits of a server."""

import film_tf
from film_tf.serving import results, uploads
from film_tf.serving.jobs import STATES
from film_tf.serving.limits import Limits

_REFUSALS = {
  '400': 'A field is missing, unknown or wrong.',
  '403': 'A page of another origin asks.',
  '408': 'The photos did not arrive in time.',
  '413': 'The request or a photo is too large.',
  '415': 'The body, or a photo, is of a type that is not read.',
  '421': 'The server is not of the name by which it is called.',
  '422': 'A photo is damaged, the photos differ in size, or memory does not do for them.',
  '429': 'Too many jobs wait; Retry-After says in how many seconds there may be room.',
}
_ENDED = {'500': 'The server failed.', '503': 'The server is ending.', '504': 'It took too long.'}
_UNKNOWN = {'404': 'There is no such job or file, or no more.', '421': _REFUSALS['421']}


def description(limits: Limits) -> dict:
  """Returns the description of a server."""
  return {
    'openapi': '3.1.0',
    'info': {
      'title': 'film_tf',
      'version': film_tf.__version__,
      'description': f'Makes the frames between two photos. A request has {limits.max_bytes} bytes at most, a photo '
      f'{limits.max_pixels} pixels; {limits.queue} jobs wait at most; results are kept for {limits.keep:g} s.',
    },
    'paths': {
      '/api/interpolate': {'post': _interpolate()},
      '/api/jobs': {'post': _begin()},
      '/api/jobs/{id}': {
        'parameters': [_parameter('id')],
        'get': {
          'summary': 'How far a job is; one that nobody asks about for a while is cancelled',
          'responses': {'200': _json('The job.', _reference('Job')), **_errors(_UNKNOWN)},
        },
        'delete': {
          'summary': 'Cancels a job, or removes its result',
          'responses': {'204': {'description': 'It is gone.'}, **_errors(_UNKNOWN)},
        },
      },
      '/api/jobs/{id}/{name}': {
        'parameters': [_parameter('id'), _parameter('name')],
        'get': {
          'summary': 'One of the files of a job',
          'responses': {'200': _files('The file.'), '206': _files('A range of it.'), **_errors(_UNKNOWN)},
        },
      },
      '/healthz': {
        'get': {
          'summary': 'Whether the server is alive, and how many jobs it has',
          'responses': {'200': _json('It is.', _reference('Health')), **_errors({'421': _REFUSALS['421']})},
        }
      },
    },
    'components': {'schemas': _schemas()},
  }


def _interpolate():
  return {
    'summary': 'Makes one file of two photos and answers with it; a client that goes away cancels it',
    'requestBody': _body(list(results.TYPES), 'png'),
    'responses': {
      '200': {
        'description': 'The file; to JSON, JSON. PNG of several frames is answered to JSON alone.',
        'content': {**_files('')['content'], 'application/json': {'schema': _reference('Files')}},
      },
      **_errors(_REFUSALS | _ENDED),
    },
  }


def _begin():
  return {
    'summary': 'Begins a job: all frames as PNG, and of them the formats that are asked for, separated by commas',
    'requestBody': _body(None, 'gif,mp4'),
    'responses': {
      '202': {
        **_json('The job.', _reference('Job')),
        'headers': {'Location': {'description': 'The job, relative.', 'schema': {'type': 'string'}}},
      },
      **_errors(_REFUSALS),
    },
  }


def _body(formats, default):
  fields = {
    'times': {
      'type': 'integer', 'minimum': 1, 'maximum': uploads.MOST_TIMES, 'default': 1,
      'description': 'How often to halve: 2^times - 1 frames between.',
    },
    'format': {'type': 'string', 'default': default, **({'enum': formats} if formats else {})},
    'fps': {
      'type': 'number', 'minimum': 1, 'maximum': uploads.MOST_FPS, 'default': uploads.DEFAULT_FPS,
      'description': 'Frames a second of a GIF or MP4.',
    },
  }  # fmt: skip

  def schema(photo):
    photos = {name: photo for name in uploads.PHOTOS}
    required = list(uploads.PHOTOS)
    return {'type': 'object', 'properties': photos | fields, 'required': required, 'additionalProperties': False}

  binary = {'type': 'string', 'contentMediaType': 'image/*'}
  encoded = binary | {'contentEncoding': 'base64'}
  kinds = {'multipart/form-data': {'schema': schema(binary)}, 'application/json': {'schema': schema(encoded)}}
  return {'required': True, 'content': kinds}


def _schemas():
  text, count = {'type': 'string'}, {'type': 'integer', 'minimum': 0}
  return {
    'Error': _object({'error': text}),
    'Health': _object({'status': {'const': 'ok'}, 'version': text, 'jobs': count}),
    'Job': _object({
      'id': text,
      'state': {'enum': list(STATES)},
      'before': count | {'description': 'Jobs that come before it.'},
      'done': count | {'description': 'Frames that are there, of `total`, the photos included.'},
      'total': count,
      'files': {'type': 'array', 'items': text, 'description': 'Names: /api/jobs/{id}/{name}.'},
      'error': {'type': ['string', 'null']},
    }),
    'Files': _object({
      'files': {
        'type': 'array',
        'items': _object({
          'name': text, 'type': text, 'data': {'type': 'string', 'contentEncoding': 'base64'},
        }),
      },
    }),
  }  # fmt: skip


def _object(properties):
  return {'type': 'object', 'properties': properties, 'required': list(properties), 'additionalProperties': False}


def _parameter(name):
  return {'name': name, 'in': 'path', 'required': True, 'schema': {'type': 'string'}}


def _reference(name):
  return {'$ref': f'#/components/schemas/{name}'}


def _json(description, schema):
  return {'description': description, 'content': {'application/json': {'schema': schema}}}


def _files(description):
  return {'description': description, 'content': {kind: {} for kind in results.TYPES.values()}}


def _errors(descriptions):
  return {status: _json(description, _reference('Error')) for status, description in descriptions.items()}
