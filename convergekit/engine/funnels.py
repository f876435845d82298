"""Ordered funnels in an engine: how many profiles get how far, by running minima.

A profile enters with its first event of the first step, and the time of that entry is carried along
by each step that it reaches. It is a window function per step. The frame of each holds all events
up to a time, those of that time included, so that events of one time may be taken in any order; no
event fills two steps, for no two steps share a name.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Unpack

import ibis
import numpy as np
import pandas as pd

from convergekit.base.durations import parse_duration, readable_duration
from convergekit.engine.backends import Backend
from convergekit.engine.columns import OWN
from convergekit.errors import NotOnThisEngine, callers_level, did_you_mean
from convergekit.events.steps import Step, StepLike, as_steps
from convergekit.funnels.options import FunnelOptions
from convergekit.visible import visible


@dataclass(frozen=True, eq=False, repr=False)
class TableFunnel:
    """How far profiles got, as tables.

    Attributes
    ----------
    steps : list of str
        What the steps are called.
    within : pandas.Timedelta
        The conversion window.
    data_end : pandas.Timestamp
        Time of the last event; windows that reach beyond it are still open.
    conversions : ibis.Table
        One row per profile that entered: `profile_id`, `depth` (the deepest step reached),
        `status` (``"converted"``, ``"dropped"`` or ``"in_window"``).
    """

    steps: list[str]
    within: pd.Timedelta
    data_end: pd.Timestamp
    conversions: Any

    def __repr__(self) -> str:
        """Return the steps and their profiles in one line."""
        pairs = zip(self.steps, self.table["profiles"], strict=True)
        shown = " → ".join(f"{name} {count:,}" for name, count in pairs)
        return visible(f"TableFunnel({shown}; within {readable_duration(self.within)})")

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per step: the columns of `Funnel.table`, but those of durations."""
        found = self._outcomes
        steps = np.arange(1, len(self.steps) + 1)
        profiles = np.array([found.loc[found["depth"] >= step, "n"].sum() for step in steps])
        waiting = found[found["status"] == "in_window"]
        in_window = np.array([waiting.loc[waiting["depth"] == s - 1, "n"].sum() for s in steps])
        starting = np.append(profiles[:1], profiles[:-1])
        with np.errstate(invalid="ignore", divide="ignore"):
            conversion = profiles / profiles[:1].astype(float)
            step_conversion = profiles / starting.astype(float)
        step_conversion[0] = np.nan
        return pd.DataFrame(
            {
                "step": steps,
                "event_name": pd.Series(self.steps, dtype="str"),
                "profiles": profiles,
                "conversion": conversion,
                "step_conversion": step_conversion,
                "drop_off": starting - profiles - in_window,
                "in_window": in_window,
            }
        )

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many entered, and how they fared: converted, dropped, in_window."""
        by_status = self._outcomes.groupby("status")["n"].sum()
        statuses = ("converted", "dropped", "in_window")
        fared = {status: int(by_status.get(status, 0)) for status in statuses}
        return {"entered": sum(fared.values())} | fared

    @cached_property
    def _outcomes(self) -> pd.DataFrame:
        table = self.conversions
        return table.group_by(["depth", "status"]).aggregate(n=table.count()).execute()


def count_funnel(
    backend: Backend,
    events: Any,
    steps: Sequence[StepLike],
    **options: Unpack[FunnelOptions],
) -> TableFunnel:
    """Return how far profiles get along the steps.

    Parameters
    ----------
    backend : Backend
    events : ibis.Table
        `kind`, `profile_id`, `event_name`, `timestamp`.
    steps
        As `ck.funnel` takes them.
    **options
        As `ck.funnel` takes them; but for `within` and ``order="ordered"``, not on this engine.

    Raises
    ------
    NotOnThisEngine
        An option is given, or a step that engines do not have.
    """
    given = as_steps(steps)
    _refuse_what_is_not_here(given, options)
    window = parse_duration(options.get("within"), name="within")
    data_end = events["timestamp"].max().execute()
    names = [list(step.names) for step in given]
    _warn_of_unknown_names(events, names)
    # Those that enter nowhere are left out before anything is sorted.
    taking_part = events.filter(
        (events["kind"] == "track")
        & events["profile_id"].notnull()
        & events["event_name"].isin([name for alike in names for name in alike])
    )
    reached = _with_entries(taking_part, names, window)
    by_profile = reached.group_by("profile_id").aggregate(
        **{
            OWN + "entered": reached[_entry(0)].max(),
            "depth": sum(
                reached[_entry(step)].notnull().any().cast("int64") for step in range(len(names))
            ),
        }
    )
    entered = by_profile.filter(by_profile["depth"] > 0)
    status = ibis.cases(
        (entered["depth"] == len(names), "converted"),
        (_within(entered[OWN + "entered"], window) > data_end, "in_window"),
        else_="dropped",
    )
    conversions = entered.mutate(status=status).select("profile_id", "depth", "status")
    return TableFunnel([step.title for step in given], window, data_end, backend.keep(conversions))


def _warn_of_unknown_names(events: Any, names: list[list[str]]) -> None:
    known = set(events.select("event_name").distinct().execute()["event_name"].dropna())
    for name in (name for alike in names for name in alike):
        if known and name not in known:
            near = did_you_mean(name, known)
            warnings.warn(
                f"no event is named {name!r}, so it never matches.{near}",
                stacklevel=callers_level(),
            )


def _with_entries(events: Any, names: list[list[str]], window: pd.Timedelta) -> Any:
    """Add, per step, the time of the entry where it is reached by each event's time."""
    until_now = ibis.range_window(
        group_by="profile_id", order_by="timestamp", preceding=None, following=0
    )
    never = ibis.null("timestamp('UTC', 6)")
    for step, alike in enumerate(names):
        here = events["event_name"].isin(alike)
        if step == 0:
            came_in = ibis.ifelse(here, events["timestamp"], never)
        else:
            before = events[_entry(step - 1)]
            in_time = here & (events["timestamp"] <= _within(before, window))
            came_in = ibis.ifelse(in_time, before, never)
        events = events.mutate(**{OWN + "came": came_in})
        events = events.mutate(**{_entry(step): events[OWN + "came"].min().over(until_now)})
    return events.drop(OWN + "came")


def _within(entry: Any, window: pd.Timedelta) -> Any:
    """Return the end of the window of an attempt."""
    return entry + ibis.interval(microseconds=window // pd.Timedelta(1, "us"))


def _entry(step: int) -> str:
    return f"{OWN}entry_{step}"


def _refuse_what_is_not_here(steps: list[Step], options: FunnelOptions) -> None:
    order = options.get("order", "ordered")
    asked = [
        name
        for name, value in options.items()
        if name not in ("within", "order")
        and value not in (None, (), [])
        and (name, value) not in (("entry", "first"), ("count", "profiles"))
    ]
    asked += [f"order={order!r}"] if order != "ordered" else []
    asked += ["where="] if any(step.where is not None for step in steps) else []
    asked += ["optional="] if any(step.optional for step in steps) else []
    names = [name for step in steps for name in step.names]
    asked += ["steps that share a name"] if len(set(names)) < len(names) else []
    if asked:
        raise NotOnThisEngine(
            f"{', '.join(asked)}: not on this engine yet. Where the events fit into memory: "
            "ck.funnel(s.to_pandas(), ...)."
        )
