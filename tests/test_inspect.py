"""The page of `film_tf.inspect`: its numbers, its sliders, its size, on a desk and on a phone."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from film_tf.inspection import explanation, pair
from film_tf.inspection.page import number
from film_tf.model import weights
from tests.conftest import ROOT, assert_user_error, command
from tests.inspection.test_observation import bilateral_network, outputs
from tests.model.test_film_net import load_golden
from tests.pages import PHONE, scrolls_sideways

pytest_plugins = ['tests.browser']
NETWORKS = {'published': lambda: load_golden('narrow_published')[1], 'bilateral': bilateral_network}


@pytest.fixture(scope='session', params=NETWORKS)
def explained(request, tmp_path_factory):
  """A network, two photographs, and the page about them, as a file."""
  net, images = NETWORKS[request.param](), pair.read([str(ROOT / f'eval/samples/cat_{i}.png') for i in (0, 1)])
  path = tmp_path_factory.mktemp('page') / 'page.html'
  path.write_text(explanation.page_of(net, 'a <b>network</b>', images), encoding='utf-8')
  return net, images, path


def test_its_numbers_are_those_of_the_network(explained):
  net, images, path = explained
  text = path.read_text(encoding='utf-8')
  a, b = (image / np.float32(255.0) for image in images.images)
  made = outputs(net, a, b)
  for i, residual in enumerate(made['forward_residual_flow_pyramid']):
    mean = np.linalg.norm(residual[0], axis=-1).mean()
    row = re.search(rf'<tr><th scope="row">level&nbsp;{i}</th>.*?</tr>', text)[0]
    assert re.findall(r'<td>([\d.]+)</td>', row)[::2] == [number(2**i * mean), number(mean)]
  apart, left = (255.0 * np.abs(x - y).mean() for x, y in ((a, b), (made['x0_warped'], made['x1_warped'])))
  told = re.findall(r'A and B differ by ([\d.]+) of 255 on average, and by ([\d.]+) when', ' '.join(text.split()))
  assert told[-1] == (number(apart), number(left))  # of level 0, the last


def test_it_holds_all_that_it_shows(explained):
  """It names nothing that would have to be fetched, and no text of the user's becomes markup."""
  text = explained[2].read_text(encoding='utf-8')
  sources = re.findall(r'\b(?:src|href)="([^"]*)"', text)
  assert len(sources) > 80
  assert all(source.startswith('data:') for source in sources)
  assert 'a &lt;b&gt;network&lt;/b&gt;' in text
  assert '<b>network</b>' not in text
  assert 'nan' not in re.sub(r'"data:[^"]*"', '', text)


def test_small_pictures_are_exact(explained):
  """The coarsest level of A, read back from the page, is what the network had there."""
  net, images, path = explained
  level = net.options.pyramid_levels - 1
  data = re.search(rf'alt="A, level {level}" src="data:image/webp;base64,([^"]+)"', path.read_text(encoding='utf-8'))
  with Image.open(io.BytesIO(base64.b64decode(data[1]))) as image:
    drawn = np.asarray(image.convert('RGB'))
  pyramid = net.image_pyramid((images.images[0] / np.float32(255.0))[np.newaxis])
  np.testing.assert_array_equal(drawn, np.round(255.0 * pyramid[level][0, : drawn.shape[0], : drawn.shape[1]]))


def test_sliders_keys_and_clicks(explained, page):
  net, _, path = explained
  page.goto(f'file://{path}')
  levels, told = page.locator('#levels > .bar input'), page.locator('#levels > .bar output')
  coarsest = net.options.pyramid_levels - 1
  assert told.text_content().startswith(f'level {coarsest}:')
  assert page.locator('#levels > .step:visible').count() == 1
  levels.focus()
  page.keyboard.press('ArrowRight')
  assert told.text_content().startswith(f'level {coarsest - 1}:')
  levels.evaluate('slider => slider.blur()')
  page.keyboard.press('ArrowRight')  # nothing has the focus: it moves what is being read
  assert told.text_content().startswith(f'level {coarsest - 2}:')
  page.locator('#levels > .bar button').first.click()
  assert told.text_content().startswith(f'level {coarsest - 1}:')
  box = levels.bounding_box()
  page.mouse.click(box['x'] + box['width'] - 3, box['y'] + box['height'] / 2)
  assert told.text_content().startswith('level 0:')
  assert page.locator('#levels > .bar button').last.is_disabled()
  page.locator('#time > .bar button').first.click()
  assert page.locator('#time > .bar output').text_content() == 'made, time 0.25'

  wipe = page.locator('.wipe')
  wipe.scroll_into_view_if_needed()
  box = wipe.bounding_box()
  page.mouse.click(box['x'] + box['width'] / 4, box['y'] + box['height'] / 2)
  place = 'wipe => parseFloat(wipe.style.getPropertyValue("--x"))'
  assert abs(wipe.evaluate(place) - 25) < 4
  blink = page.locator('.blink')
  blink.click()
  assert wipe.evaluate(place) == 100
  page.wait_for_timeout(600)
  assert wipe.evaluate(place) == 0
  blink.click()
  assert abs(wipe.evaluate(place) - 25) < 4

  page.locator('#levels .picture > img:visible').first.click()
  assert page.locator('dialog').is_visible()
  page.locator('dialog').click()
  assert not page.locator('dialog').is_visible()
  page.set_viewport_size(PHONE)
  for place in range(coarsest + 1):
    levels.evaluate(f'slider => {{ slider.value = {place}; slider.dispatchEvent(new Event("input")) }}')
    assert not scrolls_sideways(page)


def test_it_can_be_read_without_scripts(explained, chromium):
  quiet = chromium.new_page(java_script_enabled=False)
  quiet.goto(f'file://{explained[2]}')
  assert quiet.locator('#levels > .step:visible').count() == explained[0].options.pyramid_levels
  quiet.close()


@pytest.fixture
def folder(tmp_path, tiny):
  weights.save(tiny, tmp_path / 'net.npz')
  noise = np.random.default_rng(0).integers(0, 256, (50, 70, 4), np.uint8)
  for name, pixels in (('a', noise[..., :3]), ('b', noise[::-1, :, :3]), ('other', noise[1:, :, :3]), ('clear', noise)):
    Image.fromarray(pixels).save(tmp_path / f'{name}.png')
  return tmp_path


@pytest.mark.slow
def test_the_command(folder):
  done = command('film_tf.inspect', 'a.png', 'b.png', '--model=net.npz', '--output=new/page.html', cwd=folder)
  assert done.returncode == 0, done.stderr
  assert done.stdout.strip() == 'new/page.html'
  assert '</html>' in (folder / 'new' / 'page.html').read_text(encoding='utf-8')
  again = command('film_tf.inspect', 'a.png', 'b.png', '--model=net.npz', '--output=new/page.html', cwd=folder)
  assert_user_error(again, 'new/page.html exists already')


@pytest.mark.parametrize(
  ('size', 'small', 'scale'), [((1, 1), (1, 1), 1), ((640, 9), (640, 9), 1), ((3840, 2160), (640, 360), 6)]
)
def test_large_images_are_scaled_down_and_odd_ones_taken(tmp_path, tiny, size, small, scale):
  random = np.random.default_rng(0)
  for name in 'ab':
    pixels = random.integers(0, 256, (*size[::-1], 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / f'{name}.bmp')
  images = pair.read([str(tmp_path / f'{name}.bmp') for name in 'ab'])
  assert images.images[0].shape == (*small[::-1], 3)
  assert (images.size, images.scale) == (size, scale)
  text = explanation.page_of(tiny, 'tiny', images)
  assert len(text) < 10e6
  assert (f'from 3840 x 2160 pixels to 640 x 360: a pixel here is {scale:.2f} of yours' in ' '.join(text.split())) == (
    scale > 1
  )
