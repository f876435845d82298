"""`Funnel`: what `funnel` returns. Plain DataFrames, and answers about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.options import names_given
from convergekit.base.proportions import check_confidence, difference
from convergekit.base.wording import percentage
from convergekit.certainty.wording import in_words
from convergekit.errors import ConvergekitError, what_there_is
from convergekit.events.calendar import Calendar
from convergekit.events.steps import Step, StepLike, as_steps
from convergekit.events.timestamps import microseconds
from convergekit.figures.card import Result
from convergekit.figures.description import with_shares
from convergekit.figures.frame import DrawnFrame
from convergekit.funnels.asking import FunnelSource
from convergekit.funnels.curves import curve_of
from convergekit.funnels.findings import goal
from convergekit.funnels.group_test import FunnelTest, groups_test, periods_test
from convergekit.funnels.labels import OTHER, groups_of, short_name
from convergekit.funnels.options import check_not_taken
from convergekit.funnels.outcomes import DROPPED, EXCLUDED, NOT_A_TIME, STATUSES, Outcomes
from convergekit.funnels.step_table import StepTable, required_before, with_denominators
from convergekit.funnels.times import GROUP_TIMES, TimeToConvert
from convergekit.funnels.trend import entered_by_period, trend_of

if TYPE_CHECKING:
    from convergekit.certainty.result import FunnelBounds
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Style, Template

#: As many groups a funnel names in one line.
_NAMED = 3


@dataclass(frozen=True, eq=False, repr=False)
class Funnel(Result):
    """The result of a funnel: how far profiles got.

    Attributes
    ----------
    steps : list of str
        The names of the steps.
    within : pandas.Timedelta
        The conversion window.
    by : list of str
        The breakdown's columns in `conversions` and `table`.
    left_out : int
        Events of the steps that are left out because they have no profile.
    data_end : pandas.Timestamp
        Time of the last event; windows that reach beyond it are still open.
    label_steps : pandas.DataFrame
        From which step each breakdown label was taken: `by`, `step`, `profiles`. Without rows where
        labels are read at the entry.
    optional : list of int
        The steps (from 1) that may be left out.
    counted : str
        What is counted: ``"profiles"``, ``"attempts"`` or ``"visits"``.

    Notes
    -----
    Always: entered = converted + dropped + in_window + excluded. Excluded profiles are not
    in `table`.
    """

    _shares: ClassVar[Mapping[str, str]] = {
        "conversion": "entered",
        "conversion_at_window": "entered",
        "at_window_low": "entered",
        "at_window_high": "entered",
        "step_conversion": "step_before",
        "converted": "entered",
        "dropped": "entered",
        "in_window": "entered",
        "excluded": "entered",
    }

    steps: list[str]
    within: pd.Timedelta
    by: list[str]
    left_out: int
    data_end: pd.Timestamp
    label_steps: pd.DataFrame
    _outcomes: Outcomes
    _asking: FunnelSource
    freq: str | None = None
    optional: list[int] = field(default_factory=list)
    counted: str = "profiles"
    _profile: str = "profile_id"
    _asked_bounds: list[FunnelBounds] = field(default_factory=list, init=False)

    @property
    def known_bounds(self) -> FunnelBounds | None:
        """What `bounds` answered last; None where it was not asked."""
        return self._asked_bounds[-1] if self._asked_bounds else None

    @property
    def words(self) -> str:
        """What is asked, such as ``"From PageView to Placed Order within 7 days"``."""
        return f"{goal(self.steps)} within {self.window_words}"

    @property
    def window_words(self) -> str:
        """The conversion window in words, such as ``"7 days"``."""
        if self._asking.asked.rules.within is None:
            return "the visit"
        shown = readable_duration(self.within)
        own = self._asking.asked.step_windows.items()
        each = [f"{readable_duration(window)} to {self.steps[step - 1]}" for step, window in own]
        return f"{shown} ({', '.join(each)})" if each else shown

    @property
    def notes(self) -> list[str]:
        """What to know before acting on the numbers, a sentence each.

        Also in ``table.attrs["notes"]``, on the card and in the figure's subtitle.
        """
        asked = self._asking.asked
        found = [said for said in (asked.label_said, self._asking.known.caution) if said]
        found += [
            f"No visit had sent {name} at the entry; label='carried' reads what profiles carry."
            for name in self._asking.never_sent(self._outcomes)
        ]
        of_profiles = asked.anchored and asked.count == "profiles" and asked.like is None
        reason = self._reason() if of_profiles and self.counts["in_window"] else ""
        if reason:
            found.append(f"The conversion at the window's end is not known: {reason}.")
        return found

    def _reason(self) -> str:
        """Return why the share at the window's end is not known; empty if it is."""
        part, last = self._outcomes.counted, len(self.steps)
        reason = self._tables.no_curve(part, last)
        # Who dropped off was observed to the end of the window.
        if reason or self.counts["dropped"]:
            return reason
        return self._tables.at_window(part, last).reason

    @property
    def grouped_by(self) -> list[str]:
        """Where the labels of the breakdown are read, a sentence for each column."""
        return self._asking.labels_said

    def usual_labels(self, most: int) -> list[Any]:
        """Return the labels that the data have most of: they have the same colour everywhere."""
        return self._asking.usual_labels(self.by[0], most) if len(self.by) == 1 else []

    @property
    def _tables(self) -> StepTable:
        known = self._asking.known_until if self.counts["entered"] else pd.Timestamp(0, tz="UTC")
        end = microseconds(pd.Series([known]))[0]
        return StepTable(self._asking.asked, self.steps, int(end))

    def _described_numbers(self) -> dict[str, Any]:
        return dict(self.counts)

    def _described_tables(self) -> dict[str, pd.DataFrame]:
        return {"table": with_denominators(self.table, self.by, self.optional)}

    def _line(self) -> str:
        counts = (self._outcomes.counted.time != NOT_A_TIME).sum(axis=0).tolist()
        steps = zip(self.steps, counts, strict=True)
        shown = " → ".join(f"{name} {count:,}" for name, count in steps)
        of = "" if self.counted == "profiles" else f"{self.counted}; "
        return f"Funnel({shown}; {of}within {self.window_words}{self._groups_in_words()})"

    def _groups_in_words(self) -> str:
        """Return what the groups hang on, and the largest of them by name."""
        if not self.by:
            return ""
        labels = list(dict.fromkeys(self.table[self.by].itertuples(index=False, name=None)))
        names = [
            ", ".join(f"no {name}" if pd.isna(cell) else str(cell) for name, cell in cells)
            for cells in (zip(map(short_name, self.by), label, strict=True) for label in labels)
        ]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        shown = f": {', '.join(names[:_NAMED])}{more}" if names else ""
        return f", by {', '.join(map(short_name, self.by))}{shown}"

    def _title(self) -> str:
        return f"{self.counted.capitalize()} within {self.window_words}"

    def _body(self) -> Iterable[pd.DataFrame | str]:
        if self.table.empty:
            return ("Nobody entered.", *self.notes)
        shown = self.table.dropna(axis="columns", how="all").copy()
        # The plain share says the same where every window has ended.
        if not self.counts["in_window"]:
            shown = shown.drop(columns="conversion_at_window", errors="ignore")
        shown = shown.drop(columns=["at_window_low", "at_window_high"], errors="ignore")
        for name in shown:
            if name in _COUNTS:
                shown[name] = shown[name].map("{:,}".format)
            elif name in _SHARES:
                shown[name] = shown[name].map(percentage)
            elif name in _TIMES:
                shown[name] = shown[name].map(readable_duration)
            elif name in self.by:
                # As the figure calls those without a value.
                given = shown[name].astype(object)
                shown[name] = given.where(given.notna(), f"no {short_name(name)}")
        known = self.known_bounds
        if known is None:
            return (shown, *self.notes)
        return (shown, " ".join(known.in_short), in_words(known.table), *self.notes)

    @cached_property
    def conversions(self) -> pd.DataFrame:
        """One row per profile that entered; per attempt or visit where these are counted.

        Columns: `profile_id`, of visits the `session_id`, `depth` (the deepest step reached),
        `status` (``"converted"``, ``"dropped"``, ``"in_window"``, ``"excluded"``), for each step
        ``time_1`` ... and ``row_1`` ..., when and by which row it was reached, in the attempt that
        first got that deep, and the breakdown's columns.
        """
        return self._outcomes.frame()

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per step, and per label of a breakdown.

        Columns: the breakdown's, `step` (from 1), `event_name`, `profiles` (that reached the
        step), `conversion` (share of the first step's), `step_conversion` (share of the step
        before's), `drop_off` (lost since the step before), `in_window` (not there yet, the
        window still open); `conversion_at_window`, `at_window_low` and `at_window_high`; and
        `median_time`, `mean_time`, `p90_time` (Timedelta) from the step that `time_from` names.

        `conversion_at_window` estimates the share that has got there when every window has ended:
        whose window is still open is censored, not lost. It is one minus the Kaplan-Meier estimate
        with Greenwood's interval of 95 % on the log-log scale (Wilson's where nobody or everybody
        has converted), for ``entry="first"`` and profiles alone. It is missing where the data do
        not reach the end of anybody's window; `notes` says why. Never divide by those whose window
        has ended: who converts early would count in full, and who converts late not at all.

        It takes those who enter late to convert as those who entered early. Who comes often enters
        early: where people differ much in that and most windows are open, it is too high, and the
        plain share too low. An `end=` a window before the end of the data avoids both.
        """
        found = self._grouped(self._outcomes, self._tables.of)
        found.attrs["notes"] = self.notes
        return found

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many entered, and how they fared: converted, dropped, in_window, excluded."""
        found = np.bincount(self._outcomes.status, minlength=len(STATUSES)).tolist()
        return {"entered": sum(found)} | dict(zip(STATUSES, found, strict=True))

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of `table`."""
        return self.table.copy()

    def converted(self, step: int | None = None) -> pd.DataFrame:
        """Return the profiles that reached a step, the last by default: rows of `conversions`."""
        step = len(self.steps) if step is None else self._checked(step)
        part = self._counted()
        return part[part[f"time_{step}"].notna()].reset_index(drop=True)

    def drop_offs(self, step: int | None = None) -> pd.DataFrame:
        """Return the profiles that reached the step before, but not this one.

        Parameters
        ----------
        step : int, optional
            The step that was not reached, from 2; by default the last.

        Returns
        -------
        pandas.DataFrame
            Rows of `conversions` whose `status` is ``"dropped"``, and `next_event` and
            `next_time`: what the profile did next instead, missing if nothing. Of events at one
            time it is the first to arrive.
        """
        step = len(self.steps) if step is None else self._checked(step)
        if step < 2:
            raise ConvergekitError(
                "step must be 2 or later: no profile drops off before the first."
            )
        if step in self.optional:
            raise ConvergekitError(
                f"step must be required; step {step} is optional, so no profile drops off there."
            )
        part = self._counted()
        before = required_before(self.optional, step)
        lost = part[f"time_{before}"].notna() & part[f"time_{step}"].isna()
        lost = part[lost & (part["status"] == DROPPED)].reset_index(drop=True)
        reached = [f"time_{s}" for s in range(before, step)]
        return self._asking.with_next_event(lost, reached, self._profile)

    def time_to_convert(
        self, from_step: int = 1, to_step: int | None = None, *, bins: int = 20
    ) -> TimeToConvert:
        """Return how long profiles took from one step to another.

        Parameters
        ----------
        from_step, to_step : int
            Steps, from 1; by default the first and the last.
        bins : int, default 20
            Of the histogram.

        Returns
        -------
        TimeToConvert
        """
        if not isinstance(bins, (int, np.integer)) or bins < 1:
            raise ConvergekitError(f"bins must be a whole number from 1; got {bins!r}.")
        to_step = len(self.steps) if to_step is None else self._checked(to_step)
        from_step = self._checked(from_step)
        if not from_step < to_step:
            raise ConvergekitError(
                f"from_step must be before to_step, and both must be steps of {len(self.steps)}; "
                f"got {from_step} and {to_step}."
            )
        part = self._counted()
        waits = (part[f"time_{to_step}"] - part[f"time_{from_step}"]).dropna()
        if not self._asking.asked.rules.zero_times:
            waits = waits[waits > pd.Timedelta(0)]
        names = (self.steps[from_step - 1], self.steps[to_step - 1])
        check_not_taken(self.by, GROUP_TIMES)
        labels = part.loc[waits.index, self.by].reset_index(drop=True)
        return TimeToConvert.of(
            waits.reset_index(drop=True), bins, names, self.counted, labels=labels
        )

    def trend(self, freq: str | None = None, *, calendar: str | None = None) -> DrawnFrame:
        """Return conversion by the period in which profiles entered (the trend).

        Each period is a funnel of its own: of those who entered in it, by their first entry in it.
        So a profile may be in several periods, and its window may reach beyond the period.

        Parameters
        ----------
        freq : str, optional
            A pandas period such as ``"D"``, ``"W"`` or ``"M"``; by default that of the funnel.
        calendar : str, optional
            The time zone of the periods; by default that of the funnel.

        Returns
        -------
        pandas.DataFrame
            `period` (its start), the breakdown's columns, `entered`, `converted`,
            `conversion`; `conversion_at_window` with `at_window_low` and `at_window_high`, as
            `table` has them; and `complete`: False where the window of a profile that entered
            in the period may reach beyond the data. Its ``plot(template=...)`` returns a
            figure in which periods that are not complete are dashed.

        See Also
        --------
        test : Whether groups differ by more than chance.
        """
        freq = freq or self.freq
        if freq is None:
            raise ConvergekitError("a trend needs a period; give freq='D', 'W' or 'M'.")
        shop = Calendar.of(calendar, usual=self._asking.asked.calendar)
        table = trend_of(self._asking, self._tables, self._outcomes, freq, shop, self._grouped)
        draw = partial(_trend_figure, funnel=self, freq=freq)
        needed = ["period", *self.by, "entered", "converted", "conversion", "complete"]
        shares = ("conversion", "conversion_at_window", "at_window_low", "at_window_high")
        return DrawnFrame.of(table, draw, needed, dict.fromkeys(shares, "entered"))

    def curve(
        self,
        step: int | None = None,
        *,
        by: str | Sequence[str] | None = None,
        ends: StepLike | Sequence[StepLike] = (),
        confidence: float = 0.95,
    ) -> DrawnFrame:
        """Return the share that has reached a step by each time since the entry.

        Parameters
        ----------
        step : int, optional
            From 2; by default the last.
        by : str or sequence of str, optional
            Some of the funnel's breakdown; ``()`` for everybody. By default all of it.
        ends : str, sequence of str, or Step, or a sequence of these
            Other ends than the step, such as ``["Refund", "Unsubscribed"]``: who comes to one first
            cannot get to the step any more. Each has a curve of its own.
        confidence : float, default 0.95

        Returns
        -------
        pandas.DataFrame
            One row per time at which something happened: the breakdown's columns, `time` (Timedelta
            since the entry), `share`, `low`, `high`, `at_risk` (how many are still observed and
            have not got there), and with `ends` the `end` that it is about. Its
            ``plot(template=...)`` returns a figure.

        Raises
        ------
        ConvergekitError
            It is not known by when profiles got there, as under ``entry="any"``.
        UnknownNameError
            No event is of the name of an end.

        Notes
        -----
        One minus the Kaplan-Meier estimate; with `ends` the cumulative incidence of each, by Aalen
        and Johansen. A profile is observed until its window ends or the data do.
        """
        step = len(self.steps) if step is None else self._checked(step)
        if step < 2:
            raise ConvergekitError("step must be 2 or later: everybody has reached the first.")
        check_confidence(confidence)
        listed = isinstance(ends, Iterable) and not isinstance(ends, (str, Step))
        others: Any = ends if listed else [ends]
        others = as_steps(list(others)) if ends else []
        names = self.by if by is None else self._some_of_by(by)
        chosen = replace(self, by=names)
        table = chosen._grouped(
            self._outcomes.counted,
            lambda part: curve_of(self._asking, self._tables, part, step, others, confidence),
        )
        draw = partial(
            _curve_figure,
            funnel=chosen,
            steps=(self.steps[0], self.steps[step - 1]),
            confidence=confidence,
        )
        found = DrawnFrame.of(table, draw, [*names, "time", "share"])
        if names:
            return found
        found.attrs["numbers"] = {"entered": len(self._outcomes.counted.depth)}
        return with_shares(found, {"share": "entered"})

    def bounds(self, level: float = 0.9) -> FunnelBounds:
        """Say how far the shares can be from those of people, and estimate these.

        A profile is not always a person: a device that never identified itself counts as a visitor
        of its own, and an order that no browser is known for counts for nobody. This says what that
        does to each share. [How sure is it](../how-sure.md) explains the method.

        It takes a moment, so nothing else asks it. The funnel keeps the answer: from then on its
        card, its Markdown and its figure show the intervals too.

        Parameters
        ----------
        level : float, default 0.9
            How often the interval is meant to hold the true share.

        Returns
        -------
        FunnelBounds

        Raises
        ------
        ConvergekitError
            It is not a plain funnel of stitched profiles: those with `exclude`, `hold`, `like`,
            windows of single steps, another order or another unit have no bounds yet; nor has a
            breakdown whose labels are not read at the entry, or one of a segment of events.

        See Also
        --------
        curve : The interval of chance, which takes each profile for a person.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store(people=1500).events)
        >>> s.funnel(["PageView", "Placed Order"], within="14D").bounds()
        FunnelBounds(Placed Order: stitched 22.9%, people 29.4%, 25.1% to 35.0% at 90.0%)
        """
        from convergekit.funnels.bounds.answer import bounds_of

        known = [one for one in self._asked_bounds if one.level == level]
        labels = self.table[self.by].drop_duplicates(ignore_index=True)
        if not self.by:
            labels = pd.DataFrame(index=[0])
        found = (
            known[0] if known else bounds_of(self._asking, self.steps, level, self.words, labels)
        )
        self._asked_bounds[:] = [*(one for one in self._asked_bounds if one is not found), found]
        return found

    def compare(self, other: Funnel, *, confidence: float = 0.95) -> pd.DataFrame:
        """Compare the conversion of every step with that of another funnel.

        Parameters
        ----------
        other : Funnel
            With as many steps.
        confidence : float, default 0.95

        Returns
        -------
        pandas.DataFrame
            Per step, and per label of a breakdown that both have: the breakdown's columns, `step`,
            `event_name`, `profiles`, `other_profiles`, `conversion`, `other_conversion`,
            `difference` (other minus this, in shares of the first step), `low` and `high` (its
            confidence interval) and `p_value` (Fisher's exact test that both are equal).

        Notes
        -----
        The interval is Newcombe's hybrid score interval, from the Wilson intervals of the two
        proportions: R. G. Newcombe, "Interval estimation for the difference between independent
        proportions", Statistics in Medicine 17 (1998), method 10. `low`, `high` and `p_value` are
        rounded to six digits: the same on every machine. ``attrs["notes"]`` of the table says in
        what the funnels differ besides whom they count, such as their windows.

        See Also
        --------
        test : Whether the groups of one funnel differ by more than chance.
        """
        if not isinstance(other, Funnel):
            raise ConvergekitError(
                f"other must be a Funnel, as ck.funnel returns it; got {other!r}."
            )
        check_confidence(confidence)
        if len(other.steps) != len(self.steps):
            raise ConvergekitError(
                f"the funnels have {len(self.steps)} and {len(other.steps)} steps; compare "
                "funnels with equally many."
            )
        if self.by != other.by:
            raise ConvergekitError(
                f"the funnels have the breakdowns {self.by} and {other.by}; compare funnels with "
                "the same breakdown, or without one."
            )
        check_not_taken(self.by, _COMPARED)
        names = [*self.by, "step"]
        needed = [*names, "event_name", "profiles", "conversion"]
        mine, theirs = self.table[needed], other.table[needed].drop(columns="event_name")
        types = mine[self.by].dtypes
        if not types.equals(theirs[self.by].dtypes):
            # Labels of two types are compared one by one: numbers and texts are not equal.
            mine, theirs = (
                table.astype(dict.fromkeys(self.by, object)) for table in (mine, theirs)
            )
        pairs = mine.merge(
            theirs,
            on=names,
            suffixes=("", "_other"),
            how="inner",
        )
        pairs = pairs.astype(dict(types)).rename(
            columns={"profiles_other": "other_profiles", "conversion_other": "other_conversion"}
        )
        entered = pairs.loc[pairs["step"] == 1, [*self.by, "profiles", "other_profiles"]]
        size = len(self.steps)
        of_mine, of_theirs = (
            np.repeat(entered[name].to_numpy(), size) for name in ("profiles", "other_profiles")
        )
        rows = [
            difference(int(a), int(n), int(b), int(m), confidence)
            for a, n, b, m in zip(
                pairs["profiles"], of_mine, pairs["other_profiles"], of_theirs, strict=True
            )
        ]
        columns = [*names, "event_name", "profiles", "other_profiles", "conversion"]
        found = pd.concat(
            [
                pairs[[*columns, "other_conversion"]],
                pd.DataFrame(rows, columns=["difference", "low", "high", "p_value"]),
            ],
            axis="columns",
        )
        said = self._asking.asked.label_said
        found.attrs["notes"] = [*_differences(self, other), *([said] if said else [])]
        return found

    def test(
        self, step: int | None = None, *, freq: str | None = None, calendar: str | None = None
    ) -> FunnelTest:
        """Test whether the groups of the breakdown, or periods, differ in who reached a step.

        Parameters
        ----------
        step : int, optional
            From 2; by default the last.
        freq : str, optional
            Test the periods of `trend` against each other, such as ``"W"``, not the groups; 40 at
            most.
        calendar : str, optional
            The time zone of the periods; by default that of the funnel.

        Returns
        -------
        FunnelTest
            One test over all groups, and one for each pair, adjusted for the number of pairs.

        Raises
        ------
        ConvergekitError
            Groups are missing, or they are chosen by what happened later; or both groups and
            periods are asked for.

        Notes
        -----
        Where windows are open, the log-rank test up to the window: windows are open in some groups
        more than in others. Otherwise chi-squared, exact where fewer than 5 are expected in a cell.
        Visits and attempts are clustered by profile, for those of one person are alike; those whose
        windows are open are left out. Pairs are adjusted by Holm. ``base/group_tests.py`` cites the
        sources.

        A profile may be in several periods, so periods are clustered by profile. Who comes often
        enters early in a period and is observed for longer, so the log-rank test compares those who
        entered in the same seventh of their periods (in a week: on the same day).

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s.funnel(["PageView", "Placed Order"], within="7D", by="utm_source").test().method
        'log-rank'
        """
        step = len(self.steps) if step is None else self._checked(step)
        if step < 2:
            raise ConvergekitError("step must be 2 or later: everybody has reached the first.")
        if freq is not None:
            if self.by:
                raise ConvergekitError(
                    "a test is of groups or of periods: with freq= leave out by= of the funnel."
                )
            shop = Calendar.of(calendar, usual=self._asking.asked.calendar)
            entered = entered_by_period(self._asking, self._outcomes, freq, shop)
            return periods_test(self._tables, self._outcomes, entered, step)
        return groups_test(
            self._tables, self._outcomes, self.by, step, self._asking.asked.label_said
        )

    def plot(
        self,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Draw the funnel as bars, a row per step; with a breakdown, a bar per group.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        plotly.graph_objects.Figure
            The bars show who reached a step, who dropped off before it and who may still get
            there; hover texts say so in sentences. Those of a breakdown show the share of the
            group's first step. A group has the same colour in the figure of `trend`.
        """
        from convergekit.figures.style import Style
        from convergekit.funnels.figure import funnel_figure

        return funnel_figure(self, Style(template, width, height))

    def _some_of_by(self, by: str | Sequence[str]) -> list[str]:
        """Return columns of the breakdown by their full or short names."""
        known = {short_name(name): name for name in self.by} | {name: name for name in self.by}
        chosen = names_given("by", by)
        for name in chosen:
            if name not in known:
                raise ConvergekitError(
                    f"by={name!r} is not of this funnel's breakdown. "
                    f"{what_there_is(self.by, name, none='no breakdown')} Give by= to the funnel."
                )
        return list(dict.fromkeys(known[name] for name in chosen))

    def _counted(self) -> pd.DataFrame:
        return self.conversions[self.conversions["status"] != EXCLUDED]

    def _grouped(
        self, outcomes: Outcomes, work: Callable[[Outcomes], pd.DataFrame]
    ) -> pd.DataFrame:
        """Return a table for each group of the breakdown, the largest first, one below another."""
        if not self.by:
            return work(outcomes)
        labels = pd.DataFrame({name: outcomes.labels[name].array for name in self.by})
        groups = groups_of(labels)
        parts = []
        for label, at in sorted(groups, key=lambda group: _label_order(group[0], len(group[1]))):
            table = work(outcomes.chosen(at))
            check_not_taken(self.by, table.columns)
            for place, (name, value) in enumerate(zip(self.by, label, strict=True)):
                cells = pd.Series([value] * len(table), dtype=labels[name].dtype)
                table.insert(place, name, cells)
            parts.append(table)
        if not parts:
            empty = work(outcomes).iloc[:0]
            for place, name in enumerate(self.by):
                empty.insert(place, name, labels[name].iloc[:0])
            return empty
        return pd.concat(parts, ignore_index=True)

    def _checked(self, step: int) -> int:
        whole = isinstance(step, (int, np.integer)) and not isinstance(step, bool)
        if not whole or step not in range(1, len(self.steps) + 1):
            raise ConvergekitError(
                f"step must be a number from 1 to {len(self.steps)}; got {step!r}."
            )
        return int(step)


def _curve_figure(
    table: pd.DataFrame,
    style: Style,
    *,
    funnel: Funnel,
    steps: tuple[str, str],
    confidence: float,
) -> Any:
    from convergekit.figures.style import COLOURS
    from convergekit.funnels.curve_figure import curve_figure

    return curve_figure(
        table,
        by=funnel.by,
        groups=funnel.table,
        usual=funnel.usual_labels(len(COLOURS)),
        steps=steps,
        within=funnel.within,
        counted_as=funnel.counted,
        confidence=confidence,
        style=style,
    )


def _trend_figure(table: pd.DataFrame, style: Style, *, funnel: Funnel, freq: str) -> Any:
    from convergekit.funnels.time_figures import trend_figure

    return trend_figure(table, funnel, freq, style)


#: What `compare` has beside a breakdown's columns, and what it needs on the way.
_COMPARED = (
    *("profiles_other", "conversion_other", "other_profiles", "other_conversion"),
    *("difference", "low", "high", "p_value"),
)
_COUNTS = ("profiles", "drop_off", "in_window")
_SHARES = ("conversion", "step_conversion", "conversion_at_window")
_TIMES = ("median_time", "mean_time", "p90_time")


def _differences(one: Funnel, other: Funnel) -> list[str]:
    """Return in what two funnels differ besides whom they count, a sentence each."""
    mine, theirs = one._asking.asked, other._asking.asked
    found = []
    for name, of_mine, of_theirs in (
        ("windows", one.window_words, other.window_words),
        ("units", one.counted, other.counted),
        ("entries", mine.rules.entry, theirs.rules.entry),
        ("orders", mine.order, theirs.order),
        ("steps", " → ".join(one.steps), " → ".join(other.steps)),
    ):
        if of_mine != of_theirs:
            found.append(f"The {name} differ: {of_mine} here, {of_theirs} there.")
    return found


def _label_order(label: tuple[Any, ...], size: int) -> tuple[Any, ...]:
    """Order labels by size, "other" and missing ones last."""
    last = [bool(pd.isna(value)) or value == OTHER for value in label]
    return (any(last), -size, tuple(map(str, label)))
