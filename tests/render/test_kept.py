"""What docs/video.md says is kept, with every container and stream."""

import pytest

from tests.render import kept


@pytest.mark.slow
def test_the_table_is_true_and_nothing_is_lost_unsaid(tmp_path, interpolator):
  cells = kept.matrix(interpolator, tmp_path)
  assert [cell for cell, what in cells.items() if what is None] == []
  assert kept.table(cells) == kept.written()
