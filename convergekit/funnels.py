"""Funnels: how far profiles get along a sequence of steps within a conversion window.

Every event of the first step starts an attempt; a profile counts at the deepest step that any
of its attempts reaches. Other events may lie between the steps. The window is the time elapsed
since the attempt's entry, its end included. Events of one profile at the same time may be taken
in whichever order carries the profile furthest. One event fills one step: n repeats of a step
need n events. Identify calls and events without a profile take no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.durations import Duration, parse_duration, readable_duration
from convergekit.errors import ColumnError, ConvergekitError, did_you_mean
from convergekit.timestamps import microseconds

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
StepLike = str | Sequence[str]


@dataclass(frozen=True, eq=False, repr=False)
class Funnel:
    """How far profiles got.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per step: `step` (from 1), `event_name`, `profiles` (that reached it),
        `conversion` (share of the first step's profiles), `step_conversion` (share of the step
        before's), `drop_off` (profiles lost since the step before), `median_time` (Timedelta
        from the step before, over the profiles that reached the step).
    conversions : pandas.DataFrame
        One row per profile that entered: `profile_id`, `depth` (the deepest step reached) and
        `time_1` ... `time_n`, when each step was reached in the attempt that first got there.
    within : pandas.Timedelta
        The conversion window.
    """

    table: pd.DataFrame
    conversions: pd.DataFrame
    within: pd.Timedelta

    def __repr__(self) -> str:
        """Return the steps and their profiles in one line."""
        steps = zip(self.table["event_name"], self.table["profiles"], strict=True)
        shown = " → ".join(f"{name} {count:,}" for name, count in steps)
        return f"Funnel({shown}; within {readable_duration(self.within)})"

    def _repr_html_(self) -> str:
        shown = self.table.assign(
            profiles=self.table["profiles"].map("{:,}".format),
            drop_off=self.table["drop_off"].map("{:,}".format),
            conversion=self.table["conversion"].map("{:.1%}".format),
            step_conversion=self.table["step_conversion"].map(_percentage),
            median_time=self.table["median_time"].map(readable_duration),
        )
        caption = f"<caption>within {readable_duration(self.within)}</caption>"
        return str(shown.to_html(index=False, border=0)).replace("<thead>", caption + "<thead>")

    def plot(self) -> Any:
        """Return the funnel as a `plotly.graph_objects.Figure`."""
        from convergekit.figures import funnel_figure

        return funnel_figure(self)


def funnel(
    events: pd.DataFrame,
    steps: Sequence[StepLike],
    *,
    within: Duration,
    profile: str = "profile_id",
) -> Funnel:
    """Count how far profiles get along the steps.

    Parameters
    ----------
    events : pandas.DataFrame
        With `event_name`, `timestamp` (datetime) and a column of profiles. Rows at equal
        timestamps need no order. `kind`, if there, says which rows are identify calls.
    steps : sequence of str or sequence of str
        At least one. A name, or several of which any will do.
    within : str, datetime.timedelta or pandas.Timedelta
        The conversion window from the first step, such as ``"7D"`` or ``"90min"``.
    profile : str, default "profile_id"
        The column that says whose event it is; rows without a value take no part.

    Returns
    -------
    Funnel

    Raises
    ------
    ColumnError
        A needed column is missing.
    ConvergekitError
        There are no steps, or `within` is no positive duration.

    Examples
    --------
    >>> import convergekit as ck
    >>> events = pd.DataFrame({
    ...     "profile_id": ["a", "a", "a", "b"],
    ...     "event_name": ["PageView", "Added To Cart", "Placed Order", "PageView"],
    ...     "timestamp": pd.to_datetime(["2026-03-02", "2026-03-03", "2026-03-20", "2026-03-02"]),
    ... })
    >>> ck.funnel(events, ["PageView", "Added To Cart", "Placed Order"], within="7D")
    Funnel(PageView 2 → Added To Cart 1 → Placed Order 0; within 7 days)
    """
    names = _step_names(steps)
    window = parse_duration(within, name="within")
    for column in ("event_name", "timestamp", profile):
        if column not in events:
            raise ColumnError(
                f"no column {column!r}. Found: {', '.join(map(str, events.columns))}."
                f"{did_you_mean(column, map(str, events.columns))}"
            )
    log = _Log.of(events, names, profile)
    depth, reached = _search(log, len(names), window // pd.Timedelta(1, "us"))
    conversions = _conversions(log, depth, reached)
    return Funnel(_table(names, conversions), conversions, window)


@dataclass(frozen=True)
class _Log:
    """Events of the steps, grouped into moments: those of one profile at one time.

    Attributes
    ----------
    profiles : pandas.Index
        The distinct values of the profile column.
    profile, time : numpy.ndarray of int
        Of each moment, sorted by both; times in microseconds.
    pattern : numpy.ndarray of int
        Of each moment, which of `patterns` its events make up.
    patterns : list of tuple of int
        Distinct collections of events, each event a bit mask of the steps that it fills.
    start : numpy.ndarray of int
        Of each moment, the first moment of its profile.
    """

    profiles: pd.Index
    profile: IntArray
    time: IntArray
    pattern: IntArray
    patterns: list[tuple[int, ...]]
    start: IntArray

    @classmethod
    def of(cls, events: pd.DataFrame, names: list[tuple[str, ...]], profile: str) -> _Log:
        mask = _step_masks(events, names)
        codes, profiles = pd.factorize(events[profile])
        chosen = np.flatnonzero((mask > 0) & (codes >= 0) & events["timestamp"].notna().to_numpy())
        mask, codes = mask[chosen], codes[chosen]
        time = _as_microseconds(events["timestamp"].iloc[chosen])
        order = np.lexsort((mask, time, codes))
        mask, codes, time = mask[order], codes[order], time[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (codes[1:] != codes[:-1]) | (time[1:] != time[:-1])
        starts = np.flatnonzero(new)
        pattern, patterns = _patterns(mask, starts)
        codes = codes[starts]
        first = np.ones(len(codes), dtype=bool)
        first[1:] = codes[1:] != codes[:-1]
        return cls(
            profiles=pd.Index(profiles),
            profile=codes,
            time=time[starts],
            pattern=pattern,
            patterns=patterns,
            start=np.flatnonzero(first)[np.cumsum(first) - 1] if len(first) else codes,
        )


def _step_names(steps: Sequence[StepLike]) -> list[tuple[str, ...]]:
    if isinstance(steps, str) or not len(steps):
        raise ConvergekitError(
            f"steps={steps!r}: give a list of at least one event name, such as "
            "['PageView', 'Placed Order']."
        )
    return [(step,) if isinstance(step, str) else tuple(step) for step in steps]


def _step_masks(events: pd.DataFrame, names: list[tuple[str, ...]]) -> IntArray:
    """Return, per event, the steps that it fills as a bit mask."""
    codes, distinct = pd.factorize(events["event_name"])
    of_name = np.zeros(len(distinct) + 1, dtype=np.int64)
    for step, alternatives in enumerate(names):
        of_name[:-1] |= pd.Index(distinct).isin(alternatives).astype(np.int64) << step
    mask = of_name[codes]
    if "kind" in events:
        mask[(events["kind"] == "identify").to_numpy(dtype=bool)] = 0
    return mask


def _as_microseconds(timestamps: pd.Series) -> IntArray:
    if not pd.api.types.is_datetime64_any_dtype(timestamps.dtype):
        raise ColumnError(
            f"the column 'timestamp' is {timestamps.dtype}, not datetime. Convert it with "
            "pd.to_datetime, or stitch the events first."
        )
    return microseconds(timestamps)


def _patterns(mask: IntArray, starts: IntArray) -> tuple[IntArray, list[tuple[int, ...]]]:
    """Name each moment's collection of events; most hold one event, and few kinds are distinct."""
    sizes = np.diff(np.append(starts, len(mask)))
    patterns: dict[tuple[int, ...], int] = {}
    found = np.empty(len(starts), dtype=np.int64)
    for size in np.unique(sizes):
        moments = np.flatnonzero(sizes == size)
        # Masks are sorted within a moment, so equal collections are equal rows.
        rows = mask[starts[moments][:, None] + np.arange(size)]
        distinct, which = np.unique(rows, axis=0, return_inverse=True)
        codes = [patterns.setdefault(tuple(row), len(patterns)) for row in distinct.tolist()]
        found[moments] = np.array(codes)[which.reshape(-1)]
    return found, list(patterns)


def _search(log: _Log, steps: int, window: int) -> tuple[IntArray, list[IntArray]]:
    """Return each profile's depth, and the moment at which it reached each step.

    For every step, `entry[step][moment]` is the latest entry (as a moment) of an attempt that
    has reached the step by then: the latest entry always has the most of its window left, so no
    other attempt needs to be remembered.
    """
    here = np.arange(len(log.time))
    gains = _gains(log, steps)
    entry: list[IntArray] = [here]
    for step in range(1, steps + 1):
        latest = np.full(len(here), -1, dtype=np.int64)
        for before in range(step):
            rows = gains[before][step]
            if not len(rows):
                continue
            from_entry = rows if before == 0 else entry[before][rows - 1]
            if before:
                open_ = (rows > log.start[rows]) & (from_entry >= log.start[rows])
                open_[open_] &= log.time[rows[open_]] - log.time[from_entry[open_]] <= window
                rows, from_entry = rows[open_], from_entry[open_]
            latest[rows] = np.maximum(latest[rows], from_entry)
        entry.append(np.maximum.accumulate(latest) if len(latest) else latest)

    first_of, last_of = _bounds(log)
    depth = np.zeros(len(first_of), dtype=np.int64)
    for step in range(1, steps + 1):
        depth[entry[step][last_of] >= first_of] = step
    reached = [np.full(len(first_of), -1, dtype=np.int64) for _ in range(steps)]
    for deepest in range(1, steps + 1):
        at = np.flatnonzero(depth == deepest)
        goal = np.searchsorted(entry[deepest], first_of[at])
        came_in = entry[deepest][goal]
        for step in range(1, deepest + 1):
            # No later attempt was further by then, else it would have been the one to get there.
            reached[step - 1][at] = np.searchsorted(entry[step], came_in)
    return depth, reached


def _gains(log: _Log, steps: int) -> list[list[IntArray]]:
    """Return, for each pair of depths, the moments whose events carry an attempt between them."""
    empty = np.empty(0, dtype=np.int64)
    gains = [[empty] * (steps + 1) for _ in range(steps)]
    for before in range(steps):
        furthest = np.array([_furthest(p, before, steps) for p in log.patterns], dtype=np.int64)
        reach = furthest[log.pattern] if len(log.patterns) else empty
        for after in range(before + 1, steps + 1):
            gains[before][after] = np.flatnonzero(reach >= after)
    return gains


@lru_cache(maxsize=4096)
def _furthest(pattern: tuple[int, ...], before: int, steps: int) -> int:
    """Return the depth that an attempt at `before` reaches with these events, each used once."""
    filler: dict[int, int] = {}

    def place(step: int, seen: set[int]) -> bool:
        for event, mask in enumerate(pattern):
            if mask >> step & 1 and event not in seen:
                seen.add(event)
                if event not in filler or place(filler[event], seen):
                    filler[event] = step
                    return True
        return False

    depth = before
    while depth < steps and place(depth, set()):
        depth += 1
    return depth


def _bounds(log: _Log) -> tuple[IntArray, IntArray]:
    first_of = np.unique(log.start)
    last_of = np.append(first_of[1:], len(log.start)) - 1
    return first_of, last_of[: len(first_of)]


def _conversions(log: _Log, depth: IntArray, reached: list[IntArray]) -> pd.DataFrame:
    first_of, _ = _bounds(log)
    entered = depth > 0
    times = {
        f"time_{step}": pd.to_datetime(
            pd.Series(np.where(at >= 0, log.time[at], np.iinfo(np.int64).min)[entered]),
            unit="us",
            utc=True,
        ).astype("datetime64[us, UTC]")
        for step, at in enumerate(reached, start=1)
    }
    profiles = log.profiles[log.profile[first_of][entered]]
    return pd.DataFrame({"profile_id": profiles, "depth": depth[entered], **times})


def _table(names: list[tuple[str, ...]], conversions: pd.DataFrame) -> pd.DataFrame:
    steps = np.arange(1, len(names) + 1)
    profiles = np.array([int((conversions["depth"] >= step).sum()) for step in steps])
    before = np.append(profiles[:1], profiles[:-1])
    waits = [pd.NaT] + [
        (conversions[f"time_{step}"] - conversions[f"time_{step - 1}"]).median()
        for step in steps[1:]
    ]
    with np.errstate(invalid="ignore"):
        step_conversion = profiles / before.astype(float)
        conversion = profiles / float(profiles[0]) if profiles[0] else np.full(len(steps), np.nan)
    step_conversion[0] = np.nan
    return pd.DataFrame(
        {
            "step": steps,
            "event_name": pd.Series([" or ".join(name) for name in names], dtype="str"),
            "profiles": profiles,
            "conversion": conversion,
            "step_conversion": step_conversion,
            "drop_off": before - profiles,
            "median_time": pd.Series(waits, dtype="timedelta64[us]"),
        }
    )


def _percentage(share: float) -> str:
    return "" if np.isnan(share) else f"{share:.1%}"
