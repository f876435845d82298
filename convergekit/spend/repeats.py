"""Rows that come again: the same row in a file or in two, and other numbers of the same days."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from convergekit.typing import BoolArray, FloatArray

_WIDER = ("channel", "source", "medium")
_OF = ("campaign", "campaign_id", "ad_group", "ad_group_id", "ad", "ad_id")


def repeats(table: pd.DataFrame) -> pd.Series:
    """Return for each row where an earlier file has the same, missing where none does.

    The second of two like rows of one file is not a repeat: a report may be by device, without
    saying so. It is one of the second in another file. Rows that name no campaign, ad group or ad
    are never repeats: two tables of a day and an amount may be of two platforms.

    Parameters
    ----------
    table : pandas.DataFrame
        A table of spend, its files one after the other.

    Examples
    --------
    >>> table = pd.DataFrame({"date": ["2026-03-02"] * 3, "campaign": "brand", "spend": 3.0,
    ...                       "file": ["a.csv", "a.csv", "b.csv"], "line": [2, 3, 2]})
    >>> repeats(table).tolist()
    [nan, nan, 'a.csv, line 2']
    """
    own = [name for name in table if name not in ("file", "line")]
    which = table.groupby(own, dropna=False, sort=False).ngroup()
    within = pd.DataFrame({"row": which, "file": table["file"]})
    within["nth"] = within.groupby(["row", "file"], dropna=False).cumcount()
    first = within.groupby(["row", "nth"])["file"].transform("size")
    place = pd.Series(np.arange(len(table)), index=table.index)
    earliest = place.groupby([within["row"], within["nth"]]).transform("min").to_numpy()
    again = (first > 1).to_numpy() & (earliest != np.arange(len(table))) & _named(table)
    where = table["file"].astype(object) + ", line " + table["line"].astype(str)
    return where.iloc[earliest].set_axis(table.index).where(again).astype("str")


def overlaps(table: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    """Yield each two files with rows of the same days and campaigns, and those of the later one.

    So it is with an export that is younger, and with one of ads beside one of campaigns. A row
    that names no campaign is of all that its platform cost, so that each row of the platform and
    day is a part of it. One that does not say its platform either is of anything: then the same
    number in another file is one that comes again.

    Parameters
    ----------
    table : pandas.DataFrame
        A table of spend without repeats, its files one after the other.
    """
    campaign = table["campaign"].fillna(table["campaign_id"])
    named = campaign.notna()
    rest = table[["account", *_WIDER]].mask(named)
    own = table[["date", "platform"]].assign(campaign=campaign, **rest)
    own["spend"] = table["spend"].where(table[["platform", *_WIDER]].isna().all(axis=1) & ~named)
    place = pd.Series(np.arange(len(table)), index=table.index)
    first = place.groupby(own.groupby(list(own), dropna=False).ngroup()).transform("first")
    # All that a platform cost, beside its parts.
    day = table.groupby(["date", "platform", "account"], dropna=False).ngroup()
    whole = ~named & table["platform"].notna() & table[list(_WIDER)].isna().all(axis=1)
    first_whole = place.where(whole).groupby(day).transform("min")
    first_any = place.groupby(day).transform("min").where(whole, first_whole)
    beside = first_any.where(first_any < place, place).astype("int64")
    file = table["file"]
    again = first.where((file.take(first).to_numpy() != file.to_numpy()), beside)
    other = file.take(again).set_axis(table.index)
    later = table.assign(other=other)[(other != file).to_numpy()]
    for (name, earlier), rows in later.groupby(["file", "other"], sort=True):
        yield (str(name), str(earlier)), rows.drop(columns="other")


def alike(cells: list[list[Any]], amount: FloatArray) -> BoolArray:
    """Return which rows of one report stand in it before, cell by cell, with some amount.

    Exports that were put together, one below the other, have them; a report by device has them
    only if it does not say so.

    Examples
    --------
    >>> alike([["2026-03-02", 3], ["2026-03-02", 3], ["2026-03-02", 4]], np.ones(3)).tolist()
    [False, True, False]
    """
    rows = pd.Series([tuple(map(str, row)) for row in cells], dtype=object)
    return rows.duplicated().to_numpy() & (amount != 0)


def _named(table: pd.DataFrame) -> BoolArray:
    there = [table[name].notna().to_numpy() for name in _OF if name in table]
    return np.logical_or.reduce(there) if there else np.zeros(len(table), dtype=bool)
