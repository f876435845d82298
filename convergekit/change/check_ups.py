"""The check-up of each period alone and of both: which findings differ.

Of both periods together a token that half of the orders lost looks like one that some orders never
had; of each alone it is there, and gone.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from convergekit.change.faults import shares_apart
from convergekit.change.sides import Side
from convergekit.checks.check_up import events_concerned
from convergekit.checks.money import AskedMoney
from convergekit.checks.plugged import plugged_checks, with_plugged
from convergekit.checks.tracking import AskedCheckUp, Tracking
from convergekit.events.steps import Step
from convergekit.typing import BoolArray

#: Checks of what texts hold: they take long, and change no number.
_OF_TEXTS = ("email-address", "card-number", "event-name-spelling")
#: A finding differs where so many times as many events are concerned.
_TIMES = 2.0
_COLUMNS = {
    "check": "str",
    "what": "str",
    "before": "int64",
    "after": "int64",
    "together": "int64",
}


def differing_findings(sides: tuple[Side, Side], goal: Step, value: str | None) -> pd.DataFrame:
    """Return the findings of the check-up that one period has and the other has not.

    Parameters
    ----------
    sides : tuple of Side
    goal : Step
        The events whose money counts.
    value : str, optional
        The property that holds it.

    Returns
    -------
    pandas.DataFrame
        `check`, `what` (as the check-up of the period with more of it says it), and how many
        events are concerned in the period `before`, in that `after`, and with both `together`
        (two stitchings are not put together: -1).
    """
    alone = [_found(side, _in_period(side), goal, value) for side in sides]
    size = [int(_in_period(side).sum()) for side in sides]
    rows = []
    for name in with_plugged(plugged_checks()):
        counts = [found.get(name, (0, ""))[0] for found in alone]
        shares = [count / max(n, 1) for count, n in zip(counts, size, strict=True)]
        on = int(shares[1] > shares[0])
        if not shares[on] or shares[on] < _TIMES * shares[1 - on]:
            continue
        if shares_apart((counts[0], counts[1]), (size[0], size[1])):
            rows.append((name, alone[on][name][1], *counts))
    table = pd.DataFrame(rows, columns=list(_COLUMNS)[:-1])
    together = _together(sides, goal, value) if len(table) else {}
    table["together"] = [together.get(name, -1) for name in table["check"]]
    return table.astype(_COLUMNS)


def _together(sides: tuple[Side, Side], goal: Step, value: str | None) -> dict[str, int]:
    """Return, per check, how many events it finds in both periods at once, where that is known."""
    if sides[0].base is not sides[1].base:
        return {}
    joined = _found(sides[0], _in_period(sides[0]) | _in_period(sides[1]), goal, value)
    return {name: joined.get(name, (0, ""))[0] for name in with_plugged(plugged_checks())}


def _in_period(side: Side) -> BoolArray:
    return (side.time >= side.start) & (side.time < side.end)


def _found(
    side: Side, keep: BoolArray, goal: Step, value: str | None
) -> dict[str, tuple[int, str]]:
    """Return, per check with findings, how many events they concern, and what the first says."""
    return events_concerned(_tracking(side, keep, goal, value), _OF_TEXTS)


def _tracking(side: Side, keep: BoolArray, goal: Step, value: str | None) -> Tracking:
    """Return a period's events as the checks look at them; dropped copies are left out."""
    s = side.s
    events = s.events[keep].reset_index(drop=True)
    size = len(events)
    nothing = np.zeros(size, dtype=bool)
    converting = (side.step == side.step.max(initial=-1))[keep] & (side.step >= 0)[keep]
    # Of a period without conversions the other checks are made.
    goals = (goal,) if converting.any() else ()
    return Tracking(
        events=events,
        aliases=s.resolution.aliases.of_events(keep),
        kept=np.arange(size),
        implausible=nothing,
        other_state=nothing,
        profile=s.resolution.profile[keep],
        converting=converting,
        said=[],
        placeholder_ids=pd.Series([], dtype="str"),
        asked=AskedCheckUp(goals, AskedMoney(value), s.browser_alias, s.calendar, plugged_checks()),
    )
