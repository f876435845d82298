"""Settings for every test."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.effort import scaled

# A slow machine is not a failure. A red run is about the change, not about luck: the same cases are
# tried each time. `make nightly` looks for new ones.
settings.register_profile("repeat", deadline=None, max_examples=scaled(100), derandomize=True)
settings.register_profile("search", deadline=None, max_examples=scaled(100))
settings.load_profile("search" if os.environ.get("CONVERGEKIT_TEST_SEARCH") else "repeat")

# It changes how Python computes, for tests.processors, and is none of pytest's.
collect_ignore = ["another_machine"]

# Tests of memory ask parts: `tests/parts/everywhere.py`.
pytest_plugins = ["tests.parts.everywhere"] if os.environ.get("CONVERGEKIT_TEST_PARTS") else []
