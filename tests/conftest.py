"""Settings for every test."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.effort import scaled

# A slow machine is no failure; CI repeats the same cases so that a red run is about the change.
settings.register_profile("local", deadline=None, max_examples=scaled(100))
settings.register_profile("ci", deadline=None, max_examples=scaled(100), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# It changes how Python computes, for tests.processors, and is none of pytest's.
collect_ignore = ["another_machine"]
