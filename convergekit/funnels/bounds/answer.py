"""Answer how far a funnel's shares can be from those of people."""

from __future__ import annotations

import numpy as np

from convergekit.base.wording import percentage
from convergekit.certainty.estimate import LEAST_IDENTIFIED, MOST_UNASSIGNED, estimate
from convergekit.certainty.evidence import Counting, Evidence, evidence_of
from convergekit.certainty.result import (
    FunnelBounds,
    bounds_table,
    unknown_table,
    with_chance,
)
from convergekit.certainty.worst import worst_bounds
from convergekit.errors import ConvergekitError, NotOnThisEngine
from convergekit.funnels.asking import Asking, FunnelSource
from convergekit.funnels.bounds.counting import counting_of

_ASSUMED = (
    "The people are those of whom an event of the first step arrived, and others like them.",
    "Devices: a person's devices are alike in identifying themselves as the visits of one device "
    "are, from a tenth of that likeness to all of it.",
    "Competing orders: an order on one device keeps the others of its errand from identifying "
    "themselves, as often as waits before a change of device say; beyond that, devices are found "
    "again up to 2.5 times as often as it seems, or half as often. People may have 1.4 devices, "
    "however few are found again.",
    "Orders: whether a token reaches the visit does not depend on whether a login does.",
    "Losses: people whom no browser saw convert as those whom one saw, within a factor of 1.5.",
    "Suspects: several logins on one device are one person's, or one person's each.",
)
_WORST = (
    "Profiles with a login of the commonest type are different people; a profile is one person, "
    "or as many as it has logins of a type. Nothing else is assumed.",
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
    number = isinstance(level, (int, float, np.floating)) and not isinstance(level, bool)
    if not number or not 0 < level < 1:
        raise ConvergekitError(
            f"level must be a share between 0 and 1, such as 0.9; got {level!r}."
        )
    if not isinstance(asking, Asking):
        raise NotOnThisEngine(
            "bounds are not computed by parts yet. Of events that fit into memory: "
            "ck.stitch(events).funnel(...).bounds(), without workdir=."
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
    worst = worst_bounds(s, counting)
    if not reached[0]:
        nothing = np.full(len(names), np.nan)
        table = with_chance(unknown_table(names, nothing, worst), reached, level)
        return FunnelBounds(table, float(level), list(_WORST), ["nobody entered."], words)
    stitched = reached / reached[0]
    evidence = evidence_of(s, counting)
    reasons = _reasons(counting, evidence)
    if reasons:
        table = with_chance(unknown_table(names, stitched, worst), reached, level)
        return FunnelBounds(table, float(level), list(_WORST), reasons, words)
    found = estimate(counting, evidence, float(level))
    table = bounds_table(names, stitched, found.share, found.down, found.up, worst)
    assumptions = [*_ASSUMED]
    if not evidence.reached.is_known and len(evidence.drawable.buyers):
        assumptions[3] = (
            "Orders: none reaches a visit by a token and by a login, so that nothing is known of "
            "those without a browser; anything from none to all of them may be visitors'."
        )
    table = with_chance(table, reached, level)
    return FunnelBounds(table, float(level), assumptions, [], words)


def _reasons(counting: Counting, evidence: Evidence) -> list[str]:
    """Return why nothing can be estimated; empty if something can."""
    entering = counting.unit[counting.enters]
    nobodys = float((entering < 0).mean())
    if nobodys > MOST_UNASSIGNED:
        return [
            f"{percentage(nobodys)} of the events of the first step carry no alias, so that it is "
            f"not known who did them."
        ]
    unknown = len(evidence.drawable.alone) + len(evidence.drawable.buyers)
    if not unknown or evidence.people >= LEAST_IDENTIFIED:
        return []
    if not evidence.people:
        return ["no browser has identified itself by a login, such as an e-mail address."]
    return [
        f"only {evidence.people} people have identified themselves in a browser, by a login such "
        f"as an e-mail address; at least {LEAST_IDENTIFIED} are needed."
    ]


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
