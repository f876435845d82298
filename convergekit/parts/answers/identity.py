"""Identity by parts: what each part found, below each other in the order that memory has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import networkx as nx
import numpy as np
import pandas as pd

from convergekit.base.grouping import order_of
from convergekit.diagnostics.alias_coverage import ReachedInPart, coverage_together, reached_in
from convergekit.diagnostics.orphans import Orphans, orphans, summary_of
from convergekit.diagnostics.property_coverage import (
    KnownOfPart,
    known_of_part,
    properties_together,
)
from convergekit.diagnostics.suspects import find_suspects, most_suspicious_first
from convergekit.events.steps import StepLike
from convergekit.events.timestamps import microseconds
from convergekit.figures.frame import DrawnFrame, WordedFrame
from convergekit.identity.graph import graph_of_tables
from convergekit.identity.merges import merges_by_items
from convergekit.identity.profiles import alias_ranks
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.below import values_below
from convergekit.parts.answers.said import kept_of_each
from convergekit.parts.each import EachPart
from convergekit.typing import IntArray


def alias_coverage_by_parts(each: EachPart, event_name: StepLike) -> pd.DataFrame:
    """Return what each alias type does for the events. See `Stitched.alias_coverage`."""
    of_part = partial(_reached_in, event_name=event_name)
    return coverage_together(kept_of_each(each, of_part, event_name, lambda one: one.events))


def property_coverage_by_parts(each: EachPart, event_name: StepLike | None) -> DrawnFrame:
    """Return the coverage of each profile property. See `Stitched.property_coverage`."""
    of_part = partial(_known_of, event_name=event_name)
    if event_name is None:
        return properties_together(list(each(of_part)), None)
    found = kept_of_each(each, of_part, event_name, lambda one: one.events)
    return properties_together(found, event_name)


def orphans_by_parts(each: EachPart, event_name: StepLike) -> Orphans:
    """Return the events that had not reached a browser session. See `Stitched.orphans`."""
    of_part = partial(_orphans_of, event_name=event_name)
    found = kept_of_each(each, of_part, event_name, lambda one: int(one.summary["events"].sum()))
    counts = [one.summary["events"].to_numpy() for one in found]
    return Orphans(by_row([one.events for one in found]), summary_of(np.sum(counts, axis=0)))


def provenance_by_parts(each: EachPart, name: str) -> pd.DataFrame:
    """Return the event that each value was carried from. See `Stitched.provenance`."""
    return WordedFrame(by_row(list(each(partial(_provenance_of, name=name)))))


def suspects_by_parts(each: EachPart) -> pd.DataFrame:
    """Return profiles that look like several people. See `Stitched.suspects`."""
    return most_suspicious_first(values_below(list(each(_suspects_of))))


def refused_links_by_parts(each: EachPart, priority: Sequence[str]) -> pd.DataFrame:
    """Return the links that limits refused. See `Stitched.refused_links`."""
    found = list(each(_refused_of))
    links = values_below([one.links for one in found])
    arrived = np.concatenate([one.arrived for one in found])
    ranks = _ranks([one.ends[side] for side in (0, 1) for one in found], priority)
    first, second = ranks[: len(links)], ranks[len(links) :]
    order = np.lexsort((second, first, arrived, microseconds(links["timestamp"])))
    return links.take(order).reset_index(drop=True)


def profile_merges_by_parts(each: EachPart) -> pd.DataFrame:
    """Return which profile IDs were replaced by which. See `Stitched.profile_merges`."""
    found = list(each(_merges_of))
    merges = values_below([one.merges for one in found])
    row = np.concatenate([one.row for one in found])
    former = merges["old_profile_id"].to_numpy(dtype=object)
    order = np.lexsort((former, row, microseconds(merges["timestamp"])))
    return merges.take(order).reset_index(drop=True)


def alias_graph_by_parts(each: EachPart) -> nx.Graph[str]:
    """Return the alias graph of all parts. See `Stitched.alias_graph`."""
    found = list(each(_graph_of))
    nodes = values_below([one.nodes for one in found])
    nodes = nodes.take(order_of_aliases(nodes)).reset_index(drop=True)
    links = values_below([one.links for one in found])
    place = pd.Series(np.arange(len(nodes)), index=nodes["urn"])
    ends = [place.reindex(links[name]).to_numpy() for name in ("second", "first")]
    arrived = np.concatenate([one.arrived for one in found])
    keys = (*ends, links["row"].to_numpy(), arrived, microseconds(links["first_seen"]))
    return graph_of_tables(nodes, links.take(np.lexsort(keys)).reset_index(drop=True))


def order_of_aliases(table: pd.DataFrame) -> IntArray:
    """Return the order of aliases: earliest first, then by the alphabet of types and values."""
    types = table["alias_type"].astype("str")
    codes = pd.Categorical(types, categories=sorted(types.unique())).codes.astype("int64")
    return order_of(microseconds(table["first_seen"]), codes, texts=table["alias_value"])


def by_row(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all parts by `row`."""
    return values_below(frames).sort_values("row", kind="stable", ignore_index=True)


class _Refused(NamedTuple):
    """A part's refused links, when their first events arrived, and the aliases at both ends."""

    links: pd.DataFrame
    arrived: IntArray
    ends: tuple[pd.DataFrame, pd.DataFrame]


class _Merges(NamedTuple):
    """A part's merges, and the row of what brought each about: an event, or a copy of one."""

    merges: pd.DataFrame
    row: IntArray


class _Graph(NamedTuple):
    """A part's aliases and links, and when the first event of each link arrived."""

    nodes: pd.DataFrame
    links: pd.DataFrame
    arrived: IntArray


def _reached_in(number: int, s: StitchedEvents, *, event_name: StepLike) -> ReachedInPart:
    return reached_in(s, event_name)


def _known_of(number: int, s: StitchedEvents, *, event_name: StepLike | None) -> KnownOfPart:
    return known_of_part(s, event_name)


def _orphans_of(number: int, s: StitchedEvents, *, event_name: StepLike) -> Orphans:
    return orphans(s, event_name)


def _provenance_of(number: int, s: StitchedEvents, *, name: str) -> pd.DataFrame:
    return pd.DataFrame(s.provenance(name))


def _suspects_of(number: int, s: StitchedEvents) -> pd.DataFrame:
    return find_suspects(s)


def _refused_of(number: int, s: StitchedEvents) -> _Refused:
    refused, table = s.resolution.refused, s.resolution.aliases.table
    names = ["alias_type", "alias_value"]
    ends = (table[names].take(refused.first), table[names].take(refused.second))
    return _Refused(s.refused_links, _arrived(s.events.iloc[refused.event]), ends)


def _merges_of(number: int, s: StitchedEvents) -> _Merges:
    knowledge = s.resolution.knowledge()
    merges, item = merges_by_items(knowledge, s.events)
    rows = s.events["row"]
    if len(knowledge.known) > len(rows):
        # Copies are evidence too, in their order among all.
        rows = pd.concat([rows, s.duplicates["row"]]).sort_values()
    return _Merges(merges, rows.to_numpy(dtype=np.int64)[item])


def _graph_of(number: int, s: StitchedEvents) -> _Graph:
    nodes, links = s.graph_tables(np.ones(len(s.events), dtype=bool))
    arrived = _arrived(s.events.iloc[links.index])
    return _Graph(nodes.reset_index(drop=True), links.reset_index(drop=True), arrived)


def _arrived(events: pd.DataFrame) -> IntArray:
    """Return when events arrived, where that tells apart those of one time."""
    if "received_at" not in events:
        return np.zeros(len(events), dtype=np.int64)
    return microseconds(events["received_at"].fillna(events["timestamp"]))


def _ranks(ends: Sequence[pd.DataFrame], priority: Sequence[str]) -> IntArray:
    """Return the places of aliases among all of them, by the priority of their types."""
    aliases = pd.concat([end.astype("str") for end in ends], ignore_index=True)
    number = aliases.groupby(["alias_type", "alias_value"]).ngroup().to_numpy()
    each = np.unique(number, return_index=True)[1]
    table = aliases.take(each).astype({"alias_type": "category"})
    return alias_ranks(table, np.arange(len(each)), priority)[number]
