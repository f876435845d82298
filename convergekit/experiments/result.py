"""`Experiment`: what a variant changed, and how far that may be from the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from convergekit.activity.events import Subject
from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted
from convergekit.events.observed import Observed
from convergekit.experiments.arms import arms_of, arms_table, mismatch
from convergekit.experiments.comparing import compared
from convergekit.experiments.exposures import Exposed, exposed_in
from convergekit.experiments.findings import (
    MISMATCHED,
    assumptions_of,
    finding_of,
    percent,
    readable,
    warnings_of,
)
from convergekit.experiments.people import people_of
from convergekit.experiments.question import ExperimentQuestion
from convergekit.figures.card import Result
from convergekit.identity.tables import StitchedEvents

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template


@dataclass(frozen=True, eq=False, repr=False)
class Experiment(Result):
    """What a variant changed: each arm against control, a row per metric.

    Attributes
    ----------
    variant, goal, control : str
        The property that says the arm, what the goal is called, and the arm to compare with.
    within : pandas.Timedelta
        How long after the first exposure a goal counts.
    table : pandas.DataFrame
        One row per `metric` and `arm`, control first. Metrics are `conversion` (the share of
        profiles with a goal), `goals` per profile and, with `value=`, `value` per profile and
        `value_per_goal`. `profiles` whose window is over, and their `mean`; `effect`, by how much
        the arm has more, from `low` to `high`, and `relative` to control, from `relative_low` to
        `relative_high`; `p_value`, and `p_adjusted` for the number of arms. If profiles saw
        several arms, `undiluted` (to `undiluted_low`, `undiluted_high`) is the relative effect of
        the arm seen alone, and `bound_low` to `bound_high` is what it is for any part of the effect
        that those have who saw several. `skewed` says whether few profiles bring so much, in arms
        of unequal size, that the intervals are too narrow. With `before=`, `saved` is the share of
        the variance that the time before explains.
    arms : pandas.DataFrame
        One row per `arm`: `profiles` that were exposed to it first, how many were `expected`, how
        many have an `open` window, so that they are left out of the table, and how many saw `both`
        it and another within the window.
    people : pandas.DataFrame
        One row per profile: `profile_id`, `arm`, `exposed`, whether its window is `complete`,
        `both`, and its `conversion`, `goals` and `value`, with `before=` those before it too.
    mismatch : float
        The p-value of the expected numbers of profiles (sample ratio mismatch).
    confidence : float
        How often all intervals of a metric are meant to hold the truth.
    sequential : int or None
        With how many profiles it is planned to end, if intervals hold whenever one looks.
    reasons : list of str
        Why an interval is wide, or missing.
    assumptions : list of str
        Under what the numbers hold, a sentence each.
    left_out : dict of str to int
        Exposures and goals that do not count.
    data_end : pandas.Timestamp
        When the data end; a window that goes beyond is open.
    """

    _shares: ClassVar[Mapping[str, str]] = {"mean": "profiles"}

    variant: str
    goal: str
    control: str
    within: pd.Timedelta
    table: pd.DataFrame
    arms: pd.DataFrame
    people: pd.DataFrame
    mismatch: float
    confidence: float
    sequential: int | None
    reasons: list[str]
    assumptions: list[str]
    left_out: dict[str, int]
    data_end: pd.Timestamp

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the experiment itself: a sentence each."""
        return warnings_of(self.arms, self.mismatch)

    @property
    def finding(self) -> str:
        """What is wrong with the experiment, and what it comes to, in a few sentences."""
        return " ".join([*self.warnings, finding_of(self.table, self.arms, self.control)])

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of `table`."""
        return self.table.copy()

    def plot(
        self,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Return the relative effects and their intervals, a row per metric and arm.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        Figure
        """
        from convergekit.experiments.figure import experiment_figure
        from convergekit.figures.style import Style

        return experiment_figure(self, Style(template, width, height))

    def _described_tables(self) -> dict[str, pd.DataFrame]:
        return {"table": self.table, "arms": self.arms}

    def _line(self) -> str:
        first = self.table[(self.table["metric"] == "conversion")].iloc[1:]
        said = [
            f"{row.arm} {percent(row.relative, sign=True)} "
            f"({percent(row.relative_low, sign=True)} to {percent(row.relative_high, sign=True)})"
            for row in first.itertuples()
        ]
        wrong = "; sample ratio mismatch" if self.mismatch < MISMATCHED else ""
        return (
            f"Experiment({self.goal} within {readable_duration(self.within)}, "
            f"{counted(len(self.people), 'profile')}; {', '.join(said)}{wrong})"
        )

    def _title(self) -> str:
        return self.finding

    def _body(self) -> Iterable[pd.DataFrame | str]:
        yield readable(self.table)
        yield self.arms.assign(expected=self.arms["expected"].round(1))
        yield from self.reasons
        yield from (f"{what}: {number:,}" for what, number in self.left_out.items())
        yield from self.assumptions


def experiment(s: StitchedEvents, asked: ExperimentQuestion) -> Experiment:
    """Return what a variant changed. See `Stitched.experiment`."""
    subject = Subject.of_stitched(s, None, None)
    return experiment_of(exposed_in(s, subject, asked.outcomes), asked, subject.observed)


def experiment_of(exposed: Exposed, asked: ExperimentQuestion, observed: Observed) -> Experiment:
    """Return what a variant changed, of all that were exposed.

    Parameters
    ----------
    exposed : Exposed
    asked : ExperimentQuestion
    observed : Observed
        Of all events.
    """
    people = people_of(exposed, asked.outcomes, observed)
    names = arms_of(people, asked)
    arms = arms_table(people, names, asked)
    found = compared(people, names, asked)
    return Experiment(
        variant=asked.variant,
        goal=asked.outcomes.goal.title,
        control=asked.control,
        within=asked.outcomes.within,
        table=found.table,
        arms=arms,
        people=people.table,
        mismatch=float(f"{mismatch(arms):.12g}"),
        confidence=asked.confidence,
        sequential=asked.sequential,
        reasons=found.reasons,
        assumptions=assumptions_of(asked, arms, people.table, observed),
        left_out={what: number for what, number in exposed.left_out.items() if number},
        data_end=observed.end,
    )
