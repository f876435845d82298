"""The table of a funnel: a row per step, made of the outcomes of those who entered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.survival import AtWindow, share_at_window
from convergekit.funnels.options import FunnelQuestion
from convergekit.funnels.outcomes import EXCLUDED, NOT_A_TIME, STATUSES, Outcomes
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True)
class StepTable:
    """Makes the table of a funnel, or of some of those who entered.

    Attributes
    ----------
    asked : FunnelQuestion
    titles : list of str
        The names of the steps.
    known_until : int
        Until when it is known what people did, in microseconds.
    """

    asked: FunnelQuestion
    titles: list[str]
    known_until: int

    def of(self, outcomes: Outcomes) -> pd.DataFrame:
        """Return a row per step. See `Funnel.table`."""
        part = outcomes.counted
        steps = np.arange(1, len(self.titles) + 1)
        optional = self.asked.optional
        before = [1] + [required_before(optional, int(step)) for step in steps[1:]]
        is_optional = np.isin(steps, optional)
        reached = part.time != NOT_A_TIME
        profiles = np.array([np.count_nonzero(there) for there in reached.T])
        starting = profiles[np.array(before) - 1]
        waiting = reached[part.waiting]
        in_window = np.array(
            [
                (waiting[:, b - 1] & ~waiting[:, step - 1]).sum()
                for b, step in zip(before, steps, strict=True)
            ]
        )
        in_window[is_optional] = 0
        waits = [part.waits(b, int(step)) for step, b in zip(steps[1:], before[1:], strict=True)]
        if not self.asked.rules.zero_times:
            waits = [wait[wait > pd.Timedelta(0)] for wait in waits]
        with np.errstate(invalid="ignore", divide="ignore"):
            step_conversion = profiles / starting.astype(float)
            conversion = profiles / profiles[:1].astype(float)
        step_conversion[0] = np.nan
        known = [self.at_window(part, int(step)) for step in steps]
        since = [None, *(self.titles[b - 1] for b in before[1:])]
        return pd.DataFrame(
            {
                "step": steps,
                "event_name": pd.Series(self.titles, dtype="str"),
                "profiles": profiles,
                "conversion": conversion,
                "step_conversion": step_conversion,
                "drop_off": np.where(is_optional, 0, starting - profiles - in_window),
                "in_window": in_window,
                "conversion_at_window": [found.share for found in known],
                "at_window_low": [found.low for found in known],
                "at_window_high": [found.high for found in known],
                "time_from": pd.Series(since, dtype="str"),
                "median_time": _durations([wait.median() for wait in waits]),
                "mean_time": _durations([wait.mean() for wait in waits]),
                "p90_time": _durations([wait.quantile(0.9) for wait in waits]),
            }
        )

    def at_window(self, part: Outcomes, step: int) -> AtWindow:
        """Return the share that has reached a step when the window ends, open windows censored."""
        reason = self.no_curve(part, step)
        if reason:
            return AtWindow(np.nan, np.nan, np.nan, 0, reason)
        if step == 1:
            # Who entered has.
            share = 1.0 if len(part.depth) else np.nan
            return AtWindow(share, np.nan, np.nan, len(part.depth), "")
        entry, there = part.time[:, 0], part.first_at(step)
        got = np.flatnonzero(there != NOT_A_TIME)
        late = np.flatnonzero(entry > self.known_until - self.window)
        early = late[there[late] == NOT_A_TIME]
        observed = np.maximum(self.known_until - entry[early], 0)
        return share_at_window(there[got] - entry[got], observed, len(entry), self.window)

    @property
    def window(self) -> int:
        """The conversion window, in microseconds."""
        return int(self.asked.window // pd.Timedelta(1, "us"))

    def observed(self, part: Outcomes, step: int) -> tuple[IntArray, BoolArray]:
        """Return how long each row is observed, and whether it reached the step then.

        Until it got there, or its window ended, or the data did. An attempt that an exclusion ended
        is observed on: it is known not to get there.
        """
        entry, there = part.time[:, 0], part.first_at(step)
        happened = there != NOT_A_TIME
        longest = np.minimum(self.window, np.maximum(self.known_until - entry, 0))
        return np.where(happened, there - np.where(happened, entry, 0), longest), happened

    def no_curve(self, part: Outcomes, step: int) -> str:
        """Return why it is not known what has happened by each time; empty if it is."""
        if not self.asked.anchored or self.asked.like is not None:
            return "attempts do not begin with the first entry; set entry='first'"
        if self.asked.count != "profiles":
            return f"it is estimated for profiles alone; {self.asked.count} of one are alike"
        if step in self.asked.optional:
            return "an optional step can no longer be done when a later one is"
        if (part.status == STATUSES.index(EXCLUDED)).any() or self._removes:
            return "on_exclude='remove' leaves out by what happened later: set 'drop_off'"
        return ""

    @property
    def _removes(self) -> bool:
        return bool(self.asked.excluding) and self.asked.rules.on_exclude == "remove"


def required_before(optional: Sequence[int], step: int) -> int:
    """Return the last step before this one that is not optional."""
    return max(s for s in range(1, step) if s not in optional)


def with_denominators(
    table: pd.DataFrame, by: Sequence[str], optional: Sequence[int]
) -> pd.DataFrame:
    """Return a funnel's table with what its shares are of, in columns of their own.

    Parameters
    ----------
    table : pandas.DataFrame
        As `Funnel.table` has it, the steps of a group one below another.
    by : sequence of str
    optional : sequence of int

    Returns
    -------
    pandas.DataFrame
        With `entered`, the first step's profiles of the group, and `step_before`, those of the step
        before; at the first step they are equal.
    """
    size = int(table["step"].max()) if len(table) else 1
    reached = table["profiles"].to_numpy().reshape(-1, size)
    before = [0] + [required_before(optional, step) - 1 for step in range(2, size + 1)]
    return table.assign(
        entered=np.repeat(reached[:, 0], size), step_before=reached[:, before].reshape(-1)
    )


def _durations(values: list[Any]) -> pd.Series:
    return pd.Series([pd.NaT, *values], dtype="timedelta64[us]")
