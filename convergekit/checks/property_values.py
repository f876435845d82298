"""Properties that are one thing in some events and another in others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from convergekit.base.wording import counted
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
from convergekit.checks.wording import property_name, quoted, shown
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY, missing
from convergekit.typing import BoolArray, IntArray

_KINDS = ("number", "text", "true or false", "list or object", "something else")


def _counts_of_kinds(tracking: Tracking) -> dict[str, IntArray]:
    """Return how many events have a property of each kind, of those that may have several."""
    found = {}
    for column in tracking.events.columns:
        is_property = column.startswith((PROPERTY, PROFILE_PROPERTY))
        # A column of any narrower type has only values of that type.
        if is_property and tracking.events[column].dtype == object:
            kinds, present = _kinds(tracking, column)
            found[column] = np.bincount(kinds[present], minlength=len(_KINDS))
    return found


def _changing(parts: list[dict[str, IntArray]], whole: Whole) -> dict[str, IntArray]:
    """Return how many events have a property of each kind, of those that have several."""
    found: dict[str, IntArray] = {}
    for part in parts:
        for column, counts in part.items():
            found[column] = found.get(column, 0) + counts
    return {column: counts for column, counts in found.items() if (counts > 0).sum() > 1}


def _kinds(tracking: Tracking, column: str) -> tuple[IntArray, BoolArray]:
    """Return of what kind each value of a property is, and which are there on events that count."""
    cells = tracking.events[column]
    present = tracking.is_kept & ~missing(cells).to_numpy(dtype=bool)
    kind_of = {one: _KINDS.index(_kind(one) or _KINDS[-1]) for one in set(map(type, cells))}
    if len(set(kind_of.values())) < 2:
        only = next(iter(kind_of.values()), 0)
        return np.full(len(cells), only, dtype=np.int64), present
    return np.array([kind_of[type(cell)] for cell in cells], dtype=np.int64), present


def _changing_types(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find properties that are numbers in some events and text, or anything else, in others."""
    for column, counts in tracking.whole.of_checks["changing-type"].items():
        kinds, present = _kinds(tracking, column)
        at = np.flatnonzero(present & (kinds != counts.argmax()))
        yield FoundInPart(at, tracking.worth(at), partial(_values, tracking, column), column)


def _values(tracking: Tracking, column: str, some: IntArray) -> list[str]:
    name = property_name(column)
    return [f"{name} = {shown(cell)}" for cell in tracking.events[column].iloc[some]]


def _kind(found: type) -> str | None:
    if found is type(None):
        return None
    if issubclass(found, bool | np.bool_):
        return "true or false"
    if issubclass(found, str):
        return "text"
    if issubclass(found, list | tuple | dict | set):
        return "list or object"
    named = issubclass(found, int | float | np.number) or found.__name__ == "Decimal"
    return "number" if named else "something else"


def _said_of_changing(found: Together) -> Fault:
    column, money = found.key, found.whole.money
    counts = found.whole.of_checks["changing-type"][column]
    listed = ", ".join(
        f"{kind} in {counted(int(counts[code]), 'event')}"
        for code, kind in sorted(enumerate(_KINDS), key=lambda item: -counts[item[0]])
        if counts[code]
    )
    return Fault(
        "high" if money is not None and column == money.column else "low",
        f"The property {property_name(column)!r} changes its type: {listed}.",
        "A column of mixed types cannot be added up or compared: 9 is neither '9' nor '9.0'.",
        "Send it as one type from every source. Until then convert it before stitching"
        + (f": pd.to_numeric(events[{column!r}])." if counts[0] else "."),
        found.money,
    )


def _no_money(whole: Whole) -> str:
    known = whole.money is not None and whole.names
    return "" if known else "no property of money is known: name it with value="


def _no_codes(whole: Whole) -> str:
    coded = whole.money is not None and whole.money.coded
    return _no_money(whole) or ("" if coded else "no property of currencies is known")


def _unreadable(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find conversions whose amount is not a number."""
    money = tracking.money
    if money is not None:
        at = np.flatnonzero(tracking.is_conversion & money.unreadable)
        # Its amount is not known.
        yield FoundInPart(at, None, partial(_values, tracking, money.column), money.column)


def _said_of_unreadable(found: Together) -> Fault:
    return Fault(
        "high",
        f"The amount {property_name(found.key)!r} of {counted(found.count, 'conversion')} is not "
        "a number.",
        "They count as conversions, but nothing can add them up.",
        "Send a plain number with a point: 12.50, without a currency and without commas. Until "
        "then read them with ck.money before stitching.",
        found.money,
    )


def _several_currencies(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find conversions with amounts in another currency than most."""
    money, of_all = tracking.money, tracking.whole.money
    if money is None or of_all is None or money.codes is None or len(of_all.counts) < 2:
        return
    codes = money.codes.where(tracking.is_conversion & (money.amounts != 0))
    at = np.flatnonzero(codes.notna() & (codes != next(iter(of_all.counts))))
    cells, name = tracking.events[money.column], property_name(money.column)
    yield FoundInPart(
        at,
        tracking.worth(at),
        lambda some: [
            f"{name} = {shown(amount)} {code}"
            for amount, code in zip(cells.iloc[some], codes.iloc[some], strict=True)
        ],
        money.column,
    )


def _said_of_currencies(found: Together) -> Fault:
    counts = {} if found.whole.money is None else found.whole.money.counts
    listed = quoted(f"{code} ({count:,})" for code, count in counts.items())
    return Fault(
        "high",
        f"The amounts of {len(counts)} currencies are in one property, "
        f"{property_name(found.key)!r}: {listed}.",
        "Amounts of several currencies cannot be added up: questions about money are refused.",
        "Send a second property in the currency of the shop, and name that as the value; or "
        "say with currency= and rates= what one of each is worth.",
        found.money,
    )


CHANGING_TYPES = Check(_changing_types, _said_of_changing, learn=_counts_of_kinds, settle=_changing)
UNREADABLE_AMOUNTS = Check(_unreadable, _said_of_unreadable, _no_money)
SEVERAL_CURRENCIES = Check(_several_currencies, _said_of_currencies, _no_codes)
