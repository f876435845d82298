"""Journeys: the paths that profiles take to an event, or from one.

A profile has one journey: from its first `start` event (by default its first event) to its first
`end` event after that (by default its last event). Repeats of a name without another in between
are one step, which happens at the first of them. Identify calls and events without a profile take
no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from convergekit.base.durations import Duration, parse_duration
from convergekit.base.grouping import run_starts
from convergekit.base.options import names_given
from convergekit.base.wording import counted
from convergekit.errors import ColumnError, ConvergekitError
from convergekit.events.amounts import summed_amounts
from convergekit.events.currencies import check_rates
from convergekit.events.observed import observed
from convergekit.events.steps import StepLike, any_of
from convergekit.figures.card import Result
from convergekit.journeys.question import JourneysQuestion
from convergekit.journeys.source import FrameJourneys, JourneySource
from convergekit.journeys.visits import JourneyEvents
from convergekit.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template
    from convergekit.journeys.differences import Differences


# As many paths as a card has rows for.
_MOST_PATHS = 10


def journeys(
    events: pd.DataFrame,
    start: StepLike | Sequence[StepLike] | None = None,
    end: StepLike | Sequence[StepLike] | None = None,
    names: Sequence[StepLike] | None = None,
    max_steps: int = 5,
    value: str | None = None,
    *,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    profile: str = "profile_id",
    data_end: pd.Timestamp | None = None,
) -> Journeys:
    """Return the paths of profiles. See `Stitched.journeys`.

    Parameters
    ----------
    events : pandas.DataFrame
        With `event_name`, `timestamp` (datetime) and a column of profiles.
    start, end : str, Step, or sequence of these, optional
    names : sequence of str or Step, optional
    max_steps : int, default 5
    value, currency : str, optional
    rates : mapping of str to float, optional
    profile : str, default "profile_id"
        The column that names each event's profile; rows without a value are left out.
    data_end : pandas.Timestamp, optional
        Until when profiles are observed; until the last event when absent.

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
    asked = JourneysQuestion.of(start, end, names, max_steps, value, currency, rates)
    found = FrameJourneys(events, profile, asked)
    return journeys_of(asked, found, observed(events).end if data_end is None else data_end)


def journeys_of(asked: JourneysQuestion, found: JourneySource, data_end: pd.Timestamp) -> Journeys:
    """Return the paths of profiles.

    Parameters
    ----------
    asked : JourneysQuestion
    found : JourneySource
        Finds the journeys.
    data_end : pandas.Timestamp
        Until when profiles are observed.
    """
    visits = found.to(asked.end)
    return Journeys(
        start=tuple(step.title for step in asked.start),
        end=tuple(step.title for step in asked.end),
        max_steps=asked.max_steps,
        profiles=len(visits.begin),
        _visits=visits,
        _worth=_worth(asked, found, visits),
        _data_end=data_end,
        _source=found,
    )


def _worth(
    asked: JourneysQuestion, found: JourneySource, visits: JourneyEvents
) -> FloatArray | None:
    """Return what the event that ends each journey is worth; None if that was not asked."""
    check_rates(asked.value, asked.currency, asked.rates)
    if asked.value is None:
        return None
    worth = np.zeros(len(visits.end))
    reached = visits.end >= 0
    events, at = found.events_at(visits.end[reached])
    worth[reached] = summed_amounts(events, at, asked.value, asked.currency, asked.rates)
    return worth


@dataclass(frozen=True, eq=False, repr=False)
class Journeys(Result):
    """The paths that profiles took.

    Attributes
    ----------
    start, end : tuple of str
        The names of the events that journeys begin and end with; empty for the first and the
        last event.
    max_steps : int
        The number of steps of a journey that `paths` and the figure distinguish.
    profiles : int
        The number of profiles with a journey.
    """

    _shares: ClassVar[Mapping[str, str]] = {"share": "all_profiles", "conversion": "profiles"}
    _table_names = ("paths",)

    start: tuple[str, ...]
    end: tuple[str, ...]
    max_steps: int
    profiles: int
    _visits: JourneyEvents
    _worth: FloatArray | None
    _data_end: pd.Timestamp
    _source: JourneySource

    def _described_numbers(self) -> dict[str, Any]:
        return {"all_profiles": self.profiles}

    def _line(self) -> str:
        reached = ""
        if self.end:
            count = int((self._visits.end >= 0).sum())
            reached = f"; {count:,} reached {' or '.join(self.end)}"
        paths = counted(len(self.paths), "path")
        return f"Journeys({counted(self.profiles, 'profile')} on {paths}{reached})"

    def _body(self) -> Iterable[pd.DataFrame | str]:
        paths = self.paths.head(_MOST_PATHS)
        before, after = ("… → ", "") if self.is_backwards else ("", " → …")
        spelled = [
            f"{before}{' → '.join(path)}{after}" if longer else " → ".join(path)
            for path, longer in zip(paths["path"], paths["longer"], strict=True)
        ]
        spelled = [text or "(nothing before)" for text in spelled]
        yield paths.assign(path=spelled).drop(columns="longer")
        less = len(self.paths) - len(paths)
        if less:
            yield f"… and {counted(less, 'other path')}."

    @cached_property
    def paths(self) -> pd.DataFrame:
        """One row per path, the most common first.

        Columns: `path` (a tuple of event names, without that of `end`), `longer` (whether the
        journeys have further steps: after these, or before these if only `end` is given),
        `profiles`, `share` (of all journeys), and where `end` is given `converted` (how many
        reached it), `conversion` (the share of these profiles who did) and `value` (the sum of
        the values of their `end` events, if `value` is given).

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
                "p90_time": _of_nine_in_ten(moves, grouped.size()),
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

    def differences(
        self,
        converters: StepLike | Sequence[StepLike] | None = None,
        within: Duration = "7D",
        *,
        properties: Sequence[str] = (),
        min_profiles: int = 5,
        confidence: float = 0.95,
    ) -> Differences:
        """Compare what profiles that convert do before with what the others do.

        Parameters
        ----------
        converters : str, Step, or sequence of these, optional
            The event, or any of several, that converts; by default the journeys' `end`.
        within : str or datetime.timedelta, default "7D"
            The conversion window, from the begin of the journey, its end included: a profile
            that converts later is among the others.
        properties : sequence of str, optional
            Columns, or short names that stand for `properties.<name>` or `profile.<name>`, with
            each value compared too: whether a profile had it on any of its events.
        min_profiles : int, default 5
            The least number of profiles, converters and others together, for a row.
        confidence : float, default 0.95

        Returns
        -------
        Differences
            Its `table` has `event_name` or else `property` and `value`; `converters` and
            `others`, how many did it; `converters_share` and `others_share`; `difference` of
            these, with its confidence interval `low` to `high`; `odds_ratio` with `odds_low` and
            `odds_high`, missing where a count is 0; `p_value`; and `adjusted_p_value`.

        Raises
        ------
        UnknownNameError
            No event is of the name.

        Notes
        -----
        **Association, not cause.** What leads up to an order, such as a cart, is done by those
        who are about to order anyway.

        Fair time: a converter is observed from the begin of its journey until it converts, and
        each other for as long as one of the converters was. Profiles whose window is still open
        at the end of the data are left out, and so are those who convert at once, with no time
        before. This is the matching of times of Z. Zhou et al., "Survival bias associated with
        time-to-treatment initiation in drug effectiveness evaluation", American Journal of
        Epidemiology 162 (2005); with a window, no profile is left out because its time is too long.

        `p_value` is Fisher's exact test that the shares are equal, and `adjusted_p_value` that of
        Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate", Journal of the Royal
        Statistical Society B 57 (1995), over the whole table: of the rows below 0.05, 5% at most
        are to be expected to be chance. The interval of `difference` is Newcombe's, that of
        `odds_ratio` is on the logarithm's scale. Both, and `p_value`, are rounded to six digits:
        the same on every machine.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store(people=500).events)
        >>> found = s.journeys(start="PageView", end="Placed Order").differences()
        >>> found.table[["event_name", "converters_share", "others_share"]].head(2).round(3)
                 event_name  converters_share  others_share
        0  Started Checkout             0.954         0.065
        1     Added To Cart             0.981         0.241
        """
        from convergekit.journeys.differences import differences

        given = any_of("converters", converters)
        if not given and not self.end:
            raise ConvergekitError(
                "differences needs the event that converts; name it with converters= or end=."
            )
        chosen = names_given("properties", properties)
        visits = self._source.to(given) if given else self._visits
        window = parse_duration(within, name="within")
        return differences(
            self._source, self._data_end, visits, window, chosen, min_profiles, confidence
        )

    def plot(
        self,
        top: int = 6,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Draw the journeys as flows from step to step (a Sankey diagram).

        Parameters
        ----------
        top : int, default 6
            As many events have nodes of their own, those on most journeys; the others are
            ``"other"``. There are six colours, and no more names than that.
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, or as its names need, and as high as what
            it shows.

        Returns
        -------
        plotly.graph_objects.Figure
            A Sankey diagram with a column per step, up to `max_steps`, and what came of it.
        """
        from convergekit.figures.style import Style
        from convergekit.journeys.figure import journeys_figure

        return journeys_figure(self, top, Style(template, width, height))

    @cached_property
    def _steps(self) -> tuple[IntArray, IntArray, IntArray]:
        """Journey, name and time of every step: repeats without another name between are one."""
        visits = self._visits
        new = run_starts(visits.unit, visits.name)
        return visits.unit[new], visits.name[new], visits.time[new]

    @cached_property
    def _lengths(self) -> IntArray:
        return np.bincount(self._steps[0], minlength=self.profiles)

    @cached_property
    def _shown(self) -> IntArray:
        """Return, per journey, the codes of the steps shown, -1 where it has no such step.

        Where only the end is given these are the last ones, at the right.
        """
        who, name, _ = self._steps
        starts = np.cumsum(self._lengths) - self._lengths
        column = np.arange(len(who)) - starts[who]
        if self.is_backwards:
            column += self.max_steps - self._lengths[who]
        shown = np.full((self.profiles, self.max_steps), -1, dtype=np.int64)
        here = (column >= 0) & (column < self.max_steps)
        shown[who[here], column[here]] = name[here]
        return shown

    @property
    def is_backwards(self) -> bool:
        """Whether steps are counted back from the event at which journeys end."""
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
            of_length = steps[at, -length:] if self.is_backwards else steps[at, :length]
            spelled[at] = np.fromiter(map(tuple, names[of_length].tolist()), object, len(at))
        return list(spelled)


def _of_nine_in_ten(moves: pd.DataFrame, sizes: pd.Series) -> FloatArray:
    """Return within which wait nine in ten of each move's went on: its quantile, interpolated.

    Where a processor multiplies and adds at once, the compiled loop of pandas may round to another
    microsecond; NumPy does the one after the other.
    """
    waits = moves.sort_values(["from", "to", "wait"])["wait"].to_numpy()
    size = sizes.to_numpy()
    place = 0.9 * (size - 1)
    below = np.floor(place).astype(np.int64)
    start = np.cumsum(size) - size
    low = waits[start + below]
    high = waits[start + np.minimum(below + 1, size - 1)]
    return low + (high - low) * (place - below)
