"""Rows that two files have: the same rows once more, and other numbers of the same days."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from convergekit.typing import BoolArray

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

    So it is with an export that is younger, and with one of ads beside one of campaigns.

    Parameters
    ----------
    table : pandas.DataFrame
        A table of spend without repeats, its files one after the other.
    """
    campaign = table["campaign"].fillna(table["campaign_id"])
    named = table.assign(campaign=campaign)[campaign.notna().to_numpy()]
    key = named.groupby(["date", "platform", "campaign"], dropna=False).ngroup()
    first = named["file"].groupby(key).transform("first")
    later = named.assign(other=first)[(first != named["file"]).to_numpy()]
    for (file, other), rows in later.groupby(["file", "other"], sort=True):
        yield (str(file), str(other)), rows


def _named(table: pd.DataFrame) -> BoolArray:
    there = [table[name].notna().to_numpy() for name in _OF if name in table]
    return np.logical_or.reduce(there) if there else np.zeros(len(table), dtype=bool)
