"""Animated images, real files."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from film_tf.errors import UserError
from film_tf.media import animation


def pictures(count, channels=3):
  ramp = np.linspace(0, 255, 30).astype(int)
  return [
    np.broadcast_to((ramp + 40 * i)[:, np.newaxis] % 256, (20, 30, channels)).astype(np.uint8) for i in range(count)
  ]


@pytest.mark.parametrize('name', ['a.gif', 'a.webp'])
def test_write_then_read(name, tmp_path):
  times = [Fraction(i, 30) for i in range(6)]
  animation.write(tmp_path / name, pictures(5), times)
  found = list(animation.read(tmp_path / name))
  assert animation.length(tmp_path / name) == 5
  unit = Fraction(1, 100) if name == 'a.gif' else Fraction(1, 1000)
  for frame, image, time in zip(found, pictures(5), times, strict=False):
    assert abs(frame.time - time) <= unit / 2
    assert np.abs(frame.pixels.astype(int) - image).mean() < 4
  with Image.open(tmp_path / name) as image:
    assert image.info['loop'] == 0


def test_times_do_not_drift(tmp_path):
  """A hundred frames of 1/30 s: each is 3 or 4 hundredths, all of them 3.33 s."""
  animation.write(tmp_path / 'a.gif', pictures(100), [Fraction(i, 30) for i in range(101)])
  last = list(animation.read(tmp_path / 'a.gif'))[-1]
  assert last.time + last.duration == Fraction(333, 100)


def test_transparency_comes_and_goes(tmp_path):
  images = [np.dstack([image, np.where(np.arange(30) < 10 + i, 255, 0) * np.ones((20, 1))]).astype(np.uint8)
            for i, image in enumerate(pictures(3))]  # fmt: skip
  for name in ('a.gif', 'a.webp'):
    animation.write(tmp_path / name, images, [Fraction(i, 10) for i in range(4)])
    for frame, image in zip(animation.read(tmp_path / name), images, strict=True):
      np.testing.assert_array_equal(frame.pixels[..., 3], image[..., 3])


def test_what_is_no_animation(tmp_path):
  Image.fromarray(pictures(1)[0]).save(tmp_path / 'still.gif')
  assert animation.length(tmp_path / 'still.gif') == 1
  (tmp_path / 'text.gif').write_text('text')
  assert animation.length(tmp_path / 'text.gif') == animation.length(tmp_path / 'none.gif') == 0
  animation.write(tmp_path / 'a.webp', pictures(5), [Fraction(i, 10) for i in range(6)])
  data = (tmp_path / 'a.webp').read_bytes()
  (tmp_path / 'cut.webp').write_bytes(data[: len(data) * 2 // 3])
  with pytest.raises(UserError, match=r'cut\.webp'):
    list(animation.read(tmp_path / 'cut.webp'))


def test_a_transparent_animation_leaves_no_trails(tmp_path):
  """A disc that moves: where it was, nothing is left."""
  y, x = np.mgrid[:20, :30]
  alphas = [np.where((x - 5 - 4 * i) ** 2 + (y - 10) ** 2 < 16, 255, 0) for i in range(5)]
  images = [np.dstack([np.full((20, 30, 3), 200), alpha]).astype(np.uint8) for alpha in alphas]
  animation.write(tmp_path / 'a.gif', images, [Fraction(i, 10) for i in range(6)])
  for frame, alpha in zip(animation.read(tmp_path / 'a.gif'), alphas, strict=True):
    np.testing.assert_array_equal(frame.pixels[..., 3], alpha)
  with Image.open(tmp_path / 'a.gif') as image:
    image.seek(1)
    assert image.disposal_method == 2


@pytest.mark.parametrize('rate', [60, 75, 120, 240])
def test_what_comes_too_fast_for_a_gif_is_left_out_and_the_length_stays(tmp_path, rate):
  left = animation.write(tmp_path / 'a.gif', pictures(rate), [Fraction(i, rate) for i in range(rate + 1)])
  found = list(animation.read(tmp_path / 'a.gif'))
  assert len(found) == rate - left <= 50
  assert found[-1].time + found[-1].duration == 1
  assert min(frame.duration for frame in found) >= Fraction(1, 50)


@pytest.mark.parametrize('name', ['a.gif', 'a.webp'])
@pytest.mark.parametrize('repeats', [None, 0, 3])
def test_an_animation_repeats_as_often_as_it_did(tmp_path, name, repeats):
  animation.write(tmp_path / name, pictures(3), [Fraction(i, 10) for i in range(4)], repeats=repeats)
  assert animation.repeats(tmp_path / name) == repeats


def test_formats_count_how_often_differently(tmp_path):
  for name, repeats, said in (('a.gif', 3, 3), ('a.webp', 3, 4), ('b.webp', None, 1), ('c.webp', 0, 0)):
    animation.write(tmp_path / name, pictures(3), [Fraction(i, 10) for i in range(4)], repeats=repeats)
    with Image.open(tmp_path / name) as image:
      assert image.info['loop'] == said
  first, *others = map(Image.fromarray, pictures(3))
  for plays, repeats in ((0, 0), (1, None), (4, 3)):
    first.save(tmp_path / 'a.png', save_all=True, append_images=others, loop=plays)
    assert animation.repeats(tmp_path / 'a.png') == repeats
