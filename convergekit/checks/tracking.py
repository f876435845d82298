"""What the checks look at: an export's events, read and deduplicated as `stitch` does it.

Nothing is parsed twice, and nothing is carried: a check-up needs the profiles, not their
properties.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.base.grouping import distinct
from convergekit.checks.money import Money, find_money
from convergekit.checks.property_texts import property_texts
from convergekit.events.amounts import events_named
from convergekit.events.calendar import Calendar
from convergekit.events.schema import ALIAS
from convergekit.events.sources import origins
from convergekit.events.steps import Step, StepLike, any_of, tracked
from convergekit.events.timestamps import microseconds
from convergekit.identity.aliases import EventAliases
from convergekit.identity.graph import connected_components, profile_of_events
from convergekit.identity.options import StitchOptions
from convergekit.identity.pipeline import accept, prove, read
from convergekit.readers.formats import exports_told, refuse_export
from convergekit.typing import BoolArray, FloatArray, IntArray

#: What is counted as a conversion unless another name is given.
USUAL_CONVERSION = "Placed Order"


@dataclass(frozen=True)
class Tracking:
    """An export's accepted events, and what they are.

    Attributes
    ----------
    events : pandas.DataFrame
        Normalised events, dropped copies included.
    aliases : EventAliases
        Of these events.
    kept : numpy.ndarray of int
        The position of the copy that is kept for each event: its own, unless repeated.
    implausible, other_state : numpy.ndarray of bool
        Which dropped copies are unlikely to be of the kept event, and which show it in another
        state of itself.
    profile : numpy.ndarray of int
        The profile of each event, a copy's that of the kept event; -1 for none.
    names : tuple of str
        The event names that are conversions.
    titles : tuple of str
        What messages call the conversions.
    converting : numpy.ndarray of bool
        Which events are named so and meet the condition of the conversion.
    money : Money or None
        Each event's amount; None if it is not known which property holds it.
    browser_alias : str
        The alias type of a browser session.
    calendar : Calendar
        Whose days are days.
    rows_in, rejected : int
        Rows of the input, and how many of them are not events.
    placeholder_ids : pandas.Series of str
        The event IDs that identify nothing, by the position of their event.
    """

    events: pd.DataFrame
    aliases: EventAliases
    kept: IntArray
    implausible: BoolArray
    other_state: BoolArray
    profile: IntArray
    names: tuple[str, ...]
    titles: tuple[str, ...]
    converting: BoolArray
    money: Money | None
    browser_alias: str
    calendar: Calendar
    rows_in: int
    rejected: int
    placeholder_ids: pd.Series

    @cached_property
    def is_kept(self) -> BoolArray:
        """Which events count: all but the dropped copies."""
        return self.kept == np.arange(len(self.kept))

    @cached_property
    def is_tracked(self) -> BoolArray:
        """Which events count and are not identify calls."""
        return self.is_kept & tracked(self.events)

    @cached_property
    def is_conversion(self) -> BoolArray:
        """Which events count and are conversions."""
        return self.is_kept & self.converting

    @cached_property
    def pairs(self) -> tuple[IntArray, IntArray]:
        """The events that count, and the alias that each carries: one entry per pair."""
        counts = self.is_kept[self.aliases.event]
        return self.aliases.event[counts], self.aliases.alias[counts]

    @cached_property
    def microseconds(self) -> IntArray:
        """Each event's time."""
        return microseconds(self.events["timestamp"])

    @cached_property
    def sources(self) -> tuple[IntArray, list[str]]:
        """Each event's source as a number, -1 for none, and the sources' names.

        Files that an export was cut into are one source.
        """
        codes, names = pd.factorize(origins(self.events), sort=True)
        return codes.astype(np.int64), [str(name) for name in names]

    @cached_property
    def property_texts(self) -> dict[str, pa.DictionaryArray]:
        """The properties that hold text."""
        return property_texts(self.events)

    def of_type(self, alias_type: str) -> BoolArray:
        """Return which aliases are of a type."""
        return (self.aliases.table["alias_type"] == alias_type).to_numpy(dtype=bool)

    def carrying(self, aliases: BoolArray) -> IntArray:
        """Return the events that count and carry one of these aliases."""
        event, alias = self.pairs
        return distinct(event[aliases[alias]])

    @property
    def amounts(self) -> FloatArray | None:
        """Each event's amount, in one currency; None without conversions, or without amounts."""
        if self.money is None or not self.names or not self.money.readable:
            return None
        return self.money.counted

    def worth(self, at: IntArray) -> float | None:
        """Return the money of the conversions among these events; None if unknown."""
        return self._worth(np.intersect1d(at, np.flatnonzero(self.is_conversion)))

    def worth_of_profiles(self, at: IntArray) -> float | None:
        """Return the money of all conversions of the profiles of these events."""
        # One more, for the events without a profile, which are -1.
        concerned = np.zeros(int(self.profile.max(initial=-1)) + 2, dtype=bool)
        concerned[self.profile[at]] = True
        concerned[-1] = False
        found = concerned[self.profile]
        found[at] = True
        return self._worth(np.flatnonzero(found & self.is_conversion))

    def _worth(self, conversions: IntArray) -> float | None:
        if self.amounts is None or self.money is None:
            return None
        if not len(conversions) or not self.money.foreign[conversions].all():
            return float(self.amounts[conversions].sum())
        # Wholly in other currencies: their own, if they are one.
        codes = self.money.codes
        if codes is None or len(codes.iloc[conversions].unique()) > 1:
            return None
        return float(self.money.amounts[conversions].sum())


def read_tracking(
    events: pd.DataFrame,
    options: StitchOptions,
    *,
    conversion: StepLike | Iterable[StepLike] | None,
    value: str | None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
) -> Tracking:
    """Read an export for the checks. See `check_up`."""
    with exports_told(events, "ck.check_up"):
        accepted = accept(events, options)
    if not options.alias_from:
        refuse_export(events, accepted.events, "ck.check_up")
    accepted = replace(accepted, events=_with_aliases(accepted.events, options.alias_from))
    found = prove(*read(accepted, options), options)
    states = found.restated_events
    of_kept = found.kept_aliases
    profile = profile_of_events(of_kept, connected_components(of_kept), int(found.is_kept.sum()))
    conversions = _conversions(found.events, conversion)
    converting = np.zeros(len(found.events), dtype=bool)
    for step in conversions:
        converting[events_named(found.events, step)] = True
    return Tracking(
        events=states,
        aliases=found.aliases,
        kept=found.kept,
        implausible=found.implausible,
        other_state=found.is_other_state,
        profile=profile[(np.cumsum(found.is_kept) - 1)[found.kept]],
        names=tuple(name for step in conversions for name in step.names),
        titles=tuple(step.title for step in conversions),
        converting=converting,
        money=find_money(states, converting, value, currency, rates),
        browser_alias=options.browser_alias,
        calendar=options.calendar,
        rows_in=len(events),
        rejected=len(accepted.rejected),
        placeholder_ids=accepted.placeholder_ids,
    )


def _with_aliases(events: pd.DataFrame, alias_from: Mapping[str, str]) -> pd.DataFrame:
    """Return the events with a column of aliases: that nothing sends any is for a check to say."""
    has_some = "aliases" in events or any(name.startswith(ALIAS) for name in events)
    return events if has_some or alias_from else events.assign(aliases=None)


def _conversions(
    events: pd.DataFrame, conversion: StepLike | Iterable[StepLike] | None
) -> tuple[Step, ...]:
    if conversion is None:
        usual = (events["event_name"] == USUAL_CONVERSION).any()
        return (Step(USUAL_CONVERSION),) if usual else ()
    if not isinstance(conversion, str | Step) and isinstance(conversion, Iterable):
        conversion = list(conversion)
    # Without conversions the other checks are made all the same.
    return any_of("conversion", conversion) if conversion != [] else ()
