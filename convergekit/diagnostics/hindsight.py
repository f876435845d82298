"""Hindsight: orders, revenue and carried values that exist only through links learned later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from convergekit.base.durations import Duration
from convergekit.base.options import names_given
from convergekit.base.records import take_or_missing
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import check_funnel, events_named, summed_amounts
from convergekit.events.currencies import check_rates
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY
from convergekit.events.steps import StepLike, title_of
from convergekit.figures.card import TableResult
from convergekit.funnels.funnel import funnel_of
from convergekit.identity.earliest_links import (
    NEVER,
    first_moments,
    link_tree,
    session_moments_of_events,
)
from convergekit.identity.properties import carry_retroactive
from convergekit.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from convergekit.funnels.result import Funnel
    from convergekit.identity.tables import StitchedEvents


BROWSER_SESSION = "a browser session"
CONVERSION = "a conversion"


@dataclass(frozen=True, eq=False, repr=False)
class Hindsight(TableResult):
    """What the events of one name reach only through links that became known after them.

    Attributes
    ----------
    events : pandas.DataFrame
        One row per event that reaches something in hindsight alone: `row`, `event_id`,
        `timestamp`, `profile_id`, `value` (where asked for), `browser_session` (whether its
        session is hindsight), `profile.<name>` (the carried value, where that is hindsight),
        `conversion` (whether the funnel's conversion is, where asked for) and `saved_by`: the
        alias that would have saved them if the event had carried it, missing if none was known.
    summary : pandas.DataFrame
        One row per measure: `measure`, `retroactive` (with all data in hand), `as_of` (what of
        that was known when the event became known), `hindsight` (the rest) and `share` (of the
        first).
    """

    _shares: ClassVar[Mapping[str, str]] = {"share": "retroactive"}

    events: pd.DataFrame
    summary: pd.DataFrame

    def _line(self) -> str:
        first = self.summary.iloc[0]
        return (
            f"Hindsight({first['measure']}: {first['retroactive']:,.0f}, of which "
            f"{first['hindsight']:,.0f} in hindsight; {counted(len(self.summary), 'measure')})"
        )

    def _shown(self) -> pd.DataFrame:
        return self.summary


def hindsight(
    s: StitchedEvents,
    event_name: StepLike,
    *,
    value: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    carried: str | Sequence[str] | None = None,
    steps: Sequence[StepLike] | None = None,
    within: Duration | None = None,
) -> Hindsight:
    """Return what exists only in hindsight. See `Stitched.hindsight`."""
    asked = HindsightQuestion.of(event_name, value, currency, rates, carried, steps, within)
    # The funnel is the segment's; events that it leaves out may link, and carry values.
    funnel = None if asked.funnel is None else funnel_of(s, asked.funnel[0], within=asked.funnel[1])
    at = s.in_whole(events_named(s.events, event_name))
    found = hindsight_in(s, asked, at, funnel)
    return hindsight_together(found, asked, s.whole.events, at)


@dataclass(frozen=True)
class HindsightQuestion:
    """What `Stitched.hindsight` is asked.

    Attributes
    ----------
    event : str, sequence of str, or Step
    value, currency, rates
        As `Stitched.hindsight` takes them.
    carried : list of str
        Profile properties.
    funnel : tuple of (steps, within), or None
    """

    event: StepLike
    value: str | None
    currency: str | None
    rates: Mapping[str, float] | None
    carried: list[str]
    funnel: tuple[Sequence[StepLike], Duration] | None

    @classmethod
    def of(
        cls,
        event: StepLike,
        value: str | None,
        currency: str | None,
        rates: Mapping[str, float] | None,
        carried: str | Sequence[str] | None,
        steps: Sequence[StepLike] | None,
        within: Duration | None,
    ) -> HindsightQuestion:
        """Return what is asked, checked."""
        check_funnel(steps, within)
        check_rates(value, currency, rates)
        funnel = None if steps is None or within is None else (steps, within)
        return cls(event, value, currency, rates, list(names_given("carried", carried)), funnel)


@dataclass(frozen=True)
class ReachedThen:
    """What events reach with all data in hand, and which of it was not known at the event.

    Attributes
    ----------
    name : str
    reached, late : numpy.ndarray of bool
        Of each event.
    """

    name: str
    reached: BoolArray
    late: BoolArray


@dataclass(frozen=True)
class FoundInHindsight:
    """What the events of a name reach; those of parts can be put below each other.

    Attributes
    ----------
    row : numpy.ndarray of int
        Of each event.
    reaches : list of ReachedThen
    events : pandas.DataFrame
        `Hindsight.events`, but for the values.
    """

    row: IntArray
    reaches: list[ReachedThen]
    events: pd.DataFrame


def hindsight_in(
    s: StitchedEvents, asked: HindsightQuestion, at: IntArray, funnel: Funnel | None
) -> FoundInHindsight:
    """Return what events reach in hindsight alone.

    Parameters
    ----------
    s : StitchedEvents
    asked : HindsightQuestion
    at : numpy.ndarray of int
        The positions of the events in `whole`.
    funnel : Funnel or None
        The answer to that which is asked.
    """
    s = s.whole
    reaches = [_session(s, at), *(_carried(s, at, name) for name in asked.carried)]
    if funnel is not None:
        reaches.append(_conversion(s, at, title_of(asked.event), funnel))
    late = np.any([reach.late for reach in reaches], axis=0)
    return FoundInHindsight(
        s.events["row"].to_numpy(dtype=np.int64)[at],
        [ReachedThen(reach.name, reach.reached, reach.late) for reach in reaches],
        _events(s, at, late, reaches),
    )


def hindsight_together(
    found: FoundInHindsight, asked: HindsightQuestion, events: pd.DataFrame, at: IntArray
) -> Hindsight:
    """Return the answer.

    Parameters
    ----------
    found : FoundInHindsight
    asked : HindsightQuestion
    events : pandas.DataFrame
    at : numpy.ndarray of int
        The positions of those of the name among them, in the order of `found`.
    """
    amount, table = None, found.events
    if asked.value is not None:
        amount = summed_amounts(events, at, asked.value, asked.currency, asked.rates)
        place = table.columns.get_loc("profile_id") + 1
        late = np.any([reach.late for reach in found.reaches], axis=0)
        table = table.copy()
        table.insert(place, "value", amount[late])
    return Hindsight(table, _summary(title_of(asked.event), found.reaches, asked.value, amount))


@dataclass(frozen=True)
class _Reach:
    """What events reach with all data in hand, and which of it was not known at the event.

    `goal` is an alias of what is reached, as far as known then; -1 for none.
    """

    name: str
    reached: BoolArray
    late: BoolArray
    goal: IntArray
    carrier: IntArray | None = None


def _session(s: StitchedEvents, at: IntArray) -> _Reach:
    knowledge = s.resolution.knowledge()
    moment = session_moments_of_events(knowledge, knowledge.aliases, s.browser_alias)[at]
    known = knowledge.known[knowledge.item[at]]
    late = (moment != NEVER) & (moment > known)
    return _Reach(BROWSER_SESSION, moment != NEVER, late, _latest_session(s, at))


def _latest_session(s: StitchedEvents, at: IntArray) -> IntArray:
    """Return the alias of the profile's latest browser session begun before each event."""
    found, knowledge = s.resolution, s.resolution.knowledge()
    sessions = np.flatnonzero((found.aliases.table["alias_type"] == s.browser_alias).to_numpy())
    first_seen = first_moments(knowledge.aliases, knowledge.known)[sessions]
    # One number per profile and moment, in order of the profile and then the moment.
    size = len(knowledge.known)
    begun = found.component[sessions] * size + first_seen
    order = np.argsort(begun, kind="stable")
    asked = found.profile[at] * size + knowledge.known[knowledge.item[at]]
    place = np.searchsorted(begun[order], asked, side="right") - 1
    latest = np.append(sessions[order], -1)[place]
    profile = np.append(found.component, -2)[latest]
    return np.where(profile == found.profile[at], latest, -1)


def _carried(s: StitchedEvents, at: IntArray, name: str) -> _Reach:
    s.check_property(name)
    carrier = _retroactive_carrier(s, name)[at]
    reached = carrier >= 0
    late = reached & ~_knew(s, at, carrier)
    return _Reach(name, reached, late, _alias_then(s, carrier, at), carrier)


def _retroactive_carrier(s: StitchedEvents, name: str) -> IntArray:
    if s.identity == "retroactive":
        return s.carried_from[name]
    columns = [c for c in (PROFILE_PROPERTY + name, "unset", "set_once") if c in s.events]
    found = s.resolution
    return carry_retroactive(s.events[columns], found.profile, found.in_time, s.first)[name]


def _conversion(s: StitchedEvents, at: IntArray, event_name: str, funnel: Funnel) -> _Reach:
    converted, rows = funnel.converted(), s.events["row"].to_numpy()
    # Nobody converts by a step that may be left out.
    last_step = len(funnel.steps)
    needed = [step for step in range(1, last_step) if step not in funnel.optional]
    path = [
        np.searchsorted(rows, converted[f"row_{step}"].to_numpy(dtype=np.int64))
        for step in (*needed, last_step)
    ]
    place = np.full(len(rows), -1, dtype=np.int64)
    place[at] = np.arange(len(at))
    last = place[path[-1]]
    if (last < 0).any():
        raise ConvergekitError(
            f"the last step must be {event_name!r}, the event that is asked about, under the same "
            "condition: end the steps with it."
        )
    unknown = np.full(len(at), -1, dtype=np.int64)
    for step in path[:-1]:
        late = ~_knew(s, path[-1], step)
        unknown[last[late]] = step[late]
    reached = np.zeros(len(at), dtype=bool)
    reached[last] = True
    return _Reach(CONVERSION, reached, unknown >= 0, _alias_then(s, unknown, at))


def _knew(s: StitchedEvents, at: IntArray, earlier: IntArray) -> BoolArray:
    """Return whether the earlier event, -1 for none, was known to be of the event's profile."""
    some = earlier >= 0
    knew = np.zeros(len(at), dtype=bool)
    knew[some] = s.resolution.knowledge().knew(at[some], earlier[some])
    return knew


def _alias_then(s: StitchedEvents, event: IntArray, at: IntArray) -> IntArray:
    """Return an alias of each event, as far as known when that of `at` became known, or -1."""
    knowledge = s.resolution.knowledge()
    known = knowledge.known[knowledge.item]
    came = (event >= 0) & (known[event] <= known[at])
    return np.where(came, _an_alias(s)[event], -1)


def _an_alias(s: StitchedEvents) -> IntArray:
    """Return one of the aliases of each event as it came, -1 for none."""
    knowledge = s.resolution.knowledge()
    of_item = np.full(len(knowledge.known), -1, dtype=np.int64)
    own = knowledge.aliases.own
    of_item[knowledge.aliases.event[own]] = knowledge.aliases.alias[own]
    return of_item[knowledge.item]


def _saved_by(s: StitchedEvents, at: IntArray, goal: IntArray) -> pd.Series:
    """Return the alias by which each event would have met the goal, missing without a goal."""
    knowledge = s.resolution.knowledge()
    alias = goal.copy()
    start = _an_alias(s)[at]
    # An event that came without an alias is saved by any: the goal's own.
    joined = np.flatnonzero((goal >= 0) & (start >= 0))
    if len(joined):
        tree = link_tree(knowledge.aliases, knowledge.known)
        known = knowledge.known[knowledge.item[at[joined]]]
        alias[joined] = tree.nearest_known(start[joined], goal[joined], known)
    some = np.flatnonzero(alias >= 0)
    urns = np.full(len(at), None, dtype=object)
    urns[some] = knowledge.aliases.urns(alias[some])
    return pd.Series(urns, dtype="str")


def _events(
    s: StitchedEvents,
    at: IntArray,
    late: BoolArray,
    reaches: Sequence[_Reach],
) -> pd.DataFrame:
    chosen = np.flatnonzero(late)
    events = s.events.iloc[at[chosen]].reset_index(drop=True)
    goal = np.full(len(chosen), -1, dtype=np.int64)
    carried = {}
    flags: dict[str, BoolArray] = {}
    for reach in reversed(reaches):
        is_late = reach.late[chosen]
        # What is asked about first decides which alias is named.
        goal = np.where(is_late & (reach.goal[chosen] >= 0), reach.goal[chosen], goal)
        flags[reach.name] = is_late
        if reach.carrier is not None:
            carrier = np.where(is_late, reach.carrier[chosen], -1)
            values = s.events[PROFILE_PROPERTY + reach.name]
            carried[PROFILE + reach.name] = take_or_missing(values, carrier)
    columns: dict[str, Any] = {
        name: events[name] for name in ("row", "event_id", "timestamp", "profile_id")
    }
    columns["browser_session"] = flags[BROWSER_SESSION]
    columns |= dict(reversed(carried.items()))
    if CONVERSION in flags:
        columns["conversion"] = flags[CONVERSION]
    return pd.DataFrame(columns).assign(saved_by=_saved_by(s, at[chosen], goal))


def _summary(
    event_name: str,
    reaches: Sequence[ReachedThen],
    value: str | None,
    amount: FloatArray | None,
) -> pd.DataFrame:
    rows = []
    for reach in reaches:
        weights = {f"{event_name} with {reach.name}": np.ones(len(reach.late))}
        if amount is not None:
            weights[f"{value} with {reach.name}"] = amount
        for measure, weight in weights.items():
            rows.append(
                {
                    "measure": measure,
                    "retroactive": float(weight[reach.reached].sum()),
                    "as_of": float(weight[reach.reached & ~reach.late].sum()),
                    "hindsight": float(weight[reach.late].sum()),
                }
            )
    table = pd.DataFrame(rows).astype({"measure": "str"})
    share = table["hindsight"] / table["retroactive"].where(table["retroactive"] != 0)
    return table.assign(share=share)
