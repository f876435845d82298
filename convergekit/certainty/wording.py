"""The intervals of a number in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from convergekit.base.wording import percentage
from convergekit.visible import visible


def said_chance(line: Mapping[Any, Any]) -> str:
    """Return between what chance alone leaves a share.

    Examples
    --------
    >>> said_chance({"chance_low": 0.209, "chance_high": 0.244})
    'chance alone: 20.9% to 24.4%'
    """
    return f"chance alone: {span(line, 'chance_low', 'chance_high')}"


def said_level(level: float) -> str:
    """Return how often intervals are meant to hold the truth.

    Examples
    --------
    >>> said_level(0.9)
    'Intervals are of 90%.'
    """
    return f"Intervals are of {100 * level:.3g}%."


def said_of_people(line: Mapping[Any, Any]) -> str:
    """Return which share it is of the people, as far as that is known.

    Examples
    --------
    >>> said_of_people({"estimate": 0.278, "low": 0.241, "high": 0.331})
    'of the people, probably 27.8% (24.1% to 33.1%)'
    """
    interval = span(line, "low", "high")
    if pd.isna(line["estimate"]):
        return f"of the people, it may be {interval}"
    return f"of the people, probably {percentage(line['estimate'])} ({interval})"


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of bounds as it is read: an interval is one text, of all steps but the first.

    Examples
    --------
    >>> ends = dict.fromkeys(["chance_low", "low", "worst_low"], [1.0, 0.2])
    >>> ends |= dict.fromkeys(["chance_high", "high", "worst_high"], [1.0, 0.4])
    >>> of = {"step": [1, 2], "event_name": ["PageView", "Placed Order"], "stitched": [1.0, 0.3]}
    >>> in_words(pd.DataFrame({**of, **ends, "estimate": [1.0, 0.3]})).iloc[:, 2:5]
      of the profiles interval of chance of the people
    0          100.0%                           100.0%
    1           30.0%     20.0% to 40.0%         30.0%
    """
    lines = table.to_dict("records")
    of = list(table.columns[: table.columns.get_loc("step")])

    def spans(low: str, high: str) -> list[str]:
        # Of those who entered, all did.
        return ["" if line["step"] == 1 else span(line, low, high) for line in lines]

    return pd.DataFrame(
        {
            **{name: [named(cell, name) for cell in table[name]] for name in of},
            "step": table["step"],
            "event_name": table["event_name"],
            "of the profiles": table["stitched"].map(percentage),
            "interval of chance": spans("chance_low", "chance_high"),
            "of the people": table["estimate"].map(percentage),
            "interval of identity": spans("low", "high"),
            "worst bounds": spans("worst_low", "worst_high"),
        }
    )


def span(line: Mapping[Any, Any], low: str, high: str) -> str:
    """Return the ends of an interval; nothing if they are missing.

    Examples
    --------
    >>> span({"low": 0.1, "high": 0.76}, "low", "high")
    '10.0% to 76.0%'
    """
    if pd.isna(line[low]):
        return ""
    return f"{percentage(line[low])} to {percentage(line[high])}"


def named(label: object, column: str) -> str:
    """Return a label in a sentence; a missing one by its column.

    Examples
    --------
    >>> named("google", "utm_source"), named(float("nan"), "properties.plan")
    ('google', 'no plan')
    """
    if pd.isna(label):
        return f"no {column.rpartition('.')[2]}"
    return visible(str(label))
