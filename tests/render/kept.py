"""What of a video is kept in which container: real files, and the table of docs/video.md that is made of them.

python -m tests.render.kept    writes the table into docs/video.md
"""

import contextlib
import io
import pathlib
import re
import tempfile
from fractions import Fraction

import av

from film_tf.media.video_reader import VideoReader
from film_tf.render import inputs
from film_tf.render.job import Job
from film_tf.render.outputs import EncodingOptions
from film_tf.render.request import request
from tests.conftest import ROOT, tiny_network
from tests.media.odd import coded, rgb, with_cover, with_sound, with_subtitles
from tests.media.videos import encode, picture

CONTAINERS = ['.mp4', '.mov', '.mkv', '.webm']
PAGE = ROOT / 'docs' / 'video.md'
_TABLE = r'(<!-- kept -->\n)(.*?)(<!-- end -->)'
HDR = 'mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):cll=1000,400'


def frames():
  return rgb(map(picture, range(3)))


def tagged(path):
  def prepare(out, stream):
    out.metadata.update(title='A walk', location='+52.5000+013.4000/', make='Phone')
    stream.metadata.update(title='Main', language='eng')
    stream.disposition = av.stream.Disposition.forced

  return coded(path, frames(), prepare=prepare)


def with_extras(path):
  def prepare(out, stream):
    out.add_attachment('notes.txt', 'text/plain', b'taken on a walk')
    second = Fraction(1, 1000)
    out.set_chapters([{'id': 1, 'start': 0, 'end': 100, 'time_base': second, 'metadata': {'title': 'there'}}])

  return coded(path, frames(), prepare=prepare)


def streams(kind):
  """A function of a path: the names of the codecs of its streams of a kind."""

  def found(path):
    with av.open(str(path)) as container:
      covers = [bool(s.disposition & av.stream.Disposition.attached_pic) for s in container.streams]
      names = [s.codec_context.name if s.codec_context else s.type for s in container.streams]
      kinds = ['cover' if cover else s.type for s, cover in zip(container.streams, covers, strict=True)]
      return [name for name, one in zip(names, kinds, strict=True) if one == kind]

  return found


def of_container(path, what):
  with av.open(str(path)) as container:
    return what(container)


def tag(name):
  return lambda path: of_container(
    path, lambda c: {key.lower(): value.strip('/') for key, value in c.metadata.items()}.get(name)
  )


def of_stream(*names):
  def found(container):
    metadata = container.streams.video[0].metadata
    return next((metadata[name] for name in names if name in metadata), None)

  return lambda path: of_container(path, found)


def of_format(name):
  return lambda path: getattr(VideoReader(path).format, name)


# what: how it is made, and what shows that it is there
FACTS = {
  'sound, AAC': (lambda path: encode(path, map(picture, range(3)), sound=0.2), streams('audio')),
  'sound, FLAC': (lambda path: with_sound(path, 'flac', count=3), streams('audio')),
  'sound, PCM': (lambda path: with_sound(path, 'pcm_s16le', count=3), streams('audio')),
  'sound, AC-3': (lambda path: with_sound(path, 'ac3', count=3), streams('audio')),
  'subtitles, SRT': (lambda path: with_subtitles(path), streams('subtitle')),
  'cover art': (lambda path: with_cover(path, encode(f'{path}.mp4', map(picture, range(3)))), streams('cover')),
  'attachments': (with_extras, streams('attachment')),
  'chapters': (with_extras, lambda path: of_container(path, lambda c: len(c.chapters()))),
  'title': (tagged, tag('title')),
  'place': (tagged, tag('location')),
  'other tags': (tagged, tag('make')),
  "a stream's title": (tagged, of_stream('title', 'name')),
  "a stream's language": (tagged, of_stream('language')),
  'rotation': (lambda path: encode(path, map(picture, range(3)), rotation=90), of_format('rotation')),
  'shape of pixels': (lambda path: encode(path, map(picture, range(3)), aspect=Fraction(4, 3)), of_format('aspect')),
  'HDR metadata': (
    lambda path: coded(path, frames(), 'libx264', 'yuv420p10le', {'x264-params': HDR}),
    of_format('hdr'),
  ),
  '10 bits': (lambda path: coded(path, frames(), 'libx264', 'yuv420p10le'), of_format('bits')),
  '4:4:4': (lambda path: coded(path, frames(), 'libx264', 'yuv444p'), of_format('pixel_format')),
}
SOURCES = {'cover art': '.mp4', 'rotation': '.mp4', 'sound, AAC': '.mp4'}  # others are Matroska


def matrix(interpolator, folder):
  """Returns cells by what is kept and container: kept, converted or reported; None where it is lost unsaid."""
  cells = {}
  for number, (name, (make, found)) in enumerate(FACTS.items()):
    source = pathlib.Path(folder) / f'{number}{SOURCES.get(name, ".mkv")}'
    make(source)
    given = found(source)
    assert given, name
    for suffix in CONTAINERS:
      output, told = pathlib.Path(folder) / f'{number}_{suffix[1:]}{suffix}', io.StringIO()
      with contextlib.redirect_stderr(told):
        job = Job(inputs.find_one([source]), str(output), request(multiply=1), EncodingOptions())
        job.run(interpolator)
      now = found(output)
      said = told.getvalue()
      if now == given:
        cells[name, suffix] = 'kept'
      elif now and isinstance(given, list):
        cells[name, suffix] = f'as {now[0]}'
      else:
        cells[name, suffix] = 'reported' if said else None
  return cells


def table(cells):
  """Returns Markdown."""
  rows = [f'| | {" | ".join(CONTAINERS)} |', f'| --- |{" --- |" * len(CONTAINERS)}']
  rows += [f'| {name} | {" | ".join(str(cells[name, suffix]) for suffix in CONTAINERS)} |' for name in FACTS]
  return '\n'.join(rows) + '\n'


def written():
  """Returns the table that is in the page."""
  return re.search(_TABLE, PAGE.read_text(), re.DOTALL)[2]


if __name__ == '__main__':
  from film_tf.inference.interpolator import Interpolator

  with tempfile.TemporaryDirectory() as place:
    made = table(matrix(Interpolator(tiny_network()), place))
  PAGE.write_text(re.sub(_TABLE, rf'\g<1>{made}\g<3>', PAGE.read_text(), flags=re.DOTALL))
  print(made)
