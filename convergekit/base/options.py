"""Check what an option was given: a choice, names, or one name for another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from convergekit.base.text import known_characters
from convergekit.errors import ConvergekitError, did_you_mean


def choice(option: str, given: Any, choices: Any) -> None:
    """Raise unless an option was given one of the choices of a ``Literal``.

    Raises
    ------
    ConvergekitError

    Examples
    --------
    >>> from typing import Literal
    >>> choice("mode", "on", Literal["on", "within"])
    >>> choice("mode", "off", Literal["on", "within"])
    Traceback (most recent call last):
    ...
    convergekit.errors.ConvergekitError: mode must be one of 'on', 'within'; got 'off'.
    """
    known = get_args(choices)
    if not isinstance(given, str) or given not in known:
        raise ConvergekitError(
            f"{option} must be one of {', '.join(map(repr, known))}; got {given!r}."
            f"{did_you_mean(given, [one for one in known if isinstance(one, str)])}"
        )


def names_given(option: str, given: Any) -> tuple[str, ...]:
    """Return the names that an option was given: one as one of one, None as none.

    Raises
    ------
    ConvergekitError
        Something given is not text.

    Examples
    --------
    >>> names_given("by", "utm_source"), names_given("by", ["utm_source", "$city"])
    (('utm_source',), ('utm_source', '$city'))
    """
    if given is None:
        return ()
    names = (given,) if isinstance(given, str) else tuple(given) if _is_many(given) else (None,)
    if not all(isinstance(name, str) for name in names):
        raise ConvergekitError(f"{option} must be a name or a list of names; got {given!r}.")
    return tuple(map(known_characters, names))


def pairs_given(option: str, given: Any, example: str) -> dict[str, str]:
    """Return the names that an option maps to others; none for None.

    Raises
    ------
    ConvergekitError
        It is not a mapping, or maps what is not text, or to none.

    Examples
    --------
    >>> pairs_given("alias_from", {"$email": "email"}, "{'$email': 'email'}")
    {'$email': 'email'}
    """
    if given is None:
        return {}
    texts = [*given, *given.values()] if isinstance(given, Mapping) else [None]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise ConvergekitError(
            f"{option} must be a mapping of names, such as {example}; got {given!r}."
        )
    return {known_characters(key): known_characters(value) for key, value in given.items()}


def _is_many(given: Any) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, bytes)
