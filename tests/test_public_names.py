"""The public names of film_tf: type checkers see those that are imported on first use, and only those."""

import ast
import inspect

import film_tf


def test_type_checkers_see_the_lazy_names():
  """The imports under `if TYPE_CHECKING:` say the same as the table, and both the same as `__all__`."""
  tree = ast.parse(inspect.getsource(film_tf))
  (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING')
  imports = {alias.asname or alias.name: f'{node.module}.{alias.name}' for node in block.body for alias in node.names}
  assert imports == film_tf._LAZY
  assert set(film_tf.__all__) == {*film_tf._LAZY, '__version__'}


def test_every_public_name_can_be_imported():
  for name in film_tf.__all__:
    assert getattr(film_tf, name) is not None, name
