"""What platforms claim: conversions and their value, from the rows of their exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.wording import counted
from convergekit.errors import ColumnError, ConvergekitError, what_there_is
from convergekit.events.calendar import Calendar
from convergekit.events.currencies import by_code, currency_codes, most_first
from convergekit.events.timestamps import microseconds
from convergekit.reconcile.platforms import AdPlatform, Dated, Windows, platforms_of
from convergekit.spend.reading import read_spend
from convergekit.spend.result import Spend
from convergekit.spend.rows import A_NOTE
from convergekit.spend.totals import A_TOTAL
from convergekit.typing import FloatArray, IntArray

_NEEDED = ("date", "platform", "conversions")
#: Remarks on spend that are on its claims, too.
_DOUBTFUL = ("overlap", "period")
_DAY = 86_400_000_000


@dataclass(frozen=True)
class PlatformClaims:
    """The claims of each platform.

    Attributes
    ----------
    platforms : list of AdPlatform
        Those that claim something, by name.
    rows : pandas.DataFrame
        The rows that are counted: `date`, `platform` (its number), `conversions` and `value`.
    conversions, value : numpy.ndarray of float
        By platform; the value in whole cents. Less than nothing counts as nothing.
    begin, end : numpy.ndarray of int
        By platform: the moments, in microseconds, at which its first day begins and its last day
        is over, by the clock of its account.
    first, last : pandas.Timestamp
        The first and the last day.
    currency : str
        Of the values; empty if unknown.
    remarks : list of str
        What was left out.
    """

    platforms: list[AdPlatform]
    rows: pd.DataFrame
    conversions: FloatArray
    value: FloatArray
    begin: IntArray
    end: IntArray
    first: pd.Timestamp
    last: pd.Timestamp
    currency: str
    remarks: list[str]


def claims_of(
    spend: pd.DataFrame | Spend,
    calendar: Calendar,
    *,
    start: Any,
    end: Any,
    windows: Windows | None,
    dated: Mapping[str, Dated] | None,
    rates: Mapping[str, float] | None,
    money: bool,
) -> PlatformClaims:
    """Return what platforms claim between two days. See `Stitched.reconcile`.

    Raises
    ------
    ColumnError
        A column is missing.
    ConvergekitError
        Nothing is claimed, or values are in several currencies without rates.
    """
    remarks: list[str] = []
    table = _table(spend, remarks)
    days = Calendar()
    begin_day, end_day = days.moment(start, "start"), days.moment(end, "end", last=True)
    date = microseconds(table["date"])
    used = np.ones(len(table), dtype=bool)
    if begin_day is not None:
        used = used & (date >= begin_day)
    if end_day is not None:
        used = used & (date < end_day)
    claims = table["conversions"].notna().to_numpy(dtype=bool)
    named = table["platform"].notna().to_numpy(dtype=bool)
    nameless = used & claims & ~named
    if nameless.any():
        lost = float(table["conversions"][nameless].sum())
        remarks.append(
            f"{counted(int(nameless.sum()), 'row')} of spend without a platform left out, with "
            f"{lost:,.10g} claimed conversions."
        )
    used = used & claims & named
    rows = table[used]
    if rows.empty:
        raise ConvergekitError(
            "no row of the spend has a date, a platform and conversions"
            f"{'' if start is None and end is None else ' between start and end'}: nothing is "
            "claimed. Give the platforms' exports with their column of conversions."
        )
    value, currency = _in_one_currency(rows, rates) if money else (np.zeros(len(rows)), "")
    codes, platforms = _claimants(rows, windows, dated)
    count = len(platforms)
    conversions = rows["conversions"].to_numpy(dtype=float)
    # In one order, whatever that of the rows is: floats add up to the same then.
    order = np.lexsort((value, conversions, codes))
    sums = [
        np.bincount(codes[order], weights=amounts[order], minlength=count)
        for amounts in (conversions, value)
    ]
    first = _moment(date[used].min()) if begin_day is None else _moment(begin_day)
    last = _moment(date[used].max()) if end_day is None else _moment(end_day - _DAY)
    begin, over = _spans(rows, codes, count, first, last, calendar, remarks)
    below = [platforms[place].title for place in np.flatnonzero(sums[0] < 0)]
    if below:
        remarks.append(f"{', '.join(below)}: claims add up to less than nothing, and count as 0.")
    return PlatformClaims(
        platforms=platforms,
        rows=pd.DataFrame(
            {
                "date": rows["date"].to_numpy(),
                "platform": codes,
                "conversions": conversions,
                "value": value,
            }
        ),
        # Sums of shares, such as Google's, differ from whole numbers by what a float does.
        conversions=np.maximum(np.round(sums[0], 6), 0.0),
        value=np.maximum(np.rint(sums[1] * 100), 0.0),
        begin=begin,
        end=over,
        first=first,
        last=last,
        currency=currency,
        remarks=remarks,
    )


def _table(spend: pd.DataFrame | Spend, remarks: list[str]) -> pd.DataFrame:
    """Return the rows of spend; what cannot be used is remarked."""
    if isinstance(spend, pd.DataFrame):
        for name in _NEEDED:
            if name not in spend:
                raise ColumnError(
                    f"spend has no column {name!r}. {what_there_is(map(str, spend.columns), name)}"
                )
        # What was paid does not matter here.
        spend = spend if "spend" in spend else spend.assign(spend=0.0)
        spend = read_spend(spend)
    if not isinstance(spend, Spend):
        raise ConvergekitError(
            "spend must be what ck.read_spend returns, or a DataFrame with date, platform, "
            f"conversions and value; got {type(spend).__name__}."
        )
    for reason, rows in most_first(spend.rejected["reason"]).items():
        # Exports have both, and nothing is lost by them.
        if reason not in (A_TOTAL, A_NOTE):
            remarks.append(f"{counted(int(rows), 'row')} of spend rejected: {reason}.")
    # What may have been read twice is claimed twice, and a period that is taken for a day.
    doubtful = spend.remarks["kind"].isin(_DOUBTFUL)
    remarks.extend(f"Spend: {remark}" for remark in spend.remarks["remark"][doubtful])
    return spend.table


def _claimants(
    rows: pd.DataFrame, windows: Windows | None, dated: Mapping[str, Dated] | None
) -> tuple[IntArray, list[AdPlatform]]:
    """Return who claims each row, as a number, and who these are.

    Two accounts of one platform do not know of each other, and may claim the same order.
    """
    names = rows["platform"].astype("str")
    account = rows["account"].astype("str")
    several = account.groupby(names).transform("nunique") > 1
    label = names.where(~several | account.isna(), names + " " + account)
    codes, labels = pd.factorize(label, sort=True)
    first = pd.Series(np.arange(len(codes))).groupby(codes).first().to_numpy()
    of = names.iloc[first].tolist()
    known = {one.name: one for one in platforms_of(dict.fromkeys(of), windows, dated)}
    found = []
    for name, text in zip(of, map(str, labels), strict=True):
        title = known[name].title + text.removeprefix(name)
        found.append(replace(known[name], name=text, title=title))
    return codes.astype(np.int64), found


def _in_one_currency(
    rows: pd.DataFrame, rates: Mapping[str, float] | None
) -> tuple[FloatArray, str]:
    value = rows["value"].fillna(0.0).to_numpy(dtype=float)
    codes = currency_codes(rows["currency"]).reset_index(drop=True)
    found = most_first(codes[value != 0])
    unsaid = int((codes.isna() & (value != 0)).sum())
    if unsaid and (len(found) or rates is not None):
        beside = "while others say theirs" if len(found) else "which rates= needs"
        raise ConvergekitError(
            f"{counted(unsaid, 'row')} of spend with a claimed value and without a currency, "
            f"{beside}. Give currency= to ck.read_spend if all of them are in one."
        )
    if rates is None:
        if len(found) > 1:
            example = {code: 1.0 if not place else "..." for place, code in enumerate(found.index)}
            raise ConvergekitError(
                f"the platforms claim values in several currencies ({', '.join(found.index)}), "
                "which cannot be added up. Say what one of each is worth: currency='currency', "
                f"rates={example}."
            )
        return value, str(found.index[0]) if len(found) else ""
    worth = by_code(rates)
    lacking = [str(code) for code in found.index if code not in worth]
    if lacking:
        raise ConvergekitError(
            f"rates must say what one {', '.join(lacking)} is worth too; the platforms claim "
            "values in it."
        )
    base = [code for code, rate in worth.items() if rate == 1]
    # What is left without one claims nothing.
    converted = value * codes.map(worth).fillna(0.0).to_numpy(dtype=float)
    return converted, base[0] if len(base) == 1 else ""


def _spans(
    rows: pd.DataFrame,
    codes: IntArray,
    count: int,
    first: pd.Timestamp,
    last: pd.Timestamp,
    calendar: Calendar,
    remarks: list[str],
) -> tuple[IntArray, IntArray]:
    """Return when each platform's first day begins and its last is over, by its own clocks.

    Where an account does not say its time zone, or a zone that is not one, it is the shop's.
    """
    numbers, zones = pd.factorize(rows["time_zone"].astype("str"))
    days = pd.PeriodIndex([pd.Period(day, freq="D") for day in (first, last)])
    spans = []
    for zone in [*map(str, zones), calendar.zone]:
        try:
            clock = Calendar.of(zone)
        except ConvergekitError:
            remarks.append(
                f"{zone!r} is not the name of a time zone: its days are taken for the shop's. "
                "Give tz= to ck.read_spend."
            )
            clock = calendar
        begin, end = clock.begin(days[:1])[0], clock.end(days[1:])[0]
        spans.append(microseconds(pd.Series([begin, end])))
    table = np.array(spans)
    # The last is the shop's, of rows without a time zone: their number is -1.
    begin = np.full(count, np.iinfo(np.int64).max)
    end = np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(begin, codes, table[numbers, 0])
    np.maximum.at(end, codes, table[numbers, 1])
    return begin, end


def _moment(micros: Any) -> pd.Timestamp:
    return pd.Timestamp(int(micros), unit="us")
