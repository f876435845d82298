"""Compare a funnel with the same funnel counted without stitching."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from convergekit.events.amounts import summed_amounts
from convergekit.events.currencies import check_rates
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY, missing
from convergekit.events.sources import named_origins, origins
from convergekit.events.steps import StepLike
from convergekit.figures.frame import DrawnFrame
from convergekit.funnels.funnel import answer_of, asking_of_visitors
from convergekit.funnels.options import FunnelOptions, FunnelQuestion
from convergekit.identity.graph import connected_components, profile_of_events
from convergekit.identity.properties import property_names
from convergekit.typing import IntArray

if TYPE_CHECKING:
    from convergekit.figures.style import Style
    from convergekit.funnels.asking import Asking
    from convergekit.identity.tables import StitchedEvents


STITCHED = "stitched"
STITCHED_WAY = (STITCHED, "")


def stitching_lift(
    s: StitchedEvents,
    steps: Sequence[StepLike],
    *,
    value: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    carried: str | None = None,
    **options: Unpack[FunnelOptions],
) -> DrawnFrame:
    """Return the funnel per way of counting visitors. See `Stitched.stitching_lift`."""
    check_rates(value, currency, rates)
    asked = LiftQuestion(
        FunnelQuestion.of(steps, **options, usual=s.calendar), value, currency, rates, carried
    )
    return lift_together(lift_in(s, asked), asked, s.events)


@dataclass(frozen=True)
class LiftQuestion:
    """What `Stitched.stitching_lift` is asked.

    Attributes
    ----------
    funnel : FunnelQuestion
    value, currency, rates, carried
        As `Stitched.stitching_lift` takes them.
    """

    funnel: FunnelQuestion
    value: str | None
    currency: str | None
    rates: Mapping[str, float] | None
    carried: str | None


@dataclass(frozen=True)
class FoundVisitors:
    """How far visitors get who are told apart in one way; parts can be added up.

    Attributes
    ----------
    visitors : numpy.ndarray of int
        How many reached each step.
    rows : numpy.ndarray of int
        The rows of the events by which they converted.
    carrying : int
        How many of these events have the property that is asked for.
    """

    visitors: IntArray
    rows: IntArray
    carrying: int

    def __add__(self, other: FoundVisitors) -> FoundVisitors:
        """Return the same of the visitors of both."""
        return FoundVisitors(
            self.visitors + other.visitors,
            np.concatenate([self.rows, other.rows]),
            self.carrying + other.carrying,
        )


@dataclass(frozen=True)
class Lift:
    """How far visitors get, by each way of telling them apart.

    Attributes
    ----------
    ways : dict of tuple to FoundVisitors
        By the kind of the way, ``"alias"``, ``"source"`` or ``"stitched"``, and the name.
    steps : list of str
    within : pandas.Timedelta
    counted_as : str
        For the figure, as the funnel has them.
    """

    ways: dict[tuple[str, str], FoundVisitors]
    steps: list[str]
    within: pd.Timedelta
    counted_as: str


def lift_in(
    s: StitchedEvents,
    asked: LiftQuestion,
    origins_of_all: Mapping[str, str] | None = None,
    told: Callable[[tuple[str, str], Asking], None] | None = None,
) -> Lift:
    """Return how far the visitors of events get.

    Parameters
    ----------
    s : StitchedEvents
    asked : LiftQuestion
    origins_of_all : mapping of str to str, optional
        What exports of several sources are called, where these are some of more events.
    told : callable, optional
        Is given each way and what was asked.
    """
    events = s.events
    # Without stitching nothing is carried: what an event sent is all that is known.
    sent = {PROFILE + name: events[PROFILE_PROPERTY + name] for name in property_names(events)}
    ways = {}
    for way, unit in ways_by_kind(s, origins_of_all).items():
        counted = pd.Series(unit, index=events.index).astype("Int64").mask(unit < 0)
        frame = events.assign(**{_WHO: counted})
        if way != STITCHED_WAY:
            frame = frame.assign(**sent)
        asking = asking_of_visitors(s, asked.funnel, frame, _WHO, unit)
        found = answer_of(asking, _WHO)
        if told is not None:
            told(way, asking)
        visitors = found.table["profiles"].to_numpy(dtype=np.int64)
        converting = found.converted()[f"row_{len(visitors)}"].dropna()
        rows = np.unique(converting.to_numpy(dtype=np.int64))
        ways[way] = FoundVisitors(visitors, rows, _carrying(s, rows, asked.carried, way))
    return Lift(ways, found.steps, found.within, found.counted)


def lift_together(lift: Lift, asked: LiftQuestion, events: pd.DataFrame) -> DrawnFrame:
    """Return a row per way of telling visitors apart. See `Stitched.stitching_lift`.

    Parameters
    ----------
    lift : Lift
    asked : LiftQuestion
    events : pandas.DataFrame
        Those by which visitors converted, and others, by `row`.
    """
    table = []
    for way, counted in sorted(lift.ways.items(), key=lambda pair: in_order(pair[0])):
        visitors = counted.visitors
        row: dict[str, Any] = {"counted_by": said(way)}
        row |= {f"step_{step}": n for step, n in enumerate(visitors, start=1)}
        with np.errstate(invalid="ignore"):
            row["conversion"] = visitors[-1] / np.float64(visitors[0])
        if asked.value is not None:
            at = np.flatnonzero(events["row"].isin(counted.rows))
            amounts = summed_amounts(events, at, asked.value, asked.currency, asked.rates)
            row["value"] = float(amounts.sum())
        if asked.carried is not None:
            share = counted.carrying / len(counted.rows) if len(counted.rows) else np.nan
            row[f"with_{asked.carried}"] = share
        table.append(row)
    draw = partial(
        _figure,
        steps=lift.steps,
        within=lift.within,
        value=asked.value,
        carried=asked.carried,
        counted_as=lift.counted_as,
    )
    return DrawnFrame.of(pd.DataFrame(table), draw, shares={"conversion": "step_1"})


def _figure(table: pd.DataFrame, style: Style, **shown: Any) -> Any:
    from convergekit.funnels.lift_figure import stitching_lift_figure

    return stitching_lift_figure(table, style=style, **shown)


_WHO = "counted as"


def ways_by_kind(
    s: StitchedEvents, origins_of_all: Mapping[str, str] | None = None
) -> dict[tuple[str, str], IntArray]:
    """Return the visitor of each event, by each way as `Lift` has it.

    Parameters
    ----------
    s : StitchedEvents
    origins_of_all : mapping of str to str, optional
        What exports of several sources are called, where these are some of more events.
    """
    found = s.resolution.aliases
    types = found.types
    ways: dict[tuple[str, str], IntArray] = {}
    for code, name in enumerate(types.categories):
        of_type = types.codes[found.alias] == code
        unit = np.full(len(s.events), -1, dtype=np.int64)
        # An event with several aliases of one type counts for the first of them.
        unit[found.event[of_type][::-1]] = found.alias[of_type][::-1]
        ways["alias", name] = unit
    if origins_of_all is None:
        origin = origins(s.events)
    else:
        origin = named_origins(s.events, origins_of_all)
    for source in origin.dropna().unique():
        mine = (origin == source).to_numpy(dtype=bool)
        part = found.of_events(mine)
        unit = np.full(len(s.events), -1, dtype=np.int64)
        unit[mine] = profile_of_events(part, connected_components(part), int(mine.sum()))
        ways["source", source] = unit
    ways[STITCHED_WAY] = s.resolution.profile
    return ways


def in_order(way: tuple[str, str]) -> tuple[int, str]:
    """Return the place of a way of counting: by alias, by source, and stitched."""
    return ("alias", "source", STITCHED).index(way[0]), way[1]


def said(way: tuple[str, str]) -> str:
    """Return what a way of counting is called."""
    return STITCHED if way == STITCHED_WAY else f"{way[0]} {way[1]} alone"


def _carrying(s: StitchedEvents, rows: IntArray, carried: str | None, way: tuple[str, str]) -> int:
    """Return how many of the converting events say where their profile came from."""
    if carried is None:
        return 0
    column = (PROFILE if way == STITCHED_WAY else PROFILE_PROPERTY) + carried
    if column not in s.events:
        s.check_property(carried)
    return int((~missing(s.events.loc[s.events["row"].isin(rows), column])).sum())
