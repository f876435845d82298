"""Amounts that may be thousands, or have three decimals: ``1.234``.

Germany writes a thousand so, and Britain little more than one. Money has two decimals in most
currencies, so that three of them may be a thousand that was read as little more than one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from convergekit.base.text import as_text
from convergekit.base.wording import counted
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.money import as_numbers, candidates
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
from convergekit.checks.wording import property_name, shown
from convergekit.events.currencies import THREE_DECIMALS, currencies_at
from convergekit.events.money import THOUSAND_OR_NOT
from convergekit.events.steps import resolve_column
from convergekit.typing import BoolArray, IntArray

_PLAIN, _UNSURE, _SHORT, _SURE = range(4)
#: A number of more decimals is not an amount that was written.
_CLOSE = 1e-6


def _counts(tracking: Tracking) -> dict[str, IntArray]:
    """Return how many conversions have an amount of each kind, by the columns it may be in."""
    asked = tracking.asked.money
    columns = (
        candidates(tracking.events.columns)
        if asked.value is None
        else [resolve_column(tracking.events, asked.value, option="value")]
    )
    return {
        column: np.bincount(_kinds(tracking, column)[tracking.is_conversion], minlength=4)
        for column in columns
    }


def _unsure_of_all(parts: list[dict[str, IntArray]], whole: Whole) -> bool:
    """Return whether nothing in all amounts says what ``1.234`` is.

    A number has lost the zeros at its end: 1.25 may have been 1.250.
    """
    if whole.money is None:
        return False
    column = whole.money.column
    counts = sum((part[column] for part in parts if column in part), np.zeros(4, dtype=np.int64))
    return bool(counts[_UNSURE] >= 2 and counts[_SHORT] < counts[_UNSURE] and not counts[_SURE])


def _kinds(tracking: Tracking, column: str) -> IntArray:
    """Return of each event whether its amount may be a thousand; whole ones are plain."""
    cells = tracking.events[column]
    kinds = np.where(_are_texts(cells), _of_texts(cells), _of_numbers(cells))
    columns = tracking.asked.money.currency_columns(tracking.events)
    if columns:
        codes = currencies_at(tracking.events, np.arange(len(cells)), columns)
        kinds[codes.isin(THREE_DECIMALS).to_numpy()] = _PLAIN
    return kinds


def _are_texts(cells: pd.Series) -> BoolArray:
    if cells.dtype == object or isinstance(cells.dtype, pd.CategoricalDtype):
        return np.fromiter((isinstance(cell, str) for cell in cells), bool, count=len(cells))
    return np.full(len(cells), pd.api.types.is_string_dtype(cells.dtype))


def _of_texts(cells: pd.Series) -> IntArray:
    text, _ = as_text(cells)
    text = text.astype(object)
    marked = text.str.contains(r"[0-9][.,]|[.,][0-9]", na=False).to_numpy(dtype=bool)
    unsure = text.str.fullmatch(THOUSAND_OR_NOT, na=False).to_numpy(dtype=bool)
    return np.select([unsure, marked], [_UNSURE, _SURE], _PLAIN)


def _of_numbers(cells: pd.Series) -> IntArray:
    numbers = np.abs(as_numbers(cells))
    numbers = np.where(np.isfinite(numbers), numbers, 0.0)
    # Of these, a float of any size is exact enough.
    part = np.where(numbers < 1e9, numbers % 1, 0.0)

    def has(decimals: int) -> BoolArray:
        scaled = part * 10**decimals
        return np.abs(scaled - np.round(scaled)) < _CLOSE

    three = has(3) & ~has(2)
    unsure = three & (numbers >= 1) & (numbers < 1000)
    return np.select([has(0), has(2), unsure], [_PLAIN, _SHORT, _UNSURE], _SURE)


def _found(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find conversions whose amount may be a thousand."""
    money = tracking.money
    if money is None or not tracking.whole.of_checks["thousands-or-decimals"]:
        return
    unsure = _kinds(tracking, money.column) == _UNSURE
    at = np.flatnonzero(tracking.is_conversion & unsure)
    yield FoundInPart(at, tracking.worth(at), partial(_seen, tracking, money.column), money.column)


def _seen(tracking: Tracking, column: str, some: IntArray) -> list[str]:
    name = property_name(column)
    return [f"{name} = {shown(cell)}" for cell in tracking.events[column].iloc[some]]


def _said(found: Together) -> Fault:
    return Fault(
        "high",
        f"{counted(found.count, 'amount')} in {property_name(found.key)!r} may be thousands, or "
        "have three decimals, as 1.234 may; no other amount says which.",
        "Where a thousand was meant, every sum is too small by a factor of 1,000.",
        "Say how the file is written: ck.read_events(..., amounts='de') reads 1.234 as a thousand "
        "and more, amounts='en' as little more than one. Where the numbers are right, nothing is "
        "to be done; currencies of three decimals are told by a property of the currency.",
        found.money,
    )


def _no_money(whole: Whole) -> str:
    known = whole.money is not None and whole.names
    return "" if known else "no property of money is known: name it with value="


THOUSANDS_OR_DECIMALS = Check(_found, _said, _no_money, learn=_counts, settle=_unsure_of_all)
