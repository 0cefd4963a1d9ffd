"""What tests of pages share."""

PHONE = {'width': 390, 'height': 844}


def scrolls_sideways(page) -> bool:
  """Returns whether a page is wider than its window."""
  return page.evaluate('document.documentElement.scrollWidth > innerWidth')
