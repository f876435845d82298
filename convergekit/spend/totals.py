"""Totals that exports append: which rows they are, and whether the rows add up to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from convergekit.spend.platforms import LAST_DAY
from convergekit.typing import BoolArray

A_TOTAL = "a total, not a row"
#: How a total begins, as Google Ads, Meta and their like write it.
_LABEL = re.compile(r"\W*(?:grand\s+)?(?:totals?|gesamt|totaal|totale|summe)\b", re.IGNORECASE)
#: What a row is of; where all of it is blank, the row is of everything.
_OF = ("campaign", "campaign_id", "ad_group", "ad_group_id", "ad", "ad_id")
#: Platforms round each row, and the total by itself.
_ROUNDED = 0.005


def are_totals(cells: list[list[Any]], raw: Mapping[str, pd.Series], dated: BoolArray) -> BoolArray:
    """Return which rows of a report are totals.

    A row with a day is one only if its report has no column of days, but that of its whole period,
    and it names no campaign, ad group or ad where others do.

    Parameters
    ----------
    cells : list of list
        Of each row, all its cells.
    raw : mapping of str to pandas.Series
        The canonical columns that the report has, missing where they say nothing.
    dated : numpy.ndarray of bool
        Which rows have a day.

    Examples
    --------
    >>> cells = [["2026-03-02", "Total look", "3"], ["Total: Account", None, "3"]]
    >>> raw = {"campaign": pd.Series(["Total look", None])}
    >>> are_totals(cells, raw, np.array([True, False])).tolist()
    [False, True]
    """
    labelled = np.zeros(len(cells), dtype=bool)
    for place in np.flatnonzero(~dated):
        labelled[place] = any(isinstance(one, str) and _LABEL.match(one) for one in cells[place])
    named = [raw[name].notna().to_numpy() for name in _OF if name in raw]
    if not named:
        return labelled
    blank = ~np.logical_or.reduce(named)
    of_all = blank & ~blank.all()
    return labelled | (of_all if LAST_DAY in raw else of_all & ~dated)


def said_of_totals(
    totals: pd.DataFrame, rows: pd.DataFrame, file: str | None
) -> tuple[str, float] | None:
    """Return a remark on a report whose rows do not add up to its total, and the difference.

    Parameters
    ----------
    totals : pandas.DataFrame
        `line` and `spend` of its totals.
    rows : pandas.DataFrame
        `spend` and `currency` of its rows that are read.
    file : str, optional

    Examples
    --------
    >>> said_of_totals(pd.DataFrame({"line": [9], "spend": [12.0]}),
    ...                pd.DataFrame({"spend": [10.0], "currency": ["EUR"]}), "ads.csv")
    ('The total in line 9 of ads.csv is 12.00 EUR, and the rows that are read add up to 10.00 EUR.',
     2.0)
    """
    told = totals.dropna(subset="spend")
    if not len(told) or len(rows["currency"].drop_duplicates()) > 1:
        return None
    added = float(rows["spend"].sum())
    near = max(0.01, _ROUNDED * len(rows))
    if (told["spend"] - added).abs().min() <= near:
        return None
    # The total of the account, where there are some of its parts too.
    whole = told.loc[told["spend"].abs().idxmax()]
    currency = rows["currency"].iloc[0] if len(rows) else None
    code = f" {currency}" if isinstance(currency, str) else ""
    where = f"line {whole['line']:.0f}" + (f" of {file}" if file else "")
    said = (
        f"The total in {where} is {whole['spend']:,.2f}{code}, and the rows that are read add up "
        f"to {added:,.2f}{code}."
    )
    return said, float(whole["spend"]) - added
