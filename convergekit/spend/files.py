"""One report to rows of spend: what each row says, or why it cannot be used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.wording import counted
from convergekit.errors import ReadError
from convergekit.events.currencies import currency_codes
from convergekit.events.money import CODES, Amounts
from convergekit.spend.ad_platforms import platform_of_source
from convergekit.spend.cells import (
    Reasons,
    days_of,
    ids_of,
    language_of,
    moment_within,
    names_of,
    numbers_of,
    texts_of,
)
from convergekit.spend.headings import Header, header_of
from convergekit.spend.platforms import (
    COLUMNS,
    COUNTS,
    FIRST_DAY,
    IDS,
    LAST_DAY,
    MONEY,
    NAMES,
    PlatformFormat,
)
from convergekit.spend.repeats import alike
from convergekit.spend.result import converted, money_of
from convergekit.spend.rows import ReportRows
from convergekit.spend.totals import A_TOTAL, are_totals, said_of_totals
from convergekit.typing import BoolArray, FloatArray

#: Kind, file, rows, spend and words.
Remark = tuple[str, str | None, int, float, str]

_NUMBERS = (*MONEY, *COUNTS, "conversions")
#: What is wrong if a row comes twice; many have no more than a few impressions.
_ADDED = (*MONEY, "conversions")
_ZONE = re.compile(r"[\"']?time zone:\s*(.*?)[\"',;\s]*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class SpendOptions:
    """What `read_spend` was told, as it has it."""

    format: PlatformFormat | None = None
    worth: Mapping[str, float] = field(default_factory=dict)
    base: str | None = None
    currency: str | None = None
    zones: Mapping[str | None, str] = field(default_factory=dict)
    day_first: bool | None = None
    amounts: Amounts | None = None
    encoding: str | None = None


@dataclass(frozen=True)
class FileSpend:
    """What one report says.

    Attributes
    ----------
    table : pandas.DataFrame
        With the columns of a table of spend.
    rejected : pandas.DataFrame
        `file`, `line`, `reason` and `row`.
    remarks : list of Remark
    columns : pandas.DataFrame
        `file`, `platform`, `heading` and `column`.
    text : callable
        Returns a row of the table, by its position, as the file has it.
    """

    table: pd.DataFrame
    rejected: pd.DataFrame
    remarks: list[Remark]
    columns: pd.DataFrame
    text: Callable[[int], str]


def read_report(
    rows: ReportRows, own: Mapping[str, Any], options: SpendOptions, where: str, label: str | None
) -> FileSpend:
    """Return what a report says.

    Parameters
    ----------
    rows : ReportRows
    own : mapping
        Canonical columns that the caller names.
    options : SpendOptions
    where : str
        What errors call the report.
    label : str, optional
        What the column `file` calls it.

    Raises
    ------
    ReadError
        No platform's export has such columns, or none of its rows can be used.
    ColumnError
        A column is missing.
    """
    header = header_of(rows.headings, rows.above, own, options.format, where)
    report = _Report(rows, header, options, where)
    table, reasons = report.table(), report.reasons
    dated = report.dated
    used = np.array([one is None for one in reasons], dtype=bool)
    if len(used) and not used.any() and not all(one == A_TOTAL for one in reasons):
        first = next(place for place, one in enumerate(reasons) if one not in (None, A_TOTAL))
        said = f"{where}: no row can be used; line {rows.line[first]}: {reasons[first]}."
        if not dated.any():
            said += f" Spend is by day: {header.platform.by_day}."
        raise ReadError(said)
    table["file"] = _files(rows, label)
    table["line"] = pd.Series(rows.line, dtype="int64")
    kept = table[used].reset_index(drop=True)
    lost = [(rows.line[at], reasons[at], rows.text(at)) for at in np.flatnonzero(~used).tolist()]
    rejected = pd.DataFrame(sorted([*lost, *rows.rejected]), columns=["line", "reason", "row"])
    rejected.insert(0, "file", pd.Series(label, index=rejected.index, dtype="str"))
    remarks = report.remarks(kept, used, label)
    place = np.flatnonzero(used).tolist()
    columns = _columns_of(rows, header, label)
    return FileSpend(kept, rejected, remarks, columns, lambda at: rows.text(place[at]))


def _files(rows: ReportRows, label: str | None) -> pd.Series:
    if rows.file is not None:
        return pd.Series(rows.file, dtype="str")
    return pd.Series(label, index=range(len(rows.line)), dtype="str")


def _columns_of(rows: ReportRows, header: Header, label: str | None) -> pd.DataFrame:
    read = {place: name for name, place in header.place.items()}
    found = [
        (label, header.platform.name, heading, read.get(place))
        for place, heading in enumerate(rows.headings)
        if heading
    ]
    columns = ["file", "platform", "heading", "column"]
    return pd.DataFrame(found, columns=columns).astype("str")


class _Report:
    """A report whose cells are read column by column.

    Attributes
    ----------
    reasons : numpy.ndarray of object
        Why each row cannot be used; None where it can.
    dated : numpy.ndarray of bool
        Which rows are of one day.
    """

    def __init__(self, rows: ReportRows, header: Header, options: SpendOptions, where: str) -> None:
        self._header = header
        self._options = options
        self._where = where
        self._rows = rows
        self._raw = {name: texts_of(rows.column(at)) for name, at in header.place.items()}
        every = range(len(rows.line))
        for name, value in header.constants.items():
            self._raw[name] = texts_of(pd.Series([value] * len(every), dtype=object))
        self.reasons: Reasons = np.full(len(every), None, dtype=object)
        self._every = pd.RangeIndex(len(every))
        self._numbers: dict[str, FloatArray] = {}
        self._totals = np.zeros(len(every), dtype=bool)
        self._rounded: dict[str, BoolArray] = {}
        self.dated = np.zeros(len(every), dtype=bool)
        # Before it is converted, as the totals are.
        self._as_paid = pd.DataFrame()

    def table(self) -> pd.DataFrame:
        """Return all rows under canonical columns, and note why some cannot be used."""
        days = self._days()
        found: dict[str, pd.Series] = {"date": days, **self._names()}
        codes, signs = self._read_numbers()
        for name in _NUMBERS:
            values = self._numbers.get(name, np.full(len(self._every), np.nan))
            found[name] = pd.Series(values, index=self._every)
        found["currency"] = self._currencies(codes, signs)
        table = pd.DataFrame(found, index=self._every)
        self._note(np.isnan(table["spend"].to_numpy()), "without spend")
        self._as_paid = table[["spend", "currency"]]
        if self._options.base is not None:
            table = self._in_base(table)
        return table.reindex(columns=list(COLUMNS))

    def _note(self, where: BoolArray, reason: str | Reasons) -> None:
        """Note a reason for rows that do not have one."""
        new = where & np.array([one is None for one in self.reasons], dtype=bool)
        self.reasons[new] = reason if isinstance(reason, str) else reason[new]

    def _days(self) -> pd.Series:
        days, reasons = days_of(self._raw["date"], self._options.day_first, self._where)
        dated = days.notna().to_numpy()
        self._totals = are_totals(self._rows.cells, self._raw, dated)
        self._note(self._totals, A_TOTAL)
        self._note(~dated, reasons)
        self.dated = dated & ~self._totals
        if LAST_DAY in self._raw:
            last, _ = days_of(self._raw[LAST_DAY], self._options.day_first, self._where)
            several = (last.notna() & (last != days)).to_numpy()
            spans = days.dt.strftime("%Y-%m-%d") + " to " + last.dt.strftime("%Y-%m-%d")
            self.dated &= ~several
            self._note(several, ("covers several days: " + spans).to_numpy(dtype=object))
        return days

    def _names(self) -> dict[str, pd.Series]:
        found: dict[str, pd.Series] = {}
        for name in NAMES:
            column = self._raw.get(name)
            if column is None:
                found[name] = pd.Series(None, index=self._every, dtype="str")
            elif name in IDS:
                heading = self._rows.headings[self._header.place.get(name, 0)]
                found[name], self._rounded[name] = ids_of(column, heading, self._where)
            else:
                found[name] = names_of(column)
        platform = self._header.platform
        if platform.name != "plain" and "platform" not in self._raw:
            found["platform"] = found["platform"].fillna(platform.name)
        else:
            told = found["platform"].dropna().unique()
            known = {one: platform_of_source(one) or one for one in told}
            found["platform"] = found["platform"].map(known).astype("str")
        said = next((m[1] for m in map(_ZONE.fullmatch, self._rows.above) if m and m[1]), None)
        zones = self._options.zones
        by_platform = found["platform"].map(lambda one: zones.get(one, zones.get(None)))
        usual = by_platform.astype("str").fillna(platform.time_zone or np.nan)
        found["time_zone"] = found["time_zone"].fillna(said or np.nan).fillna(usual).astype("str")
        return found

    def _read_numbers(self) -> tuple[pd.Series, pd.Series]:
        """Read the numbers; return what the column of currencies says, and what the cells do."""
        there = {name: self._raw[name] for name in _NUMBERS if name in self._raw}
        language = self._options.amounts or language_of(there.values(), self._where)
        signs = pd.Series("", index=self._every, dtype="str")
        for name, column in there.items():
            values, codes, reasons = numbers_of(column, language, name)
            self._numbers[name] = values
            self._note(np.array([one is not None for one in reasons], dtype=bool), reasons)
            if name == "spend":
                signs = codes
        column = self._raw.get("currency")
        said = pd.Series(None, index=self._every, dtype="str") if column is None else column
        return currency_codes(said), signs.replace("", np.nan)

    def _currencies(self, said: pd.Series, signs: pd.Series) -> pd.Series:
        unknown = said.notna().to_numpy() & ~said.isin(CODES).to_numpy()
        self._note(unknown, ("the currency " + said.map(repr) + " is not known").to_numpy(object))
        heading = self._header.currency
        codes = said.fillna(heading) if heading else said
        differ = codes.notna() & signs.notna() & (codes != signs)
        both = "spend in " + signs.astype(object) + " and a currency " + codes.astype(object)
        self._note(differ.to_numpy(dtype=bool), both.to_numpy(dtype=object))
        codes = codes.fillna(signs)
        usual = self._options.currency
        return (codes.fillna(usual) if usual else codes).astype("str")

    def _in_base(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows in the currency of which one is worth 1."""
        codes, worth, base = table["currency"], self._options.worth, str(self._options.base)
        self._note(codes.isna().to_numpy(), "without a currency, which rates= needs")
        lacking = codes.notna().to_numpy() & ~codes.isin(list(worth)).to_numpy()
        self._note(lacking, ("rates= does not have " + codes.astype(object)).to_numpy(object))
        money = converted(table, codes, worth, base)
        return table.assign(**money, currency=pd.Series(base, index=table.index, dtype="str"))

    def remarks(self, kept: pd.DataFrame, used: BoolArray, label: str | None) -> list[Remark]:
        """Return what is to be looked at in the rows."""
        of = f" of {label}" if label else ""
        found: list[Remark] = []
        totals = pd.DataFrame({"line": self._rows.line}, index=self._every)
        totals["spend"] = self._numbers.get("spend", np.nan)
        told = said_of_totals(totals[self._totals], self._as_paid[used], label)
        if told is not None:
            found.append(("total", label, int(self._totals.sum()), told[1], told[0]))
        counted_up = [self._numbers[name] for name in _ADDED if name in self._numbers]
        again = alike(self._rows.cells, np.max(np.abs(np.nan_to_num(counted_up)), axis=0))[used]
        if again.any():
            words, money = money_of(kept[again])
            said = (
                f"{counted(int(again.sum()), 'row is', 'rows are')} the same in every column as "
                f"one before{of}: {words} may be counted twice."
            )
            found.append(("overlap", label, int(again.sum()), money, said))
        below = kept[kept["spend"] < 0]
        if len(below):
            words, money = money_of(below)
            said = f"{counted(len(below), 'row')}{of} with spend below zero: {words}."
            found.append(("credit", label, len(below), money, said))
        if FIRST_DAY in self._raw:
            said = f"The days{of} begin periods, and their ends are not told: are these one day?"
            found.append(("period", label, len(kept), money_of(kept)[1], said))
        moment = moment_within(self._raw["date"][used])
        if moment is not None:
            said = (
                f"Dates{of} are moments of a time zone, of which the day is taken as it is written "
                f"({moment}): give the days of the account if it is in another zone."
            )
            found.append(("period", label, len(kept), money_of(kept)[1], said))
        for name, rounded in self._rounded.items():
            if rounded.any():
                said = (
                    f"{counted(int(rounded.sum()), 'cell')} of {name}{of} lost digits in a "
                    "spreadsheet, such as 2.3E+17, and are missing."
                )
                found.append(("ids", label, int(rounded.sum()), np.nan, said))
        return found
