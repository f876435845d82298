"""Currencies: where events say them, and how amounts come to be in one.

Amounts of several currencies are never added up: a question that would is refused, until `rates`
say what one of each is worth. Events without a property of currencies are taken to be in one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText
from convergekit.base.text import as_text, to_arrow
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
from convergekit.events.nothing import is_no_value, trimmed
from convergekit.events.schema import PROPERTY
from convergekit.events.steps import resolve_column
from convergekit.typing import BoolArray, FloatArray, IntArray

#: What a property of currencies is called, capitals and signs aside: ``$currency`` is one.
_NAMES = ("currency", "currencycode", "trcurrency")
#: The signs and names of one currency, in upper case.
SIGNS = {
    **{"€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₺": "TRY", "₩": "KRW", "₪": "ILS"},
    **{"₫": "VND", "₴": "UAH", "₦": "NGN", "₱": "PHP", "฿": "THB", "₸": "KZT", "円": "JPY"},
    **{"US$": "USD", "U$S": "USD", "CA$": "CAD", "C$": "CAD", "A$": "AUD", "AU$": "AUD"},
    **{"NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "MX$": "MXN", "R$": "BRL", "NT$": "TWD"},
    **{"EURO": "EUR", "EUROS": "EUR", "ZŁ": "PLN", "KČ": "CZK", "FT": "HUF", "LEI": "RON"},
}

#: Of ISO 4217, those that have three decimals.
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def currency_columns(events: pd.DataFrame) -> list[str]:
    """Return the columns that say an event's currency, the likeliest first.

    Examples
    --------
    >>> currency_columns(pd.DataFrame(columns=["properties.currencyCode", "properties.$currency"]))
    ['properties.$currency', 'properties.currencyCode']
    """
    found = []
    for column in map(str, events.columns):
        name = re.sub("[^a-z]", "", column.removeprefix(PROPERTY).lower())
        if name in _NAMES:
            found.append((_NAMES.index(name), not column.startswith(PROPERTY), column))
    return [column for _, _, column in sorted(found)]


def currency_codes(values: pd.Series) -> pd.Series:
    """Return currencies in one spelling, missing where blank or a word for nothing.

    Examples
    --------
    >>> currency_codes(pd.Series(["eur", "EUR ", "€", "", "undefined"])).tolist()
    ['EUR', 'EUR', 'EUR', nan, nan]
    """
    text, _ = as_text(values)
    numbered = NumberedText.of(text)
    texts = to_arrow(numbered.distinct)
    codes = pd.Series(trimmed(texts), dtype="str").str.upper().replace(SIGNS)
    spelled = numbered.mapped(codes.mask(is_no_value(texts)))
    return spelled.take(np.arange(len(values))).set_axis(values.index)


def currencies_at(events: pd.DataFrame, at: IntArray, columns: Sequence[str]) -> pd.Series:
    """Return the currency of each of the events at these positions: what the first column says.

    Examples
    --------
    >>> events = pd.DataFrame({"currency": ["EUR", None], "currency_code": [None, "usd"]})
    >>> currencies_at(events, np.array([1, 0]), ["currency", "currency_code"]).tolist()
    ['USD', 'EUR']
    """
    codes = pd.Series([np.nan] * len(at), dtype="str")
    for column in columns:
        codes = codes.fillna(currency_codes(pd.Series(events[column].array.take(at))))
    return codes


def most_first(values: pd.Series) -> pd.Series:
    """Return how often each value occurs, the commonest first, ties by the alphabet.

    Examples
    --------
    >>> most_first(pd.Series(["b", "a", "c", "c", None])).to_dict()
    {'c': 2, 'a': 1, 'b': 1}
    """
    return values.value_counts().sort_index().sort_values(ascending=False, kind="stable")


def check_rates(value: str | None, currency: str | None, rates: Mapping[str, float] | None) -> None:
    """Raise unless what was given of amounts and their currency goes together.

    Raises
    ------
    ConvergekitError

    Examples
    --------
    >>> check_rates("total_price", "currency", {"EUR": 1, "USD": 0.9})
    """
    for name, given, lacking, needed in (
        ("currency", currency, "value", value),
        ("rates", rates, "currency", currency),
    ):
        if given is not None and needed is None:
            raise ConvergekitError(f"{name}= needs {lacking}= too; got {name}={given!r} alone.")
    if rates is not None and not isinstance(rates, Mapping):
        raise ConvergekitError(
            f"rates must say what one of each currency is worth, such as {{'EUR': 1, 'USD': "
            f"0.9}}; got {rates!r}."
        )
    for code, rate in (rates or {}).items():
        if not _is_number(rate) or not 0 < float(rate) < np.inf:
            raise ConvergekitError(
                f"rates must give a number above zero for {code!r}; got {rate!r}."
            )
    by_code(rates or {})


def _is_number(value: object) -> bool:
    return isinstance(value, (Real, Decimal)) and not isinstance(value, bool)


def by_code(rates: Mapping[str, float]) -> dict[str, float]:
    """Return rates by currencies in their one spelling.

    Raises
    ------
    ConvergekitError
        A name is not that of a currency, or two of one currency have different rates.

    Examples
    --------
    >>> by_code({" eur": 1})
    {'EUR': 1.0}
    """
    found: dict[str, float] = {}
    for name, code in zip(rates, currency_codes(pd.Series(list(rates), dtype=object)), strict=True):
        if not isinstance(code, str):
            raise ConvergekitError(
                f"rates must name currencies, such as {{'EUR': 1, 'USD': 0.9}}; got {name!r}."
            )
        if found.setdefault(code, float(rates[name])) != float(rates[name]):
            raise ConvergekitError(f"rates must give one rate for {code!r}; got {dict(rates)!r}.")
    return found


def chosen_currency(
    events: pd.DataFrame, at: IntArray, amounts: FloatArray, columns: Sequence[str], code: str
) -> str:
    """Return the condition on the first column that the amounts in a currency meet, in words.

    A condition asks for values as they are spelled.

    Examples
    --------
    >>> events = pd.DataFrame({"properties.currency": ["EUR", "eur", "USD"]})
    >>> chosen_currency(events, np.arange(3), np.ones(3), ["properties.currency"], "EUR")
    "where={'currency': ['EUR', 'eur']}"
    """
    column = events[columns[0]].iloc[at[_paid(amounts)]]
    spelled = sorted({str(cell) for cell in column[currency_codes(column) == code]})
    said = spelled[0] if len(spelled) == 1 else spelled or code
    return f"where={{{columns[0].removeprefix(PROPERTY)!r}: {said!r}}}"


def paid_currencies(events: pd.DataFrame, at: IntArray, amounts: FloatArray) -> pd.Series:
    """Return how many of the events at these positions are in which currency, the commonest first.

    Events without an amount, or with one of zero, add nothing, whatever their currency.
    """
    return most_first(currencies_at(events, at[_paid(amounts)], currency_columns(events)))


def to_one_currency(
    events: pd.DataFrame,
    at: IntArray,
    amounts: FloatArray,
    currency: str | None,
    rates: Mapping[str, float] | None,
    apart: IntArray | None = None,
) -> tuple[FloatArray, str]:
    """Return the amounts in one currency, and which that is; empty if it is not known.

    Parameters
    ----------
    events : pandas.DataFrame
    at : numpy.ndarray of int
        Positions of the events that are to be added up.
    amounts : numpy.ndarray of float
        Theirs; not a number where they have none.
    currency : str, optional
        The property that says it; by default those with a usual name, if there are any.
    rates : mapping of str to float, optional
        What one of each currency is worth.
    apart : numpy.ndarray of int, optional
        Of each event, its group: those of different groups are not added up.

    Raises
    ------
    ColumnError
        No column, or more than one, matches the name.
    ConvergekitError
        Amounts are in several currencies, or in one without a rate, or in none.
    """
    columns = currency_columns(events)
    if currency is not None:
        columns = [resolve_column(events, currency, option="currency")]
    paid = np.flatnonzero(_paid(amounts))
    if not columns or not len(paid):
        return amounts, ""
    codes = currencies_at(events, at[paid], columns)
    unsaid = at[paid[codes.isna().to_numpy()]]
    if currency is not None and len(unsaid):
        refuse_unsaid(len(unsaid), row_of(events, unsaid[0]), columns[0])
    found = most_first(codes)
    if rates is None:
        if _are_several(codes, None if apart is None else apart[paid]):
            where = chosen_currency(events, at, amounts, columns, str(found.index[0]))
            raise ConvergekitError(_several(found, columns[0], currency, where))
        return amounts, str(found.index[0]) if len(found) == 1 else ""
    worth, code = worth_of_codes(list(map(str, found.index)), rates, columns[0])
    converted = amounts.copy()
    converted[paid] *= codes.map(worth).to_numpy(dtype=float)
    return converted, code


def refuse_unsaid(count: int, row: str, column: str) -> None:
    """Raise, because a column of currencies is empty beside so many amounts, the first in a row.

    Raises
    ------
    ConvergekitError
    """
    raise ConvergekitError(
        f"{counted(count, 'amount')} without a currency in {column!r}, the first in {row}. Fill "
        "the column in before stitching, or leave out currency= if all amounts are in one."
    )


def worth_of_codes(
    found: Sequence[str], rates: Mapping[str, float], column: str
) -> tuple[dict[str, float], str]:
    """Return what one of each currency is worth, and in which; empty if that is not known.

    Parameters
    ----------
    found : sequence of str
        The currencies of the amounts.
    rates : mapping of str to float
    column : str
        Where they were found.

    Raises
    ------
    ConvergekitError
        One has no rate.

    Examples
    --------
    >>> worth_of_codes(["USD"], {"EUR": 1, "USD": 0.9}, "currency")
    ({'EUR': 1.0, 'USD': 0.9}, 'EUR')
    """
    worth = by_code(rates)
    lacking = [code for code in found if code not in worth]
    if lacking:
        raise ConvergekitError(
            f"rates must say what one {', '.join(lacking)} is worth too; {column!r} holds "
            "amounts in it."
        )
    base = [code for code, rate in worth.items() if rate == 1]
    return worth, base[0] if len(base) == 1 else ""


def row_of(events: pd.DataFrame, at: int) -> str:
    """Return in words which row of the input an event is."""
    return f"row {events['row'].iloc[at] if 'row' in events else at}"


def _paid(amounts: FloatArray) -> BoolArray:
    return np.nan_to_num(amounts) != 0


def _are_several(codes: pd.Series, apart: IntArray | None) -> bool:
    """Return whether a group has amounts of several currencies."""
    groups = np.zeros(len(codes), dtype=np.int64) if apart is None else apart
    per_group = codes.groupby(groups).nunique()
    return bool((per_group > 1).any())


def _several(found: pd.Series, column: str, currency: str | None, where: str) -> str:
    """Return the error that says which currencies there are, and how to go on."""
    counts = ", ".join(f"{code} ({count:,})" for code, count in found.items())
    example = {code: 1.0 if not place else "..." for place, code in enumerate(found.index)}
    way = f"rates={example}"
    if currency is None:
        short = column.removeprefix(PROPERTY)
        way = f"currency={short!r}, {way}. Or choose those of one with ck.Step(name, {where})"
    return (
        f"amounts of several currencies in {column!r}: {counts}. They cannot be added up; say "
        f"what one of each is worth: {way}."
    )
