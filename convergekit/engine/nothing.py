"""Which texts of an engine stand for nothing, as `convergekit.events.nothing` has it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from convergekit.engine.backends import Backend
from convergekit.events.nothing import (
    AROUND,
    ESCAPED_QUOTE,
    NO_VALUE,
    PLACEHOLDERS,
    TEMPLATE,
)

#: With a backslash.
_OR_ESCAPED = AROUND + "\\\\"


def is_no_value(backend: Backend, text: Any) -> Any:
    """Return whether a text is not a value of anything, as an expression."""
    plain = _plain(backend, text)
    return _is_one_of(plain, NO_VALUE) | plain.re_search(TEMPLATE)


def is_nobody(backend: Backend, text: Any) -> Any:
    """Return whether a text identifies nobody and nothing, as an expression."""
    plain = _plain(backend, text)
    return _is_one_of(plain, PLACEHOLDERS) | plain.re_search("^[0-]*$") | plain.re_search(TEMPLATE)


def _is_one_of(plain: Any, words: Collection[str]) -> Any:
    unescaped = plain.re_replace(f"^[{_OR_ESCAPED}]+|[{_OR_ESCAPED}]+$", "")
    listed = sorted(words)
    return plain.isin(listed) | (unescaped.isin(listed) & (unescaped != ""))


def _plain(backend: Backend, text: Any) -> Any:
    text = text.re_replace(ESCAPED_QUOTE, '"')
    return backend.lowered(text.re_replace(f"^[{AROUND}]+|[{AROUND}]+$", ""))
