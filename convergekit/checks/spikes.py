"""Spikes: browsers faster than people, and days on which events lose their aliases."""

from __future__ import annotations

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.base.wording import counted
from convergekit.checks.fault import Fault, NotChecked
from convergekit.checks.tracking import Tracking
from convergekit.checks.wording import quoted, shown

#: One browser's events in one hour, from which on it is not a person: one every four seconds.
FEWEST_EVENTS_AN_HOUR = 1000
#: And this many times as many as a browser usually sends in an hour.
TIMES_THE_MEDIAN = 100
#: The share of a source's events without an alias may be this much above its usual share.
JUMP = 0.3
FEWEST_EVENTS_A_DAY = 100
FEWEST_DAYS = 7
_HOUR = 3_600_000_000


def bots(tracking: Tracking) -> list[Fault] | NotChecked:
    """Find browsers that send more events in an hour than a person can."""
    is_browser = tracking.of_type(tracking.browser_alias)
    if not is_browser.any():
        return NotChecked(f"no event carries the alias type {tracking.browser_alias!r}")
    event, alias = tracking.pairs
    asked = is_browser[alias] & tracking.is_tracked[event]
    event, alias = event[asked], alias[asked]
    if np.bincount(alias, minlength=1).max() < FEWEST_EVENTS_AN_HOUR:
        return []
    hour = tracking.microseconds[event] // _HOUR
    hour -= hour.min()
    _, which, counts = np.unique(
        alias * (hour.max() + 1) + hour, return_inverse=True, return_counts=True
    )
    usual = float(np.median(counts))
    too_many = counts >= max(FEWEST_EVENTS_AN_HOUR, TIMES_THE_MEDIAN * usual)
    at = distinct(event[too_many[which]])
    if not len(at):
        return []
    browsers = len(distinct(alias[too_many[which]]))
    return [
        Fault(
            "medium",
            f"{counted(browsers, 'browser')} sent {FEWEST_EVENTS_AN_HOUR:,} events or more within "
            f"an hour, up to {counts.max():,}; half of all browsers send "
            f"{counted(round(usual), 'event')} or fewer in an hour.",
            "It is a bot, or one cookie that is sent for all visitors. Either is counted as one "
            "visitor, and distorts every share that counts events.",
            "Keep bots from the tag (by user agent, at the edge). If the cookie is a cached one, "
            "have it set per browser. Until then: block= its URN.",
            at,
            tracking.worth_of_profiles(at),
            lambda some: [
                shown(urn)[1:-1]
                for urn in tracking.aliases.urns(alias[np.searchsorted(event, some)])
            ],
        )
    ]


def days_without_aliases(tracking: Tracking) -> list[Fault]:
    """Find days on which many more of a source's events carry no alias than on others."""
    counts = tracking.is_tracked
    source, names = tracking.sources
    day = tracking.calendar.periods(tracking.events["timestamp"], "D")
    table = pd.DataFrame(
        {
            "source": source[counts],
            "day": day.array[counts],
            "without": tracking.profile[counts] < 0,
        }
    )
    days = table.groupby(["source", "day"])["without"].agg(["size", "mean"]).reset_index()
    days = days[days["size"] >= FEWEST_EVENTS_A_DAY]
    faults = []
    for code, of_source in days.groupby("source"):
        usual = float(of_source["mean"].quantile(0.25, interpolation="lower"))
        high = of_source[of_source["mean"] >= usual + JUMP]
        if len(of_source) < FEWEST_DAYS or high.empty:
            continue
        on_these = day.isin(high["day"]).to_numpy()
        at = np.flatnonzero(counts & on_these & (source == code) & (tracking.profile < 0))
        dates = high["day"].astype("str").tolist()
        of_source = repr(names[int(code)]) if int(code) >= 0 else "no named source"
        faults.append(
            Fault(
                "medium",
                f"On {counted(len(dates), 'day')} ({quoted(dates)}) up to {high['mean'].max():.0%} "
                f"of the events of {of_source} carry no alias; on its usual days {usual:.0%} do.",
                "A consent banner, a blocked cookie or a script that failed: these events are on "
                "no profile, so these days seem to have no returning visitors and no buyers.",
                "Look at what was released or changed on the first of these days. Mark them in "
                "trends; what was not sent cannot be stitched.",
                at,
                tracking.worth(at),
                lambda some: ["no usable alias"] * len(some),
            )
        )
    return faults
