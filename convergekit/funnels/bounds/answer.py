"""Answer how far a funnel's shares can be from those of people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from convergekit.certainty.asked import checked_level, reasons_of
from convergekit.certainty.assumptions import DEVICES, NO_TOKENS, ORDERS, SUSPECTS, WORST
from convergekit.certainty.estimate import Estimate, estimate
from convergekit.certainty.evidence import Evidence
from convergekit.certainty.numbers import estimate_numbers
from convergekit.certainty.result import (
    FunnelBounds,
    bounds_table,
    groups_table,
    unknown_table,
    with_chance,
)
from convergekit.certainty.worst import worst_bounds
from convergekit.errors import ConvergekitError
from convergekit.funnels.asking import FunnelSource
from convergekit.funnels.bounds.counting import of_a_frame
from convergekit.funnels.bounds.grouped import GroupedCounting
from convergekit.typing import IntArray

_ASSUMED = (
    "The people are those of whom an event of the first step arrived, and others like them.",
    *DEVICES,
    ORDERS,
    "Losses: people whom no browser saw convert as those whom one saw, within a factor of 1.5.",
    SUSPECTS,
)
_LABELS = (
    "Labels: a person's label is that of their first entry, as a profile's is. Orders that no "
    "browser is known for, and people whom none saw, are of a label as often as of others, from "
    "half to twice; of a label with fewer than 10 profiles nothing is estimated.",
)
_SEGMENT = (
    "Segment: a person is in it who enters first with a profile that is in it. Orders that no "
    "browser is known for are its people's as often as others', from half to twice.",
)
_BEGINS = "events of the first step"
NOBODY = "nobody entered."
_AFTERWARDS = (
    "profiles were chosen by what they did in the end, and who did that depends on the links that "
    "were never seen."
)


def bounds_of(
    asking: FunnelSource, names: list[str], level: float, words: str, labels: pd.DataFrame
) -> FunnelBounds:
    """Return how far a funnel's shares can be from those of people. See `Funnel.bounds`.

    Parameters
    ----------
    asking : FunnelSource
    names : list of str
        Of the steps.
    level : float
    words : str
        What is asked.
    labels : pandas.DataFrame
        Of a breakdown, a row each; without a column and with a row if there is none.
    """
    level = checked_level(level)
    if asking.segment is None:
        raise of_a_frame()
    _check_plain(asking)
    if asking.segment or labels.shape[1]:
        return _of_groups(asking, names, level, words, labels)
    basis = asking.basis()
    counting = basis.counting
    at = np.flatnonzero(counting.unit >= 0)
    reached = counting.reached(at, counting.unit[at])[0]
    worst = worst_bounds(basis.logins, counting)
    if not reached[0]:
        nothing = np.full(len(names), np.nan)
        table = with_chance(unknown_table(names, nothing, worst), reached, level)
        return FunnelBounds(table, level, [WORST], [NOBODY], words)
    stitched = reached / reached[0]
    evidence = basis.evidence
    reasons = reasons_of(counting, evidence, _BEGINS)
    if reasons:
        table = with_chance(unknown_table(names, stitched, worst), reached, level)
        return FunnelBounds(table, level, [WORST], reasons, words, int(reached[0]))
    found = estimate(counting, evidence, level)
    table = bounds_table(names, stitched, found.share, found.down, found.up, worst)
    table = with_chance(table, reached, level)
    return FunnelBounds(table, level, _assumed(evidence), [], words, int(reached[0]))


def _of_groups(
    asking: FunnelSource, names: list[str], level: float, words: str, labels: pd.DataFrame
) -> FunnelBounds:
    """Return the same for each label of a breakdown, and of a segment."""
    basis = asking.basis()
    grouped = GroupedCounting.of(basis, labels)
    totals = grouped.totals(basis.counting.unit)
    counts: IntArray = totals.astype(np.int64).reshape(len(labels), len(names))
    entered = int(counts[:, 0].sum())
    evidence = basis.evidence
    found: Estimate | None = None
    if asking.known.caution:
        reasons = [_AFTERWARDS]
        worst = np.zeros(counts.shape), np.ones(counts.shape)
        worst[0][:, 0] = 1.0
    else:
        reasons = reasons_of(basis.counting, evidence, _BEGINS) if entered else [NOBODY]
        worst = grouped.worst(basis.logins)
        if not reasons:
            found = estimate_numbers(grouped.recounting(evidence), evidence, level)
    return FunnelBounds(
        groups_table(labels, names, counts, found, worst, level),
        level,
        [WORST] if reasons else [*_assumed(evidence), *(_LABELS if labels.shape[1] else _SEGMENT)],
        reasons,
        words,
        entered,
        [str(name) for name in labels],
    )


def _assumed(evidence: Evidence) -> list[str]:
    assumptions = [*_ASSUMED]
    if not evidence.reached.is_known and len(evidence.drawable.buyers):
        assumptions[3] = NO_TOKENS
    return assumptions


def _check_plain(asking: FunnelSource) -> None:
    """Raise unless it is a funnel whose bounds are known."""
    asked = asking.asked
    in_the_way = {
        f"by_step={asked.rules.by_step!r}": bool(asked.by) and asked.rules.by_step != "entry",
        "hold=": bool(asked.hold),
        "exclude=": bool(asked.excluding),
        "like=": asked.like is not None,
        f"order={asked.order!r}": asked.order != "ordered",
        f"count={asked.count!r}": asked.count != "profiles",
        "windows of single steps": bool(asked.step_windows),
    }
    found = [name for name, there in in_the_way.items() if there]
    if found:
        raise ConvergekitError(
            f"bounds are not known with {' and '.join(found)}; ask them of a funnel without."
        )
