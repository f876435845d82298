"""The alias graph: aliases that meet on an event are linked; components are profiles.

Components are computed over integer arrays. `graph_of_tables` makes the same graph as a
`networkx.Graph`, for those who want to look at it: one node per alias, one edge per pair of
aliases that met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from convergekit.base.compiled import compiled
from convergekit.base.grouping import run_starts
from convergekit.identity.aliases import EventAliases
from convergekit.typing import IntArray

if TYPE_CHECKING:
    import networkx as nx


def connected_components(aliases: EventAliases) -> IntArray:
    """Return the component of each alias, numbered from 0.

    Examples
    --------
    >>> from convergekit.identity.read_aliases import read_aliases
    >>> events = pd.DataFrame({"alias.cookie": ["c1", "c2", "c1"],
    ...                        "alias.email": ["a@x.org", "b@x.org", None]})
    >>> connected_components(read_aliases(events)).tolist()
    [0, 1, 0, 1]
    """
    size = len(aliases.table)
    first, second, _ = chain_links(aliases)
    if compiled(len(aliases.event)):
        from convergekit.identity.compiled.components import components

        return components(first, second, size)
    links = scipy.sparse.coo_array((np.ones(len(first)), (first, second)), shape=(size, size))
    _, component = scipy.sparse.csgraph.connected_components(links.tocsr(), directed=False)
    return component.astype(np.int64)


def chain_links(aliases: EventAliases) -> tuple[IntArray, IntArray, IntArray]:
    """Return links that join each event's aliases in chains: enough to connect them.

    Returns
    -------
    first, second, event : numpy.ndarray of int
        Two aliases that stand next to each other on an event, and the event.
    """
    event, alias = aliases.by_group
    follows = (event[1:] == event[:-1]) & aliases.linked(alias[1:], alias[:-1])
    at = np.flatnonzero(follows)
    return alias[at], alias[at + 1], event[at]


def all_links(aliases: EventAliases) -> tuple[IntArray, IntArray, IntArray]:
    """Return every pair that an event links, the smaller alias first, and the event."""
    firsts, seconds, events = [], [], []
    event, alias = aliases.by_group
    at = np.arange(len(event))
    step = 1
    while True:
        at = at[at + step < len(event)]
        at = at[event[at] == event[at + step]]
        at = at[aliases.linked(alias[at], alias[at + step])]
        if not len(at):
            break
        one, other = alias[at], alias[at + step]
        firsts.append(np.minimum(one, other))
        seconds.append(np.maximum(one, other))
        events.append(event[at])
        step += 1
    if not firsts:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing, nothing
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(events)


def distinct_links(aliases: EventAliases, time_rank: IntArray) -> pd.DataFrame:
    """Return one row per pair of linked aliases.

    Parameters
    ----------
    aliases : EventAliases
    time_rank : numpy.ndarray of int
        Each event's place in the order of time, then arrival.

    Returns
    -------
    pandas.DataFrame
        `first`, `second` (positions in ``aliases.table``), `events` (how many events link them)
        and `event` (the position of the first that did).
    """
    first, second, event = all_links(aliases)
    by_pair = np.lexsort((time_rank[event], second, first))
    first, second, event = first[by_pair], second[by_pair], event[by_pair]
    starts = np.flatnonzero(run_starts(first, second))
    return pd.DataFrame(
        {
            "first": first[starts],
            "second": second[starts],
            "events": np.diff(np.append(starts, len(first))),
            "event": event[starts],
        }
    )


def profile_of_events(aliases: EventAliases, component: IntArray, size: int) -> IntArray:
    """Return each event's profile as a component number, -1 for events without an alias."""
    profile = np.full(size, -1, dtype=np.int64)
    own = aliases.own
    profile[aliases.event[own]] = component[aliases.alias[own]]
    return profile


def link_table(
    alias_table: pd.DataFrame, links: pd.DataFrame, events: pd.DataFrame
) -> pd.DataFrame:
    """Return the links with the URNs of their ends and their first events.

    Parameters
    ----------
    alias_table : pandas.DataFrame
        `urn`, one row per alias.
    links : pandas.DataFrame
        As `distinct_links` returns it.
    events : pandas.DataFrame
        The events, for the row, time and event ID of each link's first event.

    Returns
    -------
    pandas.DataFrame
        `first`, `second` (URNs), `events` (how many), and of the first of them `first_seen`,
        `row` and `event_id`; the index is its position.
    """
    at = links["event"].to_numpy()
    first_event = events[["timestamp", "row", "event_id"]].iloc[at].reset_index(drop=True)
    urns = alias_table["urn"].reset_index(drop=True)
    return pd.DataFrame(
        {
            "first": urns.take(links["first"].to_numpy()).array,
            "second": urns.take(links["second"].to_numpy()).array,
            "events": links["events"].to_numpy(),
            "first_seen": first_event["timestamp"].array,
            "row": first_event["row"].array,
            "event_id": first_event["event_id"].array,
        },
        index=at,
    )


def graph_of_tables(nodes: pd.DataFrame, links: pd.DataFrame) -> nx.Graph[str]:
    """Return the alias graph; nodes are URNs.

    Parameters
    ----------
    nodes : pandas.DataFrame
        `urn`, `alias_type`, `alias_value`, `profile_id`, `first_seen`, `last_seen`, `events`:
        the node data, one row per alias.
    links : pandas.DataFrame
        As `link_table` returns it: the edges and their data.

    Returns
    -------
    networkx.Graph
    """
    # Imported by those who ask for the graph alone.
    import networkx as nx

    graph = nx.Graph()
    node_data = nodes.drop(columns="urn").to_dict("records")
    graph.add_nodes_from(zip(nodes["urn"], node_data, strict=True))
    data = (
        {"events": events, "first_seen": time, "row": row, "event_id": event_id}
        for events, time, row, event_id in zip(
            links["events"].tolist(),
            links["first_seen"],
            links["row"].tolist(),
            links["event_id"].to_numpy(dtype=object, na_value=None),
            strict=True,
        )
    )
    graph.add_edges_from(zip(links["first"], links["second"], data, strict=True))
    return graph
