"""The slow, obvious definitions of merge protection and of the history of merges."""

from __future__ import annotations

from itertools import combinations

import networkx as nx

from tests.identity.reference_stitch import SlowStitch

PRIORITY = ("customer_id", "user_id", "email", "phone", "checkout_token", "cart_token")


def rank(alias, priority=PRIORITY):
    alias_type, value = alias
    place = priority.index(alias_type) if alias_type in priority else len(priority)
    return place, alias_type, value


class SlowProtected(SlowStitch):
    """Merges one pair of aliases after the other, and asks before each."""

    def __init__(self, frame, limits, *, priority=PRIORITY, **options):
        super().__init__(frame, **options)
        self.priority = priority
        self.refused = []
        self.profile = {}
        meetings = []
        for kept in self.kept:
            aliases = sorted(super().aliases(kept), key=self.rank)
            self.profile.update({alias: frozenset([alias]) for alias in aliases})
            received = kept.timestamp if kept.received is None else kept.received
            meetings += [
                (kept.timestamp, received, self.rank(a), self.rank(b), kept.when, a, b, kept)
                for a, b in combinations(aliases, 2)
            ]
        refused_before = set()
        for *_, one, other, kept in sorted(meetings, key=lambda meeting: meeting[:5]):
            merged = self.profile[one] | self.profile[other]
            if self.profile[one] == self.profile[other] or (one, other) in refused_before:
                continue
            exceeded = [
                (name, held)
                for name, limit in sorted(limits.items())
                if (held := sum(t == name for t, _ in merged)) > limit
            ]
            if exceeded:
                refused_before.add((one, other))
                self.refused.append((one, other, kept.position, *exceeded[0]))
            else:
                self.profile.update(dict.fromkeys(merged, merged))

    def rank(self, alias):
        return rank(alias, self.priority)

    def graph(self, known=None):
        graph = nx.Graph()
        for kept in self.groups:
            aliases = super().aliases(kept, known)
            graph.add_nodes_from(aliases)
            graph.add_edges_from(
                (a, b)
                for a, b in combinations(sorted(aliases), 2)
                if self.profile[a] == self.profile[b]
            )
        return graph

    def aliases(self, kept, known=None):
        """Those that say whose the event is."""
        own = self.home(kept)
        return {alias for alias in super().aliases(kept, known) if self.profile[alias] == own}

    def home(self, kept):
        aliases = super().aliases(kept)
        return self.profile[min(aliases, key=self.rank)] if aliases else None


class LivePipeline:
    """Receives the evidence row by row, and keeps a register of profiles and merges."""

    def __init__(self, slow):
        evidence = [(copy, kept) for kept, copies in slow.groups.items() for copy in copies]
        order = sorted(evidence, key=lambda pair: pair[0].known)
        graph, seen = nx.Graph(), {}
        self.first_seen_as, self.merges = {}, []
        current = {}
        for copy, kept in order:
            aliases = SlowStitch.aliases(slow, kept, copy.known)
            graph.add_nodes_from(aliases)
            linked = slow.graph(copy.known)
            graph.add_edges_from(linked.edges)
            for alias in aliases:
                seen[alias] = min(seen.get(alias, kept.timestamp), kept.timestamp)
            before = current
            current = {}
            for part in nx.connected_components(graph):
                leader = min(part, key=lambda alias: (seen[alias], rank(alias)))
                current.update(dict.fromkeys(part, leader))
            changed = {(before[a], current[a]) for a in before if before[a] != current[a]}
            self.merges += [(copy, old, new) for old, new in changed]
            if copy is kept and (own := slow.aliases(kept, copy.known)):
                self.first_seen_as[kept.position] = current[min(own)]
        self.current = current
