"""What the explorer asks of a result, wherever its events are: in memory or in parts.

Questions are those of its face. What there is to choose from, and who is who, stands in its tables,
which come as one table or as several. What goes through parts tells how many are done, and does not
know who watches. Importing this module imports no widgets.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeAlias, TypeVar

import pandas as pd

from convergekit.events.arrow import with_python_lists
from convergekit.events.calendar import Calendar
from convergekit.identity.lookup import FoundAliases, find_aliases
from convergekit.identity.tables import StitchedEvents

if TYPE_CHECKING:
    from convergekit.activity.retention import Retention
    from convergekit.attribution.result import Attribution
    from convergekit.attribution.without_campaign import WithoutCampaign
    from convergekit.change.factors import Number
    from convergekit.change.result import Why
    from convergekit.checks.check_up import CheckUp
    from convergekit.diagnostics.explain import Explanation
    from convergekit.diagnostics.report import Report
    from convergekit.diagnostics.what_if import WhatIf
    from convergekit.figures.frame import DrawnFrame
    from convergekit.funnels.result import Funnel
    from convergekit.marketing.result import Marketing
    from convergekit.reconcile.result import Reconciliation
    from convergekit.spend.result import Spend

TableName: TypeAlias = Literal["events", "profiles", "aliases"]
Kept = TypeVar("Kept")
#: Takes how many parts are done, and how many there are.
Watch: TypeAlias = Callable[[int, int], None]

_WATCHING: ContextVar[Watch | None] = ContextVar("convergekit_watching", default=None)


class Face(Protocol):
    """What the explorer asks: of a Stitched, or of one in parts. See `Stitched`."""

    @property
    def browser_alias(self) -> str:
        """The alias type of a browser session."""
        ...

    @property
    def report(self) -> Report:
        """What was stitched, and what was not."""
        ...

    @property
    def suspects(self) -> pd.DataFrame:
        """Profiles that look like several people."""
        ...

    def where(self, *, profiles: Any = None, events: Any = None) -> Self:
        """Return a segment."""
        ...

    def funnel(
        self,
        steps: Sequence[Any],
        *,
        within: Any = None,
        by: str | Sequence[str] = (),
        top: int | None = None,
        start: Any = None,
        end: Any = None,
        calendar: str | None = None,
    ) -> Funnel:
        """Count how far profiles get along the steps."""
        ...

    def counts(
        self,
        event: Any = None,
        *,
        freq: str = "D",
        measure: Any = "events",
        by: str | Sequence[str] = (),
        top: int | None = None,
        calendar: str | None = None,
    ) -> DrawnFrame:
        """Count events, or their profiles, by period."""
        ...

    def retention(
        self,
        start: Any = "PageView",
        returns: Any = "PageView",
        *,
        freq: str = "W",
        where: Any = None,
        by: str | Sequence[str] = (),
        top: int | None = None,
        calendar: str | None = None,
    ) -> Retention:
        """Return who comes back."""
        ...

    def attribution(
        self,
        conversion: Any,
        value: str | None = None,
        model: str | Sequence[str] = "last_touch",
        lookback: Any = "30D",
        by: str = "channel",
        *,
        visits: Any = None,
    ) -> Attribution:
        """Credit conversions to visits."""
        ...

    def without_campaign(
        self, conversion: Any, *, lookback: Any = "30D", visits: Any = None
    ) -> WithoutCampaign:
        """Say why conversions have no campaign."""
        ...

    def marketing(
        self,
        spend: pd.DataFrame | Spend,
        *,
        conversion: Any = "Placed Order",
        value: str = "total_price",
        freq: str = "M",
        by: str | Sequence[str] = "channel",
        model: str = "last_touch",
        lookback: Any = "30D",
        visits: Any = None,
        calendar: str | None = None,
    ) -> Marketing:
        """Return what was spent, and what it brought."""
        ...

    def reconcile(
        self,
        spend: pd.DataFrame | Spend,
        *,
        conversion: Any = "Placed Order",
        value: str | None = "total_price",
    ) -> Reconciliation:
        """Return what platforms claim."""
        ...

    def why(
        self,
        a: Any,
        b: Any = None,
        *,
        number: Number = "conversion",
        steps: Sequence[Any] | None = None,
        within: Any = "7D",
        value: str | None = None,
        by: str | Sequence[str] | None = None,
    ) -> Why:
        """Split the difference of a number between two periods."""
        ...

    def without(self, alias: Any, *, event: Any = "Placed Order") -> WhatIf[Any]:
        """Compare the results with those without an alias."""
        ...

    def explain(self, alias_a: str, alias_b: str) -> Explanation:
        """Say why two aliases are linked."""
        ...


class Explored(Protocol):
    """What the explorer looks up: tables, and a profile."""

    @property
    def calendar(self) -> Calendar:
        """The calendar of stitching."""
        ...

    @property
    def observed(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From when to when profiles are observed; NaT without events."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """Those of the events."""
        ...

    @property
    def in_parts(self) -> bool:
        """Whether an answer goes through files, and takes its time."""
        ...

    def tables(self, name: TableName, columns: Collection[str]) -> Iterator[pd.DataFrame]:
        """Yield a table, or one of each part; of the columns those that it has."""
        ...

    def find(self, text: str, most: int) -> FoundAliases:
        """Return the aliases that a text means. See `find_aliases`."""
        ...

    def of_profile(self, alias_or_id: str, ask: Callable[[StitchedEvents], Kept]) -> Kept:
        """Ask the events among which a profile is.

        Parameters
        ----------
        alias_or_id : str
        ask : callable
            Takes the events, stitched; data alone, as what parts are asked is.
        """
        ...

    def check_up(self, conversion: str | None) -> CheckUp:
        """Audit the events. See `check_up`."""
        ...


@dataclass(frozen=True)
class InMemory:
    """What is looked up of events in memory.

    Attributes
    ----------
    s : StitchedEvents
    """

    s: StitchedEvents
    in_parts = False

    @property
    def calendar(self) -> Calendar:
        """The calendar of stitching."""
        return self.s.calendar

    @property
    def observed(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From when to when profiles are observed."""
        return self.s.observed_span

    @property
    def columns(self) -> list[str]:
        """Those of the events."""
        return [str(name) for name in self.s.events.columns]

    def tables(self, name: TableName, columns: Collection[str]) -> Iterator[pd.DataFrame]:
        """Yield the table."""
        table: pd.DataFrame = self.s.alias_table[0] if name == "aliases" else getattr(self.s, name)
        yield table[[column for column in table if column in columns]]

    def find(self, text: str, most: int) -> FoundAliases:
        """Return the aliases that a text means."""
        return find_aliases(self.s, text, most=most)

    def of_profile(self, alias_or_id: str, ask: Callable[[StitchedEvents], Kept]) -> Kept:
        """Ask all events."""
        return ask(self.s)

    def check_up(self, conversion: str | None) -> CheckUp:
        """Audit the events."""
        from convergekit.checks.check_up import checked

        return checked(with_python_lists(self.s.events), conversion=conversion)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Let a function be told of each part that is done meanwhile.

    Examples
    --------
    >>> with watched(lambda done, total: print(f"{done} of {total}")):
    ...     tell_parts(1, 2)
    ...     tell_parts(2, 2)
    1 of 2
    2 of 2
    >>> tell_parts(1, 2)
    """
    token = _WATCHING.set(watch)
    try:
        yield
    finally:
        _WATCHING.reset(token)


def tell_parts(done: int, total: int) -> None:
    """Tell who watches, if somebody does."""
    watch = _WATCHING.get()
    if watch is not None:
        watch(done, total)
