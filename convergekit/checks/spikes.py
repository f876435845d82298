"""Spikes: browsers faster than people, and days on which events lose their aliases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.base.wording import counted
from convergekit.checks.alias_values import no_browser
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
from convergekit.checks.wording import quoted, shown
from convergekit.typing import IntArray

#: One browser's events in one hour, from which on it is not a person: one every four seconds.
FEWEST_EVENTS_AN_HOUR = 1000
#: And this many times as many as a browser usually sends in an hour.
TIMES_THE_MEDIAN = 100
#: The share of a source's events without an alias may be this much above its usual share.
JUMP = 0.3
FEWEST_EVENTS_A_DAY = 100
FEWEST_DAYS = 7
_HOUR = 3_600_000_000


@dataclass(frozen=True)
class _Hours:
    """The hours in which browsers send events.

    Attributes
    ----------
    event, alias : numpy.ndarray of int
        Which events carry which browser's alias.
    which : numpy.ndarray of int
        The hour of a browser that each is of.
    counts : numpy.ndarray of int
        How many events it has.
    """

    event: IntArray
    alias: IntArray
    which: IntArray
    counts: IntArray

    @classmethod
    def of(cls, tracking: Tracking) -> _Hours:
        event, alias = tracking.pairs
        asked = tracking.is_browser[alias] & tracking.is_tracked[event]
        event, alias = event[asked], alias[asked]
        hour = tracking.microseconds[event] // _HOUR
        hour = hour - hour.min(initial=0)
        _, which, counts = np.unique(
            alias * (hour.max(initial=0) + 1) + hour, return_inverse=True, return_counts=True
        )
        return cls(event, alias, which, counts)


@dataclass(frozen=True)
class _Usual:
    """How many events browsers send in an hour in which they send any.

    Attributes
    ----------
    usual : float
        The median.
    most : int
    """

    usual: float
    most: int

    @property
    def too_many(self) -> float:
        """So many are not a person's."""
        return max(FEWEST_EVENTS_AN_HOUR, TIMES_THE_MEDIAN * self.usual)


def _counts_of_hours(tracking: Tracking) -> tuple[IntArray, IntArray]:
    """Return the numbers of events that browsers send in an hour, and how often each occurs."""
    return np.unique(_Hours.of(tracking).counts, return_counts=True)


def _usual(parts: list[tuple[IntArray, IntArray]], whole: Whole) -> _Usual:
    counts, times = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    if not len(counts):
        return _Usual(0.0, 0)
    order = np.argsort(counts)
    ends = np.cumsum(times[order])
    # The middle one, or those on both sides of the middle.
    middle = np.searchsorted(ends, [(ends[-1] - 1) // 2, ends[-1] // 2], side="right")
    return _Usual(float(counts[order][middle].mean()), int(counts.max()))


def _bots(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find browsers that send more events in an hour than a person can."""
    known = tracking.whole.of_checks["bot"]
    if known.most < known.too_many:
        return
    hours = _Hours.of(tracking)
    event, alias = hours.event, hours.alias
    chosen = (hours.counts >= known.too_many)[hours.which]
    at = distinct(event[chosen])
    yield FoundInPart(
        at,
        tracking.worth_of_profiles(at),
        lambda some: [
            shown(urn)[1:-1] for urn in tracking.aliases.urns(alias[np.searchsorted(event, some)])
        ],
        about=len(distinct(alias[chosen])),
    )


def _said_of_bots(found: Together) -> Fault:
    known = found.whole.of_checks["bot"]
    return Fault(
        "medium",
        f"{counted(sum(found.about), 'browser')} sent {FEWEST_EVENTS_AN_HOUR:,} events or more "
        f"within an hour, up to {known.most:,}; half of all browsers send "
        f"{counted(round(known.usual), 'event')} or fewer in an hour.",
        "It is a bot, or one cookie that is sent for all visitors. Either is counted as one "
        "visitor, and distorts every share that counts events.",
        "Keep bots from the tag (by user agent, at the edge). If the cookie is a cached one, "
        "have it set per browser. Until then: block= its URN.",
        found.money,
    )


def _days(tracking: Tracking) -> pd.DataFrame:
    """Return how many events each source has on a day, and how many of them without a profile."""
    counts = tracking.is_tracked
    codes, pairs = tracking.exports
    # Numbers are counted faster than days are.
    table = pd.DataFrame(
        {
            "source": codes[counts],
            "day": tracking.days.astype("int64").array[counts],
            "without": tracking.profile[counts] < 0,
        }
    )
    days = table.groupby(["source", "day"])["without"].agg(["size", "sum"]).reset_index()
    days["day"] = pd.PeriodIndex.from_ordinals(days["day"], freq=tracking.days.dtype.freq)
    names = [pairs[code] if code >= 0 else None for code in days["source"]]
    return days.assign(source=pd.Series(names, index=days.index, dtype=object))


@dataclass(frozen=True)
class _Lost:
    """The days on which a source's events lose their aliases.

    Attributes
    ----------
    days : pandas.Series
    usual, most : float
        The share of its events without one on its usual days, and the greatest.
    """

    days: pd.Series
    usual: float
    most: float


def _lost(parts: list[pd.DataFrame], whole: Whole) -> dict[str, _Lost]:
    some = [part for part in parts if len(part)]
    if not some:
        return {}
    table = pd.concat(some, ignore_index=True)
    table["source"] = [whole.origin(pair) for pair in table["source"]]
    days = table.groupby(["source", "day"])[["size", "sum"]].sum().reset_index()
    days["mean"] = days["sum"] / days["size"]
    found = {}
    for name, of_source in days[days["size"] >= FEWEST_EVENTS_A_DAY].groupby("source"):
        usual = float(of_source["mean"].quantile(0.25, interpolation="lower"))
        high = of_source[of_source["mean"] >= usual + JUMP]
        if len(of_source) >= FEWEST_DAYS and len(high):
            found[str(name)] = _Lost(high["day"], usual, float(high["mean"].max()))
    return found


def _days_without_aliases(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find days on which many more of a source's events carry no alias than on others."""
    source, names = tracking.sources
    for name, lost in tracking.whole.of_checks["days-without-aliases"].items():
        code = -1 if not name else names.index(name) if name in names else len(names)
        here = tracking.is_tracked & (source == code) & (tracking.profile < 0)
        at = np.flatnonzero(here & tracking.days.isin(lost.days).to_numpy())
        yield FoundInPart(
            at, tracking.worth(at), lambda some: ["no usable alias"] * len(some), name
        )


def _said_of_days(found: Together) -> Fault:
    lost = found.whole.of_checks["days-without-aliases"][found.key]
    dates = lost.days.astype("str").tolist()
    return Fault(
        "medium",
        f"On {counted(len(dates), 'day')} ({quoted(dates)}) up to {lost.most:.0%} "
        f"of the events of {repr(found.key) if found.key else 'no named source'} carry no alias; "
        f"on its usual days {lost.usual:.0%} do.",
        "A consent banner, a blocked cookie or a script that failed: these events are on "
        "no profile, so these days seem to have no returning visitors and no buyers.",
        "Look at what was released or changed on the first of these days. Mark them in "
        "trends; what was not sent cannot be stitched.",
        found.money,
    )


BOTS = Check(_bots, _said_of_bots, no_browser, _counts_of_hours, _usual)
DAYS_WITHOUT_ALIASES = Check(_days_without_aliases, _said_of_days, learn=_days, settle=_lost)
