"""Faults of identity: an alias that stopped coming, one that many share, steps without an entry."""

from __future__ import annotations

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.base.wording import percentage
from convergekit.change.faults import IDENTITY, TRACKING, Pair, PeriodFault, share, shares_apart
from convergekit.change.sides import Side
from convergekit.identity.graph import connected_components, profile_of_events
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.typing import BoolArray, IntArray

#: An alias joins strangers where it meets so many values of a login, or so many browsers.
_STRANGERS = 15
#: An alias stopped coming where so much less of a step carries it.
_STOPPED = 0.7
#: Steps lack their entry where so many more of those who did them did not enter.
_UNENTERED = 0.05


def shared_alias(pair: Pair) -> list[PeriodFault]:
    """Find aliases that join many people on one side."""
    found: list[set[str]] = [set(_joining(side)) for side in pair.sides]
    mine = (found[0] | found[1]) - (found[0] & found[1])
    if not mine:
        return []

    def apart(side: Side) -> Side:
        return side.repaired(person=_without(side, _named(side, mine)))

    def at(side: Side) -> IntArray:
        event, alias = _pairs(side)
        return distinct(event[np.isin(alias, _named(side, mine)) & side.inside[event]])

    said = sorted(mine)[0].removeprefix("urn:").partition(":")[0]
    return [
        PeriodFault(
            TRACKING,
            f"shared alias of type {said}",
            f"An alias of type {said} joins {_STRANGERS} people or more on one side, as a cached "
            "or placeholder value does; without it they are apart.",
            pair.each(at),
            apart,
            takes=("links",),
        )
    ]


def _joining(side: Side) -> list[str]:
    """Return the aliases that meet many logins, or many browsers, in the period."""
    aliases = side.s.resolution.aliases
    event, alias = _pairs(side)
    kept = side.inside[event]
    event, alias = event[kept], alias[kept]
    codes, names = side.base.kinds
    browser = np.array([name == side.s.browser_alias for name in names])[codes]
    login = np.array([name in LOGIN_TYPES for name in names])[codes]
    found: set[int] = set()
    for other, ours in ((login, browser), (browser, ~browser)):
        # Only one that is on so many events can meet so many.
        many = np.bincount(alias, minlength=len(codes)) >= _STRANGERS
        chosen = ours[alias] & many[alias]
        one = pd.DataFrame({"event": event[chosen], "alias": alias[chosen]})
        met = pd.DataFrame({"event": event[other[alias]], "other": alias[other[alias]]})
        counts = one.merge(met, on="event").groupby("alias")["other"].nunique()
        found |= {int(a) for a in counts.index[counts >= _STRANGERS]}
    return aliases.urns(np.array(sorted(found), dtype=np.int64)) if found else []


def _named(side: Side, urns: set[str]) -> IntArray:
    table = side.s.resolution.aliases.table
    texts = "urn:" + table["alias_type"].astype("str") + ":" + table["alias_value"].astype("str")
    return np.flatnonzero(texts.isin(urns).to_numpy(dtype=bool))


def _pairs(side: Side) -> tuple[IntArray, IntArray]:
    """Return the pairs of events and aliases, of events of this side alone."""
    aliases = side.s.resolution.aliases
    return aliases.event, aliases.alias


def _without(side: Side, dropped: IntArray) -> IntArray:
    """Return whose each event is if some aliases did not link; numbers are of their own."""
    aliases = side.s.resolution.aliases
    left = ~np.isin(aliases.alias, dropped)
    found = aliases.with_pairs(aliases.event[left], aliases.alias[left])
    return profile_of_events(found, connected_components(found), len(side.s.events))


def stopped_alias(pair: Pair) -> list[PeriodFault]:
    """Find an alias type that a step carried, and that it does not carry on the other side."""
    faults = []
    for kind in _kinds(pair):
        carried = [side.base.carrying(kind) for side in pair.sides]
        earlier = [side.inside & (side.step >= 0) & (side.step < pair.last) for side in pair.sides]
        if kind in LOGIN_TYPES and _fell(carried, earlier):
            faults.append(_split_up(pair, kind))
    return faults


def _kinds(pair: Pair) -> list[str]:
    return sorted({kind for side in pair.sides for kind in side.base.kinds[1]})


def _fell(carried: list[BoolArray], among: list[BoolArray]) -> bool:
    hits = [int((c & a).sum()) for c, a in zip(carried, among, strict=True)]
    of = [int(a.sum()) for a in among]
    if not shares_apart((hits[0], hits[1]), (of[0], of[1])):
        return False
    low, high = sorted([share(hits[0], of[0]), share(hits[1], of[1])])
    return low < _STOPPED * high and high >= 0.01


def _split_up(pair: Pair, kind: str) -> PeriodFault:
    """Return the fault of a login that no longer joins a person's browsers."""

    def apart(side: Side) -> Side:
        aliases = side.s.resolution.aliases
        codes, names = side.base.kinds
        of_kind = codes == (names.index(kind) if kind in names else -1)
        earlier = (side.step >= 0) & (side.step < pair.last)
        left = ~(of_kind[aliases.alias] & earlier[aliases.event])
        found = aliases.with_pairs(aliases.event[left], aliases.alias[left])
        person = profile_of_events(found, connected_components(found), len(side.s.events))
        return side.repaired(person=person)

    def at(side: Side) -> IntArray:
        earlier = side.inside & (side.step >= 0) & (side.step < pair.last)
        return np.flatnonzero(earlier & side.base.carrying(kind))

    return PeriodFault(
        IDENTITY,
        f"{kind} stopped coming before {pair.titles[-1]}",
        f"Many fewer of the events before {pair.titles[-1]} carry the alias type {kind!r}: a "
        "person's browsers are not joined any more. Both sides are counted without it.",
        pair.each(at),
        apart,
    )


def link_cause(pair: Pair) -> tuple[str, str]:
    """Return what changed the share of orders that reach a visitor: a kind, and what it is."""
    goals = pair.goals()
    best, gap = "", 0.0
    for kind in _kinds(pair):
        hits = [
            int(side.base.carrying(kind)[at].sum())
            for side, at in zip(pair.sides, goals, strict=True)
        ]
        of = len(goals[0]), len(goals[1])
        if not shares_apart((hits[0], hits[1]), of):
            continue
        apart = abs(share(hits[0], of[0]) - share(hits[1], of[1]))
        if apart > max(gap, _UNENTERED):
            best, gap = kind, apart
    if best:
        return IDENTITY, f"{best} on {pair.titles[-1]}"
    return IDENTITY, f"{pair.titles[-1]} that reach a visitor"


def unentered(pair: Pair) -> list[PeriodFault]:
    """Find steps whose people did not enter: what they enter by is not sent, or not on them."""
    hits, of, at = [0, 0], [0, 0], []
    for on, (side, found) in enumerate(zip(pair.sides, pair.entered, strict=True)):
        later = side.inside & (side.person >= 0) & (side.step > 0)
        if pair.last > 1:
            # Orders may come from a server that knows no visitor; that is for identity.
            later &= side.step < pair.last
        first = np.zeros(int(side.person.max(initial=-1)) + 1, dtype=bool)
        first[side.person[side.is_tracked & (side.step == 0) & (side.person >= 0)]] = True
        people = distinct(side.person[later])
        hits[on], of[on] = int(first[people].sum()), len(people)
        at.append(np.flatnonzero(later & ~first[side.person]))
        del found
    shares = share(hits[0], of[0]), share(hits[1], of[1])
    if not shares_apart((hits[0], hits[1]), (of[0], of[1])):
        return []
    if abs(shares[0] - shares[1]) < _UNENTERED or pair.last < 2:
        return []
    fewer = "after" if shares[1] < shares[0] else "before"
    return [
        PeriodFault(
            TRACKING,
            f"{pair.titles[0]} not seen of people who went further",
            f"Of those who went beyond {pair.titles[0]}, {percentage(shares[0])} before and "
            f"{percentage(shares[1])} after were seen with it: {fewer}, it is not sent, or under "
            "another cookie (consent, sampling).",
            (at[0], at[1]),
            takes=("entrants", "mix", "step 2", "links"),
        )
    ]
