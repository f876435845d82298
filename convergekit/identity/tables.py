"""Identified events: what stitching gives, as plain tables; every answer is made of them.

Tables that are not always needed (`profiles`, `aliases`, `alias_graph`) are built when first
asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct, number, order_of
from convergekit.base.records import take_or_missing
from convergekit.base.threads import with_columns
from convergekit.base.wording import counted
from convergekit.errors import UnknownNameError, what_there_is
from convergekit.events.calendar import Calendar
from convergekit.events.observed import Observed, observed
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY
from convergekit.events.timestamps import microseconds
from convergekit.figures.frame import WordedFrame
from convergekit.identity.aliases import EventAliases
from convergekit.identity.as_of import Knowledge
from convergekit.identity.graph import distinct_links, graph_of_tables, link_table
from convergekit.identity.limits import Protection, RefusedLinks
from convergekit.identity.lookup import (
    has_value,
    not_a_urn,
    parsed_urn,
    unknown_alias,
    unknown_profile,
)
from convergekit.identity.profiles import alias_times
from convergekit.identity.properties import carry_retroactive
from convergekit.typing import BoolArray, IntArray
from convergekit.visible import visible

if TYPE_CHECKING:
    import networkx as nx

    from convergekit.identity.segment import Segment

_REFUSING = ("row", "event_id", "event_name", "timestamp")


@dataclass(frozen=True)
class Resolution:
    """Which profile every alias and every event belongs to, as integers.

    Attributes
    ----------
    aliases : EventAliases
        The aliases of the kept events.
    component : numpy.ndarray of int
        Each alias's profile, by number.
    profile : numpy.ndarray of int
        Each event's profile, by number; -1 for none.
    profile_ids : pandas.Series of str
        Each profile's ID.
    in_time : numpy.ndarray of int
        Positions of the events in order of time, then arrival.
    knowledge : callable
        Returns what was known when; computed when first called.
    protection : Protection
        Which links were to be refused.
    refused : RefusedLinks
        Which were.
    """

    aliases: EventAliases
    component: IntArray
    profile: IntArray
    profile_ids: pd.Series
    in_time: IntArray
    knowledge: Callable[[], Knowledge]
    protection: Protection
    refused: RefusedLinks


@dataclass(frozen=True, eq=False, repr=False)
class StitchedEvents:
    """Events with their profiles, and how they came to have them.

    Attributes
    ----------
    events, rejected : pandas.DataFrame
        As `Stitched` has them.
    identity, browser_alias : str
        As `Stitched` has them.
    resolution : Resolution
        Which profile every alias and every event belongs to.
    describe_duplicates : callable
        Returns the dropped copies; called once, when they are first asked for.
    carried_from : mapping of str to numpy.ndarray of int
        Per profile property, the position of the event whose value each event carries; -1 for none.
    first : sequence of str
        Profile properties, as names or patterns, of which the first value is kept.
    remarks : mapping of str to int
        What was decided about values, and for how many rows.
    malformed : pandas.DataFrame
        `row` and `reason` of everything that was not an alias.
    calendar : Calendar
        In which days, weeks and months the answers are, unless they are asked for others.
    observed_until : pandas.Timestamp or None
        Until when profiles are observed, where that was given.
    segment : Segment or None
        What these are a part of the input by; None if they are all of it.
    observed_in_all : Observed or None
        From when to when profiles are observed, where these are some of more events.
    """

    events: pd.DataFrame
    rejected: pd.DataFrame
    identity: str
    browser_alias: str
    resolution: Resolution
    describe_duplicates: Callable[[], pd.DataFrame]
    carried_from: Mapping[str, IntArray]
    first: Sequence[str] = ()
    remarks: Mapping[str, int] = field(default_factory=dict)
    malformed: pd.DataFrame = field(default_factory=pd.DataFrame)
    calendar: Calendar = field(default_factory=Calendar)
    observed_until: pd.Timestamp | None = None
    segment: Segment | None = None
    observed_in_all: Observed | None = None

    @property
    def whole(self) -> StitchedEvents:
        """All events of the profiles: by them aliases are linked and values carried."""
        return self if self.segment is None or self.segment.whole is None else self.segment.whole

    @property
    def data_end(self) -> pd.Timestamp:
        """Until when profiles are observed, wrong clocks left aside; NaT without events."""
        return self.observed_span[1] if self.segment is None else self.segment.data_end

    @cached_property
    def observed_span(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From when to when profiles are observed, as `observed_of` has it."""
        if self.observed_in_all is not None:
            return self.observed_in_all.begin, self.observed_in_all.end
        given = self.observed_until if self.segment is None else self.segment.data_end
        found = observed(self.events, given)
        return found.begin, found.end

    def in_whole(self, at: IntArray) -> IntArray:
        """Return the positions in `whole` of the events at these positions."""
        within = None if self.segment is None else self.segment.positions
        return at if within is None else within[at]

    @cached_property
    def kept_sessions(self) -> list[tuple[Any, Any]]:
        """The sessions that were found last, and by which rules; `visits` finds them."""
        return []

    @cached_property
    def duplicates(self) -> pd.DataFrame:
        """See `Stitched.duplicates`."""
        return self.describe_duplicates()

    @cached_property
    def aliases(self) -> pd.DataFrame:
        """See `Stitched.aliases`."""
        table, _ = self.alias_table
        return table.drop(columns="urn")

    @cached_property
    def profiles(self) -> pd.DataFrame:
        """See `Stitched.profiles`."""
        table, _ = self.profile_table
        return table

    @cached_property
    def profile_table(self) -> tuple[pd.DataFrame, IntArray]:
        """The profiles, sorted, and each one's number."""
        sent = self.whole.events
        latest = {
            PROFILE + name: take_or_missing(sent[PROFILE_PROPERTY + name], carrier)
            for name, carrier in self.latest_carriers().items()
        }
        table = with_columns(self.profile_counts(), latest)
        order = order_of(microseconds(table["first_seen"]), texts=table["profile_id"])
        return table.take(order).reset_index(drop=True), order

    @cached_property
    def alias_graph(self) -> nx.Graph[str]:
        """See `Stitched.alias_graph`."""
        return self.whole.graph_of(np.ones(len(self.whole.events), dtype=bool))

    @cached_property
    def refused_links(self) -> pd.DataFrame:
        """See `Stitched.refused_links`."""
        found, refused = self.resolution, self.resolution.refused
        events = self.whole.events.iloc[refused.event]
        limits = [found.protection.limits[name] for name in refused.alias_type]
        ids = [found.profile_ids.take(found.component[a]) for a in (refused.first, refused.second)]
        return pd.DataFrame(
            {
                "alias_a": pd.Series(found.aliases.urns(refused.first), dtype="str"),
                "alias_b": pd.Series(found.aliases.urns(refused.second), dtype="str"),
                "profile_id_a": ids[0].array,
                "profile_id_b": ids[1].array,
                "limited": pd.Series(refused.alias_type, dtype="str"),
                "limit": pd.Series(limits, dtype="int64"),
                "values": refused.together,
                **{name: events[name].array for name in _REFUSING},
                "events": refused.events,
            }
        )

    @cached_property
    def profile_merges(self) -> pd.DataFrame:
        """See `Stitched.profile_merges`."""
        from convergekit.identity.merges import profile_merges

        return profile_merges(self.whole)

    def provenance(self, name: str) -> pd.DataFrame:
        """See `Stitched.provenance`."""
        self.check_property(name)
        whole, at = self.whole, self.in_whole(np.arange(len(self.events)))
        at = at[whole.carried_from[name][at] >= 0]
        earlier = whole.carried_from[name][at]
        events, sources = whole.events.iloc[at], whole.events.iloc[earlier]
        return WordedFrame(
            {
                "row": events["row"].to_numpy(),
                "event_name": events["event_name"].array,
                "timestamp": events["timestamp"].array,
                "profile_id": events["profile_id"].array,
                "value": events[PROFILE + name].array,
                "from_row": sources["row"].to_numpy(),
                "from_event_name": sources["event_name"].array,
                "from_source": sources["source"].array,
                "age": events["timestamp"].array - sources["timestamp"].array,
                "hindsight": ~whole.resolution.knowledge().knew(at, earlier)
                & (self.identity == "retroactive"),
            }
        )

    @cached_property
    def alias_table(self) -> tuple[pd.DataFrame, IntArray]:
        """The aliases with their URNs, sorted, and each one's position before sorting."""
        if self.whole is not self:
            # They are numbered alike.
            return self.whole.alias_table
        found = self.resolution
        first, last = alias_times(found.aliases, self.events["timestamp"])
        categories = found.aliases.types
        types = pd.Series(categories).astype("str")
        values = found.aliases.table["alias_value"]
        table = pd.DataFrame(
            {
                "urn": "urn:" + types + ":" + values,
                "alias_type": types,
                "alias_value": values,
                "profile_id": found.profile_ids.take(found.component).array,
                "first_seen": pd.to_datetime(first, unit="us", utc=True),
                "last_seen": pd.to_datetime(last, unit="us", utc=True),
                "events": np.bincount(found.aliases.alias, minlength=len(types)),
            }
        ).astype({"first_seen": "datetime64[us, UTC]", "last_seen": "datetime64[us, UTC]"})
        order = order_of(first, categories.codes.astype(np.int64), texts=values)
        return table.take(order).reset_index(drop=True), order

    def graph_of(self, chosen: BoolArray) -> nx.Graph[str]:
        """Return the graph of the chosen events' aliases, nodes and edges in a fixed order."""
        return graph_of_tables(*self.graph_tables(chosen))

    def graph_tables(self, chosen: BoolArray) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the nodes and links of the chosen events' aliases, in the order of the graph."""
        found = self.resolution
        table, position = self.alias_table
        place = np.empty_like(position)
        place[position] = np.arange(len(position))
        time_rank = np.empty_like(found.in_time)
        time_rank[found.in_time] = np.arange(len(found.in_time))
        aliases = found.aliases.renumbered(place)
        pairs = chosen[aliases.event]
        part = aliases.with_pairs(aliases.event[pairs], aliases.alias[pairs])
        links = distinct_links(part, time_rank)
        links = links.iloc[np.argsort(time_rank[links["event"]], kind="stable")]
        return table.iloc[distinct(part.alias)], link_table(table, links, self.events)

    def check_property(self, name: str) -> None:
        """Raise unless an event carries the profile property."""
        if name not in self.carried_from:
            known = list(self.carried_from)
            raise UnknownNameError(
                f"no event carries the profile property {name!r}. {what_there_is(known, name)}"
            )

    def profile_number(self, alias_or_id: str) -> int:
        """Return the number of the profile that has an alias or an ID."""
        if isinstance(alias_or_id, str) and alias_or_id.startswith("p_"):
            found = np.flatnonzero(self.resolution.profile_ids == alias_or_id)
            if len(found):
                return int(found[0])
            raise unknown_profile(alias_or_id, self._here)
        return int(self.resolution.component[self.alias_position(alias_or_id)])

    def alias_position(self, text: str) -> int:
        """Return the position of an alias in `resolution.aliases`."""
        aliases = self.resolution.aliases
        alias = parsed_urn(aliases.rules, text)
        if alias is None:
            table, _ = self.alias_table
            raise not_a_urn(text, table["urn"][has_value(self, table, text)].tolist())
        of_type = aliases.table["alias_type"] == alias[0]
        # The name as it stands in `aliases` first: a rule may make another alias's name of it.
        for value in reversed(alias[1]):
            found = np.flatnonzero(of_type & (aliases.table["alias_value"] == value))
            if len(found):
                return int(found[0])
        values = aliases.table["alias_value"][of_type]
        raise unknown_alias(alias, list(aliases.types.categories), values, self._here)

    @property
    def _here(self) -> str:
        return "" if self.segment is None else " of the segment"

    def profile_counts(self) -> pd.DataFrame:
        """Return when each profile was seen, and what it has how many of, by number."""
        found = self.resolution
        count = len(found.profile_ids)
        member = np.flatnonzero(found.profile >= 0)
        events = self.events[["kind", "timestamp", "source"]].iloc[member]
        grouped = events.groupby(found.profile[member])
        tracked = np.bincount(
            found.profile[member], weights=(events["kind"] == "track").to_numpy(), minlength=count
        )
        types = found.aliases.types
        by_type = np.zeros((count, len(types.categories)), dtype=np.int64)
        np.add.at(by_type, (found.component, types.codes), 1)
        browser = types.categories == self.browser_alias
        # Limits may leave a profile with aliases that were seen on other profiles' events alone.
        seen = _seen(self.whole.resolution, self.whole.events["timestamp"], count)
        numbers = pd.RangeIndex(count)
        return pd.DataFrame(
            {
                "profile_id": found.profile_ids,
                "first_seen": grouped["timestamp"].min().reindex(numbers).fillna(seen[0]),
                "last_seen": grouped["timestamp"].max().reindex(numbers).fillna(seen[1]),
                "events": tracked.astype(np.int64),
                "sources": _distinct_in(found.profile[member], events["source"], count),
                "aliases": by_type.sum(axis=1),
                "has_browser_session": by_type[:, browser].sum(axis=1) > 0,
                **{f"aliases.{t}": by_type[:, i] for i, t in enumerate(types.categories)},
            },
            index=numbers,
        )

    def latest_carriers(self) -> dict[str, IntArray]:
        """Return, per profile property, the event whose value each profile has in the end.

        That is at the profile's last event; the positions are those in `whole`.
        """
        found, whole = self.resolution, self.whole
        last = np.full(len(found.profile_ids), -1, dtype=np.int64)
        member = found.in_time[found.profile[found.in_time] >= 0]
        last[found.profile[member]] = self.in_whole(member)
        if self.identity == "retroactive":
            carried = whole.carried_from
        else:
            # In the end everything is known, whatever was known at the last event.
            of = whole.resolution
            carried = carry_retroactive(whole.events, of.profile, of.in_time, self.first)
        return {name: np.where(last >= 0, carrier[last], -1) for name, carrier in carried.items()}


def observed_of(s: StitchedEvents) -> Observed:
    """Return from when to when profiles are observed."""
    return Observed(*s.observed_span)


def reaches_browser(s: StitchedEvents) -> BoolArray:
    """Return which events' profiles have a browser session."""
    found = s.resolution
    # One more, for the events without a profile, which are -1.
    reached = np.zeros(len(found.profile_ids) + 1, dtype=bool)
    of_browser = (found.aliases.table["alias_type"] == s.browser_alias).to_numpy()
    reached[found.component[of_browser]] = True
    return reached[found.profile]


def counts_in_one_line(tables: StitchedEvents) -> str:
    """Return what there is of events, aliases and profiles."""
    found = tables.resolution
    counts = [
        counted(len(tables.events), "event"),
        counted(len(tables.duplicates), "duplicate"),
        f"{len(tables.rejected):,} rejected",
    ]
    segment = ""
    if tables.segment is not None:
        counts.append(f"{sum(tables.segment.left_out.values()):,} left out")
        segment = f"; segment: {visible(tables.segment.description)}"
    return (
        f"{', '.join(counts)}; {counted(len(found.aliases.table), 'alias', 'aliases')}, "
        f"{counted(len(found.profile_ids), 'profile')}{segment}"
    )


class HasTables(Protocol):
    """What is made of identified events: a `Stitched`."""

    @property
    def tables(self) -> StitchedEvents:
        """The events and what follows from them."""
        ...


def _distinct_in(group: IntArray, values: pd.Series, count: int) -> IntArray:
    """Return how many different values each group has."""
    codes, found = number(values)
    there = np.flatnonzero(codes >= 0)
    pairs = distinct(group[there] * len(found) + codes[there])
    return np.bincount(pairs // max(len(found), 1), minlength=count)


def _seen(found: Resolution, timestamps: pd.Series, count: int) -> tuple[pd.Series, pd.Series]:
    """Return when the aliases of each profile were first and last seen."""
    limits = np.iinfo(np.int64)
    first, last = np.full(count, limits.max), np.full(count, limits.min)
    of_alias = alias_times(found.aliases, timestamps)
    np.minimum.at(first, found.component, of_alias[0])
    np.maximum.at(last, found.component, of_alias[1])
    one, other = (
        pd.Series(pd.to_datetime(at, unit="us", utc=True)).astype("datetime64[us, UTC]")
        for at in (first, last)
    )
    return one, other
