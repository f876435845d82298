"""How sure a funnel's shares are: the funnel counted anew with other profiles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from convergekit.certainty.estimate import LEAST_IDENTIFIED, estimate
from convergekit.certainty.evidence import Counting, Evidence, evidence_of
from convergekit.certainty.result import FunnelBounds, bounds_table, unknown_table
from convergekit.certainty.worst import worst_bounds
from convergekit.errors import ConvergekitError
from convergekit.funnels.asking import Asking
from convergekit.funnels.outcomes import NOT_A_TIME
from convergekit.typing import IntArray

_ASSUMED = (
    "The people are those of whom an event of the first step arrived, and others like them.",
    "Devices: a person's devices identify themselves, or do not, as the visits of one device do: "
    "from a quarter of that likeness to all of it, found again up to 1.7 times as often or seldom.",
    "Orders: whether a token reaches the visit does not depend on whether a login does.",
    "Losses: people whom no browser saw convert as those whom one saw, within a factor of 1.5.",
    "Suspects: several logins on one device are one person's, or one person's each.",
)
_WORST = (
    "Profiles with a login of the commonest type are different people; a profile is one person, "
    "or as many as it has logins of a type. Nothing else is assumed.",
)


def bounds_of(asking: Asking, names: list[str], level: float) -> FunnelBounds:
    """Return how far a funnel's shares can be from those of people. See `Funnel.bounds`."""
    number = isinstance(level, (int, float, np.floating)) and not isinstance(level, bool)
    if not number or not 0 < level < 1:
        raise ConvergekitError(
            f"level must be a share between 0 and 1, such as 0.9; got {level!r}."
        )
    s = asking.known.behind.events
    if s is None:
        raise ConvergekitError(
            "bounds need the stitched events, of which this funnel has a frame alone; ask "
            "s.funnel(...).bounds(), before the funnel is saved."
        )
    _check_plain(asking, of_segment=s.segment is not None)
    counting = counting_of(asking)
    at = np.flatnonzero(counting.unit >= 0)
    reached = counting.reached(at, counting.unit[at])[0]
    stitched = reached / max(int(reached[0]), 1)
    worst = worst_bounds(s, counting)
    evidence = evidence_of(s, counting)
    reasons = _reasons(evidence, int(reached[0]))
    if reasons:
        table = unknown_table(names, stitched, worst)
        return FunnelBounds(table, float(level), list(_WORST), reasons)
    found = estimate(counting, evidence, float(level))
    table = bounds_table(names, stitched, found.share, found.down, found.up, worst)
    assumptions = [*_ASSUMED]
    if not evidence.reached.is_known and len(evidence.drawable.buyers):
        assumptions[2] = (
            "Orders: none reaches a visit by a token and by a login, so that nothing is known of "
            "those without a browser; anything from none to all of them may be visitors'."
        )
    return FunnelBounds(table, float(level), assumptions, [])


def _reasons(evidence: Evidence, entered: int) -> list[str]:
    """Return why nothing can be estimated; empty if something can."""
    if not entered:
        return ["nobody entered."]
    unknown = len(evidence.drawable.alone) + len(evidence.drawable.buyers)
    if not unknown or evidence.people >= LEAST_IDENTIFIED:
        return []
    if not evidence.people:
        return ["no browser has identified itself by a login, such as an e-mail address."]
    return [
        f"only {evidence.people} people have identified themselves in a browser, by a login such "
        f"as an e-mail address; at least {LEAST_IDENTIFIED} are needed."
    ]


def _check_plain(asking: Asking, *, of_segment: bool) -> None:
    """Raise unless it is a funnel whose bounds are known."""
    asked = asking.asked
    in_the_way = {
        "by=": bool(asked.by),
        "hold=": bool(asked.hold),
        "exclude=": bool(asked.excluding),
        "like=": asked.like is not None,
        f"order={asked.order!r}": asked.order != "ordered",
        f"count={asked.count!r}": asked.count != "profiles",
        "windows of single steps": bool(asked.step_windows),
        "a segment": of_segment,
    }
    found = [name for name, there in in_the_way.items() if there]
    if found:
        raise ConvergekitError(
            f"bounds are not known with {' and '.join(found)}; ask them of a funnel without."
        )


def counting_of(asking: Asking) -> Counting:
    """Return a funnel's question as one that can be asked with other profiles."""
    asked, prepared = replace(asking.asked, by=(), top=None), asking.counting
    bare = replace(asking, columns=[], labels=[])

    def reached(at: IntArray, unit: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        size = max(int(unit.max(initial=-1)) + 1, 1)
        part = replace(
            prepared.chosen(at),
            unit=unit,
            profile_of_unit=np.arange(size),
            profiles=pd.RangeIndex(size),
        )
        found = bare._outcomes(asked, part)[0].counted
        return (found.time != NOT_A_TIME).sum(axis=0), found.profile, found.time

    enters = (prepared.mask & 1) > 0
    if asked.start is not None:
        enters &= prepared.time >= asked.start
    if asked.end is not None:
        enters &= prepared.time < asked.end
    return Counting(
        position=prepared.position,
        unit=prepared.unit,
        time=prepared.time,
        mask=prepared.mask,
        enters=enters,
        steps=len(asked.steps),
        window=asked.window // pd.Timedelta(1, "us"),
        first_entry=asked.rules.entry == "first",
        reached=reached,
    )
