"""Answer how far a funnel's shares can be from those of people."""

from __future__ import annotations

import numpy as np

from convergekit.certainty.asked import checked_level, reasons_of
from convergekit.certainty.assumptions import DEVICES, NO_TOKENS, ORDERS, SUSPECTS, WORST
from convergekit.certainty.estimate import estimate
from convergekit.certainty.result import (
    FunnelBounds,
    bounds_table,
    unknown_table,
    with_chance,
)
from convergekit.certainty.worst import worst_bounds
from convergekit.errors import ConvergekitError
from convergekit.funnels.asking import FunnelSource
from convergekit.funnels.bounds.counting import of_a_frame

_ASSUMED = (
    "The people are those of whom an event of the first step arrived, and others like them.",
    *DEVICES,
    ORDERS,
    "Losses: people whom no browser saw convert as those whom one saw, within a factor of 1.5.",
    SUSPECTS,
)


def bounds_of(asking: FunnelSource, names: list[str], level: float, words: str) -> FunnelBounds:
    """Return how far a funnel's shares can be from those of people. See `Funnel.bounds`.

    Parameters
    ----------
    asking : FunnelSource
    names : list of str
        Of the steps.
    level : float
    words : str
        What is asked.
    """
    level = checked_level(level)
    segment = asking.segment
    if segment is None:
        raise of_a_frame()
    _check_plain(asking, of_segment=segment)
    basis = asking.basis()
    counting = basis.counting
    at = np.flatnonzero(counting.unit >= 0)
    reached = counting.reached(at, counting.unit[at])[0]
    worst = worst_bounds(basis.logins, counting)
    if not reached[0]:
        nothing = np.full(len(names), np.nan)
        table = with_chance(unknown_table(names, nothing, worst), reached, level)
        return FunnelBounds(table, level, [WORST], ["nobody entered."], words)
    stitched = reached / reached[0]
    evidence = basis.evidence
    reasons = reasons_of(counting, evidence, "events of the first step")
    if reasons:
        table = with_chance(unknown_table(names, stitched, worst), reached, level)
        return FunnelBounds(table, level, [WORST], reasons, words, int(reached[0]))
    found = estimate(counting, evidence, level)
    table = bounds_table(names, stitched, found.share, found.down, found.up, worst)
    assumptions = [*_ASSUMED]
    if not evidence.reached.is_known and len(evidence.drawable.buyers):
        assumptions[3] = NO_TOKENS
    table = with_chance(table, reached, level)
    return FunnelBounds(table, level, assumptions, [], words, int(reached[0]))


def _check_plain(asking: FunnelSource, *, of_segment: bool) -> None:
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
