"""Timestamps of odd files: every frame has its turn, at times and rates that players would show."""

import itertools
from fractions import Fraction

import av
import numpy as np
import pytest

from film_tf.media.video_reader import VideoReader
from film_tf.streams import timestamps
from film_tf.streams.timestamps import Piece, StreamTimes
from tests.media.videos import encode, packets, picture


def with_b_frames(path, count=30, rate=25, **options):
  """A video of H.264 with two B-frames in a row."""
  with av.open(str(path), 'w', **options) as out:
    stream = out.add_stream('libx264', rate=rate)
    stream.width, stream.height, stream.pix_fmt, stream.codec_context.options = 64, 48, 'yuv420p', {'bf': '2'}
    for i in range(count):
      frame = av.VideoFrame.from_ndarray(picture(i), format='rgb24')
      frame.pts, frame.time_base = i, 1 / Fraction(rate)
      out.mux(stream.encode(frame))
    out.mux(stream.encode())
  return path


def seen(path):
  """The reader, and when its frames are shown, from the first on."""
  video = VideoReader(path)
  frames = list(video.frames())
  return video, [frame.time - video.start for frame in frames], [frame.pixels for frame in frames]


def test_joined_transport_streams_follow_each_other(tmp_path):
  """As `cat a.ts a.ts` makes them: every stream begins again."""
  piece = encode(tmp_path / 'a.ts', map(picture, range(30)), sound=1.2)
  joined = tmp_path / 'joined.ts'
  joined.write_bytes(piece.read_bytes() * 3)
  video, times, pixels = seen(joined)
  assert len(times) == video.frame_count == 90
  assert all(Fraction(1, 25) <= b - a < Fraction(1, 10) for a, b in itertools.pairwise(times))
  np.testing.assert_array_equal(pixels[30], pixels[0])
  assert video.rate == 25
  assert any('3 pieces follow each other' in note for note in video.notes)
  sound = video.survey.streams[1]
  starts = [piece.begin + piece.offset for piece in video.survey.streams[0].pieces]
  assert [times[30 * i] for i in range(3)] == [start - starts[0] for start in starts]
  for piece, start in zip(sound.pieces, starts, strict=True):  # sound is where it was beside the pictures
    assert piece.begin + piece.offset - start == sound.pieces[0].begin - starts[0]


def test_b_frames_in_avi_are_all_shown_in_their_order(tmp_path):
  video, times, pixels = seen(with_b_frames(tmp_path / 'a.avi'))
  assert times == [Fraction(i, 25) for i in range(30)]
  assert video.start == 0
  means = [int(np.abs(image.astype(int) - picture(i)).mean()) for i, image in enumerate(pixels)]
  assert max(means) < 8


def test_a_raw_stream_has_the_rate_of_its_codec(tmp_path):
  rate = Fraction(30000, 1001)
  video, times, _ = seen(with_b_frames(tmp_path / 'a.h264', rate=rate, format='h264'))
  assert video.rate == rate
  assert times == [i / rate for i in range(30)]
  assert video.frame_count == 30  # of which the file says nothing: packets are counted


@pytest.mark.parametrize('rate', [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60)])
@pytest.mark.parametrize('suffix', ['.mp4', '.mkv', '.ts', '.avi'])
def test_rates_are_exact_whatever_the_container_rounds(tmp_path, rate, suffix):
  assert VideoReader(with_b_frames(tmp_path / f'a{suffix}', 50, rate)).rate == rate


def test_frames_at_one_time_share_what_there_is_until_the_next():
  def made(*times):
    return [time for _, time, _ in timestamps.increasing([(None, Fraction(t)) for t in times], Fraction(1))]

  assert made(0, 1, 1, 2) == [0, 1, Fraction(3, 2), 2]
  assert made(0, 2, 1, 4) == [0, 2, 3, 4]
  assert made(5, 5) == [5, 6]
  went_back = made(*range(10), *range(20))
  assert len(went_back) == 30
  assert all(b - a == 1 for a, b in itertools.pairwise(went_back[10:]))
  assert all(a < b for a, b in itertools.pairwise(went_back))


def test_a_rate_that_the_times_contradict_is_not_believed():
  """Matroska of an earlier version says that a frame lasts 39062 ns."""
  times = StreamTimes(26, [Piece(0, 0, Fraction(0), Fraction(1), Fraction(26, 25))])
  assert timestamps.rate(times, Fraction(1, 1000), [Fraction(25600), Fraction(50)]) == 25
  assert timestamps.rate(times, Fraction(1, 1000), [None, None]) == 25
  assert timestamps.rate(StreamTimes(), Fraction(1, 1000), [None]) == 25


def test_a_stream_that_begins_late(tmp_path):
  times = [40_000_000 + 40 * i for i in range(10)]
  video = VideoReader(encode(tmp_path / 'a.mkv', map(picture, range(10)), times))
  assert (video.start, video.zero, video.frame_count) == (40000, 40000, 10)
  assert video.length == pytest.approx(0.4)
  assert packets(tmp_path / 'a.mkv', 'video')[0][1] == 40000
