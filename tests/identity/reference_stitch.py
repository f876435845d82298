"""The slow, obvious definition of stitching: one event at a time, plain Python and networkx.

Takes frames with `alias.<type>`, `aliases` and `profile_properties.<name>` columns and clean
timestamps.
"""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import pandas as pd

BLOCKED = {"", "null", "undefined"}
LOGINS = ("customer_id", "user_id", "email", "phone")


class SlowStitch:
    def __init__(self, frame, *, identity="retroactive", duplicates="drop", first=()):
        self.rows = [_Row(i, record) for i, record in enumerate(frame.to_dict("records"))]
        has_received = "received_at" in frame
        for row in self.rows:
            row.arrival = (row.received if has_received else row.position, row.position)
            row.when = (row.timestamp, row.arrival)
            row.known = row.arrival if has_received else row.when
        self.names = [
            c.removeprefix("profile_properties.")
            for c in frame
            if c.startswith("profile_properties.")
        ]
        self.identity, self.merge, self.first = identity, duplicates == "merge", first
        self.groups = self._groups()
        self.kept = sorted(self.groups, key=lambda row: row.position)

    def _groups(self):
        """Map each kept row to its copies, itself among them, in order of arrival."""
        by_id = {}
        for row in sorted(self.rows, key=lambda row: row.arrival):
            key = ("id", row.event_id) if row.event_id else ("row", row.position)
            by_id.setdefault(key, []).append(row)
        return {
            copies[0]: plausible(copies) if self.merge else copies[:1] for copies in by_id.values()
        }

    def graph(self, known=None):
        """The alias graph, as far as it was known."""
        graph = nx.Graph()
        for kept in self.groups:
            aliases = self.aliases(kept, known)
            graph.add_nodes_from(aliases)
            graph.add_edges_from(combinations(sorted(aliases), 2))
        return graph

    def aliases(self, kept, known=None):
        copies = [c for c in self.groups[kept] if known is None or c.known <= known]
        return set().union(*(c.aliases for c in copies))

    def partition(self):
        return {frozenset(part) for part in nx.connected_components(self.graph())}

    def profiles(self):
        """Per kept row, the set of aliases of its profile, or None."""
        graph = self.graph()
        found = {}
        for kept in self.kept:
            aliases = self.aliases(kept)
            reached = nx.node_connected_component(graph, min(aliases)) if aliases else None
            found[kept.position] = frozenset(reached) if reached else None
        return found

    def carried(self, name):
        """Per kept row, the value of the profile property."""
        return {kept.position: self._value(kept, name) for kept in self.kept}

    def _value(self, event, name):
        known = event.known if self.identity == "as_of" else None
        graph = self.graph(known)
        own = self.aliases(event, known)
        reached = nx.node_connected_component(graph, min(own)) if own else set()
        said, once = [], []
        for other in self.kept:
            if other is not event and not (self.aliases(other, known) & reached):
                continue
            if self.identity == "retroactive" and other.when > event.when:
                continue
            erasure_known = known is None or other.known <= known
            if name in other.unset and name not in self.first and erasure_known:
                said.append((other.when, None))
            value, speaker = self._said(other, name)
            if value is not None and (known is None or speaker.known <= known):
                if name in other.once and name not in self.first:
                    once.append((other.when, value))
                    continue
                said = [entry for entry in said if entry[0] != other.when]
                said.append((other.when, value))
        if not said:
            return min(once, key=lambda entry: entry[0])[1] if once else None
        pick = min if name in self.first else max
        return pick(said, key=lambda entry: entry[0])[1]

    def _said(self, kept, name):
        for copy in self.groups[kept]:
            value = copy.properties.get(name)
            if value is not None and value != "":
                return value, copy
        return None, None


def plausible(copies):
    """The copies, in order of arrival, that may be of the first one."""
    first = copies[0]
    left = [
        copy
        for copy in copies
        if copy.aliases & first.aliases
        or abs(copy.timestamp - first.timestamp) <= pd.Timedelta(hours=24)
    ]
    left = [copy for copy in copies if copy is first or copy in left]
    left = [copy for copy in left if not any(_others(copy, first, kind) for kind in LOGINS)]
    return [copy for copy in left if not any(_others(copy, of, k) for k, of in _firsts(left))]


def _firsts(copies):
    """Per login-like type, the first of the copies that has a value of it."""
    return [
        (kind, next(copy for copy in copies if _values(copy, kind)))
        for kind in LOGINS
        if any(_values(copy, kind) for copy in copies)
    ]


def _values(copy, kind):
    return {value for alias_type, value in copy.aliases if alias_type == kind}


def _others(copy, of, kind):
    """Whether both have values of the type, and none in common."""
    mine, theirs = _values(copy, kind), _values(of, kind)
    return bool(mine and theirs and not mine & theirs)


class _Row:
    def __init__(self, position, record):
        self.position = position
        self.timestamp = record["timestamp"]
        self.received = _value(record.get("received_at"))
        self.name = _value(record.get("event_name"))
        self.event_id = _value(record.get("event_id"))
        self.unset = _value(record.get("unset")) or []
        self.once = _value(record.get("set_once")) or []
        self.aliases = {
            (column.removeprefix("alias."), value)
            for column, value in record.items()
            if column.startswith("alias.") and _value(value) and value not in BLOCKED
        }
        self.aliases |= {tuple(text.split(":", 2)[1:]) for text in record.get("aliases", [])}
        self.properties = {
            column.removeprefix("profile_properties."): _value(value)
            for column, value in record.items()
            if column.startswith("profile_properties.")
        }


def _value(value):
    return None if not isinstance(value, list) and pd.isna(value) else value
