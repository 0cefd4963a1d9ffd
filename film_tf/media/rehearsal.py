"""Tries a container: writes one frame and the first packet of every other stream, and reads them again."""

import dataclasses
import os
import tempfile

from film_tf.errors import UserError
from film_tf.media import names, other_streams, video_muxer
from film_tf.media.frame import Frame
from film_tf.media.other_streams import OtherStreams
from film_tf.media.video_encoder import Encoder
from film_tf.streams.video_format import av


def rehearse(path: str, first: Frame, encoder: Encoder, others: OtherStreams | None) -> list[str]:
  """Returns what a video will not hold of where it comes from, for people, before the long work that makes it.

  Args:
    path: of the video, which is not written.
    first: its first frame.
    encoder: that will encode it.
    others: what else is to come along.

  Raises:
    UserError: it cannot be written at all.
  """
  with tempfile.TemporaryDirectory() as folder:
    coded, whole = os.path.join(folder, 'coded.mkv'), os.path.join(folder, f'whole{names.suffix_of(path)}')
    sample = dataclasses.replace(others, sample=True) if others else None
    try:
      with encoder.segment(coded) as writer:
        writer.write(first)
      segment = video_muxer.Segment(coded, [first.time], writer.display_order)
      end = first.time + 1 / encoder.rate
      joined = video_muxer.join(whole, [segment], end, encoder.video_format, encoder.time_base, encoder.rate, sample)
    except UserError as error:
      raise type(error)(error.message.replace(whole, path).replace(coded, path)) from error
    return [*joined.left, *(_lost_tags(whole, others, joined.kept) if others else ())]


def _lost_tags(whole, others, kept):
  with others.video.open() as source, av.open(f'file:{whole}') as out:
    found = {(None, *tag) for tag in _tags(out.metadata)}
    found |= {(stream.type, *tag) for stream in out.streams for tag in _tags(stream.metadata)}
    for key, value in _tags(source.metadata):
      if (None, key, value) not in found and not key.startswith('com.apple.quicktime.location'):
        yield f'cannot hold the tag {key} ({value}); it is left out'
    for index in kept:
      stream = source.streams[index]
      for key, value in _tags(stream.metadata):
        if (stream.type, key, value) not in found and key not in ('creation_time', 'filename', 'mimetype'):
          yield f'cannot hold {key} ({value}) of {stream.type} stream {index}; it is left out'


def _tags(metadata):
  """Returns tags as they compare: a place is written with more or fewer digits."""
  found = [(key.lower(), value) for key, value in other_streams.tags(metadata).items() if value != 'und']
  return [(key, '' if key.startswith('location') else value) for key, value in found]
