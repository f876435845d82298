"""The events of one name: which they are, what they reach, and their amounts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError, UnknownNameError, what_there_is
from convergekit.events.currencies import check_rates, row_of, to_one_currency
from convergekit.events.money import Amounts, are_thousands_or_decimals, read_amount
from convergekit.events.numeric import numbers_in
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

# A longer text in an amount's place is not shown: it may be anything.
_LONGEST_AMOUNT = 40
# So many texts that are none are named.
_MOST_NAMED = 3
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


def _not_numbers(events: pd.DataFrame, at: IntArray, column: str) -> str:
    """Return the error that says that a column does not hold amounts, and what it holds."""
    cells = events[column]
    said = f"value must name a column of numbers; {column!r} is {cells.dtype}"
    places = [place for place in at if isinstance(cells.iloc[place], str)]
    place = next((place for place in places if _shown(cells.iloc[place])), None)
    if place is None:
        return f"{said}."
    text = cells.iloc[place]
    mark: Amounts = "de" if _COMMA_IS_DECIMAL.search(text) else "en"
    unsure = not _MARKS_BOTH.search(text)
    texts = cells.iloc[places]
    wrong = _no_amounts(texts, ("en", "de") if unsure else (mark,))
    if wrong and 2 * len(wrong) <= len(places):
        return (
            f"{said}. {counted(len(wrong), 'of its texts is', 'of its texts are')} not an amount: "
            f"{_listed(events, column, [places[one] for one in wrong])}. With such a text, "
            f"ck.read_events(..., amounts={mark!r}) leaves the column as it is. Make it missing "
            f"before stitching: ck.money(events[{column!r}].replace({{TEXT: None}}), "
            f"amounts={mark!r})['amount']."
        )
    if are_thousands_or_decimals(texts):
        several = counted(int(texts.str.contains("[.,]").sum()), "amount")
        return (
            f"{said}, with {several} such as {text!r} in {row_of(events, int(place))}. Some "
            "countries write a thousand so, and others three decimals: nothing in the column "
            "says which. Say it: ck.read_events(..., amounts='de') or amounts='en'; of a column, "
            f"ck.money(events[{column!r}], amounts='de')['amount']."
        )
    plain = f"pd.to_numeric(events[{column!r}])"
    if not _is_number(text):
        other = ", or the other of 'en' and 'de'" if unsure else ""
        plain = (
            f"ck.money(events[{column!r}], amounts={mark!r})['amount']{other}; of files, "
            f"ck.read_events(..., amounts={mark!r}) does it"
        )
    return (
        f"{said}, with {text!r} in {row_of(events, int(place))}. If its texts are amounts, make "
        f"them numbers before stitching: {plain}."
    )


def _no_amounts(texts: pd.Series, languages: Sequence[Amounts]) -> list[int]:
    """Return the places of the texts that are an amount in none of some languages."""
    codes, distinct = pd.factorize(texts.astype(object))
    bad = [all(read_amount(text, one) is None for one in languages) for text in distinct]
    return np.flatnonzero(np.array(bad, dtype=bool)[codes]).tolist()


def _listed(events: pd.DataFrame, column: str, places: Sequence[int]) -> str:
    """Return in words the first of some texts, and in which rows they are."""
    first = []
    for place in places[:_MOST_NAMED]:
        text = events[column].iloc[place]
        hidden = "@" in text or len(text) > _LONGEST_AMOUNT
        first.append(("" if hidden else f"{text!r} in ") + row_of(events, int(place)))
    return ", ".join(first) + (" ..." if len(places) > _MOST_NAMED else "")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
