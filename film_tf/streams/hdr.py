"""Reads static HDR metadata (on which display a film was mastered) from frames, and passes it to encoders."""

import dataclasses
from fractions import Fraction

import numpy as np

NAMES = {16: 'PQ', 18: 'HLG'}  # FFmpeg's numbers of transfer functions
_CODECS = ('libx264', 'libx265', 'libsvtav1')  # that take it


@dataclasses.dataclass(frozen=True)
class HdrMetadata:
  """What SMPTE ST 2086 and CTA-861.3 say of a film."""

  primaries: tuple[Fraction, ...] = ()  # x and y of red, green, blue and white
  luminance: tuple[Fraction, ...] = ()  # candela a square metre, least and most
  light: tuple[int, ...] = ()  # MaxCLL and MaxFALL, candela a square metre


def read(frame) -> HdrMetadata | None:
  """Returns what a decoded frame of PyAV carries."""
  primaries: tuple[Fraction, ...] = ()
  luminance: tuple[Fraction, ...] = ()
  light: tuple[int, ...] = ()
  for data in frame.side_data:
    if data.type.name == 'MASTERING_DISPLAY_METADATA':
      values = np.frombuffer(bytes(data), np.int32)  # of FFmpeg's struct: ten fractions, then which of them are known
      pairs = [Fraction(int(n), int(d)) for n, d in values[:20].reshape(-1, 2) if d]
      if len(pairs) == 10 and values[20] and values[21]:
        primaries, luminance = tuple(pairs[:8]), tuple(pairs[8:])
    elif data.type.name == 'CONTENT_LIGHT_LEVEL':
      light = tuple(map(int, np.frombuffer(bytes(data), np.int32)[:2]))
  return HdrMetadata(primaries, luminance, light) if primaries or light else None


def is_kept(metadata: HdrMetadata | None, codec: str) -> bool:
  """Returns whether an encoder writes all of it."""
  return metadata is None or codec in _CODECS


def parameters(metadata: HdrMetadata | None, codec: str) -> list[str]:
  """Returns it as an encoder's own parameters, `name=value` each."""
  if metadata is None or codec not in _CODECS:
    return []
  light = [f'{name}={metadata.light[0]},{metadata.light[1]}' for name in (_LIGHT[codec],) if metadata.light]
  if not metadata.primaries:
    return light
  x = [f'{float(one):.5f}' for one in metadata.primaries] if codec == 'libsvtav1' else _whole(metadata.primaries, 50000)
  least, most = metadata.luminance if codec == 'libsvtav1' else _whole(metadata.luminance, 10000)
  least, most = (f'{float(one):.4f}' for one in (least, most)) if codec == 'libsvtav1' else (least, most)
  display = f'G({x[2]},{x[3]})B({x[4]},{x[5]})R({x[0]},{x[1]})WP({x[6]},{x[7]})L({most},{least})'
  return [f'{_DISPLAY[codec]}={display}', *light]


_DISPLAY = {'libx264': 'mastering-display', 'libx265': 'master-display', 'libsvtav1': 'mastering-display'}
_LIGHT = {'libx264': 'cll', 'libx265': 'max-cll', 'libsvtav1': 'content-light'}


def _whole(values, unit):
  return [round(value * unit) for value in values]
