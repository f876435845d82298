"""The history of merges: which profiles became one, when, and by which event.

As a live pipeline would have recorded it, event by event in the order of knowing. At every moment
a profile's ID is that of its earliest-seen alias, as far as known. When an event joins two
profiles, the ID of the older one survives; when an event that arrives late makes another alias
the earliest, the profile's ID changes, which is recorded in the same way.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.base.grouping import run_starts
from convergekit.events.timestamps import microseconds
from convergekit.identity.as_of import Knowledge, spanning_links
from convergekit.identity.profiles import alias_ranks, ids_of_leaders
from convergekit.typing import IntArray

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


def profile_merges(s: StitchedEvents) -> pd.DataFrame:
    """Return one row per profile ID that another one replaced. See `Stitched.profile_merges`."""
    return merges_in_order(s.resolution.knowledge(), s.events)


def merges_in_order(knowledge: Knowledge, events: pd.DataFrame) -> pd.DataFrame:
    """Return the merges that an order of knowing brings about.

    See `merges_by_items`.
    """
    return merges_by_items(knowledge, events)[0]


def merges_by_items(knowledge: Knowledge, events: pd.DataFrame) -> tuple[pd.DataFrame, IntArray]:
    """Return the merges that an order of knowing brings about, and the item of each.

    Parameters
    ----------
    knowledge : Knowledge
    events : pandas.DataFrame
        The kept events.
    """
    at = microseconds(events["timestamp"])[knowledge.event]
    table = knowledge.aliases.table
    rank = alias_ranks(table, np.arange(len(table)))
    replaced = _replay(_telling_pairs(knowledge, at), rank)
    old = list(replaced)
    new, items = ([pair[i] for pair in replaced.values()] for i in (0, 1))
    ids = [ids_of_leaders(table.take(np.array(leaders, dtype=np.int64))) for leaders in (old, new)]
    item = np.array(items, dtype=np.int64)
    by = events.iloc[knowledge.event[item]]
    merges = pd.DataFrame(
        {
            "timestamp": pd.to_datetime(knowledge.known_at[item], unit="us", utc=True),
            "old_profile_id": ids[0],
            "new_profile_id": ids[1],
            "event_name": by["event_name"].array,
            "event_id": by["event_id"].array,
            "row": by["row"].array,
        }
    ).astype({"timestamp": "datetime64[us, UTC]"})
    order = np.lexsort((merges["old_profile_id"].to_numpy(dtype=object), knowledge.known[item]))
    return merges.iloc[order].reset_index(drop=True), item[order]


def _telling_pairs(knowledge: Knowledge, at: IntArray) -> pd.DataFrame:
    """Return what each item that can change a profile's ID brings, in the order of knowing.

    Such an item brings an alias that is new, or earlier than it was known to be, or a link that
    joins two profiles. All others leave every ID as it is.
    """
    event, alias = knowledge.aliases.by_group
    apart = knowledge.aliases.apart
    group = np.zeros(len(alias), dtype=np.int64) if apart is None else apart.group[alias]
    pairs = pd.DataFrame({"item": event, "group": group, "alias": alias, "at": at[event]}).assign(
        known=knowledge.known[event]
    )
    pairs = pairs.sort_values("known", kind="stable", ignore_index=True)
    before = pairs.groupby("alias")["at"].cummin().groupby(pairs["alias"]).shift()
    earlier = (before.isna() | (pairs["at"] < before)).to_numpy()
    _, _, joining = spanning_links(knowledge.aliases, knowledge.known)
    tells = earlier | pairs["known"].isin(joining).to_numpy()
    telling = pairs["item"].isin(pairs["item"][tells])
    return pairs[telling]


def _replay(pairs: pd.DataFrame, rank: IntArray) -> dict[int, tuple[int, int]]:
    """Return, per alias that led a profile and no longer does, who leads it, and by which item.

    Item by item, because what one does depends on all before it.
    """
    above: dict[int, int] = {}
    # Of each root: when its earliest alias was seen, and that alias by rank.
    earliest: dict[int, tuple[int, int]] = {}
    by_rank = np.argsort(rank).tolist()
    replaced: dict[int, tuple[int, int]] = {}

    def root_of(alias: int) -> int:
        while above[alias] != alias:
            above[alias] = above[above[alias]]
            alias = above[alias]
        return alias

    item = pairs["item"].to_numpy()
    starts = run_starts(item, pairs["group"].to_numpy())
    bounds = [*np.flatnonzero(starts).tolist(), len(pairs)]
    items, times = item.tolist(), pairs["at"].tolist()
    aliases, ranks = pairs["alias"].tolist(), rank[pairs["alias"].to_numpy()].tolist()
    for start, stop in itertools.pairwise(bounds):
        met = range(start, stop)
        roots = {root_of(aliases[i]) for i in met if aliases[i] in above}
        leaders = [by_rank[earliest[root][1]] for root in roots]
        lead = min([*(earliest[root] for root in roots), *((times[i], ranks[i]) for i in met)])
        leader = by_rank[lead[1]]
        # An ID that comes back stops being a former ID.
        replaced.pop(leader, None)
        replaced.update({old: (leader, items[start]) for old in leaders if old != leader})
        top = min(roots, default=aliases[start])
        for alias in (*roots, *(aliases[i] for i in met if aliases[i] not in above)):
            above[alias] = top
        earliest[top] = lead
    return replaced
