"""Counts: how many events, or profiles, there are in each period."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from convergekit.activity.clocks import Clock
from convergekit.activity.events import Chosen, Subject, every_tracked
from convergekit.activity.labels import Breakdown, Labels
from convergekit.activity.wording import CountWords
from convergekit.base.grouping import distinct
from convergekit.base.options import choice
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import events_named, summed_amounts
from convergekit.events.calendar import Calendar
from convergekit.events.currencies import check_rates
from convergekit.events.observed import BEYOND, Observed
from convergekit.events.steps import Step, StepLike, as_steps
from convergekit.figures.frame import DrawnFrame
from convergekit.funnels.labels import short_name
from convergekit.typing import FloatArray, IntArray
from convergekit.visits.entry import Label
from convergekit.visits.rules import VisitRules, Visits

if TYPE_CHECKING:
    from convergekit.figures.style import Style

Measure = Literal["events", "profiles", "new_profiles"]

_COLUMNS = frozenset({"period", "count", "sum", "complete"})


@dataclass(frozen=True)
class CountsQuestion:
    """What is asked to be counted: the options of `Stitched.counts`, checked."""

    event: Step | None
    freq: str
    measure: Measure
    value: str | None
    by: str | Sequence[str]
    label: Label
    top: int | None
    currency: str | None = None
    rates: Mapping[str, float] | None = None

    @classmethod
    def of(
        cls,
        event: StepLike | None,
        *,
        freq: str = "D",
        measure: Measure = "events",
        value: str | None = None,
        by: str | Sequence[str] = (),
        label: Label = "visit",
        top: int | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
    ) -> CountsQuestion:
        """Return the options, checked.

        Raises
        ------
        ConvergekitError
            One of them is not usable.
        """
        choice("measure", measure, Measure)
        if value is not None and measure != "events":
            raise ConvergekitError(
                f"value= adds up amounts of events; leave it out with measure={measure!r}."
            )
        check_rates(value, currency, rates)
        step = None if event is None else as_steps([event])[0]
        return cls(step, freq, measure, value, by, label, top, currency, rates)


def counts(
    events: pd.DataFrame,
    event: StepLike | None = None,
    *,
    freq: str = "D",
    measure: Measure = "events",
    value: str | None = None,
    by: str | Sequence[str] = (),
    label: Label = "visit",
    top: int | None = None,
    profile: str = "profile_id",
    calendar: Calendar | None = None,
    visits: Visits | None = None,
) -> DrawnFrame:
    """Count a frame's events, or the profiles of these, by period. See `Stitched.counts`.

    Parameters
    ----------
    events : pandas.DataFrame
        With `event_name`, `timestamp` (datetime) and a column of profiles.
    event, freq, measure, value, by, label, top
        As `Stitched.counts` takes them.
    profile : str, default "profile_id"
        The column that names each event's profile.
    calendar : Calendar, optional
        In which days, weeks and months the answer is; those of UTC when absent.
    visits : VisitRules or str, optional
        What a visit is, where visits label a breakdown.

    Returns
    -------
    DrawnFrame

    Examples
    --------
    >>> import pandas as pd
    >>> events = pd.DataFrame({
    ...     "profile_id": ["a", "a", "b"],
    ...     "event_name": "PageView",
    ...     "timestamp": pd.to_datetime(["2026-03-02", "2026-03-02", "2026-03-04"]),
    ... })
    >>> counts(events, "PageView")
          period  count  complete
    0 2026-03-02      2      True
    1 2026-03-03      0      True
    2 2026-03-04      1     False
    """
    asked = CountsQuestion.of(
        event, freq=freq, measure=measure, value=value, by=by, label=label, top=top
    )
    return counts_of(Subject.of_frame(events, profile, calendar, VisitRules.of(visits)), asked)


@dataclass(frozen=True)
class Counted:
    """What is counted: of all events, or of a part of them.

    Attributes
    ----------
    by : list of str
        The breakdown's columns.
    chosen : Chosen
        The events that are counted.
    label_values : pandas.DataFrame
        The breakdown's values of these.
    events : pandas.DataFrame
        These events, where amounts are added up; otherwise without rows.
    left_out : dict of str to int
    """

    by: list[str]
    chosen: Chosen
    label_values: pd.DataFrame
    events: pd.DataFrame
    left_out: dict[str, int]


def counted_in(subject: Subject, asked: CountsQuestion) -> Counted:
    """Return what is counted of a subject."""
    events = subject.events
    breakdown = Breakdown.asked(events, asked.by, asked.label, asked.top, _COLUMNS)
    at = every_tracked(events) if asked.event is None else events_named(events, asked.event)
    chosen = Chosen.of(events, at, subject.profiles)
    left_out = {"events without a time": len(at) - len(chosen.position)}
    timed, chosen = len(chosen.position), subject.inside(chosen)
    left_out[f"events {BEYOND}"] = timed - len(chosen.position)
    if asked.measure != "events":
        left_out["events without a profile"] = int((chosen.profile < 0).sum())
        chosen = chosen.of_profiles()
    if asked.measure == "new_profiles":
        chosen = chosen.first_of_each(events)
    values = breakdown.values_at(subject, chosen.position)
    priced = events.iloc[chosen.position if asked.value is not None else slice(0)]
    return Counted(breakdown.columns, chosen, values, priced, left_out)


def counts_of(subject: Subject, asked: CountsQuestion) -> DrawnFrame:
    """Count events, or their profiles, by period. See `Stitched.counts`."""
    return counts_together(counted_in(subject, asked), asked, subject.calendar, subject.observed)


def counts_together(
    counted: Counted, asked: CountsQuestion, calendar: Calendar, observed: Observed
) -> DrawnFrame:
    """Count all that is to be counted, by period.

    Parameters
    ----------
    counted : Counted
    asked : CountsQuestion
    calendar : Calendar
    observed : Observed
        Of all events.
    """
    clock = Clock.of(asked.freq, "calendar", calendar)
    chosen = counted.chosen
    labels = Labels.of(counted.label_values, len(chosen.time), asked.top)
    worth = None
    if asked.value is not None:
        priced = np.arange(len(counted.events))
        worth = summed_amounts(
            counted.events, priced, asked.value, asked.currency, asked.rates, apart=labels.code
        )
    name = "count" if worth is None else "sum"
    table = _table(
        clock,
        clock.periods(chosen.times()),
        observed,
        labels,
        partial(
            _found,
            name=name,
            profile=chosen.profile if asked.measure == "profiles" else None,
            worth=worth,
        ),
    )
    draw = partial(
        _figure,
        freq=asked.freq,
        by=tuple(counted.by),
        value=name,
        words=_words(asked),
        # A group keeps its colour where rows are chosen.
        usual=labels.most_frequent(),
    )
    drawn = DrawnFrame.of(table, draw, ["period", *counted.by, name, "complete"])
    left_out = counted.left_out.items()
    drawn.attrs["left_out"] = {what: number for what, number in left_out if number}
    return drawn


def _table(
    clock: Clock,
    periods: IntArray,
    observed: Observed,
    labels: Labels,
    found: Callable[[IntArray, int], dict[str, Any]],
) -> pd.DataFrame:
    """Return a row per group and period, from the first to the last of the data.

    Parameters
    ----------
    clock : Clock
    periods : numpy.ndarray of int
        Of each counted event.
    observed : Observed
        Of all events.
    labels : Labels
        Of each counted event.
    found : callable
        Takes each event's row and the number of rows, and returns a column by its name.
    """
    ends = pd.to_datetime(pd.Series([observed.begin, observed.end]).dropna(), utc=True)
    known = np.concatenate([clock.periods(ends), periods])
    first, last = (int(known.min()), int(known.max())) if len(known) else (0, -1)
    # An hour that occurs twice may lie before the last one.
    over = int(clock.periods(ends)[-1]) if len(ends) else 0
    every = np.arange(first, last + 1, clock.length)
    groups = len(labels.names)
    row = labels.code * len(every) + (periods - first) // clock.length
    table = pd.DataFrame({"period": np.tile(clock.index(every).start_time, groups)})
    for name in labels.names:
        table[name] = labels.names[name].repeat(len(every)).array
    for name, values in found(row, len(table)).items():
        table[name] = values
    table["complete"] = np.tile(every + clock.length <= over, groups)
    return table


def _found(
    row: IntArray, rows: int, *, name: str, profile: IntArray | None, worth: FloatArray | None
) -> dict[str, Any]:
    """Return the column of counts, of profiles in a row once, or of amounts added up."""
    if worth is not None:
        # The last digit of a sum depends on the order, so that this is not to be the rows'.
        order = np.lexsort((worth, row))
        return {name: np.bincount(row[order], weights=worth[order], minlength=rows)}
    if profile is not None and len(row):
        width = int(profile.max()) + 1
        row = distinct(row * width + profile) // width
    return {name: np.bincount(row, minlength=rows)}


def _words(asked: CountsQuestion) -> CountWords:
    event = asked.event.title if asked.event else ""
    if asked.value is not None:
        return CountWords(f"{asked.value} of {event or 'all events'}", short_name(asked.value), "")
    what, one = {
        "events": (event or "Events", "event"),
        "profiles": (f"Profiles with {event}" if event else "Active profiles", "profile"),
        "new_profiles": (
            f"Profiles with their first {event}" if event else "New profiles",
            "new profile",
        ),
    }[asked.measure]
    return CountWords(what, f"{one}s", one)


def _figure(
    table: pd.DataFrame,
    style: Style,
    *,
    freq: str,
    by: tuple[str, ...],
    value: str,
    words: CountWords,
    usual: Sequence[Hashable],
) -> Any:
    from convergekit.activity.counts_figure import counts_figure

    return counts_figure(table, freq, by, value, words, usual, style)
