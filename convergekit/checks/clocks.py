"""Clocks that differ: events far from all others, and a server's before what led to them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted
from convergekit.checks.alias_values import token_types
from convergekit.checks.fault import Fault, NotChecked
from convergekit.checks.tracking import Tracking
from convergekit.events.observed import moment, observed
from convergekit.typing import BoolArray, IntArray

#: By how much an event must come before all of the browser's, in microseconds.
LEAST_LEAD = 60_000_000
#: A finding from this share of a source's events on that share a token with the browser.
SKEWED_SHARE = 0.2
FEWEST_SKEWED = 10


def far(tracking: Tracking) -> list[Fault]:
    """Find events whose time lies far from all others, or after the event was received."""
    kept = np.flatnonzero(tracking.is_kept)
    events = tracking.events.iloc[kept]
    at = kept[observed(events).outside(events)]
    if not len(at):
        return []
    times = tracking.events["timestamp"].iloc[at]
    return [
        Fault(
            "medium",
            f"{counted(len(at), 'event is', 'events are')} dated far from all others, or long "
            f"after being received: {moment(times.min())}"
            + (f" to {moment(times.max())}." if len(at) > 1 else "."),
            "A clock is wrong. Taken for the end of the data, such a time would close every "
            "window, and count those who have not come back yet as lost.",
            "Set the clock, or leave the events out. They are not taken for the end of the data, "
            "and funnels, counts, retention and customers leave them out; observed_until= of "
            "ck.stitch sets another end.",
            at,
            tracking.worth(at),
            lambda some: [moment(time) for time in tracking.events["timestamp"].iloc[some]],
        )
    ]


def skewed(tracking: Tracking) -> list[Fault] | NotChecked:
    """Find sources whose events come before the browser's of the same cart or checkout."""
    browser = _browser_source(tracking)
    is_token = tracking.aliases.table["alias_type"].isin(token_types(tracking)).to_numpy(dtype=bool)
    source, names = tracking.sources
    event, alias = tracking.pairs
    token = is_token[alias]
    event, alias = event[token], alias[token]
    if browser is None or not (source[event] != browser).any():
        return NotChecked("no token is sent by the browser and by another source")
    lead = _lead(tracking, event, alias, source == browser)
    faults = []
    for code in np.unique(source[lead != _NO_LEAD]).tolist():
        linked = (lead != _NO_LEAD) & (source == code)
        at = np.flatnonzero(linked & (lead >= LEAST_LEAD))
        if code < 0 or len(at) < FEWEST_SKEWED or len(at) < SKEWED_SHARE * linked.sum():
            continue
        median = _readable(int(np.median(lead[at])))
        faults.append(
            Fault(
                "high",
                f"{len(at):,} of {int(linked.sum()):,} events of {names[code]!r} that share a cart "
                "or checkout token with the browser come before all of its events with the token, "
                f"half of them by {median} or more.",
                "A funnel needs its steps in order, so it silently loses them. The clock "
                "is off by at least as much, or local times were read as UTC.",
                "Send times with their offset, and set the server's clock by NTP. Until then "
                "shift the source's times, or tz= if all of the export's times are local.",
                at,
                tracking.worth(at),
                lambda some: [f"{_readable(int(lead[one]))} too early" for one in some],
            )
        )
    return faults


_NO_LEAD = np.iinfo(np.int64).min


def _browser_source(tracking: Tracking) -> int | None:
    """Return the source that sends most of the events that carry a browser's alias."""
    event, alias = tracking.pairs
    source = tracking.sources[0][event]
    chosen = tracking.of_type(tracking.browser_alias)[alias] & (source >= 0)
    return int(np.bincount(source[chosen]).argmax()) if chosen.any() else None


def _lead(tracking: Tracking, event: IntArray, alias: IntArray, of_browser: BoolArray) -> IntArray:
    """Return by how much each event precedes the browser's first event of its tokens.

    Positive where it is before all of them; `_NO_LEAD` for the browser's own events and those
    that share no token with it.
    """
    never = np.iinfo(np.int64).max
    first_seen = np.full(len(tracking.aliases.table), never)
    mine = of_browser[event]
    np.minimum.at(first_seen, alias[mine], tracking.microseconds[event[mine]])
    earliest = np.full(len(tracking.events), never)
    np.minimum.at(earliest, event[~mine], first_seen[alias[~mine]])
    linked = (earliest != never) & ~of_browser
    lead = np.full(len(tracking.events), _NO_LEAD)
    lead[linked] = earliest[linked] - tracking.microseconds[linked]
    return lead


def _readable(microseconds: int) -> str:
    return readable_duration(pd.Timedelta(microseconds, unit="us"))
