"""Which browser each event is of, and which events speak for one.

A visit is one browser's. What a server or a CRM sends falls into a visit, if one is under way; it
neither begins a visit nor keeps it alive.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.grouping import first_of_run, number, run_starts
from convergekit.events.campaigns import TAGS
from convergekit.events.steps import tracked
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.learned import Spoken
from convergekit.visits.traffic import SentTraffic

#: Alias types of a device, which is as good as a browser.
DEVICES = ("anonymous_id", "device", "device_id", "gaid", "idfa", "idfv")


def browsers_of(s: StitchedEvents) -> IntArray:
    """Return the browser or device of each event, as a number; -1 where it carries no alias of one.

    Two such aliases on one event are of one browser from then on: what they were before they met
    stays as it was, for a visit must not depend on what comes later.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(pd.DataFrame({
    ...     "event_name": "PageView", "timestamp": "2026-03-02T10:00:00Z",
    ...     "alias.cookie": ["a", "b", None], "alias.email": "ada@example.com",
    ... }))
    >>> browsers_of(s.tables).tolist()
    [0, 1, -1]
    """
    aliases = s.resolution.aliases
    of_browser = aliases.table["alias_type"].isin((s.browser_alias, *DEVICES)).to_numpy(dtype=bool)
    pairs = np.flatnonzero(of_browser[aliases.alias])
    event, alias = aliases.event[pairs], aliases.alias[pairs]
    browser = np.full(len(s.events), -1, dtype=np.int64)
    if (event[1:] == event[:-1]).any():
        place = np.empty(len(s.events), dtype=np.int64)
        place[s.resolution.in_time] = np.arange(len(s.events))
        event, alias = _as_met(event, alias, place, aliases.table["alias_value"])
    browser[event] = alias
    return browser


def _as_met(
    event: IntArray, alias: IntArray, place: IntArray, values: pd.Series
) -> tuple[IntArray, IntArray]:
    """Return each event once, with the alias by which its browser was first seen until then.

    Parameters
    ----------
    event, alias : numpy.ndarray of int
        Pairs, those of one event side by side.
    place : numpy.ndarray of int
        The place of each event in the order of time.
    values : pandas.Series of str
        Of the aliases, by which those are ordered that are first seen on one event.
    """
    first_seen = np.full(len(values), len(place), dtype=np.int64)
    np.minimum.at(first_seen, alias, place[event])
    starts = run_starts(event)
    run = np.cumsum(starts) - 1
    several = np.flatnonzero(np.bincount(run)[run] > 1)
    # Only of these the text is looked at.
    met = np.unique(alias[several])
    rank = np.empty(len(values), dtype=np.int64)
    by_text = values.iloc[met].astype("str").argsort(kind="stable").to_numpy()
    rank[met[by_text]] = np.arange(len(met))
    order = several[np.lexsort((rank[alias[several]], first_seen[alias[several]], run[several]))]
    leading = alias[order][first_of_run(run_starts(run[order]))]
    follower, since = alias[order], place[event[order]]
    led = np.flatnonzero(follower != leading)
    led = led[np.lexsort((since[led], follower[led]))]
    led = led[run_starts(follower[led])]
    parent, from_then_on = np.arange(len(values)), np.full(len(values), len(place), dtype=np.int64)
    parent[follower[led]], from_then_on[follower[led]] = leading[led], since[led]

    chosen = alias[starts]
    chosen[run[order]] = leading
    known = event[starts]
    while (moved := from_then_on[chosen] <= place[known]).any():
        chosen = np.where(moved, parent[chosen], chosen)
    return known, chosen


def speaking(
    events: pd.DataFrame, traffic: SentTraffic, browser: IntArray, spoken: Spoken | None = None
) -> tuple[BoolArray, BoolArray]:
    """Return which events speak for a browser, and which of them can tell that there is a visit.

    Parameters
    ----------
    events : pandas.DataFrame
    traffic : SentTraffic
        What they sent about their visits.
    browser : numpy.ndarray of int
        As `browsers_of` returns it.
    spoken : Spoken, optional
        What was learned, where these are some of more events.

    Returns
    -------
    speaks, tells : numpy.ndarray of bool
        An event that shows a page speaks, and tells a visit. One that carries a browser's alias, or
        a tag, a click ID or a referrer, speaks if its source shows pages; it tells a visit by the
        latter. Where no event has a page's address, sources and event names that send tags stand
        in for those that show pages.
    """
    landed = traffic.sends("landing_page")[traffic.kind]
    told = traffic.sends(*TAGS, "click_id", "referrer")[traffic.kind]
    of_browser = browser >= 0
    evident = landed if landed.any() else of_browser & told
    if spoken is None and not evident.any():
        found = (of_browser if of_browser.any() else told) & tracked(events)
        return found, found
    if spoken is not None and not spoken.evident:
        found = (of_browser if spoken.of_browser else told) & tracked(events)
        return found, found
    sources = _codes(events, "source")
    of_source = _any_in(sources, evident)
    if spoken is not None:
        of_source = _which(events, ["source"], {(one,) for one in spoken.sources})
    speaks = landed | ((of_browser | told) & of_source)
    alone = told & ~of_browser & ~landed
    if alone.any():
        # A newsletter that is sent has tags as well, and a browser never says that name.
        names = _codes(events, "event_name")
        kinds = sources * (1 + names.max(initial=0)) + names
        of_kind = _any_in(kinds, landed | of_browser)
        if spoken is not None:
            of_kind = _which(events, ["source", "event_name"], spoken.kinds)
        speaks &= ~alone | of_kind
    if landed.any() if spoken is None else spoken.landed:
        return speaks, speaks & (landed | told)
    of_name = _any_in(_codes(events, "event_name"), told)
    if spoken is not None:
        of_name = _which(events, ["event_name"], {(one,) for one in spoken.names})
    return speaks, speaks & (told | of_name)


@dataclass(frozen=True)
class SpokenInPart:
    """What a part adds to what is learned of all events for `speaking`.

    Attributes
    ----------
    landed, of_browser : bool
        Whether an event shows a page, or carries a browser's alias.
    by_pages, by_tags : frozenset
        The sources of events that show a page, and of those that carry a browser's alias and
        what a page sends.
    kinds : frozenset of tuple
        Source and name of events that show a page or carry a browser's alias.
    names : frozenset
        Those of events with a tag, a click ID or a referrer.
    """

    landed: bool
    of_browser: bool
    by_pages: frozenset[Any]
    by_tags: frozenset[Any]
    kinds: frozenset[Any]
    names: frozenset[Any]

    @classmethod
    def of(cls, events: pd.DataFrame, traffic: SentTraffic, browser: IntArray) -> SpokenInPart:
        """Return what the events of a part, what they sent, and their browsers add."""
        landed = traffic.sends("landing_page")[traffic.kind]
        told = traffic.sends(*TAGS, "click_id", "referrer")[traffic.kind]
        of_browser = browser >= 0
        return cls(
            landed=bool(landed.any()),
            of_browser=bool(of_browser.any()),
            by_pages=_firsts(events, "source", landed),
            by_tags=_firsts(events, "source", of_browser & told),
            kinds=frozenset(_there(events, ["source", "event_name"], landed | of_browser)),
            names=_firsts(events, "event_name", told),
        )


def spoken_in(parts: Sequence[SpokenInPart]) -> Spoken:
    """Return what is learned of all events for `speaking`, which are in parts."""
    landed = any(part.landed for part in parts)
    sources = _of_all([part.by_pages if landed else part.by_tags for part in parts])
    return Spoken(
        landed=landed,
        evident=bool(sources),
        of_browser=any(part.of_browser for part in parts),
        sources=sources,
        kinds=_of_all([part.kinds for part in parts]),
        names=_of_all([part.names for part in parts]),
    )


def _firsts(events: pd.DataFrame, column: str, among: BoolArray) -> frozenset[Any]:
    return frozenset(one for (one,) in _there(events, [column], among))


def _of_all(parts: Sequence[frozenset[Any]]) -> frozenset[Any]:
    return frozenset[Any]().union(*parts)


def _pairs(events: pd.DataFrame, columns: list[str]) -> tuple[IntArray, list[tuple[Any, ...]]]:
    """Return a number for each event, and the values that it stands for, None for missing ones."""
    code = np.zeros(len(events), dtype=np.int64)
    for name in columns:
        codes = _codes(events, name)
        code = code * (1 + codes.max(initial=0)) + codes
    group, first = pd.factorize(code)
    at = np.unique(group, return_index=True)[1] if len(first) else group
    values = [
        events[name].iloc[at].tolist() if name in events else [None] * len(at) for name in columns
    ]
    return group, [
        tuple(None if pd.isna(one) else one for one in row) for row in zip(*values, strict=True)
    ]


def _there(events: pd.DataFrame, columns: list[str], marked: BoolArray) -> set[tuple[Any, ...]]:
    """Return the values of the marked events."""
    group, values = _pairs(events, columns)
    return {values[number] for number in np.unique(group[marked]).tolist()}


def _which(
    events: pd.DataFrame, columns: list[str], known: Collection[tuple[Any, ...]]
) -> BoolArray:
    """Return which events have values that are known."""
    group, values = _pairs(events, columns)
    return np.array([row in known for row in values], dtype=bool)[group]


def named_alike(names: pd.Series, asked: Iterable[str]) -> BoolArray:
    """Return which names are one of those asked for, whatever their capitals and separators.

    Examples
    --------
    >>> named_alike(pd.Series(["ad_impression", "PageView"]), ["Ad Impression"]).tolist()
    [True, False]
    """
    codes, distinct = number(names)
    wanted = {_plain(name) for name in asked}
    found = [isinstance(name, str) and _plain(name) in wanted for name in distinct]
    return np.append(np.array(found, dtype=bool), False)[codes]


def _plain(name: str) -> str:
    return name.casefold().replace(" ", "").replace("_", "").replace("-", "")


def _codes(events: pd.DataFrame, name: str) -> IntArray:
    """Return a number for each value of a column, 0 for a missing one or a missing column."""
    if name not in events:
        return np.zeros(len(events), dtype=np.int64)
    return number(events[name])[0].astype(np.int64) + 1


def _any_in(group: IntArray, marked: BoolArray) -> BoolArray:
    """Return which rows are of a group in which some row is marked."""
    numbers = group if group.max(initial=0) <= 2 * len(group) else pd.factorize(group)[0]
    has = np.zeros(int(numbers.max(initial=-1)) + 1, dtype=bool)
    has[numbers[marked]] = True
    return has[numbers]
