"""`read_spend`: exports of ad platforms, and plain tables, to one table of spend."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.options import choice
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError, ReadError, what_there_is
from convergekit.events.arrow import Frame, as_frame
from convergekit.events.currencies import by_code, check_rates, currency_codes
from convergekit.events.money import Amounts
from convergekit.events.timestamps import check_zone
from convergekit.figures.calls import of_function
from convergekit.readers.archives import is_archive, members_of
from convergekit.readers.fields import Constant
from convergekit.readers.files import format_suffix
from convergekit.readers.lines import check_encoding
from convergekit.readers.own.columns import columns_of, of_patterns
from convergekit.readers.reading import Paths, find_files, warn_of_left
from convergekit.readers.sources import sources_of
from convergekit.spend.files import FileSpend, Remark, SpendOptions, read_report
from convergekit.spend.headings import THE_FRAME, check_own
from convergekit.spend.platforms import PlatformFormat
from convergekit.spend.repeats import overlaps, repeats
from convergekit.spend.result import Spend, money_of
from convergekit.spend.rows import ReportRows, rows_of_file, rows_of_frame

#: What `columns` of `read_spend` takes.
SpendColumns = Mapping[str, str | Constant] | Mapping[str, Mapping[str, str | Constant]]


@of_function
def read_spend(
    paths: Paths | Frame | Spend,
    *,
    format: PlatformFormat | None = None,  # noqa: A002 - as in `read_events`
    columns: SpendColumns | None = None,
    rates: Mapping[str, float] | None = None,
    currency: str | None = None,
    tz: str | Mapping[str, str] | None = None,
    day_first: bool | None = None,
    amounts: Amounts | None = None,
    encoding: str | None = None,
) -> Spend:
    """Read what advertising cost: exports of ad platforms, or a table of your own.

    Exports of Google Ads, Meta Ads Manager, TikTok Ads Manager, Microsoft Advertising and
    Pinterest are recognised by their headings, in the languages that ``docs/spend.md`` lists, and
    so is a plain table with the columns `date` and `spend`. Titles above the header, notes below
    the rows, totals, UTF-16 and tabs are read as the platforms write them. Nothing is added up:
    a total is listed in `rejected` and held against the rows.

    Parameters
    ----------
    paths : str, pathlib.Path, iterable of these, pandas.DataFrame, or Spend
        CSV and TSV files, plain or compressed, also JSON and Parquet; archives and folders of
        them; patterns such as ``"spend/*.csv"``. A frame is read as the rows of a file. A `Spend`
        is returned as it is.
    format : {"google_ads", "meta", "tiktok", "microsoft", "pinterest", "plain"}, optional
        The platform of all files, where the headings do not tell it.
    columns : mapping, optional
        A column of the table to the heading that holds it, or to ``ck.constant("...")``:
        ``{"date": "Datum", "spend": "Kosten", "platform": ck.constant("radio")}``. For files of
        several kinds, a pattern to such a mapping: ``{"radio*.csv": {...}}``.
    rates : mapping of str to float, optional
        What one of each currency is worth: ``{"EUR": 1, "USD": 0.9}``. All money is then in the
        currency of which one is worth 1; a row in a currency without a rate is rejected.
    currency : str, optional
        Of rows that do not say theirs, such as ``"EUR"``.
    tz : str, or mapping of str to str, optional
        The time zone of accounts whose export does not say it, or of each platform:
        ``{"google_ads": "Europe/Brussels", "meta": "America/New_York"}``. It is kept in
        `time_zone`; a date stays the calendar day of the account.
    day_first : bool, optional
        How dates of digits alone are written: True reads ``01/02/2026`` as in February. When
        absent, a date such as ``13/02/2026`` tells it for its file; without one it is an error.
    amounts : {"en", "ch", "da", "de", "es", "it", "nl", "pt", "cs", "fi", "fr", "nb", "pl", "sv"}
        The language in which numbers are written, as in `money`. When absent, a cell such as
        ``12,50`` tells it for its file; where ``1.234`` may be a thousand or not, it is an error.
    encoding : str, optional
        Of files without a byte-order mark, such as ``"cp1252"``; UTF-8 when absent.

    Returns
    -------
    Spend
        Its `table` has one row per row that can be used, `rejected` the others with reasons,
        `remarks` what to look at, and `columns` what each heading was read as.

    Raises
    ------
    ReadError
        No file matches, a file cannot be read, its platform is not known, none of its rows can be
        used, or how its numbers or dates are written is not known.
    ColumnError
        A column of days or spend is missing, or `columns` names one that is not there.
    ConvergekitError
        An option is not of its form.

    See Also
    --------
    read_events : Reads what visitors and customers did.
    money : Reads amounts of one column, and their currencies.

    Notes
    -----
    A row that an earlier file has too, with the same names and the same numbers, is rejected as a
    repeat. Files with other numbers of the same days and campaigns are remarked: exports of
    two days, or of campaigns and of their ads, which together count money twice. So are rows that
    one file has twice, cell by cell, which stay in the table.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> report = '''Campaign report
    ... "March 2, 2026 - March 3, 2026"
    ... Day,Campaign,Currency code,Cost,Impr.,Clicks,Conversions
    ... 2026-03-02,brand,EUR,12.34,"1,234",7,1.00
    ... 2026-03-03,brand,EUR,"1,020.50","10,500",88,2.50
    ... Total: Account,--,EUR,"1,032.84","11,734",95,3.50
    ... '''
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory, "google.csv")
    ...     _ = path.write_text(report)
    ...     spend = read_spend(path)
    >>> spend
    Spend(2 rows of 1 platform, 2026-03-02 to 2026-03-03: 1,032.84 EUR; 1 row rejected)
    >>> spend.table[["platform", "campaign", "spend", "impressions", "line"]].values.tolist()
    [['google_ads', 'brand', 12.34, 1234.0, 4], ['google_ads', 'brand', 1020.5, 10500.0, 5]]
    >>> spend.rejected[["line", "reason"]].values.tolist()
    [[6, 'a total, not a row']]
    """
    if isinstance(paths, Spend):
        return paths
    options = _options(format, rates, currency, tz, day_first, amounts, encoding)
    own = {} if columns is None else columns
    check_own(own)
    if isinstance(paths, pd.DataFrame) or hasattr(paths, "__arrow_c_stream__"):
        if of_patterns(own):
            raise ConvergekitError(
                "columns for each pattern of files needs files; give a frame one mapping."
            )
        return _together([read_report(_of_frame(paths, own), own, options, THE_FRAME, None)])
    left: list[str] = []
    files = find_files(paths, left)
    for path in files:
        if not is_archive(path.name):
            format_suffix(path)
    read: list[FileSpend] = []
    named: set[str | None] = set()
    for source in sources_of(files):
        inner = members_of(source, lambda _: None, left) if is_archive(source.name) else [source]
        for one in inner:
            with one.named_in_errors():
                pattern, mine = columns_of(own, Path(one.said))
                named.add(pattern)
                rows = rows_of_file(one, mine, options.encoding)
                read.append(read_report(rows, mine, options, one.said, one.label))
    warn_of_left(left)
    if of_patterns(own) and (unused := [one for one in own if one not in named]):
        raise ConvergekitError(
            f"columns={{{unused[0]!r}: ...}}: no file has such a name. "
            f"{what_there_is((path.name for path in files[:20]), unused[0])}"
        )
    if not read:
        raise ReadError(f"{files[0]}: holds no file that is read.")
    return _together(read)


def _of_frame(given: Any, own: Mapping[str, Any]) -> ReportRows:
    return rows_of_frame(as_frame(given), own)


def _options(
    format_: PlatformFormat | None,
    rates: Mapping[str, float] | None,
    currency: str | None,
    tz: str | Mapping[str, str] | None,
    day_first: bool | None,
    amounts: Amounts | None,
    encoding: str | None,
) -> SpendOptions:
    """Return what was told, checked."""
    if format_ is not None:
        choice("format", format_, PlatformFormat)
    if amounts is not None:
        choice("amounts", amounts, Amounts)
    if day_first is not None and not isinstance(day_first, bool):
        raise ConvergekitError(f"day_first must be True or False; got {day_first!r}.")
    if encoding is not None:
        check_encoding(encoding)
    zones: dict[str | None, str] = {}
    if tz is not None:
        named = tz.items() if isinstance(tz, Mapping) else [(None, tz)]
        zones = dict(named)
        for zone in zones.values():
            check_zone(zone)
    code = None
    if currency is not None:
        code = currency_codes(pd.Series([currency], dtype=object)).iloc[0]
        if not isinstance(code, str) or len(code) != 3:
            raise ConvergekitError(f"currency must be such as 'EUR'; got {currency!r}.")
    check_rates("spend", "currency", rates)
    worth = by_code(rates or {})
    base = [one for one, rate in worth.items() if rate == 1]
    if worth and len(base) != 1:
        raise ConvergekitError(
            "rates must give one currency the rate 1, in which all spend is then, such as "
            f"{{'EUR': 1, 'USD': 0.9}}; got {dict(rates or {})!r}."
        )
    return SpendOptions(
        format_, worth, base[0] if base else None, code, zones, day_first, amounts, encoding
    )


def _together(read: list[FileSpend]) -> Spend:
    """Return what several reports say, each row once."""
    table = pd.concat([one.table for one in read], ignore_index=True)
    rejected = pd.concat([one.rejected for one in read], ignore_index=True)
    remarks = [remark for one in read for remark in one.remarks]
    if len(read) > 1:
        again = repeats(table)
        lost, said = _repeated(read, table, again)
        rejected = pd.concat([rejected, lost], ignore_index=True)
        table = table[again.isna().to_numpy()].reset_index(drop=True)
        remarks += [*said, *_overlapping(table)]
    unsaid = table["currency"].isna()
    if unsaid.any() and not unsaid.all():
        words, money = money_of(table[unsaid])
        remark = (
            f"{counted(int(unsaid.sum()), 'row')} without a currency, with {words} of spend, "
            "while others say theirs. Give currency= if all of them are in one."
        )
        remarks.append(("currency", None, int(unsaid.sum()), money, remark))
    return Spend(
        table,
        rejected.astype({"line": "int64", "reason": "str", "row": "str"}),
        _remark_table(remarks),
        pd.concat([one.columns for one in read], ignore_index=True),
    )


def _repeated(
    read: list[FileSpend], table: pd.DataFrame, again: pd.Series
) -> tuple[pd.DataFrame, list[Remark]]:
    """Return the rows that an earlier file has too, as rejected, and a remark on each file."""
    at = np.flatnonzero(again.notna().to_numpy())
    rows = table.iloc[at]
    first = np.cumsum([0, *(len(one.table) for one in read)])
    report = np.searchsorted(first, at, side="right") - 1
    texts = [
        read[one].text(place - int(first[one]))
        for one, place in zip(report.tolist(), at.tolist(), strict=True)
    ]
    lost = rows[["file", "line"]].assign(
        reason="the same row is in " + again.iloc[at], row=pd.Series(texts, rows.index, dtype="str")
    )
    remarks: list[Remark] = []
    for file, mine in rows.groupby("file", sort=True):
        words, money = money_of(mine)
        said = (
            f"{counted(len(mine), 'row')} of {file} stand in an earlier file too, with {words} of "
            "spend, and are counted once."
        )
        remarks.append(("repeat", str(file), len(mine), money, said))
    return lost, remarks


def _overlapping(table: pd.DataFrame) -> list[Remark]:
    """Return a remark on each two files that have the same days and campaigns."""
    found: list[Remark] = []
    for (file, other), rows in overlaps(table):
        words, money = money_of(rows)
        said = (
            f"{file} has {counted(len(rows), 'row')} of days and campaigns that {other} has too: "
            f"{words} may be counted twice."
        )
        found.append(("overlap", file, len(rows), money, said))
    return found


def _remark_table(remarks: list[Remark]) -> pd.DataFrame:
    columns = ["kind", "file", "rows", "spend", "remark"]
    kinds = {"kind": "str", "file": "str", "rows": "int64", "spend": float, "remark": "str"}
    found = pd.DataFrame(remarks, columns=columns)
    return found.astype(kinds).replace({"file": {"nan": np.nan}})
