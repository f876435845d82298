"""Orders that lost their browser: capture-recapture over tokens and logins.

An order reaches its buyer's visits by a token of the visit or by a login. How often the one works
where the other does says in how many orders neither did (Lincoln-Petersen). Those orders are of
people who did visit; the rest of the orders without a browser are of buyers whom no browser saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from convergekit.certainty.parts import Parts
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True)
class OrdersReached:
    """By what the orders reach visits.

    Attributes
    ----------
    by_both, by_token, by_login : int
        Orders that reach visits by a token and by a login, by a token alone, by a login alone.
    by_none : int
        Orders of profiles that never visited and have no browser.
    carrying : float
        Share of the orders with a token, among those that reach visits by a login.
    failing : float
        The same among those of them that do not reach visits by the token.
    """

    by_both: int
    by_token: int
    by_login: int
    by_none: int
    carrying: float
    failing: float

    @property
    def is_known(self) -> bool:
        """Whether both ways occur, so that each can be held against the other."""
        return self.by_both > 0

    @property
    def lost(self) -> float:
        """How many orders of visitors reached nothing: the estimator of Chapman (1951)."""
        token, login = self.by_both + self.by_token, self.by_both + self.by_login
        there = (token + 1) * (login + 1) / (self.by_both + 1) - 1
        return max(there - self.by_both - self.by_token - self.by_login, 0.0)

    @property
    def share_lost(self) -> float:
        """Of the orders that reach nothing, the share that are of visitors."""
        return min(self.lost / self.by_none, 1.0) if self.by_none else 0.0


@dataclass(frozen=True)
class CountedOrders:
    """How many orders reach visits, by what: sums that add up over parts of the events.

    Attributes
    ----------
    by_both, by_token, by_login, by_none : int
        As `OrdersReached` has them.
    carrying, failing : int
        Orders with a token: of those that reach visits by a login, and of those by it alone.
    """

    by_both: int
    by_token: int
    by_login: int
    by_none: int
    carrying: int
    failing: int

    @classmethod
    def of(
        cls,
        s: StitchedEvents,
        parts: Parts,
        enters: BoolArray,
        known_browser: BoolArray,
        order: IntArray,
    ) -> CountedOrders:
        """Count by what orders reach visits.

        Parameters
        ----------
        s : StitchedEvents
        parts : Parts
        enters : numpy.ndarray of bool
            Which parts have an entry.
        known_browser : numpy.ndarray of bool
            Which profiles entered, or have a browser.
        order : numpy.ndarray of int
            The positions of the orders.
        """
        aliases = s.resolution.aliases
        is_login = aliases.table["alias_type"].isin(LOGIN_TYPES).to_numpy(dtype=bool)
        # One more, for the events without a part, which are -1.
        visits = np.append(enters, False)[parts.of_event]
        by_token = visits[order]
        pair = np.flatnonzero(is_login[aliases.alias])
        event, alias = aliases.event[pair], aliases.alias[pair]
        seen = np.bincount(alias, weights=visits[event], minlength=len(aliases.table))
        elsewhere = seen[alias] - visits[event] > 0
        known = np.zeros(len(s.events), dtype=bool)
        known[event[elsewhere]] = True
        by_login = known[order]
        unknown = ~np.append(known_browser, False)[s.resolution.profile[order]]
        carries = parts.of_event[order] >= 0
        failed = by_login & ~by_token
        return cls(
            by_both=int((by_token & by_login).sum()),
            by_token=int((by_token & ~by_login).sum()),
            by_login=int(failed.sum()),
            by_none=int(unknown.sum()),
            carrying=int((carries & by_login).sum()),
            failing=int((carries & failed).sum()),
        )

    @classmethod
    def together(cls, found: Sequence[CountedOrders]) -> CountedOrders:
        """Return the counts of several parts, added up."""
        return cls(*(sum(getattr(one, each.name) for one in found) for each in fields(cls)))

    def reached(self) -> OrdersReached:
        """Return by what the orders reach visits."""
        by_login = self.by_both + self.by_login
        return OrdersReached(
            by_both=self.by_both,
            by_token=self.by_token,
            by_login=self.by_login,
            by_none=self.by_none,
            carrying=self.carrying / max(by_login, 1),
            failing=self.failing / max(self.by_login, 1),
        )
