"""Journeys: what profiles did one after another, on the way to an event or away from it.

A profile has one journey: from its first `start` event (by default its first event) to its first
`end` event after that (by default its last event). Repeats of a name without another in between
are one step, which happens at the first of them. Identify calls and events without a profile take
no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.errors import ColumnError, ConvergekitError
from convergekit.funnel_events import order_of_arrival
from convergekit.measures import amounts, events_named
from convergekit.numbering import number
from convergekit.readable import counted
from convergekit.steps import tracked
from convergekit.timestamps import microseconds

if TYPE_CHECKING:
    from convergekit.template import Template

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

#: As many steps of a journey are told apart at most.
MOST_STEPS = 20


@dataclass(frozen=True)
class Visits:
    """The events of journeys, as integers: by journey, then time, then arrival.

    Attributes
    ----------
    who, name, time, position : numpy.ndarray of int
        Per event: its journey, its name as a code, microseconds, and its position in the frame.
    begin, converted_at : numpy.ndarray of int
        Per journey: when it begins and when it reaches `end`, in microseconds; `NEVER` if not.
    end : numpy.ndarray of int
        Per journey: the position in the frame of the event that ends it, -1 if none does.
    end_name : numpy.ndarray of int
        Per journey: that event's name as a code, -1 likewise.
    profile : numpy.ndarray of int
        Per journey: its profile, a place in `ids`.
    names, ids : pandas.Index
        What the codes stand for.
    """

    who: IntArray
    name: IntArray
    time: IntArray
    position: IntArray
    begin: IntArray
    converted_at: IntArray
    end: IntArray
    end_name: IntArray
    profile: IntArray
    names: pd.Index
    ids: pd.Index


#: The time of what did not happen.
NEVER = np.iinfo(np.int64).max


def journeys(
    events: pd.DataFrame,
    start: str | Sequence[str] | None = None,
    end: str | Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    max_steps: int = 5,
    value: str | None = None,
    *,
    profile: str = "profile_id",
) -> Journeys:
    """Return what profiles did one after another. See `Stitched.journeys`.

    Parameters
    ----------
    events : pandas.DataFrame
        With `event_name`, `timestamp` (datetime) and a column of profiles.
    start, end : str or sequence of str, optional
    names : sequence of str, optional
    max_steps : int, default 5
    value : str, optional
    profile : str, default "profile_id"
        The column that says whose event it is; rows without a value take no part.

    Returns
    -------
    Journeys

    Examples
    --------
    >>> import pandas as pd
    >>> events = pd.DataFrame({
    ...     "profile_id": ["a", "a", "a", "b"],
    ...     "event_name": ["PageView", "Added To Cart", "Placed Order", "PageView"],
    ...     "timestamp": pd.to_datetime(["2026-03-02", "2026-03-03", "2026-03-20", "2026-03-02"]),
    ... })
    >>> journeys(events, end="Placed Order")
    Journeys(2 profiles on 2 paths; 1 reached Placed Order)
    """
    for column in ("event_name", "timestamp", profile):
        if column not in events:
            raise ColumnError(f"no column {column!r}; found: {', '.join(map(str, events.columns))}")
    starts, ends = _names(start, "start"), _names(end, "end")
    if not isinstance(max_steps, int) or not 1 <= max_steps <= MOST_STEPS:
        raise ConvergekitError(f"max_steps={max_steps!r}: give a number from 1 to {MOST_STEPS}.")
    if value is not None and not ends:
        raise ConvergekitError(
            f"value={value!r} is what reaching an event is worth; name that event with end=."
        )
    chosen = _names(names, "events")
    for name in dict.fromkeys((*starts, *ends, *chosen)):
        events_named(events, name)
    worth = amounts(events, value) if value is not None else None
    visits = visits_of(events, events[profile], starts, ends, chosen)
    return Journeys(
        start=starts,
        end=ends,
        max_steps=max_steps,
        profiles=len(visits.begin),
        _visits=visits,
        _worth=None if worth is None else np.append(worth, 0.0)[visits.end],
        _events=events,
    )


def visits_of(
    events: pd.DataFrame,
    profiles: pd.Series,
    starts: Sequence[str],
    ends: Sequence[str],
    chosen: Sequence[str] = (),
) -> Visits:
    """Return the events of every profile's journey; those of `chosen` names alone, if any."""
    codes, names = number(events["event_name"])
    whose, ids = number(profiles)
    here = (codes >= 0) & (whose >= 0) & tracked(events) & events["timestamp"].notna().to_numpy()
    if chosen:
        here &= _among(names, (*starts, *ends, *chosen))[codes]
    position = np.flatnonzero(here)
    time = microseconds(events["timestamp"])[position]
    order = np.lexsort((order_of_arrival(events, position), time, whose[position]))
    position, time = position[order], time[order]
    who, name = whose[position].astype(np.int64), codes[position].astype(np.int64)

    place = np.arange(len(who))
    begins = _among(names, starts)[name] if starts else np.ones(len(who), dtype=bool)
    first = _first_of_each(who, begins, len(ids))
    # What starts a journey cannot end it too, but without a start the first event may.
    after = place >= first[who] + bool(starts)
    last = _first_of_each(who, _among(names, ends)[name] & after, len(ids))
    profile = np.flatnonzero(first < len(who))
    journey = np.full(len(ids), -1, dtype=np.int64)
    journey[profile] = np.arange(len(profile))
    on = (place >= first[who]) & (place < last[who])
    end = last[profile]
    return Visits(
        who=journey[who[on]],
        name=name[on],
        time=time[on],
        position=position[on],
        begin=time[first[profile]],
        converted_at=np.append(time, NEVER)[end],
        end=np.append(position, -1)[end],
        end_name=np.append(name, -1)[end],
        profile=profile,
        names=names,
        ids=ids,
    )


@dataclass(frozen=True, eq=False, repr=False)
class Journeys:
    """What profiles did one after another.

    Attributes
    ----------
    start, end : tuple of str
        The names that journeys begin and end with; empty for the first and the last event.
    max_steps : int
        As many steps of a journey are told apart in `paths` and in the figure.
    profiles : int
        How many have a journey.
    """

    start: tuple[str, ...]
    end: tuple[str, ...]
    max_steps: int
    profiles: int
    _visits: Visits
    _worth: FloatArray | None
    _events: pd.DataFrame

    def __repr__(self) -> str:
        """Return the counts in one line."""
        reached = ""
        if self.end:
            count = int((self._visits.end >= 0).sum())
            reached = f"; {count:,} reached {' or '.join(self.end)}"
        paths = counted(len(self.paths), "path")
        return f"Journeys({counted(self.profiles, 'profile')} on {paths}{reached})"

    @cached_property
    def paths(self) -> pd.DataFrame:
        """One row per path, the most common first.

        Columns: `path` (a tuple of event names, without that of `end`), `longer` (whether the
        journeys have further steps: after these, or before these if only `end` is given),
        `profiles`, `share` (of all journeys), and where `end` is given `converted` (how many
        reached it), `conversion` (the share of these profiles who did) and `value` (the sum of
        what their `end` events are worth, if `value` is given).

        The empty path is that of profiles of whom nothing is known before their `end` event.
        """
        steps, count = self._shown, len(self._visits.names)
        key = (self._lengths > self.max_steps).astype(np.int64)
        for column in steps.T:
            # Numbered anew after each step, so that the numbers stay small.
            key = np.unique(key * (count + 1) + column + 1, return_inverse=True)[1].reshape(-1)
        distinct, first = np.unique(key, return_index=True)
        sizes = np.bincount(key, minlength=len(distinct))
        table = pd.DataFrame(
            {
                "path": self._spelled(steps[first]),
                "longer": self._lengths[first] > self.max_steps,
                "profiles": sizes,
                "share": sizes / max(self.profiles, 1),
            }
        )
        if self.end:
            converted = np.bincount(key, weights=self._visits.end >= 0, minlength=len(distinct))
            table["converted"] = converted.astype(np.int64)
            table["conversion"] = table["converted"] / table["profiles"]
        if self._worth is not None:
            table["value"] = np.bincount(key, weights=self._worth, minlength=len(distinct))
        return table.sort_values(
            ["profiles", "path", "longer"], ascending=[False, True, True], ignore_index=True
        )

    @cached_property
    def transitions(self) -> pd.DataFrame:
        """From which step journeys go on to which, over whole journeys.

        One row per pair: `from_event`, `to_event` (missing where journeys have no further
        event), `transitions` (how often), `profiles` (how many of them) and `share` (of all
        times that journeys were at `from_event`; the shares of each add up to one). The `end`
        event is a step here. Most frequent `from_event` first, then most frequent `to_event`.
        """
        moves = self._moves
        grouped = moves.groupby(["from", "to"], sort=True)
        table = grouped.agg(transitions=("who", "size"), profiles=("who", "nunique")).reset_index()
        total = table.groupby("from")["transitions"].transform("sum")
        table["share"] = table["transitions"] / total
        table = self._named(table).assign(total=total)
        return table.sort_values(
            ["total", "from_event", "transitions", "to_event"],
            ascending=[False, True, False, True],
            ignore_index=True,
        ).drop(columns="total")

    @cached_property
    def times(self) -> pd.DataFrame:
        """How long it took from a step to the next, over whole journeys.

        One row per pair: `from_event`, `to_event`, `transitions`, `median_time`, `mean_time`
        and `p90_time` (Timedelta from the first event of the one step to the first of the next).
        Most frequent pair first.
        """
        moves = self._moves[self._moves["to"] >= 0]
        grouped = moves.groupby(["from", "to"], sort=True)["wait"]
        table = pd.DataFrame(
            {
                "transitions": grouped.size(),
                "median_time": grouped.median(),
                "mean_time": grouped.mean(),
                "p90_time": grouped.quantile(0.9),
            }
        ).reset_index()
        for column in ("median_time", "mean_time", "p90_time"):
            whole = table[column].round().astype("int64")
            table[column] = pd.to_timedelta(whole, unit="us").astype("timedelta64[us]")
        return self._named(table).sort_values(
            ["transitions", "from_event", "to_event"],
            ascending=[False, True, True],
            ignore_index=True,
        )

    def plot(self, top: int = 6, *, template: Template = "light") -> Any:
        """Return the journeys as flows from step to step.

        Parameters
        ----------
        top : int, default 6
            As many events have nodes of their own, those on most journeys; the others are
            ``"other"``. There are six colours, and no more names than that.
        template : {"light", "dark"}, default "light"

        Returns
        -------
        plotly.graph_objects.Figure
            A Sankey diagram with a column per step, up to `max_steps`, and what came of it.
        """
        from convergekit.journeys_figure import journeys_figure

        return journeys_figure(self, top, template)

    @cached_property
    def _steps(self) -> tuple[IntArray, IntArray, IntArray]:
        """Journey, name and time of every step: repeats without another name between are one."""
        visits = self._visits
        new = np.ones(len(visits.who), dtype=bool)
        new[1:] = (np.diff(visits.who) != 0) | (np.diff(visits.name) != 0)
        return visits.who[new], visits.name[new], visits.time[new]

    @cached_property
    def _lengths(self) -> IntArray:
        return np.bincount(self._steps[0], minlength=self.profiles)

    @cached_property
    def _shown(self) -> IntArray:
        """Per journey the codes of the steps that are told apart, -1 where it has no such step.

        Where only the end is given these are the last ones, at the right.
        """
        who, name, _ = self._steps
        starts = np.cumsum(self._lengths) - self._lengths
        column = np.arange(len(who)) - starts[who]
        if self._is_backwards:
            column += self.max_steps - self._lengths[who]
        shown = np.full((self.profiles, self.max_steps), -1, dtype=np.int64)
        here = (column >= 0) & (column < self.max_steps)
        shown[who[here], column[here]] = name[here]
        return shown

    @property
    def _is_backwards(self) -> bool:
        return bool(self.end) and not self.start

    @property
    def _moves(self) -> pd.DataFrame:
        """One row per step: `who`, `from`, `to` (-1 for nothing further) and `wait`."""
        visits, (who, name, time) = self._visits, self._steps
        last = np.ones(len(who), dtype=bool)
        last[:-1] = np.diff(who) != 0
        to = np.where(last, visits.end_name[who], np.append(name[1:], -1)[: len(name)])
        then = np.where(last, visits.converted_at[who], np.append(time[1:], 0)[: len(time)])
        return pd.DataFrame({"who": who, "from": name, "to": to, "wait": then - time})

    def _named(self, table: pd.DataFrame) -> pd.DataFrame:
        names = pd.Series(self._visits.names, dtype="str")
        table.insert(0, "from_event", names.reindex(table["from"]).array)
        table.insert(1, "to_event", names.reindex(table["to"]).array)
        return table.drop(columns=["from", "to"])

    def _spelled(self, steps: IntArray) -> list[tuple[str, ...]]:
        """Return the names of each row's steps."""
        names = self._visits.names.to_numpy(dtype=object)
        lengths = (steps >= 0).sum(axis=1)
        spelled = np.fromiter([()] * len(steps), dtype=object)
        for length in np.unique(lengths[lengths > 0]):
            at = np.flatnonzero(lengths == length)
            of_length = steps[at, -length:] if self._is_backwards else steps[at, :length]
            spelled[at] = np.fromiter(map(tuple, names[of_length].tolist()), object, len(at))
        return list(spelled)


def _names(given: str | Sequence[str] | None, argument: str) -> tuple[str, ...]:
    names = () if given is None else (given,) if isinstance(given, str) else tuple(given)
    if given is not None and (not names or not all(isinstance(name, str) for name in names)):
        raise ConvergekitError(f"{argument}={given!r}: give event names.")
    return names


def _among(names: pd.Index, chosen: Sequence[str]) -> BoolArray:
    return np.asarray(names.isin(chosen), dtype=bool)


def _first_of_each(who: IntArray, chosen: BoolArray, size: int) -> IntArray:
    """Return the place of each who's first chosen event; beyond the last place if it has none."""
    first = np.full(size, len(who), dtype=np.int64)
    found, at = np.unique(who[chosen], return_index=True)
    first[found] = np.flatnonzero(chosen)[at]
    return first
