"""Odd old files, telephones, capture cards: frames and facts are kept, or a sentence before the work says which not."""

import itertools
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

import film_tf
from film_tf.errors import UserError
from film_tf.media.video_reader import VideoReader
from film_tf.render import inputs
from film_tf.render.job import Job
from film_tf.render.outputs import EncodingOptions
from film_tf.render.request import request
from tests.media.odd import coded, interlaced, rgb, with_cover, with_sound, with_subtitles
from tests.media.videos import encode, packets, picture


def planned(source, output, encoding=None, **wanted):
  return Job(inputs.find_one([source]), str(output), request(**wanted), EncodingOptions(**(encoding or {})))


def notes(source, output, encoding=None, **wanted):
  return ' | '.join(planned(source, output, encoding, **wanted).notes)


def times(path):
  return [frame.time for frame in VideoReader(path).frames()]


def test_joined_transport_streams_with_sound(tmp_path, interpolator, capsys):
  piece = encode(tmp_path / 'a.ts', map(picture, range(20)), sound=0.8)
  (tmp_path / 'joined.ts').write_bytes(piece.read_bytes() * 2)
  film_tf.interpolate_video(tmp_path / 'joined.ts', tmp_path / 'b.mp4', interpolator)
  found = times(tmp_path / 'b.mp4')
  assert len(found) == 79
  assert all(a < b for a, b in itertools.pairwise(found))
  sound = packets(tmp_path / 'b.mp4', 'audio')
  assert len(sound) == 2 * len(packets(piece, 'audio'))
  assert all(a < b for (_, a), (_, b) in itertools.pairwise(sound))
  assert '2 pieces follow each other' in capsys.readouterr().err


def test_what_is_written_reads_back_as_what_it_is(tmp_path, interpolator):
  """Matroska of a video whose ticks are fine: a rate that is not that of the ticks."""
  source = encode(tmp_path / 'a.mp4', map(picture, range(6)))
  film_tf.interpolate_video(source, tmp_path / 'b.mkv', interpolator)
  with av.open(str(tmp_path / 'b.mkv')) as container:
    assert container.streams.video[0].average_rate == 50
  assert VideoReader(tmp_path / 'b.mkv').rate == 50
  assert planned(tmp_path / 'b.mkv', tmp_path / 'c.mp4', slow=2).plan.rate == 50


@pytest.mark.parametrize('start', [1400, 40_000_000])
def test_times_count_from_the_first_frame(tmp_path, interpolator, start):
  source = encode(tmp_path / 'a.mkv', map(picture, range(10)), [start + 40 * i for i in range(10)])
  film_tf.interpolate_video(source, tmp_path / 'b.mp4', interpolator)
  assert times(tmp_path / 'b.mp4') == [Fraction(i, 50) for i in range(19)]
  film_tf.interpolate_video(source, tmp_path / 'c.mp4', interpolator, start='0:00:0.08', stop='0:0.2')
  assert times(tmp_path / 'c.mp4') == [Fraction(i, 50) for i in range(5)]


def test_times_of_a_clock():
  assert request(start='1:02:03.5', stop='62:04').start == Fraction(7447, 2)
  for wrong in ('1:2:3:4', ':', '1:x', 'nan', '-1', '1e300'):
    with pytest.raises(UserError, match='start'):
      request(start=wrong)


def test_images_of_a_rotated_video_are_upright_and_square(tmp_path, interpolator):
  source = encode(tmp_path / 'a.mp4', map(picture, range(2)), rotation=90, aspect=Fraction(4, 3))
  film_tf.interpolate_video(source, tmp_path / 'a', interpolator)
  image = np.asarray(Image.open(tmp_path / 'a' / 'frame_0000.png'))
  assert image.shape == (85, 48, 3)
  turned = np.rot90(image, -VideoReader(source).format.rotation // 90)[:, ::1]
  wide = picture(0)[:, np.minimum((np.arange(85) * 0.75).round().astype(int), 63)]
  assert np.abs(turned.astype(int) - wide).mean() < 8
  film_tf.interpolate_video(source, tmp_path / 'a.gif', interpolator)
  assert Image.open(tmp_path / 'a.gif').size == (48, 85)


def test_rgb_becomes_yuv_of_a_matrix_that_is_allowed(tmp_path, interpolator):
  source = coded(tmp_path / 'a.mkv', rgb(map(picture, range(3))), 'libx264rgb', 'rgb24', {'crf': '0'})
  film_tf.interpolate_video(source, tmp_path / 'b.mp4', interpolator)
  video = VideoReader(tmp_path / 'b.mp4')
  assert video.format.colour[:2] == (1, 1)
  assert np.abs(next(video.frames()).pixels.astype(int) - picture(0)).mean() < 4
  assert 'become coarser' in notes(source, tmp_path / 'c.mp4')


def test_interlaced_video_is_told_and_made_whole(tmp_path, interpolator):
  source = interlaced(tmp_path / 'a.mpg')
  assert 'is interlaced' in notes(source, tmp_path / 'b.mp4')
  assert 'interlaced' not in notes(source, tmp_path / 'b.mp4', deinterlace=True)

  def combed(**options):
    frames = list(film_tf.interpolated_frames(source, interpolator, multiply=1, **options))
    assert len(frames) == 10
    return np.mean([np.abs(np.diff(frame.pixels.astype(int), 2, axis=0)).mean() for frame in frames])

  assert combed(deinterlace=True) < combed() / 4


def test_what_is_blacker_than_black_is_told(tmp_path):
  def frame(low, high):
    planes = np.full((72, 64), 128, np.uint8)
    planes[:48] = np.linspace(low, high, 64).round()
    return av.VideoFrame.from_ndarray(planes, format='yuv420p')

  wide = coded(tmp_path / 'a.mkv', [frame(0, 255)], options={'crf': '0'})
  assert 'beyond the range 16 to 235' in notes(wide, tmp_path / 'b.mp4')
  assert notes(coded(tmp_path / 'c.mkv', [frame(16, 235)], options={'crf': '0'}), tmp_path / 'b.mp4') == ''


@pytest.mark.parametrize(
  ('codec', 'option'), [('mpeg4', {'crf': 20}), ('ffv1', {'crf': 3}), ('mpeg4', {'preset': 'fast'})]
)
def test_an_option_that_a_codec_does_not_have_is_refused(tmp_path, codec, option):
  source = encode(tmp_path / 'a.mp4', map(picture, range(2)))
  with pytest.raises(UserError, match=f'{codec} has no --{next(iter(option))}'):
    planned(source, tmp_path / 'b.mkv', {'codec': codec, **option})


@pytest.mark.parametrize('codec', ['h264_nvenc', 'h264_qsv'])
def test_hardware_that_is_not_here_is_told(tmp_path, codec):
  source = encode(tmp_path / 'a.mp4', map(picture, range(2)))
  with pytest.raises(UserError, match=f'{codec} needs hardware and a driver that are not here'):
    planned(source, tmp_path / 'b.mp4', {'codec': codec})


def test_language_title_and_disposition_are_kept(tmp_path, interpolator, capsys):
  def prepare(out, stream):
    stream.metadata.update(title='Main', language='deu')
    stream.disposition = av.stream.Disposition.default | av.stream.Disposition.forced
    out.metadata.update(title='A walk', location='+52.5000+013.4000/', make='Phone')

  source = coded(tmp_path / 'a.mkv', rgb(map(picture, range(3))), prepare=prepare)
  for name in ('b.mkv', 'b.mp4'):
    film_tf.interpolate_video(source, tmp_path / name, interpolator)
    assert capsys.readouterr().err == ''
    with av.open(str(tmp_path / name)) as container:
      (stream,) = container.streams
      about = {**stream.metadata, 'title': stream.metadata.get('title', stream.metadata.get('name'))}
      assert (about['title'], about['language']) == ('Main', 'deu')
      assert stream.disposition & av.stream.Disposition.forced
      tags = {key.lower(): value for key, value in container.metadata.items()}
      assert (tags['title'], tags['make']) == ('A walk', 'Phone')
      assert tags['location'].startswith('+52.5')


def test_cover_art_is_kept_or_told(tmp_path, interpolator, capsys):
  source = with_cover(tmp_path / 'a.mp4', encode(tmp_path / 'plain.mp4', map(picture, range(3))))
  film_tf.interpolate_video(source, tmp_path / 'b.mp4', interpolator)
  film_tf.interpolate_video(source, tmp_path / 'b.mkv', interpolator)
  assert capsys.readouterr().err == ''
  for name in ('b.mp4', 'b.mkv'):
    with av.open(str(tmp_path / name)) as container:
      covers = [s for s in container.streams.video if s.disposition & av.stream.Disposition.attached_pic]
      assert len(covers) == 1, name
    assert len(times(tmp_path / name)) == 5
  vp9 = {'codec': 'libvpx-vp9'}
  assert 'cannot hold cover stream 1 (mjpeg)' in notes(source, tmp_path / 'b.webm', vp9)


def test_further_pictures_and_deep_colours_are_told(tmp_path):
  def prepare(out, stream):
    other = out.add_stream('libx264', rate=25)
    other.width, other.height, other.pix_fmt = 32, 32, 'yuv420p'

    def after():
      out.mux(other.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format='rgb24')))
      out.mux(other.encode())

    return after

  source = coded(tmp_path / 'a.mkv', rgb(map(picture, range(3))), prepare=prepare)
  assert 'cannot hold video stream 1 (h264); it is left out' in notes(source, tmp_path / 'b.mkv')
  deep = coded(tmp_path / 'c.mkv', rgb(map(picture, range(2))), 'libx264', 'yuv444p10le')
  assert notes(deep, tmp_path / 'b.mkv') == ''
  told = notes(deep, tmp_path / 'b.mp4', {'codec': 'mpeg4'})
  assert '10 bits a colour become 8 with mpeg4' in told
  assert 'yuv444p10le become coarser, yuv420p' in told


def test_transparency_of_vp9_is_told(tmp_path):
  source = coded(tmp_path / 'a.webm', rgb(map(picture, range(2))), 'libvpx-vp9', 'yuva420p')
  assert 'transparen' in notes(source, tmp_path / 'b.webm')


def test_hdr_metadata_is_kept(tmp_path, interpolator):
  said = 'mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):cll=1000,400'
  source = coded(tmp_path / 'a.mkv', rgb(map(picture, range(3))), 'libx264', 'yuv420p10le', {'x264-params': said})
  given = VideoReader(source).format.hdr
  assert given.light == (1000, 400)
  assert given.luminance == (Fraction(1, 10000), 1000)
  for codec in ('libx264', 'libx265'):
    film_tf.interpolate_video(source, tmp_path / f'{codec}.mp4', interpolator, codec=codec)
    assert VideoReader(tmp_path / f'{codec}.mp4').format.hdr == given
  assert 'screen it was mastered on' in notes(source, tmp_path / 'b.mkv', {'codec': 'ffv1'})


@pytest.mark.parametrize(('codec', 'suffix', 'kept'), [
  ('pcm_s16le', '.mkv', True), ('pcm_s16le', '.webm', False), ('flac', '.mp4', True), ('ac3', '.webm', False),
])  # fmt: skip
def test_sound_is_kept_or_told_before_the_work(tmp_path, interpolator, codec, suffix, kept):
  source = with_sound(tmp_path / 'a.mkv', codec)
  assert ('cannot hold audio stream 1' in notes(source, tmp_path / f'b{suffix}')) != kept
  film_tf.interpolate_video(source, tmp_path / f'b{suffix}', interpolator, multiply=1)
  assert bool(packets(tmp_path / f'b{suffix}', 'audio')) == kept


def test_a_subtitle_that_has_begun_before_the_start_is_shown(tmp_path, interpolator):
  with_subtitles(tmp_path / 'a.mkv')
  film_tf.interpolate_video(tmp_path / 'a.mkv', tmp_path / 'b.mkv', interpolator, start=0.2)
  with av.open(str(tmp_path / 'b.mkv')) as container:
    shown = [(p.pts, p.duration, bytes(p)) for p in container.demux(container.streams.subtitles[0]) if p.size]
  assert shown == [(0, 100, b'Hello')]


def test_a_rate_nearby_is_offered(tmp_path):
  source = coded(tmp_path / 'a.mkv', rgb(map(picture, range(4))))
  assert notes(source, tmp_path / 'b.mp4', fps=50) == ''
  assert '--fps=50 looks like 50.1, and needs the network for 1 of 2 frames' in notes(
    source, tmp_path / 'b.mp4', fps='50.1'
  )


def test_what_a_gif_does_not_hold_is_told(tmp_path, interpolator):
  source = encode(tmp_path / 'a.mp4', map(picture, range(10)), sound=0.4)
  told = notes(source, tmp_path / 'b.gif', fps=100)
  assert 'holds images alone; sound and what else there is are left out' in told
  assert 'holds 50 frames a second at most, not 100' in told
  report = film_tf.interpolate_video(source, tmp_path / 'b.gif', interpolator, fps=100)
  assert any('20 of 40 frames are left out' in note for note in report.notes)


def test_a_limit_of_halvings_is_told_where_it_is_felt(tmp_path):
  source = coded(tmp_path / 'a.mkv', rgb(map(picture, range(4))))
  assert 'gets 32 times between two frames at most' in notes(source, tmp_path / 'b.mp4', slow=64)
  assert notes(source, tmp_path / 'b.mp4', times=7) == ''


def test_seven_halvings_make_127_frames(tmp_path, interpolator, monkeypatch):
  for i in range(2):
    Image.fromarray(picture(8 * i)).save(tmp_path / f'{i}.png')
  calls, at = [], interpolator.bounded.at
  monkeypatch.setattr(interpolator.bounded, 'at', lambda *args: calls.append(1) or at(*args))
  frames = list(film_tf.interpolated_frames([tmp_path / '0.png', tmp_path / '1.png'], interpolator, times=7))
  assert len(frames) == 129
  assert len(calls) == 127


@pytest.mark.slow
@pytest.mark.parametrize('codec', ['libx264', 'libx265', 'libvpx-vp9', 'libsvtav1'])
def test_given_frames_come_through_by_default(tmp_path, interpolator, codec):
  """Noise and sharp edges, as the hardest of 64 real clips has them."""
  random = np.random.default_rng(0)
  grain = random.normal(0, 12, (10, 96, 160, 1))
  pictures = [np.clip(picture(3 * i, 96, 160) + grain[i], 0, 255).astype(np.uint8) for i in range(10)]
  source = coded(tmp_path / 'a.mkv', rgb(pictures), options={'crf': '0'})
  film_tf.interpolate_video(source, tmp_path / 'b.mkv', interpolator, codec=codec)
  given, found = (list(VideoReader(path).frames()) for path in (source, tmp_path / 'b.mkv'))
  errors = [np.mean((a.pixels.astype(float) - b.pixels) ** 2) for a, b in zip(given, found[::2], strict=True)]
  assert 10 * np.log10(255**2 / max(errors)) > 40


@pytest.mark.parametrize('slow', ['2', '5', '0.75'])
def test_sound_is_stretched_where_asked(tmp_path, interpolator, slow):
  def prepare(out, stream):
    out.metadata.update(title='A walk')

  source = with_sound(tmp_path / 'a.mkv', 'flac', prepare=prepare)
  film_tf.interpolate_video(source, tmp_path / 'b.mp4', interpolator, slow=slow, sound='stretch')
  with av.open(str(tmp_path / 'b.mp4')) as container:
    assert container.metadata['title'] == 'A walk'
    heard = sum(frame.samples for frame in container.decode(audio=0)) / 48000
  assert heard == pytest.approx(0.4 * float(slow), abs=0.06 * float(slow))  # its last moment is lost in the filter
  assert '--slow leaves out audio stream 1 (flac)' in notes(source, tmp_path / 'b.mkv', slow=slow)
  assert 'cannot hold stretched audio stream 1' in notes(source, tmp_path / 'b.webm', slow=slow, sound='stretch')
