"""Words that several checks use, and personal values made unreadable in them."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY

_SHOWN = 90
_LISTED = 4

#: An e-mail address in text or, with its at sign escaped, in a URL. It is tried only where a run of
#: its characters begins, so that the time that a long URL takes grows with its length alone.
EMAIL = re.compile(
    r"(?:(?<![\w.%+-])|(?<=%40))(?P<user>(?:[\w.+-]++|%(?!40))++)(?:@|%40)"
    r"(?P<domain>(?:[\w-]{1,63}\.)+(?P<top>[^\W\d_]{2,24}))"
)
#: Digits that may be a card's number, in groups or not.
LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?<!\d\.)\d(?:[ -]?\d){13,18}(?![0-9A-Za-z])")


def quoted(names: Iterable[str]) -> str:
    """Return names in quotes, the first few of many.

    Examples
    --------
    >>> quoted("abcdef")
    "'a', 'b', 'c', 'd' and 2 more"
    """
    listed = [repr(name) for name in names]
    more = f" and {len(listed) - _LISTED:,} more" if len(listed) > _LISTED else ""
    return ", ".join(listed[:_LISTED]) + more


def property_name(column: str) -> str:
    """Return a property's name without what its column adds.

    Examples
    --------
    >>> property_name("properties.$url"), property_name("profile_properties.plan")
    ('$url', 'plan')
    """
    return column.removeprefix(PROFILE_PROPERTY).removeprefix(PROPERTY)


def masked(text: str) -> str:
    """Return text in which no e-mail address and no long number can be read.

    Examples
    --------
    >>> masked("/thanks?mail=ada.abara%40example.com&card=4111 1111 1111 1111")
    '/thanks?mail=a…@example.com&card=…1111'
    """
    return LONG_NUMBER.sub(lambda found: f"…{found[0][-4:]}", without_addresses(text))


def without_addresses(text: str) -> str:
    """Return text in which no e-mail address can be read.

    Examples
    --------
    >>> without_addresses("ada@example.com-20260302100000")
    'a…@example.com-20260302100000'
    """
    return EMAIL.sub(lambda found: f"{found['user'][0]}…@{found['domain']}", text)


def shown(value: object) -> str:
    """Return a value as it is shown: masked, in quotes if it is text, and not too long.

    Examples
    --------
    >>> shown("ada@example.com"), shown(12.5), shown(None)
    ("'a…@example.com'", '12.5', 'nothing')
    """
    if isinstance(value, str):
        return repr(shown_text(value))
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "nothing"
    return _cut(masked(str(value)))


def shown_text(text: str) -> str:
    r"""Return a text as it is shown, without quotes: masked, and not too long.

    Examples
    --------
    >>> shown_text("urn:user_id:SHOP\\ada")
    'urn:user_id:SHOP\\ada'
    """
    # Masked first: half of an address that was cut in two would not be known as one.
    return _cut(masked(text))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
