"""What the checks look at: events of an export, read and deduplicated as `stitch` does it.

Nothing is parsed twice, and nothing is carried: a check-up needs the profiles, not their
properties. These are all events, or those of a part: rows that share an event ID or an alias are in
one part.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.base.grouping import NumberedText, distinct
from convergekit.base.text import as_text
from convergekit.checks.money import AskedMoney, Money, money_of
from convergekit.checks.property_texts import property_texts
from convergekit.checks.worth import Worth
from convergekit.events.arrow import LISTS_OF_TEXT, objects_of
from convergekit.events.calendar import Calendar
from convergekit.events.normalise import NormalisedEvents
from convergekit.events.schema import ALIAS, PROFILE_PROPERTY, PROPERTY
from convergekit.events.sources import exports
from convergekit.events.steps import EventNames, Step, StepLike, among_names, any_of, tracked
from convergekit.events.timestamps import microseconds
from convergekit.identity.aliases import EventAliases
from convergekit.identity.graph import connected_components, profile_of_events
from convergekit.identity.options import StitchOptions
from convergekit.identity.pipeline import prove, read
from convergekit.typing import BoolArray, FloatArray, IntArray
from convergekit.visits.addresses import hosts_of
from convergekit.visits.own_pages import OwnPages, own_pages
from convergekit.visits.traffic import REFERRERS
from convergekit.visits.values import first_sent

if TYPE_CHECKING:
    from convergekit.checks.plugged import Plugged
    from convergekit.checks.whole import Whole

#: What is counted as a conversion unless another name is given.
USUAL_CONVERSION = "Placed Order"


@dataclass(frozen=True)
class AskedCheckUp:
    """What a check-up is asked, beside how events are read.

    Attributes
    ----------
    steps : tuple of Step or None
        The conversions; None for the usual one, if there is any.
    money : AskedMoney
    browser_alias : str
        The alias type of a browser session.
    calendar : Calendar
        Whose days are days.
    plugged : tuple of Plugged
        The checks of plug-ins.
    """

    steps: tuple[Step, ...] | None = None
    money: AskedMoney = field(default_factory=AskedMoney)
    browser_alias: str = "cookie"
    calendar: Calendar = field(default_factory=Calendar)
    plugged: tuple[Plugged, ...] = ()

    @classmethod
    def of(
        cls,
        conversion: StepLike | Iterable[StepLike] | None,
        money: AskedMoney,
        options: StitchOptions,
        plugged: tuple[Plugged, ...] = (),
    ) -> Self:
        """Return what is asked, as `check_up` takes it.

        Raises
        ------
        ConvergekitError
            `conversion` is not a name of events.
        """
        if conversion is None:
            steps = None
        else:
            if not isinstance(conversion, str | Step) and isinstance(conversion, Iterable):
                conversion = list(conversion)
            # Without conversions the other checks are made all the same.
            steps = any_of("conversion", conversion) if conversion != [] else ()
        return cls(steps, money, options.browser_alias, options.calendar, plugged)


@dataclass(frozen=True)
class Tracking:
    """Accepted events, and what they are.

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
    converting : numpy.ndarray of bool
        Which events are named as conversions are, and meet their condition.
    said : list of str
        What was warned of when these were sought.
    placeholder_ids : pandas.Series of str
        The event IDs that identify nothing, by the position of their event.
    asked : AskedCheckUp
    of_all : Whole or None
        What is known of all events together, once it is.
    """

    events: pd.DataFrame
    aliases: EventAliases
    kept: IntArray
    implausible: BoolArray
    other_state: BoolArray
    profile: IntArray
    converting: BoolArray
    said: list[str]
    placeholder_ids: pd.Series
    asked: AskedCheckUp
    of_all: Whole | None = None

    def knowing(self, whole: Whole) -> Tracking:
        """Return the same with what is known of all events, and what was found of it before."""
        found = replace(self, of_all=whole)
        vars(found).update({name: value for name, value in vars(self).items() if name in _LOCAL})
        return found

    @property
    def whole(self) -> Whole:
        """What is known of all events together."""
        if self.of_all is None:
            raise RuntimeError("asked before all parts were learned of")
        return self.of_all

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
    def days(self) -> pd.Series:
        """Each event's day."""
        return self.asked.calendar.periods(self.events["timestamp"], "D")

    @cached_property
    def rows(self) -> IntArray:
        """Each event's place among all rows."""
        return self.events["row"].to_numpy(dtype=np.int64)

    @cached_property
    def property_texts(self) -> dict[str, pa.DictionaryArray]:
        """The properties that hold text."""
        return property_texts(self.events)

    @cached_property
    def exports(self) -> tuple[IntArray, list[tuple[str, str]]]:
        """Each event's source and the export that it is of as a number, -1 for none, and these."""
        source = NumberedText.of(as_text(self.events["source"])[0])
        export = NumberedText.of(exports(self.events))
        both = np.where(
            source.codes < 0, -1, source.codes * max(len(export.distinct), 1) + export.codes
        )
        codes, found = pd.factorize(both)
        known = found >= 0
        place = np.where(known, np.cumsum(known) - 1, -1)
        one, other = np.divmod(found[known], max(len(export.distinct), 1))
        pairs = zip(source.distinct.iloc[one], export.distinct.iloc[other], strict=True)
        return place[codes] if len(found) else codes.astype(np.int64), list(pairs)

    @cached_property
    def sources(self) -> tuple[IntArray, list[str]]:
        """Each event's source as a number, -1 for none, and the sources' names.

        Files that an export was cut into are one source.
        """
        codes, pairs = self.exports
        named = [self.whole.origins.get(export, source) for source, export in pairs]
        names = sorted(set(named))
        # One more, for the events without a source, which are -1.
        place = np.array([*(names.index(name) for name in named), -1], dtype=np.int64)
        return place[codes], names

    def source_name(self, code: int) -> str:
        """Return the name of a source by its number; empty for none."""
        return self.sources[1][code] if code >= 0 else ""

    @cached_property
    def money(self) -> Money | None:
        """Each event's amount; None if it is not known which property holds it."""
        of_all = self.whole.money
        return None if of_all is None else money_of(self.events, of_all, self.asked.money)

    @cached_property
    def referrers(self) -> NumberedText:
        """The referrer that each event sent."""
        return first_sent(self.events, *REFERRERS)

    @cached_property
    def referrer_hosts(self) -> NumberedText:
        """The host of each event's referrer."""
        return hosts_of(self.referrers)

    @cached_property
    def pages(self) -> OwnPages:
        """The pages that events show, with the shop's own sites."""
        return own_pages(self.events, sites=self.whole.sites)

    @cached_property
    def is_browser(self) -> BoolArray:
        """Which aliases are of a browser session."""
        types = self.aliases.table["alias_type"]
        return (types == self.asked.browser_alias).to_numpy(dtype=bool)

    def carrying(self, aliases: BoolArray) -> IntArray:
        """Return the events that count and carry one of these aliases."""
        event, alias = self.pairs
        return distinct(event[aliases[alias]])

    @property
    def amounts(self) -> FloatArray | None:
        """Each event's amount, in one currency; None without conversions, or without amounts."""
        return self.money.counted if self.money is not None and self.whole.counts_money else None

    def worth(self, at: IntArray) -> Worth | None:
        """Return the money of the conversions among these events; None if unknown."""
        return self.worth_of(np.intersect1d(at, np.flatnonzero(self.is_conversion)))

    def worth_of_profiles(self, at: IntArray) -> Worth | None:
        """Return the money of all conversions of the profiles of these events."""
        # One more, for the events without a profile, which are -1.
        concerned = np.zeros(int(self.profile.max(initial=-1)) + 2, dtype=bool)
        concerned[self.profile[at]] = True
        concerned[-1] = False
        found = concerned[self.profile]
        found[at] = True
        return self.worth_of(np.flatnonzero(found & self.is_conversion))

    def worth_of(self, at: IntArray, *, foreign: bool = True) -> Worth | None:
        """Return the money of these events, which are worth their amounts.

        Parameters
        ----------
        at : numpy.ndarray of int
        foreign : bool, default True
            Whether, if all are in one other currency, they are worth their amounts in it.
        """
        if self.amounts is None or self.money is None:
            return None
        return Worth.of(self.money, at) if foreign else Worth.of_counted(self.amounts[at])


#: What is found of the events at hand alone.
_LOCAL = frozenset(
    {
        *("is_kept", "is_tracked", "is_conversion", "pairs", "microseconds", "rows"),
        *("property_texts", "is_browser", "exports", "days", "referrers", "referrer_hosts"),
    }
)


def tracking_of(
    accepted: NormalisedEvents, options: StitchOptions, asked: AskedCheckUp
) -> Tracking:
    """Return accepted events, all or those of a part, for the checks."""
    accepted = replace(accepted, events=with_aliases(accepted.events, options.alias_from))
    found = prove(*read(accepted, options), options)
    of_kept = found.kept_aliases
    profile = profile_of_events(of_kept, connected_components(of_kept), int(found.is_kept.sum()))
    converting, said = _converting(found.events, asked.steps)
    return Tracking(
        events=_with_lists(found.restated_events),
        aliases=found.aliases,
        kept=found.kept,
        implausible=found.implausible,
        other_state=found.is_other_state,
        profile=profile[(np.cumsum(found.is_kept) - 1)[found.kept]],
        converting=converting,
        said=said,
        placeholder_ids=accepted.placeholder_ids,
        asked=asked,
    )


def with_aliases(events: pd.DataFrame, alias_from: Mapping[str, str]) -> pd.DataFrame:
    """Return the events with a column of aliases: that nothing sends any is for a check to say."""
    has_some = "aliases" in events or any(name.startswith(ALIAS) for name in events)
    return events if has_some or alias_from else events.assign(aliases=None)


def _with_lists(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events with lists in properties as Python's, in whatever form they came."""
    held = [
        name
        for name, dtype in events.dtypes.items()
        if dtype == LISTS_OF_TEXT and str(name).startswith((PROPERTY, PROFILE_PROPERTY))
    ]
    return events.assign(**{name: objects_of(events[name]) for name in held}) if held else events


def _converting(events: pd.DataFrame, steps: Sequence[Step] | None) -> tuple[BoolArray, list[str]]:
    """Return which events are conversions, and what is to be warned of.

    That no event has a name is for all events to say.
    """
    found = np.zeros(len(events), dtype=bool)
    if steps is None:
        steps = (Step(USUAL_CONVERSION),)
    known = frozenset(name for step in steps for name in step.names)
    names = EventNames(among_names(events, known))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for step in steps:
            found |= names.matching(step.names, step.where, step.title)
    return found, [str(one.message) for one in said]
