"""What an option names: one thing, several, or one for another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def pairs_given(option: str, given: Any, example: str) -> dict[str, str]:
    """Return the names that an option maps to others; none for None.

    Raises
    ------
    ConvergekitError
        It is no mapping, or maps what is no text, or to none.

    Examples
    --------
    >>> pairs_given("alias_from", {"$email": "email"}, "{'$email': 'email'}")
    {'$email': 'email'}
    """
    if given is None:
        return {}
    texts = [*given, *given.values()] if isinstance(given, Mapping) else [None]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise ConvergekitError(f"{option}={given!r}: give a mapping of names, such as {example}.")
    return dict(given)


def _is_many(given: Any) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, bytes)
