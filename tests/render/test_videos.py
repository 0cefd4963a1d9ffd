"""Videos that are read, written and interpolated: times and sound stay what they are."""

import itertools
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from film_tf.errors import UserError
from film_tf.media import video_muxer
from film_tf.media.video_reader import VideoReader
from tests.media.videos import duration, encode, packets, picture
from tests.render.interpolated import interpolated

UNEVEN = [0, 80, 170, 270, 350, 440, 520, 690]  # ms, as telephones have it


def times(reader):
  return [frame.time for frame in reader.frames()]


@pytest.mark.parametrize('suffix', ['.mp4', '.mov', '.mkv', '.webm'])
def test_sound_comes_along_byte_by_byte(tmp_path, interpolator, suffix):
  source = encode(tmp_path / 'a.mp4', map(picture, range(12)), sound=0.5, metadata={'title': 'A walk'})
  video = interpolated(source, tmp_path / f'b{suffix}', interpolator)
  assert len(times(video)) == 23
  sound = packets(video.path, 'audio')
  if suffix == '.webm':  # which holds no AAC
    assert sound == []
    return
  assert [data for data, _ in sound] == [data for data, _ in packets(source, 'audio')]
  offset = sound[0][1] - packets(source, 'audio')[0][1]
  assert abs(offset) <= Fraction(3, 100)  # Matroska begins at 0, and all of it moves by as much
  assert times(video)[0] == pytest.approx(offset if offset > 0 else 0, abs=2e-3)
  with video.open() as container:
    assert {key.lower(): value for key, value in container.metadata.items()}['title'] == 'A walk'


def test_what_a_container_cannot_hold_is_told(tmp_path, interpolator, capsys):
  source = encode(tmp_path / 'a.mp4', map(picture, range(4)), sound=0.2)
  interpolated(source, tmp_path / 'b.webm', interpolator)
  assert 'b.webm cannot hold audio stream 1 (aac); it is left out' in capsys.readouterr().err


SUBTITLES = """1
00:00:00,000 --> 00:00:00,200
Hello

2
00:00:00,240 --> 00:00:00,400
and goodbye
"""


def with_extras(path, video):
  """`video` again in Matroska, with subtitles, an attachment and chapters."""
  (path.parent / 'words.srt').write_text(SUBTITLES)
  with (
    av.open(str(video)) as pictures,
    av.open(str(path.parent / 'words.srt')) as words,
    av.open(str(path), 'w') as out,
  ):
    streams = {source: out.add_stream_from_template(source.streams[0]) for source in (pictures, words)}
    out.add_attachment('notes.txt', 'text/plain', b'taken on a walk')
    second = Fraction(1, 1000)
    out.set_chapters([
      {'id': 1, 'start': 0, 'end': 200, 'time_base': second, 'metadata': {'title': 'there'}},
      {'id': 2, 'start': 200, 'end': 480, 'time_base': second, 'metadata': {'title': 'and back'}},
    ])  # fmt: skip
    for source, stream in streams.items():
      for packet in source.demux(source.streams[0]):
        if packet.dts is not None:
          packet.stream = stream
          out.mux(packet)
  return path


def test_subtitles_attachments_and_chapters_come_along(tmp_path, interpolator, capsys):
  source = with_extras(tmp_path / 'a.mkv', encode(tmp_path / 'a.mp4', map(picture, range(12))))
  interpolated(source, tmp_path / 'b.mkv', interpolator)
  assert packets(tmp_path / 'b.mkv', 'subtitle') == packets(source, 'subtitle')
  assert len(packets(source, 'subtitle')) == 2
  with av.open(str(source)) as a, av.open(str(tmp_path / 'b.mkv')) as b:
    titles = [[chapter['metadata']['title'] for chapter in container.chapters()] for container in (a, b)]
    assert titles == [['there', 'and back']] * 2
    (attached,) = (stream for stream in b.streams if stream.type == 'attachment')
    assert attached.metadata['filename'] == 'notes.txt'
  assert capsys.readouterr().err == ''
  interpolated(source, tmp_path / 'c.mp4', interpolator)
  assert 'cannot hold attachment stream 2' in capsys.readouterr().err
  shown = [(data, time) for data, time in packets(tmp_path / 'c.mp4', 'subtitle') if len(data) > 2]
  assert [time for _, time in shown] == [time for _, time in packets(source, 'subtitle')]
  assert shown[0][0][2:] == b'Hello'  # in the form that MP4 holds, behind its length


def test_uneven_times_are_kept_and_so_is_the_duration(tmp_path, interpolator):
  source = encode(tmp_path / 'a.mp4', map(picture, range(8)), UNEVEN)
  given = times(VideoReader(source))
  assert given == [Fraction(time, 1000) for time in UNEVEN]
  video = interpolated(source, tmp_path / 'b.mp4', interpolator, multiply=3)
  thirds = [a + (b - a) * i / 3 for a, b in itertools.pairwise(given) for i in range(3)]
  assert times(video) == [*thirds, given[-1]]
  assert abs(duration(video.path) - duration(source)) <= Fraction(1, 1000)


@pytest.mark.parametrize('fps', [Fraction(60), Fraction(24000, 1001), Fraction(10)])
def test_a_new_rate_has_one_frame_for_every_tick(tmp_path, interpolator, fps):
  source = encode(tmp_path / 'a.mp4', map(picture, range(8)), UNEVEN, sound=0.7)
  found = times(interpolated(source, tmp_path / 'b.mp4', interpolator, fps=fps))
  assert found == [i / fps for i in range(len(found))]
  assert abs(len(found) / fps - duration(source)) <= 1 / fps
  assert len(packets(tmp_path / 'b.mp4', 'audio')) == len(packets(source, 'audio'))


def test_slow_motion_has_the_same_rate_and_no_sound(tmp_path, interpolator):
  source = encode(tmp_path / 'a.mp4', map(picture, range(6)), sound=0.2)
  found = times(interpolated(source, tmp_path / 'b.mp4', interpolator, slow=Fraction(3)))
  assert found == [Fraction(i, 25) for i in range(18)]
  assert packets(tmp_path / 'b.mp4', 'audio') == []


def test_start_and_stop_cut_a_piece_out(tmp_path, interpolator):
  source = encode(tmp_path / 'a.mp4', map(picture, range(30)))
  segment = {'start': Fraction(2, 5), 'stop': Fraction(4, 5)}
  found = times(interpolated(source, tmp_path / 'b.mp4', interpolator, **segment))
  assert found == [Fraction(i, 50) for i in range(19)]
  found = times(interpolated(source, tmp_path / 'c.mp4', interpolator, fps=Fraction(10), **segment))
  assert found == [Fraction(i, 10) for i in range(4)]
  with pytest.raises(UserError, match=r'no frame from 9.0 s'):
    interpolated(source, tmp_path / 'd.mp4', interpolator, start=9)


@pytest.mark.parametrize(
  ('name', 'options', 'parts'),
  [
    ('b.avi', {}, ['b.avi', '.mp4']),
    ('b.mp4', {'codec': 'nothing'}, ['no encoder nothing']),
    ('b.mp4', {'codec': 'h264x'}, ['no encoder h264x', 'is it h264?']),
    ('b.webm', {'codec': 'libvpx-vp8'}, ['no encoder libvpx-vp8', 'is it libvpx-vp9?']),
    ('b.webm', {'codec': 'libx264'}, ['b.webm', 'libx264', '.mkv']),
    ('b.mp4', {'pixel_format': 'rgb565le'}, ['libx264', 'rgb565le', 'yuv420p']),
    ('b.gif', {'codec': 'libx264'}, ['codec', 'b.gif']),
    ('b.mp4', {'images': 'jpg'}, ['images=jpg', 'b.mp4']),
    ('/proc/b.mp4', {}, ['/proc/b.mp4']),
  ],
)
def test_what_cannot_be_written_is_told_and_leaves_nothing(tmp_path, interpolator, monkeypatch, name, options, parts):
  monkeypatch.chdir(tmp_path)
  source = encode(tmp_path / 'a.mp4', map(picture, range(2)))
  with pytest.raises(UserError) as error:
    interpolated(source, name, interpolator, **options)
  assert all(part in error.value.message for part in parts), error.value.message
  assert [path.name for path in tmp_path.iterdir()] == ['a.mp4']


def test_times_that_are_too_fine_are_refused(tmp_path, interpolator):
  source = encode(tmp_path / 'a.mp4', map(picture, range(3)))
  with pytest.raises(UserError, match='rounder fps'):
    interpolated(source, tmp_path / 'b.mp4', interpolator, fps=Fraction('29.87002997003'))


def truncated(data):
  return data[: len(data) // 2]


def corrupt(data):
  """Some packets in the middle are no longer what they were."""
  data, middle = bytearray(data), len(data) // 2
  for at in range(middle, middle + 200):
    data[at] ^= 0xFF
  return bytes(data)


@pytest.mark.parametrize('damage', [truncated, corrupt])
def test_damaged_videos_are_told_and_what_comes_before_is_kept(tmp_path, interpolator, damage):
  random = np.random.default_rng(0)
  pictures = [np.clip(picture(i) + random.integers(-9, 9, (48, 64, 3)), 0, 255).astype(np.uint8) for i in range(200)]
  whole = encode(tmp_path / 'a.mkv', pictures, sound=8).read_bytes()
  (tmp_path / 'bad.mkv').write_bytes(damage(whole))
  with pytest.raises(UserError, match=r'bad.mkv .*; what comes before is in .*so_far.mp4') as error:
    interpolated(tmp_path / 'bad.mkv', tmp_path / 'b.mp4', interpolator)
  assert '\n' not in error.value.message
  assert not (tmp_path / 'b.mp4').exists()
  before = times(VideoReader(tmp_path / 'b.mp4.parts' / 'so_far.mp4'))
  assert before == [Fraction(i, 50) for i in range(len(before))]
  assert len(before) >= 64
  assert (tmp_path / 'bad.mkv').read_bytes() == damage(whole)


def test_what_is_no_video_is_told(tmp_path, interpolator):
  (tmp_path / 'text.mp4').write_text('no video')
  (tmp_path / 'empty.mp4').write_bytes(b'')
  with av.open(str(tmp_path / 'sound.mp4'), 'w') as out:
    stream = out.add_stream('aac', rate=48000, layout='mono')
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format='fltp', layout='mono')
    frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
    out.mux(stream.encode(frame))
    out.mux(stream.encode())
  whole = encode(tmp_path / 'a.avi', map(picture, range(3)), codec='mpeg4').read_bytes()
  (tmp_path / 'frameless.avi').write_bytes(whole[: whole.index(b'movi') + 4])
  for name, part in [
    ('text.mp4', 'cannot be read'),
    ('empty.mp4', 'cannot be read'),
    ('sound.mp4', 'no video'),
    ('frameless.avi', 'frameless.avi'),
    ('none.mp4', 'o such'),
  ]:
    with pytest.raises(UserError, match=part):
      interpolated(tmp_path / name, tmp_path / 'b.mp4', interpolator)
  assert not list(tmp_path.glob('b.mp4*'))


def test_few_packets_are_held_while_pieces_are_joined(tmp_path, interpolator, monkeypatch):
  given, held, pictures = [], [], video_muxer._pictures

  def watched(*args):
    for packet in pictures(*args):
      given.append(packet)
      yield packet
      # PyAV's packets have no weak references: by the list, the loop and the call alone, 3 refer to one that is done.
      held.append(sum(sys.getrefcount(one) > 3 for one in given))

  monkeypatch.setattr(video_muxer, '_pictures', watched)
  interpolated(encode(tmp_path / 'a.mp4', map(picture, range(100)), sound=4), tmp_path / 'b.mp4', interpolator)
  assert len(given) == 1 + 199  # one of them before the work, to see what the container holds
  assert max(held) <= 4


@pytest.mark.parametrize(
  ('suffix', 'codec', 'options'),
  [
    ('.mp4', 'libx264', {'g': '12'}),
    ('.mp4', 'libx264', {'x264-params': 'open-gop=1:keyint=12:bframes=3'}),
    ('.mkv', 'libx265', {'x265-params': 'open-gop=1:keyint=12:bframes=3:log-level=none'}),
    ('.ts', 'libx264', {'g': '200'}),  # whose seek comes out too late
    ('.mpg', 'mpeg2video', {'g': '15', 'bf': '2'}),
    ('.avi', 'mpeg4', {'g': '50'}),
    ('.webm', 'libvpx-vp9', {'g': '40'}),
  ],
)
def test_frames_from_a_time_on_are_those_of_the_whole(tmp_path, suffix, codec, options):
  with av.open(str(tmp_path / f'a{suffix}'), 'w') as out:
    stream = out.add_stream(codec, rate=25)
    stream.width, stream.height, stream.pix_fmt, stream.codec_context.options = 64, 48, 'yuv420p', options
    for i in range(90):
      frame = av.VideoFrame.from_ndarray(picture(i), format='rgb24')
      frame.pts, frame.time_base = i, Fraction(1, 25)
      out.mux(stream.encode(frame))
    out.mux(stream.encode())
  source = VideoReader(tmp_path / f'a{suffix}')
  whole = list(source.frames())
  assert len(whole) == 90
  for number in (1, 11, 12, 14, 37, 63, 89):
    since = list(source.frames(start=whole[number].time))
    assert [frame.time for frame in since] == [frame.time for frame in whole[number:]]
    np.testing.assert_array_equal(since[0].pixels, whole[number].pixels)
    np.testing.assert_array_equal(since[-1].pixels, whole[-1].pixels)


def test_a_multiple_of_one_says_that_nothing_new_is_made(tmp_path, interpolator, capfd):
  source = encode(tmp_path / 'a.mp4', map(picture, range(2)))
  interpolated(source, tmp_path / 'b.mp4', interpolator, multiply=1)
  assert 'a.mp4 gets no new frames by --multiply=1' in capfd.readouterr().err
