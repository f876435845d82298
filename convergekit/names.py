"""What an option names: one thing, or several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from convergekit.errors import ConvergekitError


def names_given(option: str, given: Any) -> tuple[str, ...]:
    """Return the names that an option was given: one as one of one, None as none.

    Raises
    ------
    ConvergekitError
        Something given is no text.

    Examples
    --------
    >>> names_given("by", "utm_source"), names_given("by", ["utm_source", "$city"])
    (('utm_source',), ('utm_source', '$city'))
    """
    if given is None:
        return ()
    names = (given,) if isinstance(given, str) else tuple(given) if _is_many(given) else (None,)
    if not all(isinstance(name, str) for name in names):
        raise ConvergekitError(f"{option}={given!r}: give a name, or a list of names.")
    return names


def _is_many(given: Any) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, bytes)
