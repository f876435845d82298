"""Which texts of an engine stand for nothing, as `convergekit.events.nothing` has it."""

from __future__ import annotations

from typing import Any

from convergekit.engine.backends import Backend
from convergekit.events.nothing import AROUND, ESCAPED_QUOTE, NO_VALUE, PLACEHOLDERS


def is_no_value(backend: Backend, text: Any) -> Any:
    """Return whether a text is not a value of anything, as an expression."""
    return _plain(backend, text).isin(sorted(NO_VALUE))


def is_nobody(backend: Backend, text: Any) -> Any:
    """Return whether a text identifies nobody and nothing, as an expression."""
    plain = _plain(backend, text)
    return plain.isin(sorted(PLACEHOLDERS)) | plain.re_search("^[0-]*$")


def _plain(backend: Backend, text: Any) -> Any:
    text = text.re_replace(ESCAPED_QUOTE, '"')
    return backend.lowered(text.re_replace(f"^[{AROUND}]+|[{AROUND}]+$", ""))
