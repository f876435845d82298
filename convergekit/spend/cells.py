"""Cells of a report to days, numbers and IDs: each distinct cell once, each refusal with a reason.

``1.234`` is a thousand in Germany and little more than one in Britain, ``03/04/2026`` a day in
March or in April. What other cells of the same file prove is taken (``12,50`` has a decimal comma,
``13/04/2026`` begins with the day); where none does, the caller is asked.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.text import INVISIBLE, to_arrow
from convergekit.base.wording import shortened
from convergekit.errors import ReadError
from convergekit.events.money import Amounts, read_amount
from convergekit.events.nothing import is_no_value
from convergekit.readers.own.written import iso_dates
from convergekit.typing import BoolArray, FloatArray

Reasons = npt.NDArray[np.object_]
#: From here on a float does not tell one whole number from the next.
_EXACT = 2**53
_ISO = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?:[T |][0-9].*)?", re.DOTALL)
_ZONED = re.compile(r"[0-9]{4}-.*[0-9]{2}:[0-9]{2}.*?(?: ?UTC|Z|[+-][0-9]{2}:?[0-9]{2})")
_MIDNIGHT = re.compile(r"[T ]00:00(?::00)?(?:\.0*)?(?=[Z+-]| ?UTC)")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_SLASHED = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-][0-9]{4}(?:[T, ].*)?", re.DOTALL)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_FIRST = re.compile(r"(?:[a-z]{3,9},? )?([a-z]{3,9})\.? ([0-9]{1,2}),? ([0-9]{4})")
_DAY_THEN_MONTH = re.compile(r"(?:[a-z]{3,9},? )?([0-9]{1,2}) ([a-z]{3,9})\.? ([0-9]{4})")
_PERIOD = re.compile(r"[0-9]{4}.*\s(?:-|–|—|to)\s.*[0-9]{4}", re.DOTALL)
#: What a float of a whole number is as text: a column with gaps, saved by a program that reads
#: its IDs as numbers.
_FLOAT_ID = re.compile(r"([0-9]+)\.0")
_ROUNDED_ID = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+")
#: Numbers that tell in which language they are written, or that they tell nothing: a shorter way
#: to what `read_amount` makes of them in each.
_TELLING = {
    "": "-?[0-9]+",
    "either": r"-?[0-9]{1,3}[.,][0-9]{3}",
    "en": r"-?[0-9]+\.[0-9]{1,2}|-?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|-?[0-9]{1,3}(?:,[0-9]{3}){2,}",
    "de": r"-?[0-9]+,[0-9]{1,2}|-?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|-?[0-9]{1,3}(?:\.[0-9]{3}){2,}",
}
#: What stands between thousands and before decimals, as patterns; in other languages a space and a
#: comma.
_MARKS = {
    "en": (",", r"\."),
    "ch": ("", r"\."),
    **dict.fromkeys(("da", "de", "es", "it", "nl", "pt"), (r"\.", ",")),
}
#: What Excel is told so that it leaves an ID alone.
_GUARDED = re.compile(r"=\"(.*)\"|'(.*)", re.DOTALL)


def texts_of(column: pd.Series) -> pd.Series:
    """Return cells as text without what surrounds it; missing what says nothing, such as ``--``.

    Cells that are not text stay as they are.

    Examples
    --------
    >>> texts_of(pd.Series([" brand ", "--", 3, None], dtype=object)).tolist()
    ['brand', None, 3, None]
    """

    def plain(cell: Any) -> Any:
        if isinstance(cell, str):
            seen = cell if cell.isascii() else "".join(_seen(cell))
            return seen.strip() or None
        return None if _is_missing(cell) else cell

    # A word for nothing is one also between quotes, as `events.nothing` has it.
    found = _each(column, plain)
    words = np.array([isinstance(cell, str) for cell in found], dtype=bool)
    nothing = np.zeros(len(found), dtype=bool)
    nothing[words] = is_no_value(to_arrow(found[words].astype("str")))
    return found.mask(nothing, None)


def _seen(cell: str) -> Iterator[str]:
    return (one for one in cell if one not in INVISIBLE)


def _is_missing(cell: Any) -> bool:
    return cell is None or bool(pd.api.types.is_scalar(cell) and pd.isna(cell))


def _each(column: pd.Series, of: Callable[[Any], Any]) -> pd.Series:
    """Return what a function makes of each cell, asked once for each distinct one."""
    cells = column.astype(object)
    try:
        codes, distinct = pd.factorize(cells)
    except TypeError:
        # A list or an object in a cell cannot be told from others by its hash.
        return pd.Series([of(cell) for cell in cells], index=column.index, dtype=object)
    made = np.empty(len(distinct) + 1, dtype=object)
    for place, cell in enumerate(distinct):
        made[place] = of(cell)
    return pd.Series(made[codes], index=column.index, dtype=object)


def names_of(column: pd.Series) -> pd.Series:
    """Return cells as names: text, or missing.

    Examples
    --------
    >>> names_of(pd.Series(["brand", 7.0, None], dtype=object)).tolist()
    ['brand', '7', nan]
    """
    return _each(column, lambda cell: cell if cell is None else _name(cell)).astype("str")


def _name(cell: Any) -> str:
    number = _number(cell)
    return str(cell) if number is None or not number.is_integer() else f"{number:.0f}"


def _number(cell: Any) -> float | None:
    """Return a finite number as a float, None of anything else."""
    if isinstance(cell, (bool, np.bool_)):
        return None
    if isinstance(cell, (int, float, Decimal, np.integer, np.floating)):
        return float(cell) if math.isfinite(cell) else None
    return None


def ids_of(column: pd.Series, heading: str, where: str) -> tuple[pd.Series, BoolArray]:
    """Return cells as IDs, and which of them lost digits on their way through a spreadsheet.

    Raises
    ------
    ReadError
        They are floats that do not hold all their digits.

    Examples
    --------
    >>> ids, rounded = ids_of(pd.Series(["17.0", '="18"', "2.3E+17"]), "Ad ID", "ads.csv")
    >>> ids.tolist(), rounded.tolist()
    (['17', '18', nan], [False, False, True])
    """

    def plain(cell: Any) -> Any:
        if isinstance(cell, str):
            guarded = _GUARDED.fullmatch(cell)
            if guarded:
                return guarded[1] or guarded[2]
            number = _FLOAT_ID.fullmatch(cell)
            # Of a larger one the last digits are not those that the ID had.
            exact = number is not None and int(number[1]) < _EXACT
            return number[1] if number is not None and exact else cell
        if isinstance(cell, (float, np.floating)) and abs(float(cell)) >= _EXACT:
            raise ReadError(
                f"{where}: {heading!r} holds floats, which keep 15 digits of an ID. Read it as "
                f"text, such as pd.read_excel(..., dtype={{{heading!r}: str}})."
            )
        if isinstance(cell, (int, np.integer)):
            return str(cell)
        return cell if cell is None else _name(cell)

    found = _each(column, plain).astype("str")
    lost = rf"{_ROUNDED_ID.pattern}|{_FLOAT_ID.pattern}"
    rounded = found.str.fullmatch(lost).fillna(False).to_numpy(dtype=bool)
    return found.mask(rounded), rounded


def language_of(columns: Iterable[pd.Series], where: str) -> Amounts:
    """Return in which language the numbers of a file are written, as its own cells prove it.

    Parameters
    ----------
    columns : iterable of pandas.Series
        Those that hold numbers, as `texts_of` returns them.
    where : str
        What errors call the file.

    Raises
    ------
    ReadError
        A mark may be of decimals or of thousands, or is of both.

    Examples
    --------
    >>> language_of([pd.Series(["12,50", "1.234"])], "kosten.csv")
    'de'
    """
    proof: dict[str, str] = {}
    for texts in map(_distinct_texts, columns):
        told = np.zeros(len(texts), dtype=bool)
        for kind, pattern in _TELLING.items():
            fits = _match(texts, pattern)
            told |= fits
            if fits.any() and kind:
                proof.setdefault(kind, texts[fits].iloc[0])
        for text in texts[~told]:
            read = {one: read_amount(text, one) for one in ("en", "de", "ch")}
            values = {one: found[0] for one, found in read.items() if found is not None}
            if values.keys() >= {"en", "de"}:
                if values["en"] != values["de"]:
                    proof.setdefault("either", text)
            elif values:
                # A language of them that reads it is the one that it is written in.
                proof.setdefault(next(iter(values)), text)
    if "de" in proof and proof.keys() & {"en", "ch"}:
        other = proof.get("en") or proof["ch"]
        raise ReadError(
            f"{where}: {other!r} has a decimal point and {proof['de']!r} a decimal comma. Say in "
            "which language the numbers are written, such as amounts='en' or amounts='de'; the "
            "others are then listed in rejected."
        )
    if "either" in proof and len(proof) == 1:
        raise ReadError(
            f"{where}: {proof['either']!r} may be a thousand or have decimals, and no cell says "
            "which. Say in which language the numbers are written: amounts='en' for a decimal "
            "point, amounts='de' for a decimal comma."
        )
    return "de" if "de" in proof else "ch" if "ch" in proof else "en"


def _distinct_texts(column: pd.Series) -> pd.Series:
    """Return the texts of a column, each once, in the order of the alphabet.

    So the cell that an error names is the same in any order of the rows.
    """
    return pd.Series(sorted({cell for cell in column if isinstance(cell, str)}), dtype="str")


def _match(texts: pd.Series, pattern: str) -> BoolArray:
    found = pc.match_substring_regex(to_arrow(texts), f"^(?:{pattern})$")
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def numbers_of(
    column: pd.Series, amounts: Amounts, name: str
) -> tuple[FloatArray, pd.Series, Reasons]:
    """Return cells as numbers, the currencies that they name, and why some are not numbers.

    Examples
    --------
    >>> values, codes, reasons = numbers_of(pd.Series(["1,234.50", "€3", "3%"]), "en", "clicks")
    >>> values.tolist(), codes.tolist(), reasons.tolist()
    ([1234.5, 3.0, nan], ['', 'EUR', ''], [None, None, "clicks '3%' is not a number"])
    """
    cells = column.astype(object)
    written = np.array([isinstance(cell, str) for cell in cells], dtype=bool)
    values = np.full(len(cells), np.nan)
    signs, reasons = np.full(len(cells), "", dtype=object), np.full(len(cells), None, dtype=object)
    place, distinct = pd.factorize(cells[written].astype("str"))
    numbers, codes, unread = _amounts_of(pd.Series(distinct, dtype="str"), amounts, name)
    values[written], signs[written], reasons[written] = numbers[place], codes[place], unread[place]
    for at in np.flatnonzero(~written & cells.notna().to_numpy()).tolist():
        number = _number(cells.iloc[at])
        if number is None:
            reasons[at] = f"{name} {shortened(cells.iloc[at], 30)!r} is not a number"
        else:
            values[at] = number
    return values, pd.Series(signs, index=column.index, dtype="str"), reasons


def _amounts_of(
    texts: pd.Series, amounts: Amounts, name: str
) -> tuple[FloatArray, Reasons, Reasons]:
    """Return texts as amounts, their currencies, and why some are not amounts."""
    values = np.full(len(texts), np.nan)
    codes, reasons = np.full(len(texts), "", dtype=object), np.full(len(texts), None, dtype=object)
    # Nearly all cells of a report are digits and marks, which Arrow reads by the column. Longer
    # ones than these may be too large for a float.
    group, decimal = _MARKS.get(amounts, ("", ","))
    grouped = (
        f"-?[0-9]{{1,3}}(?:{group}[0-9]{{3}}){{1,4}}(?:{decimal}[0-9]{{1,9}})?|" if group else ""
    )
    digits = _match(texts, f"{grouped}-?[0-9]{{1,15}}(?:{decimal}[0-9]{{1,9}})?")
    plain = to_arrow(texts[digits])
    if decimal == ",":
        plain = pc.replace_substring(pc.replace_substring(plain, ".", ""), ",", ".")
    plain = pc.replace_substring(plain, ",", "")
    values[digits] = plain.cast(pa.float64()).to_numpy(zero_copy_only=False)
    for at in np.flatnonzero(~digits).tolist():
        found = read_amount(texts.iloc[at], amounts)
        if found is None:
            reasons[at] = f"{name} {shortened(texts.iloc[at], 30)!r} is not a number"
        else:
            values[at], codes[at] = found
    return values, codes, reasons


def days_of(column: pd.Series, day_first: bool | None, where: str) -> tuple[pd.Series, Reasons]:
    """Return cells as days, and why some are not days.

    A time behind a day is let go: a row of an hour is of its day.

    Raises
    ------
    ReadError
        Whether the day or the month comes first is not known.

    Examples
    --------
    >>> days, reasons = days_of(pd.Series(["2026-03-02", "13/03/2026", "soon"]), None, "a.csv")
    >>> days.dt.strftime("%Y-%m-%d").tolist(), reasons.tolist()
    (['2026-03-02', '2026-03-13', nan], [None, None, "the date 'soon' cannot be read"])
    """
    if day_first is None:
        day_first = _day_first(column, where)

    def read(cell: Any) -> tuple[Any, str | None]:
        if cell is None:
            return None, "without a date"
        if isinstance(cell, (datetime.date, np.datetime64)):
            return pd.Timestamp(cell).date(), None
        if isinstance(cell, str):
            day = _day(cell, bool(day_first))
            if day is not None:
                return day, None
            if _PERIOD.search(cell):
                return None, f"covers several days: {shortened(cell, 40)}"
        return None, f"the date {shortened(cell, 30)!r} cannot be read"

    found = [(None, "without a date") if one is None else one for one in _each(column, read)]
    days = np.array([one[0] for one in found], dtype="datetime64[D]").astype("datetime64[us]")
    reasons = np.array([one[1] for one in found] + [None], dtype=object)[:-1]
    return pd.Series(days, index=column.index), reasons


def moment_within(column: pd.Series) -> str | None:
    """Return the least cell, as text, that is a moment of a time zone and not a midnight of it.

    In another zone it may be of the day beside: midnight in Berlin is 23:00 of the day before in
    UTC.

    Examples
    --------
    >>> moment_within(pd.Series(["2026-03-02", "2026-03-02T00:00:00Z", "2026-03-01T23:00:00Z"]))
    '2026-03-01T23:00:00Z'
    """
    found = []
    for cell in column.dropna().unique():
        if isinstance(cell, str):
            within = _ZONED.fullmatch(cell) is not None and _MIDNIGHT.search(cell) is None
        else:
            zoned = isinstance(cell, datetime.datetime) and cell.tzinfo is not None
            within = zoned and cell.time() != datetime.time()
        if within:
            found.append(str(cell))
    return min(found, default=None)


def _day_first(column: pd.Series, where: str) -> bool | None:
    """Return whether dates of digits alone begin with the day; None where there are none."""
    slashed = [(text, found) for text in _distinct_texts(column)
               if (found := _SLASHED.fullmatch(text)) is not None]  # fmt: skip
    unclear = [text for text, found in slashed if int(found[1]) != int(found[2])]
    day = [text for text, found in slashed if int(found[1]) > 12]
    month = [text for text, found in slashed if int(found[2]) > 12]
    if day and month:
        raise ReadError(
            f"{where}: {day[0]!r} begins with the day and {month[0]!r} with the month. Say which "
            "is meant, day_first=True or day_first=False; the others are then listed in rejected."
        )
    if unclear and not day and not month:
        raise ReadError(
            f"{where}: {unclear[0]!r} may begin with the day or with the month, and no date says "
            "which. Say day_first=True or day_first=False."
        )
    return bool(day) if slashed else None


def _day(text: str, day_first: bool) -> datetime.date | None:
    if _SLASHED.fullmatch(text):
        text = iso_dates(pd.Series([text], dtype="str"), day_first).iloc[0]
    found = _ISO.fullmatch(text)
    if found is not None:
        parts = found[1], found[3], found[4]
    else:
        compact = _COMPACT.fullmatch(text)
        words = " ".join(text.casefold().split())
        named = _MONTH_FIRST.fullmatch(words), _DAY_THEN_MONTH.fullmatch(words)
        if compact is not None:
            parts = compact[1], compact[2], compact[3]
        elif named[0] is not None:
            parts = named[0][3], _month(named[0][1]), named[0][2]
        elif named[1] is not None:
            parts = named[1][3], _month(named[1][2]), named[1][1]
        else:
            return None
    try:
        return datetime.date(*map(int, parts))
    except ValueError:
        return None


def _month(word: str) -> str:
    """Return the number of a month's English name or its beginning, ``"0"`` of any other word."""
    return str(_MONTHS.index(word[:3]) + 1) if word[:3] in _MONTHS else "0"
