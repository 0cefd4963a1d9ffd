"""Measures models. film_tf is loaded first: Ctrl-C while a command loads has no traceback then."""

import film_tf as film_tf
