"""Spend as numbers: the day, the campaign and the amount of each row, in one currency.

A campaign is one of its platform and account: by its ID, or by its name where it has no ID. A row
that names no campaign is of what it does name: a channel, a source, a platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText, distinct, together
from convergekit.base.text import as_text, folded, to_arrow
from convergekit.base.wording import counted
from convergekit.errors import ColumnError, ConvergekitError
from convergekit.events.currencies import by_code, currency_codes, most_first
from convergekit.marketing.platforms import platform_named
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.values import without_nothing

#: A unit of a currency has as many parts: ad platforms bill in millionths.
PARTS = 1_000_000
#: As much is added up exactly.
_MOST = 2.0**62
#: What a row of spend may say of its campaign.
NAMES = ("platform", "account", "channel", "source", "medium", "campaign", "campaign_id")
#: IDs of a row, the most particular first.
LEVELS = ("ad", "ad_group", "campaign")


@runtime_checkable
class HasTable(Protocol):
    """What spend was read into."""

    @property
    def table(self) -> pd.DataFrame:
        """A row per row of spend."""


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
    currency : str
        Of the amounts; empty if unknown.
    left_out : dict of str to int
        Rows that cannot be used.
    remarks : list of str
    zones : list of str
        The time zones of the accounts, as far as rows say them.
    """

    day: IntArray
    campaign: IntArray
    amount: IntArray
    campaigns: pd.DataFrame
    ids: pd.DataFrame
    currency: str
    left_out: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)

    def of_campaign(self) -> IntArray:
        """Return what each campaign cost."""
        return summed(self.campaign, self.amount, len(self.campaigns))

    def days(self) -> tuple[int, int] | None:
        """Return the first and the last day; None without rows."""
        return (int(self.day.min()), int(self.day.max())) if len(self.day) else None


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


def costs_of(
    spend: pd.DataFrame | HasTable,
    rates: Mapping[str, float] | None,
    of_orders: str,
) -> Costs:
    """Return spend as numbers.

    Parameters
    ----------
    spend : pandas.DataFrame, or what has it as `table`
        With `date` and `spend` at least.
    rates : mapping of str to float, optional
        What one of each currency is worth.
    of_orders : str
        The currency of the orders; empty if unknown.

    Raises
    ------
    ColumnError
        There is no column `date` or `spend`.
    ConvergekitError
        Amounts are in several currencies, in another than the orders, or in one without a rate.

    Examples
    --------
    >>> spend = pd.DataFrame({"date": ["2026-03-02", None], "spend": [1.5, 2], "campaign": "brand"})
    >>> found = costs_of(spend, None, "")
    >>> found.amount.tolist(), found.campaigns["campaign"].tolist(), found.left_out
    ([1500000], ['brand'], {'rows of spend without a date': 1})
    """
    table = spend.table if isinstance(spend, HasTable) else spend
    if not isinstance(table, pd.DataFrame):
        raise ConvergekitError(
            "spend must be what ck.read_spend returns, or a DataFrame with the columns date and "
            f"spend; got {type(spend).__name__}."
        )
    for name in ("date", "spend"):
        if name not in table:
            found = ", ".join(map(str, table.columns)) or "no columns at all"
            raise ColumnError(f"spend has no column {name!r}; found: {found}.")
    date, amount = _days(table["date"]), _numbers(table["spend"])
    left_out = {
        "rows of spend without a date": int(date.isna().sum()),
        "rows of spend without an amount": int((date.notna() & np.isnan(amount)).sum()),
    }
    rejected = getattr(spend, "rejected", None)
    if isinstance(rejected, pd.DataFrame):
        left_out["rows of spend that were not read"] = len(rejected)
    kept = date.notna().to_numpy(dtype=bool) & ~np.isnan(amount)
    rows = table[kept].reset_index(drop=True)
    worth, code = _in_one_currency(rows, amount[kept], rates, of_orders)
    parts = np.rint(worth * PARTS)
    if np.abs(parts).sum() > _MOST:
        raise ConvergekitError(
            "spend is too large to be added up exactly, its largest amount is "
            f"{np.abs(worth).max():,.2f}. Correct it, or leave such rows out."
        )
    day = date[kept].dt.as_unit("s").astype("int64").to_numpy() // 86_400
    campaign, campaigns, ids = _campaigns(rows, day)
    return Costs(
        day,
        campaign,
        parts.astype(np.int64),
        campaigns,
        ids,
        code,
        {what: number for what, number in left_out.items() if number},
        _remarks(worth, code),
        sorted(_texts(rows, "time_zone").distinct),
    )


def base_of(rates: Mapping[str, float] | None) -> str:
    """Return the currency that rates convert to; empty if they do not say one.

    Examples
    --------
    >>> base_of({"EUR": 1, "USD": 0.9})
    'EUR'
    """
    base = [code for code, rate in by_code(rates or {}).items() if rate == 1]
    return base[0] if len(base) == 1 else ""


def _days(dates: pd.Series) -> pd.Series:
    """Return dates as days without a time zone: the account's own."""
    if pd.api.types.is_datetime64_any_dtype(dates.dtype):
        plain = dates.dt.tz_localize(None) if dates.dt.tz is not None else dates
        return plain.dt.normalize().reset_index(drop=True)
    found = [_day(cell) for cell in dates]
    return pd.Series(found, dtype="datetime64[s]")


def _day(cell: Any) -> pd.Timestamp:
    """Return the day of a cell; NaT where it does not say one in full."""
    if isinstance(cell, (int, float)) or cell is None:
        return pd.NaT
    try:
        found = pd.to_datetime(cell, format="ISO8601" if isinstance(cell, str) else None)
        return pd.NaT if pd.isna(found) else pd.Timestamp(found).tz_localize(None).normalize()
    except (ValueError, TypeError, OverflowError):
        return pd.NaT


def _numbers(values: pd.Series) -> Any:
    """Return amounts, not a number where a cell is not one."""
    found = pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def _in_one_currency(
    rows: pd.DataFrame, amount: Any, rates: Mapping[str, float] | None, of_orders: str
) -> tuple[Any, str]:
    """Return the amounts in the orders' currency, and which that is."""
    if "currency" not in rows:
        return amount, of_orders
    codes = currency_codes(rows["currency"])
    paid = amount != 0
    found = most_first(codes[paid])
    if rates is None:
        others = [str(code) for code in found.index if code != of_orders]
        if len(found) > 1 or (of_orders and others):
            said = ", ".join(f"{code} ({count:,})" for code, count in found.items())
            orders = f", the orders in {of_orders}" if of_orders else ""
            base = of_orders or str(found.index[0])
            example = {base: 1.0, **dict.fromkeys((code for code in others if code != base), "...")}
            raise ConvergekitError(
                f"spend is in {said}{orders}. Different currencies are not added up; say what one "
                f"of each is worth: currency='currency', rates={example}."
            )
        return amount, str(found.index[0]) if len(found) else of_orders
    worth = by_code(rates)
    lacking = [str(code) for code in found.index if code not in worth]
    if lacking:
        raise ConvergekitError(
            f"rates must say what one {', '.join(lacking)} is worth too; rows of spend are in it."
        )
    return amount * codes.map(worth).fillna(1.0).to_numpy(dtype=float), of_orders


def _remarks(amount: Any, code: str) -> list[str]:
    below = amount < 0
    if not below.any():
        return []
    total = f"{amount[below].sum():,.2f} {code}".strip()
    rows = counted(int(below.sum()), "row of spend is", "rows of spend are")
    return [f"{rows} below zero, {total} together: credits, which lessen the spend of their day."]


def _campaigns(rows: pd.DataFrame, day: IntArray) -> tuple[IntArray, pd.DataFrame, pd.DataFrame]:
    """Return the campaign of each row, what is known of campaigns, and the IDs of each."""
    said = {name: _texts(rows, name) for name in NAMES}
    said["platform"] = said["platform"].mapped(
        pd.Series([platform_named(text) for text in said["platform"].distinct], dtype="str")
    )
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
