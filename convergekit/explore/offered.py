"""What the data offer to choose from: events, breakdowns, properties and their values; people.

Each is found once, of one table or of those of all parts, and kept with the result that it is of.
Importing this module imports no widgets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from convergekit.base.grouping import order_of
from convergekit.base.wording import shortened
from convergekit.checks.money import USUAL_VALUES
from convergekit.errors import ConvergekitError
from convergekit.events.campaigns import TAGS
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY, PROPERTY
from convergekit.events.steps import tracked
from convergekit.events.timestamps import microseconds
from convergekit.explore.asked import Explored, InMemory, TableName
from convergekit.explore.display import MOST_LETTERS, MOST_OPTIONS
from convergekit.figures.style import Style, Template
from convergekit.funnels.suggest import event_counts
from convergekit.identity.lookup import FoundAliases, urns_of
from convergekit.identity.tables import HasTables, StitchedEvents

if TYPE_CHECKING:
    from convergekit.checks.check_up import CheckUp
    from convergekit.figures.figure import Figure
    from convergekit.figures.frame import DrawnFrame

_PLAIN = frozenset({"string", "boolean", "integer", "floating", "empty"})
#: What a visit says of itself, beside its tags.
_OF_VISITS = ("channel", "landing_page", "referrer", "click_id")


#: What the list of people shows of each.
_OF_PEOPLE = ("profile_id", "first_seen", "last_seen", "events", "aliases")
_NAMES = ("event_name", "kind")
#: So many lists of values are kept.
_KEPT = 20


class Offered:
    """What a result offers to choose from, found when it is needed and kept.

    Parameters
    ----------
    source : Explored
    """

    def __init__(self, source: Explored) -> None:
        self.source = source
        self._values: dict[tuple[str, ...], Values] = {}

    @cached_property
    def counts(self) -> pd.Series:
        """How many events go by each name, most first; identify calls are left out."""
        found = _added([event_counts(part) for part in self._tables("events", _NAMES)])
        return found.sort_index().sort_values(ascending=False, kind="stable")

    @cached_property
    def breakdowns(self) -> dict[str, str]:
        """What everything can be broken down by, as `breakdowns` returns it."""
        return breakdowns(self.source.columns)

    @cached_property
    def properties(self) -> list[str]:
        """The columns that an event can be asked for a value of."""
        return [name for name in self.source.columns if name.startswith((PROPERTY, PROFILE))]

    @cached_property
    def _amounts(self) -> dict[str, list[str]]:
        """The events that have a value of each property with a usual name of an amount."""
        there = [name for name in USUAL_VALUES if PROPERTY + name in self.properties]
        named: dict[str, list[str]] = {name: [] for name in there}
        if not there:
            return named
        columns = [*_NAMES, *(PROPERTY + name for name in there)]
        for part in self._tables("events", columns):
            known = part[tracked(part)]
            for name in there:
                having = known["event_name"][known[PROPERTY + name].notna()]
                named[name] += having.dropna().unique().tolist()
        return named

    def amount_of(self, event: str | None) -> str | None:
        """Return the property that is an event's amount, by its name; None if none is."""
        return next((name for name, events in self._amounts.items() if event in events), None)

    def values(self, table: TableName, name: str, event: str | None = None) -> Values:
        """Return the values of a column, of the events of a name if one is given.

        Raises
        ------
        ConvergekitError
            They are neither texts nor numbers.
        """
        key = (table, name, *(() if event is None else (event,)))
        if key not in self._values:
            found = values_of(self._columns(table, name, event), name)
            while len(self._values) >= _KEPT:
                del self._values[next(iter(self._values))]
            self._values[key] = found
        return self._values[key]

    def _columns(self, table: TableName, name: str, event: str | None) -> Iterator[pd.Series]:
        names = [name] if event is None else [*_NAMES, name]
        for part in self._tables(table, names):
            if event is not None:
                part = part[tracked(part) & (part["event_name"] == event).to_numpy(dtype=bool)]
            if name in part:
                yield part[name]

    def first_people(self) -> tuple[pd.DataFrame, int]:
        """Return the profiles that were seen first, and how many profiles there are."""
        found, total = [], 0
        for part in self._tables("profiles", _OF_PEOPLE):
            total += len(part)
            found.append(part.head(MOST_OPTIONS))
        whole = _below(found)
        order = order_of(microseconds(whole["first_seen"]), texts=whole["profile_id"])
        return whole.take(order[:MOST_OPTIONS]).reset_index(drop=True), total

    def people(self, ids: Collection[str]) -> pd.DataFrame:
        """Return what is known of profiles, by their IDs."""
        parts = self._tables("profiles", _OF_PEOPLE)
        found = [part[part["profile_id"].isin(ids).to_numpy(dtype=bool)] for part in parts]
        return _below(found).set_index("profile_id")

    def aliases_of(self, profile_id: str) -> list[str]:
        """Return the aliases of a profile, as URNs, those on most events first."""
        names = ("alias_type", "alias_value", "profile_id", "events")
        parts = self._tables("aliases", names)
        found = [part[(part["profile_id"] == profile_id).to_numpy(dtype=bool)] for part in parts]
        return ranked_urns(_below(found))

    def find(self, text: str) -> FoundAliases:
        """Return the aliases that a text means."""
        return self.source.find(text, MOST_OPTIONS)

    def profile(self, alias_or_id: str, template: Template) -> SeenProfile:
        """Return what is shown of a profile."""
        ask = partial(SeenProfile.of, alias_or_id=alias_or_id, template=template)
        return self.source.of_profile(alias_or_id, ask)

    def check_up(self, conversion: str | None) -> CheckUp:
        """Audit the events."""
        return self.source.check_up(conversion)

    def _tables(self, name: TableName, columns: Collection[str]) -> Iterator[pd.DataFrame]:
        return self.source.tables(name, columns)


def offered_in_memory(s: HasTables) -> Offered:
    """Return what events in memory offer."""
    return Offered(InMemory(s.tables))


@dataclass(frozen=True)
class SeenProfile:
    """What is shown of a profile.

    Attributes
    ----------
    profile_id : str
    aliases : pandas.DataFrame
    timeline : DrawnFrame
    graph : Figure
    """

    profile_id: str
    aliases: pd.DataFrame
    timeline: DrawnFrame
    graph: Figure

    @classmethod
    def of(cls, s: StitchedEvents, *, alias_or_id: str, template: Template) -> SeenProfile:
        """Return it of the events among which the profile is."""
        from convergekit.diagnostics.profile_graph import profile_graph_figure
        from convergekit.diagnostics.timeline import timeline

        profile_id = str(s.resolution.profile_ids.iloc[s.profile_number(alias_or_id)])
        aliases, _ = s.alias_table
        own = (aliases["profile_id"] == profile_id).to_numpy(dtype=bool)
        return cls(
            profile_id=profile_id,
            aliases=aliases[own],
            timeline=timeline(s, alias_or_id),
            graph=profile_graph_figure(s, alias_or_id, Style(template)),
        )


def ranked_urns(aliases: pd.DataFrame) -> list[str]:
    """Return the URNs of aliases, those on most events first."""
    found = aliases.assign(urn=urns_of(aliases))
    ranked = found.sort_values(["events", "urn"], ascending=[False, True])
    return ranked["urn"].tolist()


def breakdowns(columns: Sequence[str]) -> dict[str, str]:
    """Return what everything can be broken down by: the name, and in words where it is read.

    Examples
    --------
    >>> breakdowns(["properties.plan", "profile.city"])  # doctest: +NORMALIZE_WHITESPACE
    {'channel': 'channel · of the visit', 'landing_page': 'landing_page · of the visit',
     'referrer': 'referrer · of the visit', 'click_id': 'click_id · of the visit',
     'profile.city': 'city · carried', 'properties.plan': 'plan · of the event'}
    """
    short = {name.split(".", 1)[1] for name in columns if name.startswith((PROPERTY, PROFILE))}
    found = {
        name: f"{name} · of the visit" for name in _OF_VISITS if name not in {*columns, *short}
    }
    for name in columns:
        if name.startswith(PROFILE):
            own = name.removeprefix(PROFILE)
            is_tag = own in TAGS and PROFILE_PROPERTY + own in columns
            found[name] = f"{own} · {'of the visit' if is_tag else 'carried'}"
    for name in columns:
        if name.startswith(PROPERTY):
            found[name] = f"{name.removeprefix(PROPERTY)} · of the event"
    return found


@dataclass(frozen=True)
class Values:
    """The values of a column, most frequent first.

    Attributes
    ----------
    counts : pandas.Series of int
        How many rows have each, of those that are listed.
    total : int
        How many values there are.
    """

    counts: pd.Series
    total: int


def values_of(columns: Iterable[pd.Series], name: str) -> Values:
    """Return how often each value occurs in a column, or in those of all parts.

    Raises
    ------
    ConvergekitError
        The values are neither texts nor numbers.
    """
    kinds: set[str] = set()
    found: list[pd.Series] = []
    for column in columns:
        known = column.dropna()
        kinds.add(pd.api.types.infer_dtype(known, skipna=True))
        if len(kinds - {"empty"}) > 1 or not kinds <= _PLAIN:
            raise ConvergekitError(
                f"{name} holds something other than plain text or numbers; choose another "
                "property, or give ck.Step(..., where=a function) in code."
            )
        if pd.api.types.is_float_dtype(known.dtype):
            known = known[known.abs() != float("inf")]
        found.append(known.astype(object).value_counts())
    counts = _added(found)
    # Of values of one frequency the first is not that of the first row.
    texts = counts.index.map(str)
    order = pd.DataFrame({"rows": counts.to_numpy(), "text": texts}).sort_values(
        ["rows", "text"], ascending=[False, True]
    )
    return Values(counts.iloc[order.index[:MOST_OPTIONS]], len(counts))


def as_options(values: Values) -> list[tuple[str, Any]]:
    """Return values to choose from, each as JSON can hold it and with how often it occurs."""
    return [
        (f"{shortened(value, MOST_LETTERS)} ({count:,})", _plain(value))
        for value, count in values.counts.items()
    ]


def _added(counts: Sequence[pd.Series]) -> pd.Series:
    """Return counts of several parts as one."""
    some = [one for one in counts if len(one)] or list(counts[:1])
    if not some:
        return pd.Series(dtype="int64")
    return some[0] if len(some) == 1 else pd.concat(some).groupby(level=0, sort=False).sum()


def _below(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all parts; one without rows does not say of which types it is."""
    some = [part for part in parts if len(part)] or list(parts[:1])
    return some[0] if len(some) == 1 else pd.concat(some, ignore_index=True)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
