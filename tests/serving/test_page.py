"""The page in a real browser: two photos become a wipe, a film and downloads."""

import base64
import io

import av
import pytest
from PIL import Image

from film_tf.media import image_file
from tests.serving.client import enlarged, requests, wait_until
from tests.serving.conftest import SAMPLES

pytest_plugins = ['tests.browser']

DESKTOP, PHONE = {'width': 1280, 'height': 900}, {'width': 390, 'height': 844}


def choose_and_make(page, times='3'):
  page.get_by_label('First photo').set_input_files(SAMPLES)
  page.get_by_role('radio', name=times, exact=True).check(force=True)
  page.get_by_role('button', name='Make').click()
  page.get_by_role('heading', name='Compare').wait_for()


def downloaded(page, name) -> bytes:
  with page.expect_download() as download:
    page.get_by_role('link', name=name).click()
  return download.value.path().read_bytes()


@pytest.mark.parametrize('size', [DESKTOP, PHONE], ids=['desktop', 'phone'])
def test_two_photos_become_a_wipe_a_film_and_files(page, server, size):
  page.set_viewport_size(size)
  page.goto(server.url)
  assert page.get_by_role('button', name='Make').is_disabled()
  accepted = page.get_by_label('First photo').get_attribute('accept')
  assert accepted.endswith(',.heic,.heif') == bool(image_file.pillow_heif)  # else telephones send JPEG instead
  choose_and_make(page)
  assert page.evaluate('document.documentElement.scrollWidth') == size['width']

  slider = page.get_by_label('Where one image ends')
  box = page.locator('#wipe').bounding_box()
  at = page.locator('.bar').bounding_box()
  assert at['x'] + at['width'] / 2 == pytest.approx(box['x'] + box['width'] / 2, abs=2)
  slider.focus()
  for _ in range(20):
    page.keyboard.press('ArrowLeft')  # half a percent each
  assert page.locator('.bar').bounding_box()['x'] == pytest.approx(at['x'] - 0.1 * box['width'], abs=2)
  page.mouse.click(box['x'] + 0.75 * box['width'], box['y'] + box['height'] / 2)
  assert float(slider.input_value()) == pytest.approx(75, abs=5)
  assert page.evaluate('[left.naturalWidth, right.naturalWidth]') == [320, 320]

  wait_until(lambda: page.evaluate('film.currentTime > 0 && !film.paused && film.videoWidth === 320'))
  page.get_by_label('Frame 2 of 3').focus()
  page.keyboard.press('ArrowRight')
  assert page.get_by_text('between 3 of 3').is_visible()
  page.get_by_role('radio', name='Between, second').check(force=True)
  assert page.locator('#right').get_attribute('src').endswith('frame_0004.png')

  with Image.open(io.BytesIO(downloaded(page, 'PNG of frame 3'))) as image:
    assert (image.format, image.size) == ('PNG', (320, 208))
  with Image.open(io.BytesIO(downloaded(page, 'GIF'))) as image:
    assert (image.format, image.n_frames) == ('GIF', 5)
  with av.open(io.BytesIO(downloaded(page, 'MP4'))) as film:
    assert len(list(film.decode(video=0))) == 5


DROP = """([content, i]) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0)), transfer = new DataTransfer();
  transfer.items.add(new File([bytes], `${i}.png`, {type: 'image/png'}));
  const event = new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true});
  document.querySelectorAll('.photo')[i].dispatchEvent(event);
}"""


def test_photos_are_dropped_and_the_keyboard_does_the_rest(page, server):
  page.goto(server.url)
  for i in (1, 0):
    page.evaluate(DROP, [base64.b64encode(SAMPLES[i].read_bytes()).decode(), i])
  assert page.locator('.photo img').count() == 2
  page.get_by_role('radio', name='7').focus()
  page.keyboard.press('ArrowLeft')
  page.keyboard.press('Tab')
  page.keyboard.press('Enter')
  page.get_by_text('between 2 of 3').wait_for()
  assert page.evaluate('document.activeElement.id') == 'title'


def test_a_job_is_cancelled(page, server):
  page.goto(server.url)
  photo = {'name': 'a.jpg', 'mimeType': 'image/jpeg', 'buffer': enlarged(SAMPLES[0], (1600, 1040))}
  page.get_by_label('First photo').set_input_files([photo, photo])
  page.get_by_role('radio', name='15').check(force=True)
  page.get_by_role('button', name='Make').click()
  page.get_by_text('of 17 is made').wait_for()
  page.get_by_role('button', name='Cancel').click()
  page.get_by_role('button', name='Cancel').wait_for(state='hidden')
  assert page.get_by_role('button', name='Make').is_enabled()
  assert requests.get(f'{server.url}/healthz', timeout=20).json()['jobs'] == 0


def test_what_is_wrong_is_said(chromium, server):
  """With a page of its own: Chromium's console tells of an answer of 422, too."""
  page = chromium.new_page()
  page.goto(server.url)
  photos = [{'name': 'a.png', 'mimeType': 'image/png', 'buffer': SAMPLES[0].read_bytes()[: 9000 - i]} for i in range(2)]
  page.get_by_label('First photo').set_input_files(photos)
  page.get_by_role('button', name='Make').click()
  alert = page.get_by_role('alert')
  alert.wait_for()
  assert alert.inner_text().startswith('Cannot read image first: image file is truncated')
  page.close()


def test_cancel_while_photos_are_sent_and_a_network_that_fails_for_a_moment(chromium, server):
  page = chromium.new_page()
  page.goto(server.url)
  page.get_by_label('First photo').set_input_files(SAMPLES)
  page.get_by_role('radio', name='1', exact=True).check(force=True)
  page.route('**/api/jobs', lambda route: None)  # never arrives
  make, cancel = (page.get_by_role('button', name=name) for name in ('Make', 'Cancel'))
  make.click()
  page.get_by_text('Sending the photos').wait_for()
  assert page.evaluate('document.activeElement.id') == 'cancel'
  page.keyboard.press('Enter')
  cancel.wait_for(state='hidden')
  assert page.evaluate('document.activeElement.id') == 'make'
  page.unroute('**/api/jobs')
  page.route('**/api/jobs/*', lambda route: route.abort(), times=3)
  make.click()
  page.get_by_role('heading', name='Compare').wait_for()
  page.close()
