"""Spend as numbers: the day, the campaign and the amount of each row, in one currency.

A campaign is one of its platform and account: by its ID, or by its name where it has no ID. A row
that names no campaign is of what it does name: a channel, a source, a platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText, distinct, together
from convergekit.base.text import as_text, folded, to_arrow
from convergekit.errors import ConvergekitError
from convergekit.events.currencies import by_code, most_first
from convergekit.marketing.platforms import platform_named
from convergekit.spend.reading import read_spend
from convergekit.spend.result import Spend
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.values import without_nothing

#: A unit of a currency has as many parts: ad platforms bill in millionths.
PARTS = 1_000_000
#: As much is added up exactly.
_MOST = 2.0**62
#: So many days without a row may be a file that is not there, and not a pause.
_MANY_DAYS = 7
#: What a row of spend may say of its campaign.
NAMES = ("platform", "account", "channel", "source", "medium", "campaign", "campaign_id")
#: IDs of a row, the most particular first.
LEVELS = ("ad", "ad_group", "campaign")


@dataclass(frozen=True)
class Costs:
    """Rows of spend, by number.

    Attributes
    ----------
    day : numpy.ndarray of int
        Of each row, its day as days since 1970, by the account's calendar.
    campaign : numpy.ndarray of int
        The place of its campaign in `campaigns`.
    amount : numpy.ndarray of int
        What was spent, in millionths of the currency's unit.
    campaigns : pandas.DataFrame
        A row per campaign: `platform`, `account`, `channel`, `source`, `medium`, `campaign` (the
        name on its latest day) and `campaign_id`, missing where no row says it.
    ids : pandas.DataFrame
        `level`, `id` and `campaign`: the IDs that rows have, each campaign's once.
    names : pandas.DataFrame
        `name`, folded, and `campaign`: what each was called on any day.
    currency : str
        Of the amounts; empty if unknown.
    left_out : dict of str to int
        Rows that cannot be used.
    remarks : list of str
    zones : list of str
        The time zones of the accounts, as far as rows say them.
    unsaid : bool
        Whether no row says its currency.
    """

    day: IntArray
    campaign: IntArray
    amount: IntArray
    campaigns: pd.DataFrame
    ids: pd.DataFrame
    names: pd.DataFrame
    currency: str
    left_out: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)
    unsaid: bool = False

    def of_campaign(self) -> IntArray:
        """Return what each campaign cost."""
        return summed(self.campaign, self.amount, len(self.campaigns))

    def days(self) -> tuple[int, int] | None:
        """Return the first and the last day; None without rows."""
        return (int(self.day.min()), int(self.day.max())) if len(self.day) else None

    def without_days(self) -> list[str]:
        """Return a remark on platforms that lack rows of days on which there is spend of any.

        A file that was not exported looks like a time in which nothing was spent.
        """
        of = self.campaigns["platform"].fillna("").to_numpy()[self.campaign]
        gaps = []
        for platform in sorted(set(of)):
            days = distinct(self.day[of == platform])
            # Those before its first row and after its last are between these.
            first, last = self.days() or (0, 0)
            edges = np.concatenate([[first - 1], days, [last + 1]])
            lacking = np.diff(edges) - 1
            if lacking.max() >= _MANY_DAYS:
                at = int(lacking.argmax())
                begin, end = (edges[at] + 1, edges[at + 1] - 1)
                span = " to ".join(str(np.datetime64(int(day), "D")) for day in (begin, end))
                gaps.append(f"{platform or 'no platform'} {span} ({lacking[at]} days)")
        if not gaps:
            return []
        return [f"Without a row of spend, which counts as nothing spent: {', '.join(gaps)}."]


def summed(cell: IntArray, values: IntArray, cells: int) -> IntArray:
    """Return the exact sum of whole numbers in each cell.

    Examples
    --------
    >>> summed(np.array([1, 1, 0]), np.array([5, 6, 7]), 3).tolist()
    [7, 11, 0]
    """
    found = np.zeros(cells, dtype=np.int64)
    np.add.at(found, cell, values)
    return found


def refuse_other_spend(spend: object) -> None:
    """Raise unless it is spend, or a frame of it.

    Raises
    ------
    ConvergekitError

    Examples
    --------
    >>> refuse_other_spend("spend.csv")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    convergekit.errors.ConvergekitError: spend must be what ck.read_spend returns, or a ...
    """
    if not isinstance(spend, (pd.DataFrame, Spend)):
        files = " Read files with ck.read_spend first." if isinstance(spend, (str, Path)) else ""
        raise ConvergekitError(
            "spend must be what ck.read_spend returns, or a DataFrame with the columns date and "
            f"spend; got {type(spend).__name__}.{files}"
        )


def costs_of(
    spend: pd.DataFrame | Spend,
    rates: Mapping[str, float] | None,
    of_orders: str,
) -> Costs:
    """Return spend as numbers.

    Parameters
    ----------
    spend : Spend or pandas.DataFrame
        A frame is read by `read_spend`.
    rates : mapping of str to float, optional
        What one of each currency is worth.
    of_orders : str
        The currency of the orders; empty if unknown.

    Raises
    ------
    ConvergekitError
        It is not spend; or amounts are in several currencies, in another than the orders, or in
        one without a rate.

    Examples
    --------
    >>> spend = pd.DataFrame({"date": ["2026-03-02", None], "spend": [1.5, 2], "campaign": "brand"})
    >>> found = costs_of(spend, None, "")
    >>> found.amount.tolist(), found.campaigns["campaign"].tolist(), found.left_out
    ([1500000], ['brand'], {'rows of spend rejected: without a date': 1})
    """
    refuse_other_spend(spend)
    read = spend if isinstance(spend, Spend) else read_spend(spend)
    code = _currency(read, rates, of_orders)
    rows = (read.in_currency(code, rates) if code else read.table).reset_index(drop=True)
    worth = rows["spend"].to_numpy(dtype="float64")
    parts = np.rint(worth * PARTS)
    if np.abs(parts).sum() > _MOST:
        raise ConvergekitError(
            "spend is too large to be added up exactly, its largest amount is "
            f"{np.abs(worth).max():,.2f}. Correct it, or leave such rows out."
        )
    day = rows["date"].dt.as_unit("s").astype("int64").to_numpy() // 86_400
    campaign, campaigns, ids = _campaigns(rows, day)
    called = fold(pd.Series(_texts(rows, "campaign").take(np.arange(len(rows))), dtype="str"))
    names = pd.DataFrame({"name": called, "campaign": campaign}).dropna().drop_duplicates()
    # Not the cells that reasons quote: each would be a reason of its own.
    reasons = most_first(read.rejected["reason"].str.replace(r"'[^']*'", "…", regex=True))
    return Costs(
        day,
        campaign,
        parts.astype(np.int64),
        campaigns,
        ids,
        names.sort_values(["campaign", "name"], ignore_index=True),
        code,
        {f"rows of spend rejected: {reason}": int(count) for reason, count in reasons.items()},
        list(read.remarks["remark"]),
        sorted(_texts(rows, "time_zone").distinct),
        bool(read.table["currency"].isna().all()),
    )


def _currency(spend: Spend, rates: Mapping[str, float] | None, of_orders: str) -> str:
    """Return the currency in which spend is added up; empty if nothing says one."""
    if of_orders or base_of(rates):
        return of_orders or base_of(rates)
    found = most_first(spend.table["currency"])
    return str(found.index[0]) if len(found) else ""


def base_of(rates: Mapping[str, float] | None) -> str:
    """Return the currency that rates convert to; empty if they do not say one.

    Examples
    --------
    >>> base_of({"EUR": 1, "USD": 0.9})
    'EUR'
    """
    base = [code for code, rate in by_code(rates or {}).items() if rate == 1]
    return base[0] if len(base) == 1 else ""


def _campaigns(rows: pd.DataFrame, day: IntArray) -> tuple[IntArray, pd.DataFrame, pd.DataFrame]:
    """Return the campaign of each row, what is known of campaigns, and the IDs of each."""
    said = {name: _texts(rows, name) for name in NAMES}
    said["platform"] = said["platform"].mapped(
        pd.Series([platform_named(text) for text in said["platform"].distinct], dtype="str")
    )
    said["campaign_id"] = _with_ids_of_names(said)
    named = said["campaign_id"].codes >= 0
    keys = [said["platform"], said["account"], said["campaign_id"]]
    for name in ("campaign", "channel", "source", "medium"):
        alike = said[name].mapped(fold(said[name].distinct))
        # Who has an ID goes by it, whatever it is called on some day.
        keys.append(NumberedText(np.where(named, -1, alike.codes), alike.distinct))
    _, number = np.unique(together(keys, len(rows)), return_inverse=True)
    number = number.astype(np.int64)
    table = pd.DataFrame({name: _latest(said[name], number, day) for name in NAMES})
    # In an order that does not depend on that of the rows.
    table = table.sort_values(list(NAMES), kind="stable")
    place = np.empty(len(table), dtype=np.int64)
    place[table.index] = np.arange(len(table))
    campaign = place[number] if len(number) else number
    return campaign, table.reset_index(drop=True), _ids(rows, campaign)


def _with_ids_of_names(said: dict[str, NumberedText]) -> NumberedText:
    """Return the ID of each row, or the one that its name has in other rows of the account.

    So rows of an export without a column of IDs are of the campaigns of those with one.
    """
    ids, name = said["campaign_id"], said["campaign"]
    columns = {one: said[one].codes for one in ("platform", "account")}
    columns["name"] = name.mapped(fold(name.distinct)).codes
    rows = pd.DataFrame(columns)
    known = rows.assign(id=ids.codes)[(ids.codes >= 0) & (rows["name"] >= 0).to_numpy()]
    # One name of two IDs tells neither.
    known = known.drop_duplicates().drop_duplicates(list(columns), keep=False)
    found = rows.merge(known, on=list(columns), how="left")["id"].fillna(-1).to_numpy(np.int64)
    return NumberedText(np.where(ids.codes >= 0, ids.codes, found), ids.distinct)


def _latest(texts: NumberedText, number: IntArray, day: IntArray) -> pd.Series:
    """Return the text that each campaign has on its latest day with one, the last by alphabet."""
    rank = texts.distinct.rank().to_numpy()
    some = np.flatnonzero(has_any(texts))
    order = some[np.lexsort((rank[texts.codes[some]], day[some], number[some]))]
    last = np.full(int(number.max(initial=-1)) + 1, -1, dtype=np.int64)
    # Of several the last one stays.
    last[number[order]] = order
    return texts.take(last).astype("str")


def _ids(rows: pd.DataFrame, campaign: IntArray) -> pd.DataFrame:
    """Return `level`, `id` and `campaign` of the IDs that rows have, each campaign's once."""
    parts = []
    for level in LEVELS:
        ids = _texts(rows, f"{level}_id")
        keys = distinct(ids.codes[has_any(ids)] * (int(campaign.max(initial=0)) + 1)
                        + campaign[has_any(ids)])  # fmt: skip
        code, owner = np.divmod(keys, int(campaign.max(initial=0)) + 1)
        texts = ids.distinct.take(code).to_numpy()
        parts.append(pd.DataFrame({"level": level, "id": texts, "campaign": owner}))
    return pd.concat(parts, ignore_index=True).astype({"level": "str", "id": "str"})


def fold(texts: pd.Series) -> pd.Series:
    """Return names as they are compared: trimmed, and each letter in lower case.

    Examples
    --------
    >>> fold(pd.Series([" Spring Sale"], dtype="str")).tolist()
    ['spring sale']
    """
    return pd.Series(folded(to_arrow(texts.astype("str"))), dtype="str")


def _texts(rows: pd.DataFrame, name: str) -> NumberedText:
    """Return a column of names, missing where it is absent, blank or stands for nothing."""
    if name not in rows:
        return NumberedText(np.full(len(rows), -1), pd.Series([], dtype="str"))
    found = NumberedText.of(as_text(rows[name])[0].reset_index(drop=True))
    return found.mapped(without_nothing(found.distinct))


def has_any(column: NumberedText) -> BoolArray:
    """Return where a column has a text."""
    return column.codes >= 0
