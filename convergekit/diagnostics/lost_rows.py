"""What the input lost: files, sources and event names of which most rows could not be used.

A warning names which, how many of how many rows, why, and how the values look: their shape, with
a 9 for every digit and an a or A for every letter, for the values may be a person's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

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
from convergekit.typing import IntArray

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


class KeptRows(Protocol):
    """The rows that were not lost: events, and copies of them."""

    @property
    def events(self) -> int:
        """How many are events."""
        ...

    def names(self, column: str) -> Mapping[str, int]:
        """Return how many are of each file, source or event name; none without the column."""
        ...

    def event_names(self) -> Mapping[str, int]:
        """Return how many events are of each name; those without one are under an empty text."""
        ...


@dataclass(frozen=True)
class Unreached:
    """Events of one name that reach no profile, because their aliases are malformed.

    Attributes
    ----------
    events : int
    reasons : dict of str to int
        How many aliases are malformed, per reason.
    """

    events: int
    reasons: dict[str, int]

    def __add__(self, other: Unreached) -> Unreached:
        """Return both together."""
        return Unreached(
            self.events + other.events, dict(Counter(self.reasons) + Counter(other.reasons))
        )


def lost_warnings(s: StitchedEvents) -> list[str]:
    """Return the warnings on what most rows of a file, source or event name were lost for."""
    return warnings_of_lost(s.rejected, _Kept(s), s.remarks, unreached(s))


def warnings_of_lost(
    rejected: pd.DataFrame,
    kept: KeptRows,
    remarks: Iterable[str],
    without_profile: Mapping[str, Unreached],
) -> list[str]:
    """Return the warnings on what was mostly lost.

    Parameters
    ----------
    rejected : pandas.DataFrame
    kept : KeptRows
    remarks : iterable of str
        What was decided about values.
    without_profile : mapping of str to Unreached
        Per event name, as `unreached` returns it.
    """
    groups = sorted(_groups(rejected, kept), key=lambda group: -group.lost)
    found = [group.warning for group in groups[:MOST_NAMED]]
    found += [_of_shape(remark) for remark in remarks if NOTHING_READ in remark]
    return found + _alias_warnings(kept, without_profile)


def unreached(s: StitchedEvents) -> dict[str, Unreached]:
    """Return the events that reach no profile because their aliases are malformed, per name."""
    if not len(s.malformed):
        return {}
    without = s.resolution.profile < 0
    bad = s.events["row"].isin(s.malformed["row"]).to_numpy(dtype=bool) & without
    names = _texts(s.events, "event_name").fillna("")
    counts = names[bad].value_counts()
    told = pd.DataFrame({"row": s.events["row"][bad], "name": names[bad]})
    reasons = s.malformed[["row", "reason"]].merge(told, on="row").groupby(["name", "reason"])
    found = {str(name): Unreached(int(count), {}) for name, count in counts.items()}
    for (name, reason), count in reasons.size().items():
        found[str(name)].reasons[str(reason)] = int(count)
    return found


def counted_names(frame: pd.DataFrame, column: str) -> Counter[str]:
    """Return how many rows are of each name, source or file; none without the column."""
    if column not in frame:
        return Counter()
    counts = _texts(frame, column).value_counts()
    return Counter({str(name): int(count) for name, count in counts.items()})


def copies_of_files(known: pd.DataFrame, copies: IntArray) -> Counter[str]:
    """Return how many copies may be of each file, whose rows stand together in the input.

    Parameters
    ----------
    known : pandas.DataFrame
        `row` and `file` of the events and the rejected rows.
    copies : numpy.ndarray of int
        The rows of the copies.
    """
    known = known.sort_values("row")
    files = _texts(known, "file").to_numpy(dtype=object)
    at = np.searchsorted(known["row"].to_numpy(), copies)
    before = files[np.maximum(at - 1, 0)]
    after = files[np.minimum(at, len(files) - 1)]
    both = pd.concat([pd.Series(before), pd.Series(after)[before != after]])
    return Counter({str(name): int(count) for name, count in both.value_counts().items()})


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


@dataclass(frozen=True)
class _Kept:
    """The rows that are not lost, in memory."""

    s: StitchedEvents

    @property
    def events(self) -> int:
        return len(self.s.events)

    def names(self, column: str) -> Mapping[str, int]:
        events, copies = self.s.events, self.s.duplicates
        if column not in events:
            return {}
        found = counted_names(events, column)
        if column in copies:
            return found + counted_names(copies, column)
        if not len(copies):
            return found
        known = pd.concat([events[["row", "file"]], self.s.rejected[["row", "file"]]])
        return found + copies_of_files(known, copies["row"].to_numpy())

    def event_names(self) -> Mapping[str, int]:
        return named_events(self.s.events)


def named_events(events: pd.DataFrame) -> Counter[str]:
    """Return how many events are of each name; those without one are under an empty text."""
    counts = _texts(events, "event_name").fillna("").value_counts()
    return Counter({str(name): int(count) for name, count in counts.items()})


def _groups(lost_rows: pd.DataFrame, kept_rows: KeptRows) -> Iterator[_Group]:
    if not len(lost_rows):
        return
    told = np.zeros(len(lost_rows), dtype=bool)
    if not kept_rows.events:
        yield _group(lost_rows, 0, "the input", "")
        return
    for column, kind in _GROUPS.items():
        if column not in lost_rows:
            continue
        names = _texts(lost_rows, column)
        kept = kept_rows.names(column)
        for name, lost in names.value_counts().sort_index().items():
            rows = (names == name).fillna(False).to_numpy(dtype=bool)
            others = kept.get(str(name), 0)
            if lost > others and not told[rows].all():
                title = f"{kind}{shortened(name, _MOST_OF_A_NAME)!r}"
                chosen = f"events[{column!r}] == {str(name)!r}"
                yield _group(lost_rows[rows], others, title, chosen)
                told |= rows


def _group(rejected: pd.DataFrame, kept: int, title: str, chosen: str) -> _Group:
    lost = len(rejected)
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


def _alias_warnings(kept: KeptRows, lost: Mapping[str, Unreached]) -> list[str]:
    """Return the warnings on event names of which most events have malformed aliases alone."""
    if not lost:
        return []
    totals = kept.event_names()
    most = [name for name, one in lost.items() if 2 * one.events > totals[name]]
    found = []
    for name in sorted(most, key=lambda name: (-lost[name].events, name))[:MOST_NAMED]:
        reasons = lost[name].reasons
        reason = min(one for one, count in reasons.items() if count == max(reasons.values()))
        what = f"event {shortened(name, _MOST_OF_A_NAME)!r}" if name else "identify call"
        how = (
            "Write each as 'urn:<type>:<value>', or in a column of its own: "
            "columns={'alias.<type>': ...}."
            if reason == NO_TYPE
            else "See docs/exports.md for how aliases are written."
        )
        found.append(
            f"{lost[name].events:,} of {counted(int(totals[name]), 'row')} of {what} reach no "
            f"profile, because their aliases are malformed: {shortened(reason, 120)}. {how}"
        )
    return found


def _texts(frame: pd.DataFrame, column: str) -> pd.Series:
    return as_text(frame[column])[0]
