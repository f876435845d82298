"""`FunnelTest`: whether the groups of a breakdown, or periods, differ by more than chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from convergekit.base.group_tests import (
    GroupTest,
    clustered_log_rank,
    clustered_shares,
    every_pair,
    log_rank,
    shares_differ,
)
from convergekit.errors import ConvergekitError
from convergekit.events.timestamps import microseconds
from convergekit.figures.card import Result
from convergekit.funnels.labels import groups_of, short_name
from convergekit.funnels.outcomes import NOT_A_TIME, Outcomes
from convergekit.funnels.step_table import StepTable
from convergekit.funnels.trend import Entered
from convergekit.typing import BoolArray, IntArray

#: Differences that chance makes as large in fewer than one of 20 stores without any.
_SURPRISING = 0.05
#: Pairs of more groups are not tested one by one: a table of thousands is read by nobody.
_MOST_GROUPS = 40
#: What periods are called as groups.
PERIOD = "period"
#: Who comes often enters early in a period, and is observed for longer where it is not over. So
#: those are compared who entered in the same seventh of their periods: the same day of a week.
_STRATA = 7
_MOMENTS = "datetime64[us, UTC]"


@dataclass(frozen=True, eq=False, repr=False)
class FunnelTest(Result):
    """One test over all groups of a funnel, and one for each pair of them.

    Attributes
    ----------
    method : str
        Which test it is, such as ``"log-rank"``.
    statistic : float
        Missing where the test is exact.
    degrees : int
        Degrees of freedom.
    p_value : float
        The probability of differences this large or larger if the groups did not differ, to six
        digits.
    pairs : pandas.DataFrame
        One row per pair of groups: `group`, `other`, `p_value` of the two alone, and `adjusted`, by
        Holm for all the pairs. Without rows for more than 40 groups.
    left_out : int
        Visits or attempts that entered so late that their windows are open; they are left out by
        when they entered, whatever they did.
    reason : str
        Why nothing can be said; empty otherwise.
    step, by : str, list of str
        The step whose conversion is tested, and the breakdown; ``["period"]`` of periods.
    """

    _table_names = ("pairs",)

    method: str
    statistic: float
    degrees: int
    p_value: float
    pairs: pd.DataFrame
    left_out: int
    reason: str
    step: str
    by: list[str]

    def _line(self) -> str:
        by = ", ".join(map(short_name, self.by))
        found = f"p = {self.p_value:.3g}" if not np.isnan(self.p_value) else self.reason
        return f"FunnelTest({self.step} by {by}: {found}; {self.method})"

    def _body(self) -> Iterable[pd.DataFrame | str]:
        if np.isnan(self.p_value):
            said = f"Nothing can be said: {self.reason}."
        elif self.p_value < _SURPRISING:
            said = "Chance does not explain these differences (p is below 0.05)."
        else:
            said = "Chance may explain these differences (p is not below 0.05)."
        late = (
            f"{self.left_out:,} that entered late are left out: their windows are open."
            if self.left_out
            else ""
        )
        shares = {name: self.pairs[name].map("{:.3g}".format) for name in ("p_value", "adjusted")}
        return tuple(part for part in (said, late, self.pairs.assign(**shares)) if len(part))


def groups_test(
    tables: StepTable, outcomes: Outcomes, by: list[str], step: int, not_to_compare: str
) -> FunnelTest:
    """Test whether groups differ in who reached a step. See `Funnel.test`.

    Parameters
    ----------
    tables : StepTable
    outcomes : Outcomes
    by : list of str
    step : int
    not_to_compare : str
        Why the groups must not be compared, empty if they may.
    """
    if not by:
        raise ConvergekitError(
            "a test needs groups: give by= to the funnel, or freq= to the test of periods."
        )
    if not_to_compare:
        raise ConvergekitError(f"{not_to_compare} Leave out by_step= to read them at the entry.")
    part = outcomes.counted
    group, names = _numbered(pd.DataFrame({name: part.labels[name].array for name in by}))
    return _tested(tables, part, group, names, step, by)


def periods_test(
    tables: StepTable, whole: Outcomes, periods: Sequence[Entered], step: int
) -> FunnelTest:
    """Test whether periods differ in who reached a step. See `Funnel.test`.

    Parameters
    ----------
    tables : StepTable
    whole : Outcomes
        Of the funnel of all the time.
    periods : sequence of Entered
    step : int
    """
    if len(periods) > _MOST_GROUPS:
        raise ConvergekitError(
            f"a test of periods takes at most {_MOST_GROUPS}; these are {len(periods)}. Give a "
            "longer freq=, or a start= to the funnel."
        )
    parts = [whole.chosen(np.arange(0)), *(one.part for one in periods)]
    part = replace(
        parts[0],
        profile=np.concatenate([one.profile for one in parts]),
        depth=np.concatenate([one.depth for one in parts]),
        status=np.concatenate([one.status for one in parts]),
        time=np.concatenate([one.time for one in parts]),
        position=np.concatenate([one.position for one in parts]),
    )
    group = np.repeat(np.arange(len(periods)), [len(one.part.depth) for one in periods])
    begin, end = (
        microseconds(pd.Series([getattr(one, edge) for one in periods], dtype=_MOMENTS))[group]
        for edge in ("begin", "end")
    )
    stratum = (part.time[:, 0] - begin) * _STRATA // (end - begin)
    names = [str(one.period) for one in periods]
    return _tested(tables, part, group, names, step, [PERIOD], stratum)


def _tested(
    tables: StepTable,
    part: Outcomes,
    group: IntArray,
    names: list[str],
    step: int,
    by: list[str],
    stratum: IntArray | None = None,
) -> FunnelTest:
    """Return the test of groups of rows, and that of each pair of groups.

    Parameters
    ----------
    tables : StepTable
    part : Outcomes
    group : numpy.ndarray of int
        Of each row.
    names : list of str
        Of the groups.
    step : int
    by : list of str
    stratum : numpy.ndarray of int, optional
        Where a profile may have rows in several groups: the rows that are compared.
    """
    happened = part.time[:, step - 1] != NOT_A_TIME
    used = np.arange(len(group))

    def shares(of: IntArray) -> GroupTest:
        return _shares(happened[of], group[of], len(names))

    def clustered(of: IntArray) -> GroupTest:
        return clustered_shares(happened[of], group[of], part.profile[of])

    def censored(of: IntArray) -> GroupTest:
        rows = observed[of], happened[of], group[of]
        if stratum is None:
            return log_rank(*rows)
        return clustered_log_rank(*rows, part.profile[of], stratum[of])

    if tables.asked.count != "profiles":
        # Those of one profile are alike.
        test = clustered
        used = np.flatnonzero(part.time[:, 0] + tables.window <= tables.known_until)
    elif not part.waiting.any():
        test = shares if stratum is None else clustered
    elif tables.asked.anchored:
        test = censored
        observed, _ = tables.observed(part, step)
    else:
        raise ConvergekitError(
            f"with entry={tables.asked.rules.entry!r} a window begins where the outcome says, so "
            "open windows cannot be told from drop-offs; set entry='first', or an end= that lies a "
            "window before the end of the data."
        )
    whole = test(used)
    pairs = []
    if len(names) <= _MOST_GROUPS:
        pairs = every_pair(
            range(len(names)),
            lambda one, other: test(used[(group[used] == one) | (group[used] == other)]),
        )
    return FunnelTest(
        method=whole.method,
        statistic=whole.statistic,
        degrees=whole.degrees,
        p_value=whole.p_value,
        pairs=pd.DataFrame(
            {
                "group": pd.Series([names[pair.one] for pair in pairs], dtype="str"),
                "other": pd.Series([names[pair.other] for pair in pairs], dtype="str"),
                "p_value": np.array([pair.test.p_value for pair in pairs], dtype=float),
                "adjusted": np.array([pair.adjusted for pair in pairs], dtype=float),
            }
        ),
        left_out=len(group) - len(used),
        reason=whole.reason,
        step=tables.titles[step - 1],
        by=by,
    )


def _numbered(labels: pd.DataFrame) -> tuple[IntArray, list[str]]:
    """Return the group of each row as a number, and the names of the groups, largest first."""
    by = list(labels.columns)
    if not len(labels):
        return np.zeros(0, dtype=np.int64), []
    ordered = sorted(
        groups_of(labels), key=lambda group: (-len(group[1]), tuple(map(str, group[0])))
    )
    number, names = np.zeros(len(labels), dtype=np.int64), []
    for place, (label, at) in enumerate(ordered):
        number[at] = place
        names.append(
            ", ".join(
                f"no {short_name(name)}" if pd.isna(cell) else str(cell)
                for name, cell in zip(by, label, strict=True)
            )
        )
    return number, names


def _shares(happened: BoolArray, group: IntArray, groups: int) -> GroupTest:
    size = np.bincount(group, minlength=groups)
    some = size > 0
    return shares_differ(np.bincount(group[happened], minlength=groups)[some], size[some])
