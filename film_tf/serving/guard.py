"""Lets only requests through that are meant for this server, and bounds their bytes."""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

_HEADERS = {
  'Content-Security-Policy': (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
  ),
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
}


class Guard:
  """An ASGI application around another.

  A request must name the server by an address, as localhost or by one of `names`: another site's page, whose name was
  made to lead here (DNS rebinding), does not. Pages of other origins are refused, and bodies over `max_bytes`.
  """

  def __init__(self, app, names: Collection[str], max_bytes: int):
    self._app, self._names, self._max_bytes = app, {'localhost', *map(str.lower, names)}, max_bytes

  async def __call__(self, scope, receive, send):
    """Answers a request, or hands it on."""
    if scope['type'] != 'http':
      await self._app(scope, receive, send)
      return
    read = 0

    async def counted():
      nonlocal read
      message = await receive()
      read += len(message.get('body', b''))
      if read > self._max_bytes:
        raise HTTPException(413, self._too_large())
      return message

    async def with_headers(message):
      if message['type'] == 'http.response.start':
        headers = MutableHeaders(scope=message)
        for name, value in _HEADERS.items():
          headers.setdefault(name, value)
      await send(message)

    refused = self._refusal(Headers(scope=scope))
    if refused:
      status, sentence = refused
      await JSONResponse({'error': sentence}, status)(scope, receive, with_headers)
    else:
      await self._app(scope, counted, with_headers)

  def _refusal(self, headers):
    """Returns status and sentence where a request is refused by its headers."""
    host, origin, length = (headers.get(name) for name in ('host', 'origin', 'content-length'))
    if not self._is_named(host or ''):
      return 421, f'this server is not {host!r:.80}; name it by its address, or start it with --allow_hosts'
    if origin is not None and _netloc(origin) != host.lower():
      return 403, f'pages of {origin!r:.80} may not use this server'
    if length and int(length) > self._max_bytes:
      return 413, self._too_large()
    return None

  def _is_named(self, host):
    try:
      name = (urlsplit(f'//{host}').hostname or '').lower()
      if name in self._names:
        return True
      ipaddress.ip_address(name)
    except ValueError:
      return False
    return True

  def _too_large(self):
    return f'the request is larger than {self._max_bytes} bytes; send smaller photos'


def _netloc(origin):
  try:
    return urlsplit(origin).netloc.lower()
  except ValueError:
    return None
