"""Find the property that holds the money of a conversion, and the amounts.

A check-up must read amounts that a funnel would refuse: numbers written as text are one of the
things that it looks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from convergekit.base.text import as_text
from convergekit.errors import ConvergekitError
from convergekit.events.currencies import (
    by_code,
    currencies_at,
    currency_columns,
    refuse_unsaid,
    worth_of_codes,
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
_LARGEST = np.finfo(np.float64).max


@dataclass(frozen=True)
class AskedMoney:
    """Where money is to be looked for, as `check_up` takes it.

    Attributes
    ----------
    value, currency : str or None
    rates : mapping of str to float or None
    """

    value: str | None = None
    currency: str | None = None
    rates: Mapping[str, float] | None = None

    def currency_columns(self, events: pd.DataFrame) -> list[str]:
        """Return the columns that say an event's currency, the likeliest first."""
        if self.currency is not None:
            return [resolve_column(events, self.currency, option="currency")]
        return currency_columns(events)


@dataclass(frozen=True)
class AmountsOfPart:
    """What a part of the events has in a column that may hold the money.

    Attributes
    ----------
    given, readable, digits : bool
        Whether any event has a value in it, a number, and a digit.
    of_conversions : tuple of bool
        Whether any conversion has a number in it, and a digit.
    equal : frozenset of str
        The columns that hold the same numbers on every conversion.
    code_column : str
        The property of currencies; empty if there is none.
    paid, paid_kept, kept : Counter
        How many conversions are in which currency, None where nothing says it: those with an
        amount, dropped copies included; those with an amount; and all.
    unsaid : list of int
        The rows of the conversions with an amount of which nothing says the currency.
    """

    given: bool
    readable: bool
    digits: bool
    of_conversions: tuple[bool, bool]
    equal: frozenset[str]
    code_column: str = ""
    paid: Counter[str | None] = field(default_factory=Counter)
    paid_kept: Counter[str | None] = field(default_factory=Counter)
    kept: Counter[str | None] = field(default_factory=Counter)
    unsaid: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class MoneyOfAll:
    """The property that holds the money, and what its amounts are in.

    Attributes
    ----------
    column : str
    readable : bool
        Whether any amount can be read.
    coded : bool
        Whether a property says currencies.
    currencies : tuple of str
        The currencies of the conversions with an amount, the one of most of them first.
    currency : str
        That of what is added up; empty if it is not known.
    counts : mapping of str to int
        Of how many kept conversions the amount is in which currency, the commonest first.
    foreign : int
        How many conversions are in another currency than what is added up.
    guessed : bool
        Whether the column was found by its name.
    """

    column: str
    readable: bool
    coded: bool
    currencies: tuple[str, ...]
    currency: str
    counts: Mapping[str, int]
    foreign: int
    guessed: bool


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
    codes : pandas.Series of str or None
        Each event's currency; None where no property says any.
    """

    column: str
    amounts: FloatArray
    counted: FloatArray
    foreign: BoolArray
    unreadable: BoolArray
    codes: pd.Series | None


def amounts_of_part(
    events: pd.DataFrame, converting: BoolArray, is_kept: BoolArray, asked: AskedMoney
) -> dict[str, AmountsOfPart]:
    """Return what a part of the events has in each column that may hold the money.

    Raises
    ------
    ColumnError
        No column, or more than one, matches a name.

    Examples
    --------
    >>> events = pd.DataFrame({"row": [0, 1], "properties.total": ["30.00", "free"]})
    >>> every = np.ones(2, dtype=bool)
    >>> found = amounts_of_part(events, every, every, AskedMoney())["properties.total"]
    >>> found.readable, found.code_column, found.kept
    (True, '', Counter())
    """
    if asked.value is None:
        columns = candidates(events.columns)
    else:
        columns = [resolve_column(events, asked.value, option="value")]
    numbers = {column: as_numbers(events[column]) for column in columns}
    of_currency = asked.currency_columns(events) if columns else []
    codes = currencies_at(events, np.arange(len(events)), of_currency) if of_currency else None
    found = {}
    for column in columns:
        mine, finite = numbers[column][converting], np.isfinite(numbers[column])
        cells = events[column]
        equal = (
            other
            for other in columns
            if np.array_equal(mine, numbers[other][converting], equal_nan=True)
        )
        paid = converting & finite & (numbers[column] != 0)
        readable = bool(finite.any())
        counts: dict[str, Counter[str | None]] = {}
        unsaid: list[int] = []
        if codes is not None:
            marks = {"paid": paid, "paid_kept": paid & is_kept, "kept": converting & is_kept}
            counts = {name: _counted(codes, marked) for name, marked in marks.items()}
            unsaid = events["row"][paid & codes.isna().to_numpy()].tolist()
        found[column] = AmountsOfPart(
            given=bool((~missing(cells)).any()),
            readable=readable,
            digits=readable or _holds_digits(cells),
            of_conversions=(
                bool(np.isfinite(mine).any()),
                not np.isfinite(mine).any() and _holds_digits(cells[converting]),
            ),
            equal=frozenset(equal),
            code_column=of_currency[0] if of_currency else "",
            **counts,
            unsaid=unsaid if asked.rates is not None else [],
        )
    return found


def money_of_all(
    parts: Sequence[Mapping[str, AmountsOfPart]], columns: Collection[str], asked: AskedMoney
) -> MoneyOfAll | None:
    """Return which property holds the money; None if no one does.

    Parameters
    ----------
    parts : sequence of mapping
        Of each part, as `amounts_of_part` returns it.
    columns : collection of str
        Those of the events, in their order.
    asked : AskedMoney

    Raises
    ------
    ConvergekitError
        The column holds nothing that might be an amount, or a currency has no rate.
    """
    of_column: dict[str, list[AmountsOfPart]] = {}
    for part in parts:
        for name, found in part.items():
            of_column.setdefault(name, []).append(found)
    if asked.value is None:
        column = _guess({name: of_column[name] for name in candidates(columns)})
        if column is None:
            return None
    else:
        (column,) = of_column
    mine = of_column[column]
    given, readable, digits = (
        any(getattr(one, name) for one in mine) for name in ("given", "readable", "digits")
    )
    code_column = max(one.code_column for one in mine)
    if given and not digits:
        raise ConvergekitError(f"value must name a column of numbers; {column!r} holds none.")
    # Amounts of zero add nothing, in whatever currency.
    paid, paid_kept, kept = (
        sum((getattr(one, name) for one in mine), Counter[str | None]())
        for name in ("paid", "paid_kept", "kept")
    )
    most = tuple(_most_first(paid))
    code, foreign = most[0] if most else "", 0
    if asked.rates is not None:
        rows = sorted(row for one in mine for row in one.unsaid)
        if rows:
            refuse_unsaid(len(rows), f"row {rows[0]}", code_column)
        worth, code = worth_of_codes(most, asked.rates, code_column)
        code = code if paid else ""
        foreign = sum(count for one, count in kept.items() if one not in worth)
    elif len(most) > 1:
        foreign = sum(count for one, count in kept.items() if one not in (None, code))
    return MoneyOfAll(
        column=column,
        readable=readable,
        coded=bool(code_column),
        currencies=most,
        currency=code,
        counts=_most_first(paid_kept),
        foreign=foreign,
        guessed=asked.value is None,
    )


def find_money(conversions: pd.DataFrame) -> MoneyOfAll | None:
    """Return which property holds the money of conversions; None if no one does.

    Examples
    --------
    >>> found = find_money(pd.DataFrame({"row": [0], "properties.total": [30.0]}))
    >>> found.column, found.guessed
    ('properties.total', True)
    """
    asked, every = AskedMoney(), np.ones(len(conversions), dtype=bool)
    found = amounts_of_part(conversions, every, every, asked)
    return money_of_all([found], list(conversions.columns), asked)


def money_of(events: pd.DataFrame, of_all: MoneyOfAll, asked: AskedMoney) -> Money:
    """Return the amounts of events, by what is known of all.

    Examples
    --------
    >>> events = pd.DataFrame({"properties.total": ["30.00", "free", None]})
    >>> of_all = MoneyOfAll("properties.total", True, False, (), "", {}, 0, True)
    >>> money = money_of(events, of_all, AskedMoney())
    >>> money.amounts.tolist(), money.unreadable.tolist()
    ([30.0, 0.0, 0.0], [False, True, False])
    """
    cells = events[of_all.column]
    numbers = as_numbers(cells)
    finite = np.isfinite(numbers)
    amounts = np.where(finite, numbers, 0.0)
    columns = asked.currency_columns(events) if of_all.coded else []
    codes = currencies_at(events, np.arange(len(events)), columns) if columns else None
    counted, foreign = amounts, np.zeros(len(events), dtype=bool)
    if codes is not None and asked.rates is not None:
        worth = codes.map(by_code(asked.rates)).to_numpy(dtype=float)
        foreign = np.isnan(worth)
        converted = np.clip(amounts * worth, -_LARGEST, _LARGEST)
        counted = np.where(foreign, 0.0, converted)
    elif codes is not None and len(of_all.currencies) > 1:
        foreign = (codes.notna() & (codes != of_all.currency)).to_numpy(dtype=bool)
        counted = np.where(foreign, 0.0, amounts)
    return Money(
        column=of_all.column,
        amounts=amounts,
        counted=counted,
        foreign=foreign,
        unreadable=~missing(cells).to_numpy(dtype=bool) & ~finite,
        codes=codes,
    )


def money_of_events(events: pd.DataFrame, converting: BoolArray, asked: AskedMoney) -> Money | None:
    """Return the amounts of events of which all are at hand; None if no property holds them.

    Parameters
    ----------
    events : pandas.DataFrame
        With a column `row`.
    converting : numpy.ndarray of bool
        Whose money counts.
    asked : AskedMoney

    Raises
    ------
    ConvergekitError
        As `money_of_all` does.
    """
    found = amounts_of_part(events, converting, np.ones(len(events), dtype=bool), asked)
    of_all = money_of_all([found], list(events.columns), asked)
    return None if of_all is None else money_of(events, of_all, asked)


def _counted(codes: pd.Series, marked: BoolArray) -> Counter[str | None]:
    counts = codes[marked].value_counts(dropna=False).items()
    return Counter({None if pd.isna(code) else str(code): int(n) for code, n in counts})


def _most_first(counts: Mapping[str | None, int]) -> dict[str, int]:
    known = {code: count for code, count in counts.items() if code is not None}
    return dict(sorted(known.items(), key=lambda item: (-item[1], item[0])))


def _guess(columns: Mapping[str, Sequence[AmountsOfPart]]) -> str | None:
    """Return the property that holds the money: the only one, or one that equals all others.

    Where none holds a number, it is the only one of amounts that cannot be read, such as ``12,50``.
    """
    found = [
        name for name, parts in columns.items() if any(part.of_conversions[0] for part in parts)
    ]
    unreadable = [
        name for name, parts in columns.items() if any(part.of_conversions[1] for part in parts)
    ]
    if not found and len(unreadable) == 1:
        return unreadable[0]
    agree = all(part.equal.issuperset(found) for name in found[:1] for part in columns[name])
    return found[0] if found and agree else None


def _holds_digits(values: pd.Series) -> bool:
    """Return whether an amount may stand in a cell, in whatever spelling."""
    text, _ = as_text(values)
    return bool(text.str.contains(r"[0-9]", regex=True).any())


def candidates(columns: Iterable[str]) -> list[str]:
    """Return the columns whose names are those of an order's total."""
    # A CSV of orders has a column `currency`, where nested JSON has `properties.currency`.
    named = [column for name in USUAL_VALUES for column in (PROPERTY + name, name)]
    there = set(columns)
    return [column for column in named if column in there]


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
