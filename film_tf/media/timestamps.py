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
_TS_DISCONT = 0x200  # FFmpeg's flag of containers whose timestamps may jump
_NO_TIMESTAMPS = 0x80  # FFmpeg's flag of those that have none
_USUAL = [Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120)] + [Fraction(rate) for rate in range(1, 241)]


@dataclasses.dataclass
class StreamTimes:
  """What is known of one stream after all its packets have been looked at."""

  packets: int = 0
  begin: Fraction | None = None  # seconds of its first packet; None where it has no times
  last: Fraction | None = None  # seconds of its last packet as they are shown
  end: Fraction | None = None  # seconds at which that ends
  pieces: list[int] = dataclasses.field(default_factory=lambda: [0])  # numbers of packets at which a piece begins
  offsets: list[Fraction] = dataclasses.field(default_factory=lambda: [Fraction(0)])  # seconds by which each is moved


@dataclasses.dataclass(frozen=True)
class Survey:
  """All streams of a file, by their index."""

  streams: dict[int, StreamTimes]
  raw: bool  # the file has no timestamps

  @property
  def joined(self) -> int:
    """How many pieces there are whose timestamps do not go on."""
    return max((len(times.pieces) for times in self.streams.values()), default=1)


def survey(container) -> Survey:
  """Reads all packets of an open container of PyAV, none of them decoded.

  Recordings that were put one behind the other, and broadcasts, have times that start again or jump. Every piece is
  moved, all its streams by the same, so that no stream overlaps what it had before.
  """
  jumps, decoding_times = container.format.flags & _TS_DISCONT, container.format.name == 'avi'
  found = {stream.index: StreamTimes() for stream in container.streams}
  decoded, piece_of = {}, dict.fromkeys(found, 0)
  ends, offsets = {}, [Fraction(0)]
  pending: list[dict[int, StreamTimes]] = [{}]  # of every piece, the times of its streams as they are in the file
  for packet in container.demux():
    if not packet.size:
      continue
    index, at = packet.stream.index, packet.pts if packet.dts is None else packet.dts
    times = found[index]
    times.packets += 1
    if at is None:
      continue
    at *= packet.time_base
    if packet.stream.type in ('video', 'audio'):
      step = at - decoded.get(index, at)
      if step < -_BACK or (jumps and step > _AHEAD):
        if piece_of[index] == len(pending) - 1:
          pending.append({})
        piece_of[index] = len(pending) - 1
        times.pieces.append(times.packets - 1)
        times.offsets.append(piece_of[index])  # its number for now
    elif piece_of[index] < len(pending) - 1:
      piece_of[index] = len(pending) - 1
      times.pieces.append(times.packets - 1)
      times.offsets.append(piece_of[index])
    decoded[index] = at
    shown = at if packet.pts is None or decoding_times else packet.pts * packet.time_base
    _extend(pending[piece_of[index]].setdefault(index, StreamTimes()), shown, packet.duration or 0, packet.time_base)
  kinds = {stream.index: stream.type for stream in container.streams}
  for number, piece in enumerate(pending):
    after = [ends[i] - part.begin for i, part in piece.items() if i in ends and kinds[i] in ('video', 'audio')]
    if number:
      offsets.append(max(after, default=offsets[-1]))
    for index, part in piece.items():
      times, moved = found[index], offsets[number]
      times.begin = part.begin + moved if times.begin is None else times.begin
      times.last, times.end = part.last + moved, part.end + moved
      ends[index] = times.end
  for times in found.values():
    times.offsets = [offsets[0], *(offsets[number] for number in times.offsets[1:])]
  return Survey(found, bool(container.format.flags & _NO_TIMESTAMPS) or all(t.begin is None for t in found.values()))


def _extend(part, shown, duration, time_base):
  part.begin = shown if part.begin is None else min(part.begin, shown)
  part.last = shown if part.last is None else max(part.last, shown)
  end = shown + duration * time_base
  part.end = end if part.end is None else max(part.end, end)


class Mover:
  """Moves the packets of a file that is read from its start, so that its pieces follow each other."""

  def __init__(self, survey: Survey):
    self._streams = survey.streams
    self._counts = collections.Counter()
    self._pieces = collections.Counter()

  def __call__(self, packet):
    """Returns the next packet of a stream, with times that go on."""
    index = packet.stream.index
    times, number = self._streams[index], self._counts[index]
    self._counts[index] += 1
    piece = self._pieces[index]
    if piece + 1 < len(times.pieces) and times.pieces[piece + 1] <= number:
      self._pieces[index] = piece = piece + 1
    if ticks := round(times.offsets[piece] / packet.time_base):
      packet.pts, packet.dts = (at if at is None else at + ticks for at in (packet.pts, packet.dts))
    return packet


def increasing(items: Iterable[tuple[Item, Fraction]], step: Fraction) -> Iterator[tuple[Item, Fraction, bool]]:
  """Yields all items with times that increase, and whether the time is another than it was.

  Items that are not later than one before share the time until the next that is; where none comes soon, they follow
  every `step` seconds, and so does what comes after.
  """
  held, begin, offset = [], None, Fraction(0)
  for item, time in items:
    time += offset
    if held and time <= begin:
      held.append(item)
      if len(held) == _HELD:
        yield from _spread(held[:-1], begin, step)
        offset += begin + (_HELD - 1) * step - time
        held, begin = held[-1:], begin + (_HELD - 1) * step
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
  claimed = [Fraction(one) for one in claimed if one]
  steps = times.packets - 1
  if raw or steps < 1 or times.begin is None or times.last <= times.begin:
    return claimed[0] if claimed else Fraction(25)  # as FFmpeg has it
  seconds = times.last - times.begin
  for one in [*claimed, *_USUAL]:
    if abs(steps / one - seconds) <= tick * max(1, len(times.pieces)):
      return one
  average = steps / seconds
  near = [one for one in claimed if abs(one / average - 1) <= Fraction(1, 100) + Fraction(2, steps)]
  return near[0] if near else average.limit_denominator(1001)
