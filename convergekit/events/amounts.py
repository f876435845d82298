"""The events of one name: which they are, what they reach, and their amounts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from convergekit.errors import ConvergekitError, UnknownNameError, what_there_is
from convergekit.events.steps import (
    EventNames,
    StepLike,
    as_steps,
    is_known,
    resolve_column,
    tracked,
)
from convergekit.typing import FloatArray, IntArray


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
            names = sorted(map(str, events["event_name"].dropna().unique()))
            raise UnknownNameError(
                f"no event is named {name!r}. {what_there_is(names, name, none='no names')}"
            )
        named |= of_name
    if chosen.where is not None:
        return np.flatnonzero(EventNames(events).matching(chosen.names, chosen.where, chosen.title))
    return np.flatnonzero(named)


def amounts(events: pd.DataFrame, value: str) -> FloatArray:
    """Return each event's amount, zero where it has none.

    Raises
    ------
    ColumnError
        No column, or more than one, matches the name.
    ConvergekitError
        The column holds no numbers.

    Examples
    --------
    >>> amounts(pd.DataFrame({"properties.total_price": [30.0, None]}), "total_price")
    array([30.,  0.])
    """
    column = resolve_column(events, value, option="value")
    dtype = events[column].dtype
    if not pd.api.types.is_numeric_dtype(dtype):
        raise ConvergekitError(
            f"value must name a column of numbers; {column!r} is {dtype}. If its texts are "
            f"amounts, make them numbers before stitching: pd.to_numeric(events[{column!r}])."
        )
    numbers = events[column].to_numpy(dtype="float64", na_value=np.nan)
    return np.nan_to_num(numbers, nan=0.0, posinf=np.inf, neginf=-np.inf)


def check_funnel(steps: object, within: object) -> None:
    """Raise unless a funnel's steps and its window are given together, or neither."""
    if (steps is None) != (within is None):
        given, lacking = ("within", "steps") if steps is None else ("steps", "within")
        raise ConvergekitError(
            f"{given}= needs {lacking}= too: a funnel has steps and a window, such as "
            "steps=['PageView', 'Placed Order'], within='7D'."
        )
