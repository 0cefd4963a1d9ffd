"""Damaged packets, refusing encoders, and what else a video brings: the rest is kept, and messages name the file."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest

import film_tf
from film_tf.errors import UserError
from film_tf.media import other_streams
from film_tf.media.other_streams import OtherStreams
from film_tf.media.rehearsal import rehearse
from film_tf.media.stretched_sound import StretchedSound
from film_tf.media.video_decoder import Decoder
from film_tf.media.video_encoder import Encoder
from film_tf.media.video_reader import VideoReader
from tests.media.odd import interlaced, with_sound, with_subtitles
from tests.media.videos import encode, packets, picture


def damaged(path, packet, by):
  """`path` again, a packet replaced by as many bytes."""
  data = path.read_bytes()
  assert data.count(packet) == 1
  bad = path.with_name(f'bad{path.suffix}')
  bad.write_bytes(data.replace(packet, by))
  return bad


def test_a_damaged_packet_of_sound_is_left_out_where_it_is_stretched(tmp_path):
  source = with_sound(tmp_path / 'a.mkv', 'flac')
  packet = packets(source, 'audio')[4][0]

  def heard(path):
    with av.open(str(path)) as container, av.open(io.BytesIO(), 'w', format='matroska') as out:
      stretched = StretchedSound(out, container.streams.audio[0], Fraction(2))
      made = [one for packet in container.demux(audio=0) for one in stretched.packets(packet if packet.size else None)]
    return len(made), stretched.damaged

  (all_, none), (some, lost) = heard(source), heard(damaged(source, packet, bytes(len(packet))))
  assert all_ - 8 < some < all_
  assert (none, lost) == (0, 1)


def test_a_damaged_subtitle_is_left_out_where_it_is_converted(tmp_path):
  text = ''.join(f'{i}\n00:00:00,{i}00 --> 00:00:00,{i}90\nHello {i}\n\n' for i in range(1, 4))
  source = damaged(with_subtitles(tmp_path / 'a.mkv', text), b'Hello 2', b'Hell\xff 2')  # no UTF-8
  video = VideoReader(source)
  with video.open() as container, av.open(io.BytesIO(), 'w', format='mov') as out:
    coded = container.streams.video[0]
    out.add_stream_from_template(coded, opaque=True)
    copy = other_streams.Copy(out, container, coded, OtherStreams(video))
    copied = list(copy.packets())
    assert copy.damaged == ['lacks 1 damaged packets of subtitle stream 1']
  assert [bytes(packet)[2:] for packet in copied] == [b'Hello 1', b'Hello 3']


def test_chapters_move_as_packets_do(tmp_path):
  encode(tmp_path / 'plain.mkv', map(picture, range(10)), [1400 + 40 * i for i in range(10)])
  with av.open(str(tmp_path / 'plain.mkv')) as source, av.open(str(tmp_path / 'a.mkv'), 'w') as out:
    stream = out.add_stream_from_template(source.streams.video[0], opaque=True)
    out.set_chapters([{'id': 1, 'start': 1600, 'end': 1800, 'time_base': Fraction(1, 1000), 'metadata': {}}])
    for packet in source.demux(video=0):
      if packet.size:
        packet.stream = stream
        out.mux(packet)
  video = VideoReader(tmp_path / 'a.mkv')
  assert video.zero == Fraction(14, 10)
  with video.open() as container, av.open(io.BytesIO(), 'w', format='matroska') as out:
    coded = container.streams.video[0]
    out.add_stream_from_template(coded, opaque=True)
    other_streams.Copy(out, container, coded, OtherStreams(video, zero=video.zero))
    (chapter,) = out.chapters()
  assert [chapter[key] * chapter['time_base'] for key in ('start', 'end')] == [Fraction(1, 5), Fraction(2, 5)]


def test_what_is_resumed_is_deinterlaced_alike(tmp_path):
  video = VideoReader(interlaced(tmp_path / 'a.mkv', 15), deinterlace=True)
  frames = list(video.frames())
  for frame in frames[10:14]:  # one of them is a key frame, which a seek finds, without the picture before
    resumed = next(video.frames(start=frame.time))
    assert resumed.time == frame.time
    np.testing.assert_array_equal(resumed.pixels, frame.pixels)


def test_whatever_a_decoder_says_of_a_packet_is_skipped_where_asked(tmp_path):
  class Packet:
    def decode(self):
      raise av.PatchWelcomeError(1, 'not yet implemented')

  video = VideoReader(encode(tmp_path / 'a.mkv', map(picture, range(2))))
  with video.open() as container:
    for skip in (True, False):
      decoder = Decoder(video.path, container, container.streams.video[0], video.survey, video.rate, False, skip, {})
      if skip:
        assert decoder._frames_of(Packet()) == [None]
      else:
        with pytest.raises(av.PatchWelcomeError):
          decoder._frames_of(Packet())


def test_an_encoder_that_refuses_names_the_output_and_the_preset(tmp_path):
  video = VideoReader(encode(tmp_path / 'a.mkv', map(picture, range(2))))
  encoder = Encoder(video.format, video.rate, video.time_base, 'libx264', preset='fsat')
  with pytest.raises(UserError, match=r'cannot encode 64x48 pixels for b.mp4, 25 frames a second, preset fsat: '):
    encoder.check('b.mp4', 'mp4')
  with pytest.raises(UserError, match=r'^cannot write b.mp4 with libx264: '):
    rehearse('b.mp4', next(video.frames()), encoder, None)
  mjpeg = Encoder(video.format, video.rate, video.time_base, 'mjpeg')  # of full range only
  with pytest.raises(UserError, match=r'^mjpeg cannot encode .*; try --pixel_format=yuvj420p$'):
    mjpeg.check('b.mkv', 'matroska')
  with pytest.raises(UserError, match=r'cannot hold gif; choose another --codec$'):
    Encoder(video.format, video.rate, video.time_base, 'gif').check('b.mkv', 'matroska')


def test_what_was_damaged_is_told_after_the_work(tmp_path, interpolator):
  source = with_sound(tmp_path / 'a.mkv', 'flac')
  packet = packets(source, 'audio')[4][0]
  source = damaged(source, packet, bytes(len(packet)))
  out = tmp_path / 'b.mkv'
  report = film_tf.interpolate_video(source, out, interpolator, slow=2, sound='stretch')
  assert f'{out} lacks 1 damaged packets of audio stream 1' in report.notes
