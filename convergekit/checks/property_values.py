"""Properties that are one thing in some events and another in others."""

from __future__ import annotations

import numpy as np

from convergekit.base.wording import counted
from convergekit.checks.fault import Fault, NotChecked
from convergekit.checks.tracking import Tracking
from convergekit.checks.wording import property_name, quoted, shown
from convergekit.events.currencies import most_first
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY, missing

_KINDS = ("number", "text", "true or false", "list or object", "something else")


def changing_types(tracking: Tracking) -> list[Fault]:
    """Find properties that are numbers in some events and text, or anything else, in others."""
    faults = []
    for column in tracking.events.columns:
        is_property = column.startswith((PROPERTY, PROFILE_PROPERTY))
        # A column of any narrower type has only values of that type.
        if not is_property or tracking.events[column].dtype != object:
            continue
        cells = tracking.events[column]
        types = set(map(type, cells))
        if len({_kind(found) for found in types} - {None}) < 2:
            continue
        kinds = np.array([_KINDS.index(_kind(type(cell)) or _KINDS[-1]) for cell in cells])
        present = tracking.is_kept & ~missing(cells).to_numpy(dtype=bool)
        counts = np.bincount(kinds[present], minlength=len(_KINDS))
        if (counts > 0).sum() < 2:
            continue
        at = np.flatnonzero(present & (kinds != counts.argmax()))
        faults.append(_changing(tracking, column, counts, at))
    return faults


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


def _changing(tracking: Tracking, column: str, counts: np.ndarray, at: np.ndarray) -> Fault:
    name = property_name(column)
    is_value = tracking.money is not None and column == tracking.money.column
    listed = ", ".join(
        f"{kind} in {counted(int(counts[code]), 'event')}"
        for code, kind in sorted(enumerate(_KINDS), key=lambda item: -counts[item[0]])
        if counts[code]
    )
    return Fault(
        "high" if is_value else "low",
        f"The property {name!r} changes its type: {listed}.",
        "A column of mixed types cannot be added up or compared: 9 is neither '9' nor '9.0'.",
        "Send it as one type from every source. Until then convert it before stitching"
        + (f": pd.to_numeric(events[{column!r}])." if counts[0] else "."),
        at,
        tracking.worth(at),
        lambda some: [f"{name} = {shown(cell)}" for cell in tracking.events[column].iloc[some]],
    )


def unreadable_amounts(tracking: Tracking) -> list[Fault] | NotChecked:
    """Find conversions whose amount is not a number."""
    money = tracking.money
    if money is None or not tracking.names:
        return NotChecked("no property of money is known: name it with value=")
    at = np.flatnonzero(tracking.is_conversion & money.unreadable)
    if not len(at):
        return []
    name = property_name(money.column)
    # Its amount is not known.
    return [
        Fault(
            "high",
            f"The amount {name!r} of {counted(len(at), 'conversion')} is not a number.",
            "They count as conversions, but nothing can add them up.",
            "Send a plain number with a point: 12.50, without a currency and without commas. Until "
            "then read them with ck.money before stitching.",
            at,
            None,
            lambda some: [
                f"{name} = {shown(cell)}" for cell in tracking.events[money.column].iloc[some]
            ],
        )
    ]


def several_currencies(tracking: Tracking) -> list[Fault] | NotChecked:
    """Find conversions with amounts in another currency than most."""
    money = tracking.money
    if money is None or not tracking.names:
        return NotChecked("no property of money is known: name it with value=")
    if money.codes is None:
        return NotChecked("no property of currencies is known")
    codes = money.codes.where(tracking.is_conversion & (money.amounts != 0))
    counts = most_first(codes)
    if len(counts) < 2:
        return []
    at = np.flatnonzero(codes.notna() & (codes != counts.index[0]))
    listed = quoted(f"{code} ({count:,})" for code, count in counts.items())
    return [
        Fault(
            "high",
            f"The amounts of {len(counts)} currencies are in one property, "
            f"{property_name(money.column)!r}: {listed}.",
            "Amounts of several currencies cannot be added up: questions about money are refused.",
            "Send a second property in the currency of the shop, and name that as the value; or "
            "say with currency= and rates= what one of each is worth.",
            at,
            tracking.worth(at),
            lambda some: [
                f"{property_name(money.column)} = {shown(amount)} {code}"
                for amount, code in zip(
                    tracking.events[money.column].iloc[some], codes.iloc[some], strict=True
                )
            ],
        )
    ]
