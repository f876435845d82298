"""What an alias changes, by parts: without it clusters come apart, and parts stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.base.options import names_given
from convergekit.diagnostics.what_if import (
    Gone,
    Measured,
    WhatIf,
    WhatIfQuestion,
    check_limits,
    compared,
    measured_in,
    measures_of,
    stitched_without,
)
from convergekit.events.amounts import summed_amounts
from convergekit.funnels.options import FunnelQuestion
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.activity import events_by_parts
from convergekit.parts.answers.funnel import funnel_by_parts
from convergekit.parts.stitching import Run
from convergekit.parts.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convergekit.parts.answers.one_profile import Lookup
    from convergekit.parts.result import StitchedParts


def what_if_by_parts(
    run: Run,
    lookup: Callable[[], Lookup],
    alias: str | Iterable[str],
    asked: WhatIfQuestion,
    face: Callable[[Run], StitchedParts],
) -> WhatIf[StitchedParts]:
    """Return what changes without an alias. See `Stitched.without`.

    Parameters
    ----------
    run : Run
    lookup : callable
        Returns what finds an alias.
    alias : str or iterable of str
    asked : WhatIfQuestion
    face : callable
        Makes the result's `stitched` of a run.
    """
    types = sorted({name for part in run.about for name in part.alias_types})
    segment = run.segment_end if isinstance(run, View) else None
    if segment is not None:
        check_limits(limited=any(run.of_each(_limited)), of_segment=True)
    nothing = segment is not None and not sum(part.counts.aliases for part in run.about)

    def found(text: str) -> tuple[str, str]:
        alias_type, _, value = lookup().alias(text).urn.removeprefix("urn:").partition(":")
        return alias_type, value

    gone = Gone.of(names_given("alias", alias), types, found, any_type=nothing)
    of_part = partial(_measured_of, asked=asked, gone=gone)
    both = list(run.of_each(of_part))
    other = View.of(run, partial(_without, gone=gone), segment)
    amount = None
    if asked.event is not None and asked.value is not None:
        events = events_by_parts(run.of_each, [asked.event])
        at = np.arange(len(events))
        amount = summed_amounts(events, at, asked.value, asked.currency, asked.rates)
    columns = [
        measures_of(asked, Measured.together(measured), amount, _funnel_table(each, asked))
        for measured, each in zip(zip(*both, strict=True), (run, other), strict=True)
    ]
    return WhatIf(compared(*columns), face(other))


def _limited(number: int, s: StitchedEvents) -> bool:
    return bool(s.resolution.protection.limits)


def _measured_of(
    number: int, s: StitchedEvents, *, asked: WhatIfQuestion, gone: Gone
) -> tuple[Measured, Measured]:
    return measured_in(s, asked), measured_in(stitched_without(s, gone), asked)


def _without(number: int, s: StitchedEvents, *, gone: Gone) -> StitchedEvents:
    return stitched_without(s, gone)


def _funnel_table(run: Run, asked: WhatIfQuestion) -> pd.DataFrame | None:
    if asked.steps is None or asked.within is None:
        return None
    usual = run.options.calendar
    question = FunnelQuestion.of(asked.steps, within=asked.within, usual=usual)
    return funnel_by_parts(question, run.of_each).table
