"""How many random cases a property is tried on.

`CONVERGEKIT_TEST_EFFORT` scales them all: `make test` tries fewer on each of the two paths, and a
night on one machine may try a hundred times as many.
"""

from __future__ import annotations

import os

from hypothesis import settings

EFFORT = float(os.environ.get("CONVERGEKIT_TEST_EFFORT", "1"))


def scaled(number: int) -> int:
    return max(1, round(number * EFFORT))


def tries(number: int, **options) -> settings:
    """Try a property on so many cases, or as many as the effort makes of it."""
    return settings(max_examples=scaled(number), **options)
