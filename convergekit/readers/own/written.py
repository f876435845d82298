"""Dates and amounts as people write them: read only in the way that the caller says.

``01/02/2026`` is in January or in February, ``1.234`` a thousand or little more than one: no
column says which, so nothing here guesses.
"""

from __future__ import annotations

import re

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.text import to_arrow
from convergekit.base.threads import with_columns
from convergekit.errors import ConvergekitError
from convergekit.events.money import Amounts, money
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY

_DAY, _MONTH, _YEAR = "(0?[1-9]|[12][0-9]|3[01])", "(0?[1-9]|1[0-2])", "([0-9]{4})"
_MARK = "[/.-]"
_TIME = r"(?:[T,\s]+([0-9]{1,2}:[0-9]{2}.*))?"
#: Of an amount, and not of any number: a decimal mark, a sign of currency, groups of digits. With a
#: decimal comma, and with a point.
_OF_AMOUNT = {
    True: r"[^0-9.\s-]|[0-9]\.[0-9]{3}(?![0-9])",
    False: r"[^0-9,\s-]|[0-9],[0-9]{3}(?![0-9])",
}
#: So many cells tell most texts from amounts.
_LOOKED_AT = 20
_DECIMAL_COMMA = frozenset({"da", "de", "es", "it", "nl", "pt", "cs", "fi", "fr", "nb", "pl", "sv"})
#: Numbers that are names: they begin with a zero, or have more digits than a float keeps.
_IS_NAME = r"^\s*[+-]?0[0-9]|[0-9](?:[^0-9]?[0-9]){15}"


def with_dates(frame: pd.DataFrame, day_first: bool | None) -> pd.DataFrame:
    """Return canonical rows whose times of digits alone are written as ISO 8601 has them.

    Parameters
    ----------
    frame : pandas.DataFrame
    day_first : bool or None
        Whether ``01/02/2026`` is in February; None leaves such dates as they are.

    Examples
    --------
    >>> frame = pd.DataFrame({"timestamp": ["1/2/2026 9:05", "2026-02-01", "13/13/2026"]})
    >>> with_dates(frame, True)["timestamp"].tolist()
    ['2026-02-01 09:05', '2026-02-01', '13/13/2026']
    """
    if day_first is None:
        return frame
    names = [n for n in ("timestamp", "received_at") if n in frame and frame[n].dtype == "str"]
    return with_columns(frame, {name: iso_dates(frame[name], day_first) for name in names})


def iso_dates(column: pd.Series, day_first: bool) -> pd.Series:
    """Return texts of which those that are dates of digits alone are written as ISO 8601 has them.

    Examples
    --------
    >>> iso_dates(pd.Series(["1/2/2026", "2026-02-01"], dtype="str"), False).tolist()
    ['2026-01-02', '2026-02-01']
    """
    day, month = (_DAY, _MONTH) if day_first else (_MONTH, _DAY)
    form = re.compile(rf"\s*{day}{_MARK}{month}{_MARK}{_YEAR}{_TIME}\s*")
    texts = to_arrow(column)
    slashed = pc.match_substring_regex(texts, rf"^\s*[0-9]{{1,2}}{_MARK}[0-9]{{1,2}}{_MARK}")
    if not pc.any(slashed).as_py():
        return column
    # A day has few forms and a second has one: each text once.
    words = pc.dictionary_encode(texts)
    words = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
    found = [
        _written(form.fullmatch(word), day_first) or word for word in words.dictionary.to_pylist()
    ]
    again = pa.array(found, type=pa.large_string()).take(words.indices)
    return pd.Series(again, dtype="str", index=column.index)


def _written(found: re.Match[str] | None, day_first: bool) -> str | None:
    if found is None:
        return None
    one, two, year, time = found.groups()
    day, month = (one, two) if day_first else (two, one)
    return f"{year}-{month:0>2}-{day:0>2}{' ' + _time(time) if time else ''}"


def _time(text: str) -> str:
    """Return a time with two digits for the hour, of 24."""
    hour, _, rest = text.partition(":")
    half = re.fullmatch(r"(.*?)\s*([AaPp])\.?[Mm]\.?", rest)
    if half is None or not 1 <= int(hour) <= 12:
        return f"{hour:0>2}:{rest}"
    return f"{int(hour) % 12 + 12 * (half[2] in 'Pp'):02}:{half[1]}"


def with_amounts(frame: pd.DataFrame, amounts: Amounts | None) -> pd.DataFrame:
    """Return canonical rows whose properties are numbers where all their texts are amounts.

    Parameters
    ----------
    frame : pandas.DataFrame
    amounts : str or None
        The language in which amounts are written, as `money` takes it.

    Examples
    --------
    >>> frame = pd.DataFrame({"properties.total": ["1.234,50", "12,00 €"],
    ...                       "properties.note": ["12,50", "gift"], "properties.no": ["7", "8"]})
    >>> {name: column.tolist() for name, column in with_amounts(frame, "de").items()}
    {'properties.total': [1234.5, 12.0], 'properties.note': ['12,50', 'gift'],
     'properties.no': ['7', '8']}
    """
    if amounts is None:
        return frame
    changed = {}
    for name, column in frame.items():
        if str(name).startswith((PROPERTY, PROFILE_PROPERTY)) and column.dtype == "str":
            read = _amounts(column, amounts)
            if read is not None:
                changed[str(name)] = read
    return with_columns(frame, changed)


def _amounts(column: pd.Series, amounts: Amounts) -> pd.Series | None:
    texts = column.dropna()
    sign = _OF_AMOUNT[amounts in _DECIMAL_COMMA]
    try:
        money(texts.head(_LOOKED_AT), amounts=amounts)
        if not texts.str.contains(sign).any() or texts.str.contains(_IS_NAME).any():
            return None
        return money(column, amounts=amounts)["amount"]
    except ConvergekitError:
        # Not a column of amounts.
        return None
