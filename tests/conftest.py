"""Settings for every test."""

from __future__ import annotations

import os

from hypothesis import settings

# A slow machine is no failure; CI repeats the same cases so that a red run is about the change.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
