"""The events as they might be stitched with a change, for what depends on all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from convergekit.base.grouping import run_starts
from convergekit.certainty.completion import nearest
from convergekit.fixes.changes import Login, LongCookie, OneCookie, Token, TrackingFix
from convergekit.fixes.draws import Draw, KnownLinks
from convergekit.fixes.origins import together
from convergekit.identity.aliases import EventAliases
from convergekit.identity.as_of import Knowledge
from convergekit.identity.pipeline import named, resolve
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True)
class _Added:
    """Aliases that events would carry besides.

    Attributes
    ----------
    event, alias : numpy.ndarray of int
        Pairs; aliases that there are not yet have numbers after all that there are.
    strangers : int
        How many new aliases there are.
    """

    event: IntArray
    alias: IntArray
    strangers: int


def mended(
    s: StitchedEvents, known: KnownLinks, draw: Draw, change: TrackingFix | None, chosen: BoolArray
) -> StitchedEvents:
    """Return some of the events, stitched as they would be with a change.

    Parameters
    ----------
    s : StitchedEvents
    known : KnownLinks
    draw : Draw
    change : TrackingFix or None
        None for what there is.
    chosen : numpy.ndarray of bool
        Which events to take.
    """
    found, aliases = s.resolution, s.resolution.aliases
    if change is not None:
        added = _added(s, known, draw, change)
        aliases = _with(aliases, added, change.alias_type)
    aliases = aliases.of_events(chosen)
    place = np.cumsum(chosen) - 1
    events = s.events[chosen]
    in_time = place[found.in_time[chosen[found.in_time]]]
    unnamed = resolve(events, aliases, in_time, _unknown(), found.protection)
    return replace(s, events=events, resolution=named(unnamed, events))


def sample(s: StitchedEvents, known: KnownLinks, draw: Draw, most: int) -> BoolArray:
    """Return which events to take of more than so many: those of some profiles, whole.

    Profiles that a link of the draw brings together are taken together.
    """
    size = len(s.events)
    every = -(-size // most)
    if every <= 1:
        return np.ones(size, dtype=bool)
    trail, profiles = known.trail, len(s.resolution.profile_ids)
    visits, orders = trail.visits.profile, trail.orders.profile
    one = np.concatenate([orders[draw.order], orders[draw.buyer], visits[known.broken.headless]])
    other = np.concatenate(
        [visits[draw.visit], visits[draw.elsewhere], visits[known.broken.before]]
    )
    inside = (one < profiles) & (other < profiles)
    cluster = together(one[inside], other[inside], profiles)
    # Not by number, which depends on the order of the rows.
    by_id = np.argsort(s.resolution.profile_ids.astype("str").to_numpy(dtype=object))
    leader = np.full(int(cluster.max(initial=-1)) + 1, profiles)
    np.minimum.at(leader, cluster[by_id], np.arange(profiles))
    return np.append(leader[cluster] % every == 0, False)[s.resolution.profile]


def _added(s: StitchedEvents, known: KnownLinks, draw: Draw, change: TrackingFix) -> _Added:
    trail = known.trail
    first = np.flatnonzero(run_starts(trail.of_visit))
    if isinstance(change, Token):
        order, visit = change.reached(known, draw)
        return _Added(trail.orders.position[order], trail.browser[first[visit]], 0)
    if isinstance(change, OneCookie):
        headless, before = first[known.broken.headless], first[known.broken.before]
        return _Added(trail.event[headless], trail.browser[before], 0)
    if isinstance(change, LongCookie):
        buyer, visit = draw.buyer[draw.same], draw.elsewhere[draw.same]
        own = known.lost.own[buyer]
        one, other = _strangers(known, draw, draw.same)
        visit, own = np.append(visit, one), np.append(own, other)
        return _Added(trail.event[first[visit]], trail.browser[first[own]], 0)
    assert isinstance(change, Login)
    return _told(s, known, draw, change)


def _strangers(known: KnownLinks, draw: Draw, of: BoolArray) -> tuple[IntArray, IntArray]:
    """Return visits of people who did not order that belong together, an earlier and a later one.

    They have as many other visits as those who ordered: of so many links per order.
    """
    trail, visits = known.trail, known.trail.visits
    pool = np.flatnonzero(~trail.has_login[visits.profile])
    pool = np.setdiff1d(pool, draw.elsewhere)
    pool = pool[np.argsort(visits.begin[pool], kind="stable")]
    rate = of.sum() / max(trail.orders.logs_in.sum(), 1)
    # Of m visits of a person each has (m - 1) / 2 before it, and m - 1 links join them.
    count = round(len(pool) * 2 * rate / (1 + 2 * rate))
    if not count:
        return pool[:0], pool[:0]
    rng = np.random.Generator(np.random.PCG64([29, len(pool)]))
    later = pool[np.sort(rng.choice(len(pool), size=count, replace=False))]
    gap = trail.orders.time[draw.buyer[of]] - visits.begin[draw.elsewhere[of]]
    wanted = visits.begin[later] - rng.choice(np.sort(gap), size=count)
    return pool[nearest(wanted, visits.begin[pool])], later


def _told(s: StitchedEvents, known: KnownLinks, draw: Draw, change: Login) -> _Added:
    """Return the logins that the browser's events would carry: those of their people."""
    trail, profiles = known.trail, known.trail.seen.profiles
    visits, orders = trail.visits.profile, trail.orders.profile
    types = s.resolution.aliases.table["alias_type"]
    of_type = np.flatnonzero((types == change.alias_type).to_numpy(dtype=bool))
    login = np.full(profiles, -1, dtype=np.int64)
    login[s.resolution.component[of_type][::-1]] = of_type[::-1]
    one = np.concatenate([orders[draw.order], orders[draw.buyer], visits[known.broken.headless]])
    other = np.concatenate(
        [visits[draw.visit], visits[draw.elsewhere], visits[known.broken.before]]
    )
    for known_side, hidden in ((one, other), (other, one)):
        new = (login[hidden] < 0) & (login[known_side] >= 0)
        login[hidden[new]] = login[known_side[new]]
    at = np.flatnonzero(change.given(known, draw))
    profile = visits[trail.of_visit[at]]
    # Of strangers as many have one as of those who order.
    has = change.knows[orders].mean() if len(orders) else 0.0
    may = (login[profile] >= 0) | (draw.coin[trail.of_visit[at]] < change.share * has)
    at, profile = at[may], profile[may]
    one, other = _strangers(known, draw, np.ones(len(draw.buyer), dtype=bool))
    person = together(visits[one], visits[other], profiles)
    unknown = profile[login[profile] < 0]
    # By first appearance, for profiles have numbers that depend on the order of the rows.
    which, distinct = pd.factorize(person[unknown])
    login[unknown] = len(types) + which
    return _Added(trail.event[at], login[profile], len(distinct))


def _with(aliases: EventAliases, added: _Added, alias_type: str) -> EventAliases:
    table = aliases.table[["alias_type", "alias_value"]]
    if added.strangers:
        new = pd.DataFrame(
            {
                "alias_type": pd.Categorical(
                    [alias_type] * added.strangers,
                    categories=table["alias_type"].cat.categories,
                ),
                "alias_value": pd.Series(
                    [f"stranger {one}" for one in range(added.strangers)],
                    dtype=table["alias_value"].dtype,
                ),
            }
        )
        table = pd.concat([table, new], ignore_index=True)
    event = np.append(aliases.event, added.event)
    alias = np.append(aliases.alias, added.alias)
    return replace(aliases, table=table, apart=None).with_pairs(event, alias)


def _unknown() -> Callable[[], Knowledge]:
    """Return what stands for when links became known, which nothing asks of these events."""

    def ask() -> Knowledge:
        raise NotImplementedError("it is not known when a change would have been made")

    return ask
