"""Repairs timestamps as players do: where they start again, jump, are missing or do not increase, time goes on."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TypeVar

Item = TypeVar('Item')
_BACK = Fraction(1, 10)  # seconds by which packets may go back before it is a new piece
_AHEAD = 10  # seconds that are a gap in a broadcast, as FFmpeg has it; other containers may wait as long as they like
_HELD = 8  # frames that wait for a time which increases
_STEADY = ('video', 'audio')  # streams whose packets come one after the other
_TS_DISCONT = 0x200  # FFmpeg's flag of containers whose timestamps may jump
_NO_TIMESTAMPS = 0x80  # FFmpeg's flag of those that have none
_USUAL = [Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120)] + [Fraction(rate) for rate in range(1, 241)]


@dataclasses.dataclass
class Piece:
  """Packets of one stream whose times go on; seconds as they are in the file."""

  number: int  # of the piece, the same in all streams
  packet: int  # number of its first packet
  begin: Fraction
  last: Fraction  # when its last packet is shown
  end: Fraction
  offset: Fraction = Fraction(0)  # by which it is moved


@dataclasses.dataclass
class StreamTimes:
  """What is known of one stream after all its packets have been looked at."""

  packets: int = 0
  pieces: list[Piece] = dataclasses.field(default_factory=list)  # none where it has no times

  @property
  def begin(self) -> Fraction | None:
    """Seconds at which its first packet is shown, all pieces moved."""
    return self.pieces[0].begin + self.pieces[0].offset if self.pieces else None

  @property
  def last(self) -> Fraction | None:
    """Seconds at which its last packet is shown."""
    return self.pieces[-1].last + self.pieces[-1].offset if self.pieces else None

  @property
  def end(self) -> Fraction | None:
    """Seconds at which that ends."""
    return self.pieces[-1].end + self.pieces[-1].offset if self.pieces else None


@dataclasses.dataclass(frozen=True)
class Survey:
  """All streams of a file, by their index."""

  streams: dict[int, StreamTimes]
  raw: bool  # the file has no timestamps

  @property
  def joined(self) -> int:
    """The number of pieces whose timestamps do not continue those before."""
    return max((len(times.pieces) for times in self.streams.values()), default=1)


def survey(container) -> Survey:
  """Reads all packets of an open container of PyAV, none of them decoded.

  Recordings that were put one behind the other, and broadcasts, have times that start again or jump. Every piece is
  moved, all its streams by the same, so that no stream overlaps what it had before.
  """
  jumps, decoding_times = container.format.flags & _TS_DISCONT, container.format.name == 'avi'
  found = {stream.index: StreamTimes() for stream in container.streams}
  before: dict[int, Fraction] = {}  # seconds at which the last packet of a stream is decoded
  newest = 0
  for packet in container.demux():
    if not packet.size:
      continue
    times = found[index := packet.stream.index]
    times.packets += 1
    if packet.pts is None and packet.dts is None:
      continue
    shown = packet.dts if packet.pts is None or (decoding_times and packet.dts is not None) else packet.pts
    shown, end = shown * packet.time_base, (shown + (packet.duration or 0)) * packet.time_base
    step = Fraction(0)
    if packet.dts is not None:  # else it says nothing of the order in which packets come
      at = packet.dts * packet.time_base
      step, before[index] = at - before.get(index, at), at
    steady = packet.stream.type in _STEADY
    breaks = steady and (step < -_BACK or (jumps and step > _AHEAD))
    if breaks:
      newest = max(newest, times.pieces[-1].number + 1)
    if not times.pieces or breaks or (not steady and times.pieces[-1].number < newest):
      times.pieces.append(Piece(newest, times.packets - 1, shown, shown, end))
    piece = times.pieces[-1]
    piece.begin, piece.last, piece.end = min(piece.begin, shown), max(piece.last, shown), max(piece.end, end)
  _move(found, newest, {stream.index for stream in container.streams if stream.type in _STEADY})
  return Survey(found, bool(container.format.flags & _NO_TIMESTAMPS) or not any(t.pieces for t in found.values()))


def _move(found, newest, steady):
  """Moves each piece behind those before it."""
  ends: dict[int, Fraction] = {}
  offset = Fraction(0)
  for number in range(newest + 1):
    parts = {index: piece for index, times in found.items() for piece in times.pieces if piece.number == number}
    if number:
      offset = max((ends[i] - part.begin for i, part in parts.items() if i in ends and i in steady), default=offset)
    for index, piece in parts.items():
      piece.offset, ends[index] = offset, piece.end + offset


class Mover:
  """Moves the packets of a file that is read from its start, so that its pieces follow each other."""

  def __init__(self, survey: Survey):
    self._streams = survey.streams
    self._counts: collections.Counter[int] = collections.Counter()  # packets of each stream so far

  def __call__(self, packet):
    """Returns the next packet of a stream, with times that go on."""
    pieces, number = self._streams[packet.stream.index].pieces, self._counts[packet.stream.index]
    self._counts[packet.stream.index] += 1
    if len(pieces) == 1 and not pieces[0].offset:
      return packet
    offset = next((piece.offset for piece in reversed(pieces) if piece.packet <= number), Fraction(0))
    ticks = round(offset / packet.time_base)
    packet.pts, packet.dts = (at if at is None else at + ticks for at in (packet.pts, packet.dts))
    return packet


def increasing(items: Iterable[tuple[Item, Fraction]], step: Fraction) -> Iterator[tuple[Item, Fraction, bool]]:
  """Yields all items with times that increase, and whether the time is another than it was.

  Items that are not later than one before share the time until the next that is; where none comes soon, they follow
  every `step` seconds, and so does what comes after.
  """
  held: list[Item] = []
  begin = offset = Fraction(0)
  for item, time in items:
    time += offset
    if held and time <= begin:
      held.append(item)
      if len(held) == _HELD:
        yield from _spread(held[:-1], begin, step)
        begin += (_HELD - 1) * step
        offset, held = offset + begin - time, held[-1:]
      continue
    if held:
      yield from _spread(held, begin, (time - begin) / len(held))
    held, begin = [item], time
  yield from _spread(held, begin, step)


def _spread(items, begin, step):
  for number, item in enumerate(items):
    yield item, begin + number * step, number > 0


def rate(times: StreamTimes, tick: Fraction, claimed: Sequence[Fraction | None], raw: bool = False) -> Fraction:
  """Returns the frames a second of a video.

  The timestamps decide: of the rates that the file claims, best first, and of the usual ones, the first that explains
  them as exactly as a tick allows; else, of uneven times, their average.

  Args:
    times: of the stream.
    tick: seconds of which its times are multiples.
    claimed: what headers say, None where they do not.
    raw: there are no timestamps; the first that is claimed is right.
  """
  known = [Fraction(one) for one in claimed if one]
  steps = times.packets - 1
  if raw or steps < 1 or times.begin is None or times.last is None or times.last <= times.begin:
    return known[0] if known else Fraction(25)  # as FFmpeg has it
  seconds = times.last - times.begin
  for one in [*known, *_USUAL]:
    if abs(steps / one - seconds) <= tick * max(1, len(times.pieces)):
      return one
  average = steps / seconds
  near = [one for one in known if abs(one / average - 1) <= Fraction(1, 100) + Fraction(2, steps)]
  return near[0] if near else average.limit_denominator(1001)
