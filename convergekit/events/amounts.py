"""The events of one name: which they are, what they reach, and their amounts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError, UnknownNameError, what_there_is
from convergekit.events.currencies import check_rates, row_of, to_one_currency
from convergekit.events.steps import (
    EventNames,
    StepLike,
    as_steps,
    is_known,
    known_names,
    resolve_column,
    tracked,
)
from convergekit.typing import FloatArray, IntArray

_NOTHING = (type(None), type(pd.NA), type(pd.NaT))
# A longer text in an amount's place is not shown: it may be anything.
_LONGEST_AMOUNT = 40
# The last mark, before one or two digits or after the other mark, is the decimal one.
_COMMA_IS_DECIMAL = re.compile(r"\.[^,]*,\d|^[^.]*,\d{1,2}(?!\d)")
_MARKS_BOTH = re.compile(r"\.[^,]*,\d|,[^.]*\.\d|[.,]\d{1,2}(?!\d)")


def events_named(events: pd.DataFrame, step: StepLike) -> IntArray:
    """Return the positions of the events that a step is filled by, identify calls left out.

    Parameters
    ----------
    events : pandas.DataFrame
    step : str, sequence of str, or Step
        A name, several of which any will do, or ``ck.Step(name, where=...)``.

    Raises
    ------
    UnknownNameError
        There are events, but none of a name, nor of the whole of which they are a segment.

    Examples
    --------
    >>> events_named(pd.DataFrame({"event_name": ["PageView", "Placed Order"]}), "Placed Order")
    array([1])
    """
    (chosen,) = as_steps([step])
    if chosen.optional:
        raise ConvergekitError(
            f"{chosen.title!r} must not be optional here: only a funnel has steps that may be left "
            "out. Leave out optional=True."
        )
    named = np.zeros(len(events), dtype=bool)
    for name in chosen.names:
        of_name = (events["event_name"] == name).to_numpy(dtype=bool) & tracked(events)
        if len(events) and not of_name.any() and not is_known(events, name):
            names = sorted(map(str, known_names(events)))
            raise UnknownNameError(
                f"no event is named {name!r}. {what_there_is(names, name, none='no names')}"
            )
        named |= of_name
    if chosen.where is not None:
        return np.flatnonzero(EventNames(events).matching(chosen.names, chosen.where, chosen.title))
    return np.flatnonzero(named)


def amounts_at(events: pd.DataFrame, at: IntArray, value: str) -> FloatArray:
    """Return the amounts of the events at these positions, not a number where they have none.

    Raises
    ------
    ColumnError
        No column, or more than one, matches the name.
    ConvergekitError
        The column holds something else than numbers, or one of these amounts is infinite.

    Examples
    --------
    >>> events = pd.DataFrame({"properties.total_price": [30.0, None, 12.0]})
    >>> amounts_at(events, np.array([0, 1]), "total_price")
    array([30., nan])
    """
    column = resolve_column(events, value, option="value")
    found = numbers_in(events[column], at)
    if found is None:
        raise ConvergekitError(_not_numbers(events, at, column))
    infinite = at[np.isinf(found)]
    if len(infinite):
        raise ConvergekitError(
            f"value={value!r}: {counted(len(infinite), 'event has', 'events have')} an infinite "
            f"amount, the first in {row_of(events, infinite[0])}. Correct it, or leave such events "
            "out with ck.Step(name, where=...)."
        )
    return found


def summed_amounts(
    events: pd.DataFrame,
    at: IntArray,
    value: str,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    *,
    apart: IntArray | None = None,
) -> FloatArray:
    """Return the amounts of events that are to be added up, zero where they have none.

    Parameters
    ----------
    events : pandas.DataFrame
    at : numpy.ndarray of int
        Positions of the events.
    value : str
    currency, rates
        As `Stitched.customers` takes them.
    apart : numpy.ndarray of int, optional
        Of each event, its group: those of different groups are not added up.

    Raises
    ------
    ColumnError
        No column, or more than one, matches a name.
    ConvergekitError
        The amounts are not numbers, or infinite, or of several currencies.

    Examples
    --------
    >>> events = pd.DataFrame({"total": [30.0, 10.0, None], "currency": ["EUR", "USD", "USD"]})
    >>> summed_amounts(events, np.array([0, 2]), "total")
    array([30.,  0.])
    >>> summed_amounts(events, np.arange(3), "total", "currency", {"EUR": 1, "USD": 0.9})
    array([30.,  9.,  0.])
    """
    check_rates(value, currency, rates)
    found, _ = to_one_currency(events, at, amounts_at(events, at, value), currency, rates, apart)
    return np.nan_to_num(found)


def numbers_in(values: pd.Series, at: IntArray) -> FloatArray | None:
    """Return the numbers at these positions, or None if the column holds something else too.

    A column of Python objects is one of numbers if all of them are, `decimal.Decimal` included.

    Examples
    --------
    >>> numbers_in(pd.Series([Decimal("1.5"), 2, None], dtype=object), np.arange(3))
    array([1.5, 2. , nan])
    >>> numbers_in(pd.Series([1, "2"], dtype=object), np.arange(1)) is None
    True
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        kinds = pd.Series(values.cat.categories)
        found = numbers_in(kinds, np.arange(len(kinds)))
        return None if found is None else np.append(found, np.nan)[values.cat.codes.to_numpy()[at]]
    cells = values.iloc[at]
    if values.dtype == object:
        if not all(map(_is_of_numbers, set(map(type, values)))):
            return None
        return np.fromiter(map(_as_float, cells), dtype=np.float64, count=len(cells))
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return None
    return cells.to_numpy(dtype="float64", na_value=np.nan)


def _is_of_numbers(kind: type) -> bool:
    return issubclass(kind, _NOTHING) or (
        issubclass(kind, (Real, Decimal)) and not issubclass(kind, bool)
    )


def _as_float(cell: Any) -> float:
    if isinstance(cell, _NOTHING):
        return math.nan
    try:
        return float(cell)
    except OverflowError:
        return math.inf if cell > 0 else -math.inf
    except ValueError:
        # A signalling NaN of `decimal`.
        return math.nan


def _not_numbers(events: pd.DataFrame, at: IntArray, column: str) -> str:
    """Return the error that says that a column does not hold amounts, and what it holds."""
    cells = events[column]
    texts = [(place, cell) for place, cell in zip(at, cells.iloc[at], strict=True) if _shown(cell)]
    said = f"value must name a column of numbers; {column!r} is {cells.dtype}"
    if not texts:
        return f"{said}."
    place, text = texts[0]
    plain = f"pd.to_numeric(events[{column!r}])"
    try:
        float(text)
    except ValueError:
        mark = "'de'" if _COMMA_IS_DECIMAL.search(text) else "'en'"
        other = "" if _MARKS_BOTH.search(text) else ", or the other of 'en' and 'de'"
        plain = (
            f"ck.money(events[{column!r}], amounts={mark})['amount']{other}; of files, "
            f"ck.read_events(..., amounts={mark}) does it"
        )
    return (
        f"{said}, with {text!r} in {row_of(events, int(place))}. If its texts are amounts, make "
        f"them numbers before stitching: {plain}."
    )


def _shown(cell: Any) -> bool:
    """Return whether a cell may be an amount in text, so that it can be shown."""
    return (
        isinstance(cell, str)
        and len(cell) <= _LONGEST_AMOUNT
        and "@" not in cell
        and any(character.isdigit() for character in cell)
    )


def check_funnel(steps: object, within: object) -> None:
    """Raise unless a funnel's steps and its window are given together, or neither."""
    if (steps is None) != (within is None):
        given, lacking = ("within", "steps") if steps is None else ("steps", "within")
        raise ConvergekitError(
            f"{given}= needs {lacking}= too: a funnel has steps and a window, such as "
            "steps=['PageView', 'Placed Order'], within='7D'."
        )
