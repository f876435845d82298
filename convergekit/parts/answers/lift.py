"""Stitching lift by parts: how far visitors get, by each way of telling them apart, added up."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from convergekit.events.sources import origin_names, sources_of_exports
from convergekit.figures.frame import DrawnFrame
from convergekit.funnels.asking import Asking
from convergekit.funnels.lift import (
    FoundVisitors,
    Lift,
    LiftQuestion,
    in_order,
    lift_in,
    lift_together,
)
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.below import values_below
from convergekit.parts.answers.funnel import Warned, tell
from convergekit.parts.each import EachPart
from convergekit.parts.tables import PartsTable


def stitching_lift_by_parts(asked: LiftQuestion, each: EachPart, events: PartsTable) -> DrawnFrame:
    """Compare a funnel with itself without stitching. See `Stitched.stitching_lift`.

    Parameters
    ----------
    asked : LiftQuestion
    each : EachPart
    events : PartsTable
        For the names of exports, which are told apart by the files of all parts.
    """
    pairs = [sources_of_exports(frame) for frame in events.frames(["source", "file"])]
    named = origin_names(pd.concat(pairs, ignore_index=True))
    found = list(each(partial(_lift_of, asked=asked, named=named)))
    ways: dict[tuple[str, str], FoundVisitors] = {}
    warned: dict[tuple[str, str], list[Warned]] = {}
    for one in found:
        for way, counted in one.lift.ways.items():
            ways[way] = ways[way] + counted if way in ways else counted
            warned.setdefault(way, []).append(one.warned[way])
    for way in sorted(warned, key=in_order):
        tell(asked.funnel, warned[way])
    converting = values_below([one.events for one in found])
    converting = converting.sort_values("row", kind="stable", ignore_index=True)
    return lift_together(replace(found[0].lift, ways=ways), asked, converting)


@dataclass(frozen=True)
class _LiftOfPart:
    """What a part answers, what it warns of by each way, and the events that convert in any."""

    lift: Lift
    warned: dict[tuple[str, str], Warned]
    events: pd.DataFrame


def _lift_of(
    number: int, s: StitchedEvents, *, asked: LiftQuestion, named: Mapping[str, str]
) -> _LiftOfPart:
    warned: dict[tuple[str, str], Warned] = {}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")

        def told(way: tuple[str, str], asking: Asking) -> None:
            warned[way] = Warned.of(asking, [str(one.message) for one in said])
            said.clear()

        lift = lift_in(s, asked, named, told)
    rows = np.unique(np.concatenate([counted.rows for counted in lift.ways.values()]))
    at = s.events["row"].isin(rows) if asked.value is not None else np.zeros(len(s.events), bool)
    return _LiftOfPart(lift, warned, s.events[at])
