"""What tests of readers share."""

from __future__ import annotations

import pytest

from convergekit.readers import formats


@pytest.fixture
def registered():
    """Forget the formats that a test registers."""
    before = dict(formats._registered)
    yield
    formats._registered.clear()
    formats._registered.update(before)
