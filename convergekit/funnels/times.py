"""`TimeToConvert`: how long profiles took from one step of a funnel to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted
from convergekit.figures.card import Result
from convergekit.funnels.labels import groups_of

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template

_PERCENTILES = (10, 25, 50, 75, 90, 95, 99)
#: What the table of groups has beside a breakdown's columns.
GROUP_TIMES = ("profiles", "median", "mean", *(f"p{point}" for point in _PERCENTILES))


@dataclass(frozen=True, eq=False, repr=False)
class TimeToConvert(Result):
    """How long profiles took from one step to another.

    Attributes
    ----------
    profiles : int
        How many did.
    median, mean : pandas.Timedelta
        ``NaT`` if none did.
    percentiles : pandas.Series
        Timedelta per percentile: 10, 25, 50, 75, 90, 95, 99.
    histogram : pandas.DataFrame
        `from`, `to` (Timedelta; the last bin includes its end) and `profiles`.
    steps : tuple of str
        From which step, and to which.
    counted : str
        What is counted: ``"profiles"``, ``"attempts"`` or ``"visits"``.
    groups : pandas.DataFrame
        The same of each group of a breakdown: its columns, `profiles`, `median`, `mean` and the
        percentiles as `p10` ... `p99`. Without one it has no rows.
    """

    profiles: int
    median: pd.Timedelta
    mean: pd.Timedelta
    percentiles: pd.Series
    histogram: pd.DataFrame
    steps: tuple[str, str]
    counted: str
    groups: pd.DataFrame
    _waits: pd.Series

    def _described_tables(self) -> dict[str, pd.DataFrame]:
        times = self.percentiles.rename_axis("percentile").rename("time").reset_index()
        return {"percentiles": times, "histogram": self.histogram, "groups": self.groups}

    def _line(self) -> str:
        median = readable_duration(self.median) if self.profiles else "not known"
        who = counted(self.profiles, self.counted.removesuffix("s"))
        return f"TimeToConvert({who} from {self.steps[0]} to {self.steps[1]}; median {median})"

    def _body(self) -> Iterable[pd.DataFrame | str]:
        if not self.profiles:
            return ()
        shares = [f"{point}% within" for point in self.percentiles.index]
        durations = self.percentiles.map(readable_duration).tolist()
        whole = pd.DataFrame({"share": shares, "time": durations})
        if self.groups.empty:
            return (whole,)
        by = self.groups[[*self.groups.columns[: -len(_PERCENTILES) - 3], "profiles"]]
        times = self.groups[["median", "p90"]].apply(lambda column: column.map(readable_duration))
        return (whole, by.join(times))

    @classmethod
    def of(
        cls,
        waits: pd.Series,
        bins: int,
        steps: tuple[str, str],
        counted: str,
        labels: pd.DataFrame | None = None,
    ) -> TimeToConvert:
        """Summarise durations, those of each group of a breakdown too.

        Parameters
        ----------
        waits : pandas.Series of Timedelta
        bins : int
        steps : tuple of str
        counted : str
        labels : pandas.DataFrame, optional
            The breakdown's columns, a row per duration.
        """
        points = list(_PERCENTILES)
        seconds = waits.dt.total_seconds().to_numpy()
        counts, edges = (
            np.histogram(seconds, bins=bins) if len(waits) else (np.zeros(0, int), [0.0])
        )
        ends = pd.to_timedelta(np.asarray(edges), unit="s")
        return cls(
            profiles=len(waits),
            median=waits.median(),
            mean=waits.mean(),
            percentiles=waits.quantile(np.array(points) / 100).set_axis(points),
            histogram=pd.DataFrame({"from": ends[:-1], "to": ends[1:], "profiles": counts}),
            steps=steps,
            counted=counted,
            groups=_of_groups(waits, labels),
            _waits=waits,
        )

    def plot(
        self,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Draw the times as a histogram.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        plotly.graph_objects.Figure
            Its bars begin and end at round times, whatever the bins of `histogram`, and the few
            longest times are one bar, which says so. Where most of the times are short beside
            the others, bars get longer from left to right.
        """
        from convergekit.figures.style import Style
        from convergekit.funnels.time_figures import time_figure

        return time_figure(self, self._waits, Style(template, width, height))


def _of_groups(waits: pd.Series, labels: pd.DataFrame | None) -> pd.DataFrame:
    """Return the durations of each group in numbers, the group with most of them first."""
    names: Sequence[str] = [] if labels is None else list(labels.columns)
    rows = []
    if labels is not None and names:
        for label, at in groups_of(labels):
            part = waits.iloc[at]
            points = part.quantile(np.array(_PERCENTILES) / 100)
            rows.append([*label, len(part), part.median(), part.mean(), *points])
    columns = [*names, *GROUP_TIMES]
    table = pd.DataFrame(rows, columns=columns)
    times = dict.fromkeys(columns[len(names) + 1 :], "timedelta64[us]")
    table = table.astype({"profiles": "int64", **times})
    return table.sort_values("profiles", ascending=False, kind="stable", ignore_index=True)
