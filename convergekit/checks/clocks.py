"""Clocks that differ: events far from all others, and a server's before what led to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted
from convergekit.checks.alias_values import token_types
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
from convergekit.events.observed import Observed, moment, observed
from convergekit.typing import BoolArray, IntArray

#: By how much an event must come before all of the browser's, in microseconds.
LEAST_LEAD = 60_000_000
#: A finding from this share of a source's events on that share a token with the browser.
SKEWED_SHARE = 0.2
FEWEST_SKEWED = 10


def _times(tracking: Tracking) -> pd.DataFrame:
    """Return when the events that count happened and were received."""
    names = [name for name in ("timestamp", "received_at") if name in tracking.events]
    return tracking.events.loc[tracking.is_kept, names]


def _observed(parts: list[pd.DataFrame], whole: Whole) -> Observed:
    """Return from when to when events were observed."""
    return observed(pd.concat([part for part in parts if len(part)] or parts, ignore_index=True))


def _far(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find events whose time lies far from all others, or after the event was received."""
    kept = np.flatnonzero(tracking.is_kept)
    at = kept[tracking.whole.of_checks["far-time"].outside(tracking.events.iloc[kept])]
    times = tracking.events["timestamp"]
    yield FoundInPart(
        at,
        tracking.worth(at),
        lambda some: [moment(time) for time in times.iloc[some]],
        about=(times.iloc[at].min(), times.iloc[at].max()),
    )


def _said_of_far(found: Together) -> Fault:
    first, last = min(begin for begin, _ in found.about), max(end for _, end in found.about)
    return Fault(
        "medium",
        f"{counted(found.count, 'event is', 'events are')} dated far from all others, or long "
        f"after being received: {moment(first)}"
        + (f" to {moment(last)}." if found.count > 1 else "."),
        "A clock is wrong. Taken for the end of the data, such a time would close every "
        "window, and count those who have not come back yet as lost.",
        "Set the clock, or leave the events out. They are not taken for the end of the data, "
        "and funnels, counts, retention and customers leave them out; observed_until= of "
        "ck.stitch sets another end.",
        found.money,
    )


@dataclass(frozen=True)
class _Linking:
    """How many pairs of an event and an alias each source sends.

    Attributes
    ----------
    browsers, tokens : Counter
        Of a browser's alias, and of tokens, by source.
    """

    browsers: Counter[tuple[str, str] | None]
    tokens: Counter[tuple[str, str] | None]


def _linking(tracking: Tracking) -> _Linking:
    event, alias = tracking.pairs
    codes, names = tracking.exports
    return _Linking(
        *(
            Counter(
                {
                    names[code] if code >= 0 else None: int(pairs)
                    for code, pairs in zip(
                        *np.unique(codes[event[chosen[alias]]], return_counts=True), strict=True
                    )
                }
            )
            for chosen in (tracking.is_browser, _are_tokens(tracking))
        )
    )


def _browser_source(parts: list[_Linking], whole: Whole) -> str:
    """Return the source that sends most of the events that carry a browser's alias.

    Empty if there is none, or if no other source sends tokens.
    """
    counts: Counter[str] = Counter()
    for part in parts:
        for pair, pairs in part.browsers.items():
            counts[whole.origin(pair)] += pairs
    named = [(-pairs, name) for name, pairs in counts.items() if name]
    browser = min(named)[1] if named else ""
    others = {whole.origin(pair) for part in parts for pair in part.tokens} - {browser}
    return browser if others else ""


def _no_token(whole: Whole) -> str:
    shared = whole.of_checks["clock-skew"]
    return "" if shared else "no token is sent by the browser and by another source"


def _skewed(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find events that come before the browser's of the same cart or checkout, of each source."""
    source, names = tracking.sources
    event, alias = tracking.pairs
    token = _are_tokens(tracking)[alias]
    browser = tracking.whole.of_checks["clock-skew"]
    is_browser = source == (names.index(browser) if browser in names else len(names))
    lead = _lead(tracking, event[token], alias[token], is_browser)
    for code in np.unique(source[lead != _NO_LEAD]).tolist():
        if code < 0:
            continue
        linked = (lead != _NO_LEAD) & (source == code)
        at = np.flatnonzero(linked & (lead >= LEAST_LEAD))
        yield FoundInPart(
            at,
            tracking.worth(at),
            lambda some: [f"{_readable(int(lead[one]))} too early" for one in some],
            names[code],
            about=(int(linked.sum()), lead[at]),
        )


def _said_of_skewed(found: Together) -> Fault | None:
    linked = sum(count for count, _ in found.about)
    if found.count < FEWEST_SKEWED or found.count < SKEWED_SHARE * linked:
        return None
    median = _readable(int(np.median(np.concatenate([leads for _, leads in found.about]))))
    return Fault(
        "high",
        f"{found.count:,} of {linked:,} events of {found.key!r} that share a cart "
        "or checkout token with the browser come before all of its events with the token, "
        f"half of them by {median} or more.",
        "A funnel needs its steps in order, so it silently loses them. The clock "
        "is off by at least as much, or local times were read as UTC.",
        "Send times with their offset, and set the server's clock by NTP. Until then "
        "shift the source's times, or tz= if all of the export's times are local.",
        found.money,
    )


FAR = Check(_far, _said_of_far, learn=_times, settle=_observed)
SKEWED = Check(_skewed, _said_of_skewed, _no_token, _linking, _browser_source)


_NO_LEAD = np.iinfo(np.int64).min


def _are_tokens(tracking: Tracking) -> BoolArray:
    types = tracking.aliases.table["alias_type"]
    return types.isin(token_types(tracking)).to_numpy(dtype=bool)


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
