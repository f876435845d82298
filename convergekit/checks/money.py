"""Find the property that holds the money of a conversion, and the amounts.

A check-up must read amounts that a funnel would refuse: numbers written as text are one of the
things that it looks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.text import as_text
from convergekit.errors import ConvergekitError
from convergekit.events.currencies import (
    by_code,
    check_rates,
    currencies_at,
    currency_columns,
    most_first,
    to_one_currency,
)
from convergekit.events.schema import PROPERTY, missing
from convergekit.events.steps import resolve_column
from convergekit.typing import BoolArray, FloatArray

#: The names under which the sources that convergekit reads send the total of an order.
USUAL_VALUES = (
    "total_price",
    "total",
    "revenue",
    "purchase_revenue",
    "value",
    "amount",
    "order_total",
    "order_value",
    "total_value",
    "total_amount",
    "tr_total",
)


@dataclass(frozen=True)
class Money:
    """Each event's amount.

    Attributes
    ----------
    column : str
    amounts : numpy.ndarray of float
        As they were sent; zero where an event has none, or none that can be read.
    counted : numpy.ndarray of float
        What of these is added up: in one currency, that of most conversions unless rates were
        given; zero in another one.
    foreign : numpy.ndarray of bool
        Where the currency is another one.
    unreadable : numpy.ndarray of bool
        Where there is a value, but no number.
    readable : bool
        Whether any amount can be read.
    codes : pandas.Series of str or None
        Each event's currency; None where no property says any.
    currencies : tuple of str
        The currencies of the conversions with an amount, the one of most of them first.
    currency : str
        That of what is added up; empty if it is not known.
    guessed : bool
        Whether the column was found by its name.
    """

    column: str
    amounts: FloatArray
    counted: FloatArray
    foreign: BoolArray
    unreadable: BoolArray
    readable: bool
    codes: pd.Series | None
    currencies: tuple[str, ...]
    currency: str
    guessed: bool


def find_money(
    events: pd.DataFrame,
    is_conversion: BoolArray,
    value: str | None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
) -> Money | None:
    """Return the events' amounts; None if no property is named and not just one looks like it.

    Raises
    ------
    ColumnError
        No column, or more than one, matches the name `value`.
    ConvergekitError
        The column holds nothing that might be an amount, or a currency has no rate.

    Examples
    --------
    >>> events = pd.DataFrame({"properties.total": ["30.00", "free", None]})
    >>> money = find_money(events, np.ones(3, dtype=bool), None)
    >>> money.column, money.amounts.tolist(), money.unreadable.tolist()
    ('properties.total', [30.0, 0.0, 0.0], [False, True, False])
    """
    check_rates("", currency, rates)
    if value is None:
        guess = _guess(events[is_conversion])
        if guess is None:
            return None
        column = guess
    else:
        column = resolve_column(events, value, option="value")
    numbers = as_numbers(events[column])
    given = ~missing(events[column]).to_numpy(dtype=bool)
    if given.any() and not np.isfinite(numbers).any() and not _holds_digits(events[column]):
        raise ConvergekitError(f"value must name a column of numbers; {column!r} holds none.")
    amounts = np.where(np.isfinite(numbers), numbers, 0.0)
    columns = currency_columns(events)
    if currency is not None:
        columns = [resolve_column(events, currency, option="currency")]
    codes = currencies_at(events, np.arange(len(events)), columns) if columns else None
    # Amounts of zero add nothing, in whatever currency.
    paid = is_conversion & (amounts != 0)
    most = () if codes is None else tuple(most_first(codes[paid]).index)
    counted, foreign = amounts, np.zeros(len(events), dtype=bool)
    code = most[0] if most else ""
    if rates is not None:
        at = np.flatnonzero(is_conversion)
        _, code = to_one_currency(events, at, amounts[at], currency, rates)
        # Copies, and events of other names, are looked at too.
        worth = np.ones(len(events)) if codes is None else codes.map(by_code(rates)).to_numpy()
        foreign = np.isnan(worth)
        counted = np.where(foreign, 0.0, amounts * worth)
    elif codes is not None and len(most) > 1:
        foreign = (codes.notna() & (codes != code)).to_numpy(dtype=bool)
        counted = np.where(foreign, 0.0, amounts)
    return Money(
        column=column,
        amounts=amounts,
        counted=counted,
        foreign=foreign,
        unreadable=given & ~np.isfinite(numbers),
        readable=bool(np.isfinite(numbers).any()),
        codes=codes,
        currencies=most,
        currency=code,
        guessed=value is None,
    )


def _guess(conversions: pd.DataFrame) -> str | None:
    """Return the property that holds the money: the only one, or one that equals all others.

    Where none holds a number, it is the only one of amounts that cannot be read, such as ``12,50``.
    """
    found, unreadable = {}, []
    for column in candidates(conversions):
        numbers = as_numbers(conversions[column])
        if np.isfinite(numbers).any():
            found[column] = numbers
        elif _holds_digits(conversions[column]):
            unreadable.append(column)
    columns = list(found)
    if not columns and len(unreadable) == 1:
        return unreadable[0]
    agree = (np.array_equal(found[columns[0]], found[c], equal_nan=True) for c in columns)
    return columns[0] if columns and all(agree) else None


def _holds_digits(values: pd.Series) -> bool:
    """Return whether an amount may stand in a cell, in whatever spelling."""
    text, _ = as_text(values)
    return bool(text.str.contains(r"[0-9]", regex=True).any())


def candidates(events: pd.DataFrame) -> list[str]:
    """Return the columns whose names are those of an order's total."""
    return _columns(events, USUAL_VALUES)


def as_numbers(values: pd.Series) -> FloatArray:
    """Return the values as numbers, those written as text too; NaN for all else.

    Examples
    --------
    >>> as_numbers(pd.Series([1, "2.5", True, "two", None], dtype=object)).tolist()
    [1.0, 2.5, nan, nan, nan]
    """
    dtype = values.dtype
    nothing = np.full(len(values), np.nan)
    if pd.api.types.is_bool_dtype(dtype) and dtype != object:
        return nothing
    if pd.api.types.is_complex_dtype(dtype):
        return nothing
    if pd.api.types.is_numeric_dtype(dtype):
        return values.to_numpy(dtype="float64", na_value=np.nan)
    text, _ = as_text(values)
    numbers = pd.to_numeric(text.astype(object), errors="coerce")
    return numbers.to_numpy(dtype="float64", na_value=np.nan)


def _columns(events: pd.DataFrame, names: Iterable[str]) -> list[str]:
    # A CSV of orders has a column `currency`, where nested JSON has `properties.currency`.
    named = [column for name in names for column in (PROPERTY + name, name)]
    return [column for column in named if column in events]
