"""What entrants are like: channel, device, country, new or returning, and the day of the week.

Each label is fixed at the entry: what people do later does not move them from one to another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.change.sides import DAY, EnteredProfiles, Side
from convergekit.events.schema import PROPERTY
from convergekit.funnels.suggest import plain
from convergekit.typing import IntArray
from convergekit.visits.entry import entry_labels, labels_at
from convergekit.visits.sessions import FoundSessions

CHANNEL, RETURNING, WEEKDAY = "channel", "new or returning", "weekday"
NEW, COMES_AGAIN, NOT_SAID, OTHER = "new", "returning", "(none)", "(other)"
#: As many labels of one kind are told apart; the others are one.
MOST_LABELS = 8
#: History shorter than this tells nobody who comes again from who is new.
_LEAST_HISTORY = 7 * DAY
#: What sources call the device and the country of a visit, but for spelling.
_DEVICES = ("device", "devicetype", "devicecategory", "deviceclass")
_COUNTRIES = ("country", "countrycode", "geocountry", "ipcountry", "shippingcountry")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class SideLabels:
    """The labels of one kind, of both sides' entrants.

    Attributes
    ----------
    kind : str
        Such as ``"channel"``.
    names : list of str
        What the labels are called, that of most entrants first.
    before, after : numpy.ndarray of int
        The label of each entrant of the side.
    """

    kind: str
    names: list[str]
    before: IntArray
    after: IntArray


def usual_columns(events: pd.DataFrame) -> list[str]:
    """Return the columns whose names are those of a device or a country.

    Examples
    --------
    >>> usual_columns(pd.DataFrame(columns=["properties.$device_type", "properties.url"]))
    ['properties.$device_type']
    """
    found = []
    for names in (_DEVICES, _COUNTRIES):
        named = [c for c in events if c.startswith(PROPERTY) and plain(c[len(PROPERTY) :]) in names]
        found += named[:1]
    return found


def labels_of(
    sides: tuple[Side, Side],
    entered: tuple[EnteredProfiles, EnteredProfiles],
    by: Sequence[str] | None,
    visits: tuple[Callable[[], FoundSessions], Callable[[], FoundSessions]],
) -> list[SideLabels]:
    """Return the labels of the entrants of both sides, a kind after the other.

    Parameters
    ----------
    sides : tuple of Side
    entered : tuple of EnteredProfiles
    by : sequence of str, optional
        The kinds of labels; the usual ones if None.
    visits : tuple of callable
        Each returns the sessions of a side's stitching.
    """
    texts: dict[str, list[pd.Series]] = {}
    for side, found, begun in zip(sides, entered, visits, strict=True):
        for kind, values in _of_side(side, found, by, begun).items():
            texts.setdefault(kind, []).append(values)
    history = min(side.start - _begin(side) for side in sides)
    if by is None and history >= _LEAST_HISTORY:
        texts[RETURNING] = [
            _returning(side, found, history) for side, found in zip(sides, entered, strict=True)
        ]
    if by is None and _calendar_days(sides[0]) != _calendar_days(sides[1]):
        texts[WEEKDAY] = [_weekday(side, found) for side, found in zip(sides, entered, strict=True)]
    # A kind that one side lacks says nothing of the change.
    both = {kind: values for kind, values in texts.items() if len(values) == len(sides)}
    found_labels = [_numbered(kind, *values) for kind, values in both.items()]
    return [labels for labels in found_labels if len(labels.names) > 1]


def _of_side(
    side: Side,
    found: EnteredProfiles,
    by: Sequence[str] | None,
    visits: Callable[[], FoundSessions],
) -> dict[str, pd.Series]:
    events = side.s.events
    if by is None:
        asked = [*([] if CHANNEL in events else [CHANNEL]), *usual_columns(events)]
    else:
        asked = list(by)
    labels = entry_labels(events, asked, "visit")
    values = labels_at(events, labels, found.anchor, visits)
    return {kind.removeprefix(PROPERTY).lstrip("$"): texts for kind, texts in values.items()}


def _begin(side: Side) -> int:
    return int(side.s.observed_span[0].value // 1000)


def _returning(side: Side, found: EnteredProfiles, history: int) -> pd.Series:
    """Return who had been seen before the entry, no longer ago than both sides can look back."""
    entry = side.time[found.anchor]
    latest = np.full(int(side.person.max(initial=-1)) + 1, np.iinfo(np.int64).min)
    known = side.is_tracked & (side.person >= 0) & (side.time < side.start)
    np.maximum.at(latest, side.person[known], side.time[known])
    again = latest[found.person] >= entry - history
    return pd.Series(np.where(again, COMES_AGAIN, NEW), dtype="str")


def _weekday(side: Side, found: EnteredProfiles) -> pd.Series:
    times = side.s.events["timestamp"].iloc[found.anchor].reset_index(drop=True)
    days = side.s.calendar.periods(times, "D").dt.day_of_week
    return pd.Series(np.array(_DAYS, dtype=object)[days.to_numpy(dtype=np.int64)], dtype="str")


def _calendar_days(side: Side) -> list[float]:
    """Return which share of the period's days each day of the week has."""
    last = min(side.end, side.observed) - 1
    ends = pd.Series(pd.to_datetime([side.start, max(last, side.start)], unit="us", utc=True))
    first, final = side.s.calendar.periods(ends, "D")
    days = np.bincount(pd.period_range(first, final, freq="D").day_of_week, minlength=7)
    return [round(float(share), 3) for share in days / days.sum()]


def _numbered(kind: str, before: pd.Series, after: pd.Series) -> SideLabels:
    texts = [values.astype("str").fillna(NOT_SAID) for values in (before, after)]
    counts = pd.concat(texts, ignore_index=True).value_counts().sort_index()
    names = counts.sort_values(ascending=False, kind="stable").index.tolist()
    kept = names if len(names) <= MOST_LABELS + 1 else [*names[:MOST_LABELS], OTHER]
    place = {name: number for number, name in enumerate(kept)}
    one, other = (
        values.map(place).fillna(len(kept) - 1).to_numpy(dtype=np.int64) for values in texts
    )
    return SideLabels(kind, kept, one, other)
