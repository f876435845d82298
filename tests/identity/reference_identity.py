"""The slow, obvious answers about identity: one event and one moment at a time."""

from __future__ import annotations

from itertools import combinations

import networkx as nx

from tests.identity.reference_stitch import SlowStitch

BROWSER = "cookie"


class SlowIdentity:
    """Asks about the events of one name, which may be made to carry only some alias types."""

    def __init__(self, frame, name, *, duplicates="drop", carry=lambda alias_type: True):
        self.stitch = SlowStitch(frame, duplicates=duplicates)
        self.carry = carry
        self.name = name
        self.asked = [kept for kept in self.stitch.kept if kept.name == name]
        evidence = [(copy, kept) for kept, copies in self.stitch.groups.items() for copy in copies]
        #: What becomes known one after the other: a row, and the event that it is a copy of.
        self.order = sorted(evidence, key=lambda pair: pair[0].known)

    def aliases(self, kept, known):
        found = self.stitch.aliases(kept, known)
        if kept.name == self.name:
            return {alias for alias in found if self.carry(alias[0])}
        return found

    def graph(self, known=None):
        graph = nx.Graph()
        for kept in self.stitch.kept:
            aliases = self.aliases(kept, known)
            graph.add_nodes_from(aliases)
            graph.add_edges_from(combinations(sorted(aliases), 2))
        return graph

    def around(self, aliases, known=None):
        """All aliases that hang together with these, as far as known."""
        graph = self.graph(known)
        parts = [nx.node_connected_component(graph, alias) for alias in aliases if alias in graph]
        return set().union(*parts)

    def reaches(self, kept, known=None):
        return any(t == BROWSER for t, _ in self.around(self.aliases(kept, known), known))

    def linked(self, kept):
        """The first row, and its event, from which one of the event's aliases is of a session."""
        for row, event in self.order:
            own = self.aliases(kept, max(row.known, kept.known))
            if any(t == BROWSER for t, _ in self.around(own, row.known)):
                return row, event
        return None

    def knew(self, event, earlier):
        if earlier is event:
            return True
        known = event.known
        near = self.around(self.aliases(event, known), known)
        # An event is known as soon as one of its copies is.
        return bool(near & self.aliases(earlier, known))

    def carrier(self, event, name):
        """The event whose value this one carries with all data in hand."""
        near = self.around(self.aliases(event, None))
        said = [
            other
            for other in self.stitch.kept
            if (other is event or self.aliases(other, None) & near)
            and other.when <= event.when
            and self.stitch._said(other, name)[0] is not None
        ]
        return max(said, key=lambda other: other.when, default=None)


def known_at(row):
    return row.timestamp if row.received is None else row.received
