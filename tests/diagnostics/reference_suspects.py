"""The slow, obvious definition of suspects: plain Python, networkx, every subset tried.

Takes the sets of aliases, as (type, value), that each kept event carries.
"""

from __future__ import annotations

from itertools import combinations

import networkx as nx

LOGIN_TYPES = ("customer_id", "user_id", "email", "phone")


class SlowProfile:
    """One profile: its events as a list of sets of aliases."""

    def __init__(self, events):
        self.events = events
        self.aliases = sorted(set().union(*events))

    @staticmethod
    def all_of(events):
        parts = nx.connected_components(graph(events))
        return [SlowProfile([e for e in events if e and e <= part]) for part in parts]

    def values(self, kind):
        return [alias for alias in self.aliases if alias[0] == kind]

    @property
    def evidence(self):
        extra = sum(max(len(self.values(kind)) - 1, 0) for kind in LOGIN_TYPES)
        if extra:
            return "strong" if extra > 1 else "weak"
        return "shared token" if self.tokens_of_many_browsers() else None

    def tokens_of_many_browsers(self):
        tokens = [alias for alias in self.aliases if alias[0].endswith("token")]
        return [t for t in tokens if self.parts_with("cookie", without={t}) >= 5]

    def parts_with(self, kind, without):
        parts = self.without_aliases(without)
        return sum(any(alias[0] == kind for alias in part) for part in parts)

    def without_aliases(self, blocked):
        return list(nx.connected_components(graph([e - set(blocked) for e in self.events])))

    def without_events(self, dropped):
        kept = graph([e for i, e in enumerate(self.events) if i not in dropped])
        # What was on the dropped events alone hangs together with nothing.
        kept.add_nodes_from(self.aliases)
        return list(nx.connected_components(kept))

    def logins(self):
        login = [{a for a in e if a[0] in LOGIN_TYPES} for e in self.events]
        return list(nx.connected_components(graph(login)))

    def has_several_logins(self):
        return parted(self.logins())

    def smallest_alias_cut(self):
        """How many aliases, login values left alone, part two values of one type at least."""
        nameless = [alias for alias in self.aliases if alias[0] not in LOGIN_TYPES]
        return smallest(nameless, lambda cut: parted(self.without_aliases(cut)))

    def joins_three(self, alias):
        return any(self.parts_with(kind, without={alias}) >= 3 for kind in LOGIN_TYPES)

    def login_hubs(self):
        return [a for a in self.aliases if a[0] in LOGIN_TYPES and self.joins_three(a)]

    def smallest_event_cut(self):
        return smallest(range(len(self.events)), lambda cut: parted(self.without_events(cut)))


def graph(events):
    found = nx.Graph()
    for aliases in events:
        found.add_nodes_from(aliases)
        found.add_edges_from(combinations(sorted(aliases), 2))
    return found


def parted(parts):
    """Whether two parts hold a value of one login type."""
    return any(sum(any(a[0] == kind for a in part) for part in parts) > 1 for kind in LOGIN_TYPES)


def smallest(items, is_cut):
    for size in range(1, len(items) + 1):
        if any(is_cut(set(chosen)) for chosen in combinations(items, size)):
            return size
    return None
