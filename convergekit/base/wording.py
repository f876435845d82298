"""Counts and tables as people read them: shares as percentages, no needless decimals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import pandas as pd

from convergekit.visible import visible

_SHARES = frozenset({"share", "reaches", "reaches_as_of", "lost", "lost_as_of", "conversion"})
_PERIODS = {"D": "day", "W": "week", "M": "month", "Q": "quarter", "Y": "year", "h": "hour"}


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return so many of a thing in words.

    Examples
    --------
    >>> counted(1, "event"), counted(1200, "alias", "aliases")
    ('1 event', '1,200 aliases')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def period_word(freq: str) -> str:
    """Return what a period is called.

    Examples
    --------
    >>> period_word("W-SAT"), period_word("2W")
    ('week', 'period')
    """
    return _PERIODS.get(freq.split("-")[0], "period")


def period_name(start: pd.Timestamp, word: str) -> str:
    """Return the short name of the period that begins at a time.

    Examples
    --------
    >>> period_name(pd.Timestamp("2026-03-02"), "week"), period_name(pd.Timestamp("2026"), "month")
    ('2 Mar 2026', 'Jan 2026')
    """
    # Not by `strftime`, which names months in the language that the process is set to.
    month = start.month_name()[:3]
    if word == "year":
        return str(start.year)
    if word == "quarter":
        return f"Q{start.quarter} {start.year}"
    if word == "month":
        return f"{month} {start.year}"
    return f"{start.day} {month} {start.year}" + (f" {start:%H:%M}" if word == "hour" else "")


def in_period(start: pd.Timestamp, word: str) -> str:
    """Return the period that begins at a time as a sentence has it.

    Examples
    --------
    >>> in_period(pd.Timestamp("2026-03-02"), "week"), in_period(pd.Timestamp("2026"), "month")
    ('in the week from 2 Mar 2026', 'in January 2026')
    """
    if word == "month":
        return f"in {start.month_name()} {start.year}"
    name = period_name(start, word)
    if word in ("year", "quarter"):
        return f"in {name}"
    return f"on {name}" if word == "day" else f"in the {word} from {name}"


def capitalised(text: str) -> str:
    """Return a text that begins a sentence.

    Examples
    --------
    >>> capitalised("in March 2026")
    'In March 2026'
    """
    return text[:1].upper() + text[1:]


def percentage(share: float) -> str:
    """Return a share in percent, nothing for none.

    Examples
    --------
    >>> percentage(0.2564), percentage(float("nan"))
    ('25.6%', '')
    """
    return "" if pd.isna(share) else f"{share:.1%}"


def shortened(text: object, most: int) -> str:
    """Return text of so many characters at most, not yet escaped.

    Examples
    --------
    >>> shortened("Started Checkout", 9)
    'Started …'
    """
    text = str(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def shortened_apart(texts: Sequence[object], most: int) -> list[str]:
    """Return texts of so many characters at most, not yet escaped.

    Of those that begin alike, such as addresses, it is the later part that tells them apart.

    Examples
    --------
    >>> shortened_apart(["https://shop.example/tea", "https://shop.example/cups", "Direct"], 12)
    ['…example/tea', '…xample/cups', 'Direct']
    """
    whole = list(map(str, texts))
    cut = [shortened(text, most) for text in whole]
    alike: dict[str, set[str]] = {}
    for short, text in zip(cut, whole, strict=True):
        alike.setdefault(short, set()).add(text)
    apart = []
    for short, text in zip(cut, whole, strict=True):
        if len(alike[short]) > 1 and len(text) > most:
            # What the first and the last by the alphabet begin with, all between them do.
            first, last = min(alike[short]), max(alike[short])
            begin = next(i for i in range(len(last)) if first[i : i + 1] != last[i])
            short = "…" + shortened(text[min(begin, len(text) - most + 1) :], most - 1)
        apart.append(short)
    return apart


def readable_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text, missing values blank.

    Examples
    --------
    >>> readable_table(pd.DataFrame({"events": [1200], "share": [0.256]})).values.tolist()
    [['1,200', '26%']]
    >>> readable_table(pd.DataFrame({"odd": [True, float("inf"), 10**18]}))["odd"].tolist()
    ['True', 'inf', '1,000,000,000,000,000,000']
    """
    return table.apply(lambda column: column.map(_share if column.name in _SHARES else _plain))


def table_text(table: pd.DataFrame) -> str:
    r"""Return the table as text for a terminal, without its index.

    Examples
    --------
    >>> print(table_text(pd.DataFrame({"event_name": ["Paid\x1b[31m"], "events": [1200]})))
      event_name events
    Paid\x1b[31m  1,200
    """
    shown = readable_table(table)
    return shown.map(visible).rename(columns=visible).to_string(index=False)


def _share(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if pd.isna(value) else f"{value:.0%}"


def _plain(value: Any) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    if isinstance(value, bool) or not isinstance(value, (Real, Decimal)):
        return str(value)
    # As a float, an integer of hundreds of digits would be too large.
    if isinstance(value, Integral):
        return f"{value:,}"
    return f"{value:,.0f}" if math.isfinite(value) and value == round(value) else f"{value:,.2f}"
