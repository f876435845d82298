"""Spend as the platforms' exports have it: their headings, titles, totals and notes.

The headings are written here by themselves, not those by which `spend` reads: a test holds both
against each other.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable

import pandas as pd

_EUR = "EUR"
#: The columns of a table of spend, as `Spend.table` has them.
_COLUMNS = ("date", "platform", "account", "time_zone", "channel", "source", "medium", "campaign",
            "campaign_id", "ad_group", "ad_group_id", "ad", "ad_id", "spend", "currency",
            "impressions", "clicks", "conversions", "value", "file", "line")  # fmt: skip
_NUMBERS = ("spend", "impressions", "clicks", "conversions", "value")
#: The line of the first row of each file.
_FIRST_LINE = {"google_ads": 4, "meta": 2, "tiktok": 2, "microsoft": 8, "pinterest": 2}
_ZONES = {"microsoft": "(GMT) Coordinated Universal Time", "pinterest": "UTC"}


def platform_file(name: str, table: pd.DataFrame) -> str:
    """Return the CSV file that a platform would export.

    Parameters
    ----------
    name : {"google_ads", "meta", "tiktok", "microsoft", "pinterest"}
    table : pandas.DataFrame
        Its rows: `date`, `campaign`, `campaign_id`, `ad_group`, `spend`, `impressions`, `clicks`,
        `conversions` and `value`, in euros.

    Examples
    --------
    >>> row = {"date": pd.Timestamp("2026-03-02"), "campaign": "brand", "campaign_id": "21",
    ...        "ad_group": "exact", "spend": 1234.5, "impressions": 9000.0, "clicks": 80.0,
    ...        "conversions": 2.0, "value": 58.0}
    >>> print(platform_file("google_ads", pd.DataFrame([row])), end="")
    Ad group report
    "March 2, 2026 - March 2, 2026"
    Day,Campaign,Campaign ID,Ad group,Currency code,Cost,Impr.,Clicks,Conversions,Conv. value
    2026-03-02,brand,21,exact,EUR,"1,234.50","9,000",80,2.00,58.00
    Total: Account, --, --, --,EUR,"1,234.50","9,000",80,2.00,58.00
    """
    return _WRITERS[name](table)


def as_read(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows of spend as `read_spend` reads them from the files of their platforms.

    Parameters
    ----------
    table : pandas.DataFrame
        As `platform_file` takes it, with `platform`; each platform's rows one after the other.
    """
    platform = table["platform"].astype("str")
    place = table.groupby("platform", sort=False).cumcount()
    # Meta does not write a zero where nothing was bought.
    bought = (table["conversions"] > 0) | (platform != "meta")
    columns = {
        **{name: table[name] for name in ("date", "platform", "campaign", "campaign_id")},
        **{name: table[name] for name in ("ad_group", *_NUMBERS)},
        **{name: table[name].where(bought) for name in ("conversions", "value")},
        "currency": pd.Series(_EUR, index=table.index),
        "time_zone": platform.map(_ZONES),
        "file": platform + ".csv",
        "line": (platform.map(_FIRST_LINE) + place).astype("int64"),
    }
    found = pd.DataFrame(columns, index=table.index).reindex(columns=list(_COLUMNS))
    kept = {"date", "line", *_NUMBERS}
    return found.astype({name: "str" for name in _COLUMNS if name not in kept})


def _google_ads(table: pd.DataFrame) -> str:
    first, last = table["date"].min(), table["date"].max()
    header = ["Day", "Campaign", "Campaign ID", "Ad group", "Currency code", "Cost", "Impr.",
              "Clicks", "Conversions", "Conv. value"]  # fmt: skip

    def numbers(row: pd.Series) -> list[str]:
        money = [f"{row['conversions']:,.2f}", f"{row['value']:,.2f}"]
        counts = [f"{row['impressions']:,.0f}", f"{row['clicks']:,.0f}"]
        return [f"{row['spend']:,.2f}", *counts, *money]

    rows = [
        [_day(row), row["campaign"], row["campaign_id"], row["ad_group"], _EUR, *numbers(row)]
        for _, row in table.iterrows()
    ]
    total = ["Total: Account", " --", " --", " --", _EUR, *numbers(_summed(table))]
    period = [f"{_words(first)} - {_words(last)}"] if len(table) else []
    return _csv([["Ad group report"], period, header, *rows, total])


def _meta(table: pd.DataFrame) -> str:
    header = ["Campaign name", "Campaign ID", "Ad set name", "Day", f"Amount spent ({_EUR})",
              "Impressions", "Link clicks", "Purchases", "Purchases conversion value",
              "Reporting starts", "Reporting ends"]  # fmt: skip

    def numbers(row: pd.Series) -> list[str]:
        found = [repr(float(row["spend"])), f"{row['impressions']:.0f}", f"{row['clicks']:.0f}"]
        # Nothing is written where nothing was bought.
        bought = row["conversions"] > 0
        return [*found, f"{row['conversions']:g}" if bought else "",
                repr(float(row["value"])) if bought else ""]  # fmt: skip

    period = [_iso(table["date"].min()), _iso(table["date"].max())] if len(table) else ["", ""]
    rows = [
        [row["campaign"], row["campaign_id"], row["ad_group"], _day(row), *numbers(row), *period]
        for _, row in table.iterrows()
    ]
    return _csv([header, *rows, ["", "", "", "", *numbers(_summed(table)), *period]])


def _tiktok(table: pd.DataFrame) -> str:
    header = ["By Day", "Campaign name", "Campaign ID", "Ad group name", "Cost", "Impressions",
              "Clicks (destination)", "Complete payment", "Total complete payment value",
              "Currency"]  # fmt: skip
    rows = [
        [_day(row), row["campaign"], row["campaign_id"], row["ad_group"], *_plain(row), _EUR]
        for _, row in table.iterrows()
    ]
    label = f"Total of {len(table)} results"
    return _csv([header, *rows, [label, "-", "-", "-", *_plain(_summed(table)), _EUR]])


def _microsoft(table: pd.DataFrame) -> str:
    first, last = (_iso(table["date"].min()), _iso(table["date"].max())) if len(table) else ("", "")
    above = [["Report Name: Ad group performance"], [f"Report Time: {first} - {last}"],
             ["Time Zone: (GMT) Coordinated Universal Time"], ["Report Aggregation: Daily"],
             [f"Rows: {len(table)}"]]  # fmt: skip
    header = ["TimePeriod", "CampaignName", "CampaignId", "AdGroupName", "CurrencyCode", "Spend",
              "Impressions", "Clicks", "Conversions", "Revenue"]  # fmt: skip
    rows = [
        [_day(row), row["campaign"], row["campaign_id"], row["ad_group"], _EUR, *_plain(row)]
        for _, row in table.iterrows()
    ]
    note = [["@2026 Microsoft Corporation. All rights reserved. "]]
    quoted = [_csv(part, csv.QUOTE_ALL) for part in (above, [header, *rows], note)]
    return "\n".join(quoted)


def _pinterest(table: pd.DataFrame) -> str:
    header = ["Date", "Campaign name", "Campaign ID", "Ad group name", "Spend in account currency",
              "Impressions", "Outbound clicks", "Checkouts",
              "Checkout value in account currency"]  # fmt: skip
    rows = [
        [_day(row), row["campaign"], row["campaign_id"], row["ad_group"], *_plain(row)]
        for _, row in table.iterrows()
    ]
    return _csv([header, *rows, ["Total", "", "", "", *_plain(_summed(table))]])


_WRITERS: dict[str, Callable[[pd.DataFrame], str]] = {
    "google_ads": _google_ads,
    "meta": _meta,
    "tiktok": _tiktok,
    "microsoft": _microsoft,
    "pinterest": _pinterest,
}


def _plain(row: pd.Series) -> list[str]:
    counts = [f"{row['impressions']:.0f}", f"{row['clicks']:.0f}", f"{row['conversions']:.0f}"]
    return [f"{row['spend']:.2f}", *counts, f"{row['value']:.2f}"]


def _summed(table: pd.DataFrame) -> pd.Series:
    return table[list(_NUMBERS)].sum()


def _day(row: pd.Series) -> str:
    return _iso(row["date"])


def _iso(day: pd.Timestamp) -> str:
    return f"{day:%Y-%m-%d}"


def _words(day: pd.Timestamp) -> str:
    # Not by `strftime`, which names months in the language that the process is set to.
    return f"{day.month_name()} {day.day}, {day.year}"


def _csv(rows: Iterable[list[str]], quoting: int = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerows(row for row in rows if row)
    return text.getvalue()
