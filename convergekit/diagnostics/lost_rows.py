"""What the input lost: files, sources and event names of which most rows could not be used.

A warning names which, how many of how many rows, why, and how the values look: their shape, with
a 9 for every digit and an a or A for every letter, for the values may be a person's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.base.text import as_text
from convergekit.base.wording import counted, shortened
from convergekit.events.normalise import (
    MISSING_TIMESTAMP,
    NOT_AN_EVENT,
    UNPARSEABLE_TIMESTAMP,
)
from convergekit.events.shapes import NOTHING_READ, shape_of
from convergekit.identity.read_aliases import NO_TYPE
from convergekit.typing import BoolArray

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents

#: So many of each kind are named, those of most rows first.
MOST_NAMED = 10
MOST_VANISHED = 20
_MOST_OF_A_NAME = 60
_GROUPS = {"file": "", "source": "source ", "event_name": "event "}
_READ_AGAIN = "events['timestamp'] = pd.to_datetime({column}, format='mixed', {how}).astype(str)"
_DATE = re.compile(r"\s*(\d{1,2})([./-])(\d{1,2})\2\d{2}(?:\d{2})?\b")
#: What `day_first` of `read_events` reads.
_OF_DAY_FIRST = re.compile(r"\s*\d{1,2}[./-]\d{1,2}[./-]\d{4}(?:[T,\s]+\d{1,2}:\d{2}.*)?\s*")
_SERIAL = re.compile(r"\s*\d{5}(?:[.,]\d+)?\s*")


def lost_warnings(s: StitchedEvents) -> list[str]:
    """Return the warnings on what most rows of a file, source or event name were lost for."""
    groups = sorted(_groups(s), key=lambda group: -group.lost)
    found = [group.warning for group in groups[:MOST_NAMED]]
    found += [_of_shape(remark) for remark in s.remarks if NOTHING_READ in remark]
    return found + _alias_warnings(s)


def vanished_names(rejected: pd.DataFrame, known: Collection[str]) -> list[str]:
    """Return the event names of which all rows were rejected, those of most rows first.

    Parameters
    ----------
    rejected : pandas.DataFrame
    known : collection of str
        The names that events have.
    """
    if not len(rejected) or "event_name" not in rejected:
        return []
    names = _texts(rejected, "event_name")
    names = names[names.str.strip() != ""].dropna()
    gone = names[~names.isin(list(known))].value_counts()
    ordered = sorted(gone.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return [str(name) for name, _ in ordered[:MOST_VANISHED]]


def shape_of_text(text: str) -> str:
    """Return how a text looks, without what it says.

    Examples
    --------
    >>> shape_of_text("02.11.2026 22:42"), shape_of_text("ada@example.com")
    ('99.99.9999 99:99', 'aaa@aaaaaaa.aaa')
    """
    letters = (
        "9" if c.isdecimal() else c if not c.isalnum() else "A" if c.isupper() else "a"
        for c in text.strip()
    )
    return shortened("".join(letters), 40)


@dataclass(frozen=True)
class _Group:
    lost: int
    warning: str


def _groups(s: StitchedEvents) -> Iterator[_Group]:
    rejected = s.rejected
    if not len(rejected):
        return
    told = np.zeros(len(rejected), dtype=bool)
    if not len(s.events):
        yield _group(s, np.ones(len(rejected), dtype=bool), 0, "the input", "")
        return
    for column, kind in _GROUPS.items():
        if column not in rejected:
            continue
        names = _texts(rejected, column)
        kept = _kept(s, column)
        for name, lost in names.value_counts().sort_index().items():
            rows = (names == name).fillna(False).to_numpy(dtype=bool)
            others = kept.get(str(name), 0)
            if lost > others and not told[rows].all():
                title = f"{kind}{shortened(name, _MOST_OF_A_NAME)!r}"
                chosen = f"events[{column!r}] == {str(name)!r}"
                yield _group(s, rows, others, title, chosen)
                told |= rows


def _kept(s: StitchedEvents, column: str) -> dict[str, int]:
    """Return how many rows of each name are events, or copies of one."""
    if column not in s.events:
        return {}
    counts = _texts(s.events, column).value_counts()
    if column in s.duplicates:
        copies = _texts(s.duplicates, column).value_counts()
        counts = counts.add(copies, fill_value=0)
    elif len(s.duplicates):
        counts = counts.add(_copies_of_files(s), fill_value=0)
    return {str(name): int(count) for name, count in counts.items()}


def _copies_of_files(s: StitchedEvents) -> pd.Series:
    """Return how many copies may be of each file, whose rows stand together in the input."""
    known = pd.concat([s.events[["row", "file"]], s.rejected[["row", "file"]]]).sort_values("row")
    files = _texts(known, "file").to_numpy(dtype=object)
    at = np.searchsorted(known["row"].to_numpy(), s.duplicates["row"].to_numpy())
    before = files[np.maximum(at - 1, 0)]
    after = files[np.minimum(at, len(files) - 1)]
    both = pd.concat([pd.Series(before), pd.Series(after)[before != after]])
    return both.value_counts()


def _group(s: StitchedEvents, rows: BoolArray, kept: int, title: str, chosen: str) -> _Group:
    lost = int(rows.sum())
    rejected = s.rejected[rows]
    reasons = rejected["reason"].value_counts()
    top = reasons[reasons == reasons.max()].sort_index()
    reason, count = str(top.index[0]), int(top.iloc[0])
    why = shortened(reason, 120) + (f" ({count:,} of them)" if len(reasons) > 1 else "")
    whole = counted(lost + kept, "row")
    how_many = (f"all {whole}" if lost > 1 else "the only row") if not kept else (
        f"{lost:,} of {whole}"
    )  # fmt: skip
    is_are = "is" if lost == 1 and not kept else "are"
    named = _named(rejected) if title == "the input" or not title.startswith("event ") else ""
    looks, how = _remedy(rejected[rejected["reason"] == reason], reason, chosen)
    return _Group(
        lost, f"{how_many} of {title} {is_are} rejected{named}: {why}{looks}. {how}"
    )  # fmt: skip


def _named(rejected: pd.DataFrame) -> str:
    if "event_name" not in rejected:
        return ""
    counts = _texts(rejected, "event_name").value_counts()
    names = sorted(counts.index, key=lambda name: (-counts[name], name))
    if not names:
        return ""
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    listed = ", ".join(repr(shortened(name, _MOST_OF_A_NAME)) for name in names[:3])
    return f" (events {listed}{more})" if len(names) > 1 else f" (event {listed})"


def _remedy(rejected: pd.DataFrame, reason: str, chosen: str) -> tuple[str, str]:
    """Return how the values look, and what reads them."""
    if reason == MISSING_TIMESTAMP:
        return "", "If another column holds the time, name it with columns={'timestamp': ...}."
    if reason == NOT_AN_EVENT:
        return "", (
            "If another column holds the event name, name it with columns={'event_name': ...}."
        )
    if reason != UNPARSEABLE_TIMESTAMP:
        return "", "See .rejected for the rows."
    cells = rejected["timestamp"]
    texts = [str(cell) for cell in cells if pd.api.types.is_scalar(cell)]
    if not texts:
        return f", it is {shape_of(cells.iloc[0])}", "Give one time per row."
    shapes = pd.Series([shape_of_text(text) for text in texts]).value_counts()
    usual = min(shapes[shapes == shapes.max()].index)
    of_shape = [text for text in texts if shape_of_text(text) == usual]
    from_files = "file" in rejected and rejected["file"].notna().all()
    return f", it looks like {usual!r}", _read_as(of_shape, chosen, from_files=from_files)


def _read_as(texts: list[str], chosen: str, *, from_files: bool) -> str:
    """Return the option, or the call before stitching, that reads times of one shape."""
    if all(map(_SERIAL.fullmatch, texts)):
        number = "pd.to_numeric(events['timestamp'].astype(str).str.replace(',', '.'))"
        read = _READ_AGAIN.format(column=number, how="unit='D', origin='1899-12-30'")
        how = read.replace("format='mixed', ", "")
        what = "Days since 1900, as spreadsheets count them"
    else:
        dates = [match for match in map(_DATE.match, texts) if match]
        if len(dates) < len(texts):
            return (
                "Before stitching, read it with pandas: events['timestamp'] = "
                "pd.to_datetime(events['timestamp'], format=...).astype(str)."
            )
        months_first = any(int(date[3]) > 12 for date in dates)
        days_first = any(int(date[1]) > 12 for date in dates) or dates[0][2] != "/"
        first = days_first or not months_first
        sure = days_first or months_first
        if from_files and all(map(_OF_DAY_FIRST.fullmatch, texts)):
            other = "" if sure else "; day_first=False if months come first"
            return f"Read the export again with ck.read_events(..., day_first={first}){other}."
        how = _READ_AGAIN.format(column="events['timestamp']", how=f"dayfirst={first}")
        what = "" if sure else "dayfirst=False if months come first"
    if chosen:
        how = f"rows = {chosen}; events.loc[rows, 'timestamp'] = " + how.removeprefix(
            "events['timestamp'] = "
        ).replace("events['timestamp']", "events.loc[rows, 'timestamp']")
    return f"Before stitching, read it with pandas: {how}{f' ({what})' if what else ''}."


def _of_shape(remark: str) -> str:
    return f"{remark}. Write it as JSON objects or lists, or as columns of their own."


def _alias_warnings(s: StitchedEvents) -> list[str]:
    """Return the warnings on event names of which most events have malformed aliases alone."""
    if not len(s.malformed):
        return []
    without = s.resolution.profile < 0
    bad = s.events["row"].isin(s.malformed["row"]).to_numpy(dtype=bool) & without
    names = _texts(s.events, "event_name").fillna("")
    totals, lost = names.value_counts(), names[bad].value_counts()
    most = [name for name, count in lost.items() if 2 * count > totals[name]]
    found = []
    for name in sorted(most, key=lambda name: (-lost[name], name))[:MOST_NAMED]:
        rows = s.events["row"][bad & (names == name).to_numpy(dtype=bool)]
        reasons = s.malformed["reason"][s.malformed["row"].isin(rows)].value_counts()
        reason = min(reasons[reasons == reasons.max()].index)
        what = f"event {shortened(name, _MOST_OF_A_NAME)!r}" if name else "identify call"
        how = (
            "Write each as 'urn:<type>:<value>', or in a column of its own: "
            "columns={'alias.<type>': ...}."
            if reason == NO_TYPE
            else "See docs/exports.md for how aliases are written."
        )
        found.append(
            f"{lost[name]:,} of {counted(int(totals[name]), 'row')} of {what} reach no profile, "
            f"because their aliases are malformed: {shortened(reason, 120)}. {how}"
        )
    return found


def _texts(frame: pd.DataFrame, column: str) -> pd.Series:
    return as_text(frame[column])[0]
