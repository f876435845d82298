"""`FunnelBounds` and `AnswerBounds`: how far an answer can be from what is true of people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from convergekit.base.proportions import wilson
from convergekit.base.wording import capitalised, counted, percentage
from convergekit.certainty.estimate import CAUSES, Estimate
from convergekit.certainty.wording import (
    in_words,
    named,
    said_chance,
    said_level,
    said_of_people,
)
from convergekit.figures.card import Result
from convergekit.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template

#: Of a label with fewer profiles nothing is estimated.
LEAST_OF_LABEL = 10
#: As many numbers as a card shows.
_MOST_ROWS = 24
#: The columns of the table that part the width of the interval by what it comes from.
PARTS = tuple(f"width_{cause}" for cause in CAUSES)
_SAID = {
    "sampling": "how few people there are",
    "orders": "orders that no browser is known for",
    "devices": "devices that never identified themselves",
    "losses": "visitors whom no browser saw",
    "suspects": "profiles that may be several people, or addresses of one person",
}


@dataclass(frozen=True, eq=False, repr=False)
class FunnelBounds(Result):
    """How far the shares of a funnel can be from those of people.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per step: `step` (from 1), `event_name`; `stitched`, the share of the profiles that
        entered, with the interval of chance, `chance_low` to `chance_high`, which takes each
        profile for a person; `low`, `estimate` and `high` of the share of the *people* who entered,
        the interval of identity; `worst_low` and `worst_high`, which the data do not exclude,
        whatever may be assumed; and how much of ``high - low`` comes from what: `width_sampling`
        (few people), `width_orders` (orders that no browser is known for), `width_devices` (devices
        that never identified themselves), `width_losses` (visitors whom no browser saw) and
        `width_suspects` (profiles that may be several people, and addresses that may be one
        person's).
    level : float
        How often the interval is meant to hold the truth.
    assumptions : list of str
        Under what `low`, `estimate` and `high` hold, a sentence each.
    reasons : list of str
        Why the interval is as wide as the worst bounds; empty if it is not.
    asked : str
        Of what it is, in words: from which step to which, and the window.
    entered : int
        How many profiles entered, of whom `stitched` is the share.
    by : list of str
        The columns of a breakdown, which come first in `table`: it then has the steps of each
        label, one below the other.

    Notes
    -----
    Both intervals are of `level`. That of chance is Wilson's.
    """

    _shares: ClassVar[Mapping[str, str]] = {"stitched": "entered"}

    table: pd.DataFrame
    level: float
    assumptions: list[str]
    reasons: list[str]
    asked: str = ""
    entered: int = 0
    by: list[str] = field(default_factory=list)

    @property
    def finding(self) -> str:
        """What it comes to for the last step, in a sentence or two."""
        if self.by:
            return self._of_labels
        last = self.table.iloc[-1]
        if pd.isna(last["stitched"]):
            return "Nobody entered."
        got = f"{percentage(last['stitched'])} of the profiles got to {last['event_name']}"
        people = f"{said_of_people(last.to_dict())}{self._why}"
        return f"{got} ({said_chance(last.to_dict())}); {people}{self._least_known(last)}"

    @property
    def in_short(self) -> list[str]:
        """The intervals of chance and of identity of the last step, and of which level they are."""
        if self.by:
            return [self._of_labels, self._of_level]
        last = self.table.iloc[-1].to_dict()
        if pd.isna(last["stitched"]):
            return ["Nobody entered."]
        said = f"{capitalised(said_chance(last))}; {said_of_people(last)}{self._why}"
        return [said, self._of_level]

    @property
    def of_last_step(self) -> pd.DataFrame:
        """The rows of `table` of the last step: one, or one per label."""
        return self.table[self.table["step"] == self.table["step"].max()]

    @property
    def _of_labels(self) -> str:
        """What it comes to for the labels with the highest and the lowest share."""
        last = self.of_last_step[self.of_last_step["stitched"].notna()]
        if last.empty:
            return "Nobody entered."
        known = last[last["estimate"].notna()]
        by = "estimate" if len(known) else "stitched"
        ranked = (known if len(known) else last).sort_values(by, kind="stable", ascending=False)
        ends = ranked.iloc[[0, -1] if len(ranked) > 1 else [0]].to_dict("records")
        said = "; ".join(
            f"{', '.join(named(line[one], one) for one in self.by)}: "
            f"{percentage(line['stitched'])} of the profiles ({said_chance(line)}), "
            f"{said_of_people(line)}"
            for line in ends
        )
        if self.reasons:
            return f"{said}: {self.reasons[0]}"
        if len(ends) == 1:
            return f"{said}."
        if ends[1]["high"] < ends[0]["low"]:
            return f"{said}. Their intervals of identity do not overlap."
        return f"{said}. Their intervals overlap: what was not seen may be all that parts them."

    @property
    def _of_level(self) -> str:
        return said_level(self.level)

    @property
    def _why(self) -> str:
        return f": {self.reasons[0]}" if self.reasons else "."

    def _least_known(self, last: pd.Series) -> str:
        if self.reasons:
            return ""
        widths = {cause: float(last[name]) for cause, name in zip(CAUSES, PARTS, strict=True)}
        most = max(widths, key=lambda cause: widths[cause])
        return f" Least is known of {_SAID[most]}." if widths[most] else ""

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
        """Draw each step's share of the profiles as a bar, and its intervals below it.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        Figure
            Thin is the interval of chance, thick that of identity, with a diamond where the
            estimate is, and dotted the worst bounds. Its `twin` has the numbers.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store(people=1500).events)
        >>> b = s.funnel(["PageView", "Placed Order"], within="14D").bounds()
        >>> [trace.name for trace in b.plot().data]
        ['profiles', 'interval of chance', 'interval of identity', 'worst bounds']
        """
        from convergekit.certainty.figure import bounds_figure
        from convergekit.figures.style import Style

        return bounds_figure(self, Style(template, width, height))

    def _line(self) -> str:
        if self.by:
            known = "unknown" if self.reasons else f"intervals at {percentage(self.level)}"
            labels = counted(len(self.of_last_step), "label")
            return f"FunnelBounds(by {' and '.join(self.by)}: {labels}, {known})"
        last = self.table.iloc[-1]
        if pd.isna(last["stitched"]):
            return "FunnelBounds(nobody entered)"
        shown = "unknown" if self.reasons else percentage(last["estimate"])
        return (
            f"FunnelBounds({last['event_name']}: stitched {percentage(last['stitched'])}, "
            f"people {shown}, {percentage(last['low'])} to {percentage(last['high'])} "
            f"at {percentage(self.level)})"
        )

    def _title(self) -> str:
        return self.finding

    def _body(self) -> Iterable[pd.DataFrame | str]:
        return (in_words(self.table), self._of_level, *self.assumptions)


def with_chance(table: pd.DataFrame, reached: IntArray, level: float) -> pd.DataFrame:
    """Return a table of bounds with the interval of chance beside the share of the profiles.

    Parameters
    ----------
    table : pandas.DataFrame
    reached : numpy.ndarray of int
        How many profiles got to each step.
    level : float
    """
    low, high = wilson(reached, np.full_like(reached, reached[0]), level)
    # Of those who entered, all did.
    low[0] = high[0]
    at = table.columns.get_loc("stitched") + 1
    table.insert(at, "chance_low", low)
    table.insert(at + 1, "chance_high", high)
    return table


@dataclass(frozen=True, eq=False, repr=False)
class AnswerBounds(Result):
    """How far the numbers of an answer can be from those of people.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per number: what it is of (`of`); `stitched`, as the answer has it; `low`,
        `estimate` and `high` of what it would be if all events of each person were known under one
        identity; `worst_low` and `worst_high`, which the data do not exclude, whatever may be
        assumed; and how much of ``high - low`` comes from what, as in `FunnelBounds`.
    of : list of str
        The columns that say what a row is of.
    number : str
        What the numbers are, such as ``"value"``.
    level : float
        How often the interval is meant to hold the true number.
    assumptions : list of str
        Under what `low`, `estimate` and `high` hold, a sentence each.
    reasons : list of str
        Why the interval is as wide as the worst bounds; empty if it is not.
    """

    table: pd.DataFrame
    of: list[str]
    number: str
    level: float
    assumptions: list[str]
    reasons: list[str]

    @property
    def finding(self) -> str:
        """What it comes to for the number that identity moves most, in a sentence or two."""
        if self.table.empty:
            return f"The answer does not have any {self.number}."
        row = self._most_moved
        name = self.name_of(row.to_dict())
        stitched, low, high = (self.said_number(row[end]) for end in ("stitched", "low", "high"))
        what = "" if self.number == "returns" else f"{self.number} "
        said = f"{name}: {what}{stitched} by profiles; of the people"
        if self.reasons:
            return f"{said}, it may be {low} to {high}: {self.reasons[0]}"
        said = f"{said}, probably {self.said_number(row['estimate'])} ({low} to {high})."
        widths = {cause: float(row[name]) for cause, name in zip(CAUSES, PARTS, strict=True)}
        most = max(widths, key=lambda cause: widths[cause])
        return said if not widths[most] else f"{said} Least is known of {_SAID[most]}."

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
        """Draw each number as a bar, and its interval of identity below it.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        Figure
            A diamond is where the estimate is. Where nothing is estimated the worst bounds are
            drawn. Its `twin` has the numbers.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store(people=600).events)
        >>> [trace.name for trace in s.retention().bounds().plot().data]
        ['by profiles', 'interval of identity']
        """
        from convergekit.certainty.rows_figure import numbers_figure
        from convergekit.figures.style import Style

        return numbers_figure(self, Style(template, width, height))

    @property
    def _most_moved(self) -> pd.Series:
        other = self.table["high"] if self.reasons else self.table["estimate"]
        moved = (other - self.table["stitched"]).abs().fillna(-1.0)
        return self.table.iloc[int(moved.to_numpy().argmax())]

    def name_of(self, line: Mapping[Any, Any], of: Iterable[str] | None = None) -> str:
        """Return what a row of `table` is of, in words, by some of the columns or all of them."""
        return ", ".join(_named(column, line[column]) for column in of or self.of)

    def said_number(self, value: float) -> str:
        """Return a number of `table` in words."""
        if self.number == "share":
            return percentage(value)
        if pd.isna(value):
            return "unknown"
        return f"{value:,.{0 if abs(value) >= 100 or value == round(value) else 2}f}"

    def _line(self) -> str:
        rows = counted(len(self.table), "number")
        known = "as wide as the worst" if self.reasons else f"intervals at {self.level:.0%}"
        return f"AnswerBounds({self.number} by {' and '.join(self.of)}: {rows}, {known})"

    def _title(self) -> str:
        return self.finding

    def _body(self) -> Iterable[pd.DataFrame | str]:
        shown = self.table.drop(columns=list(PARTS)).head(_MOST_ROWS)
        for name in shown.columns[len(self.of) :]:
            shown[name] = shown[name].map(self.said_number)
        if len(self.table) > _MOST_ROWS:
            yield f"The first {_MOST_ROWS} of {counted(len(self.table), 'number')}."
        yield from (shown, *self.assumptions)


def _named(column: str, label: object) -> str:
    if isinstance(label, pd.Timestamp):
        return f"{label:%Y-%m-%d}"
    return f"{column} {label:.0f}" if isinstance(label, (int, float, np.number)) else str(label)


def bounds_table(
    names: list[str],
    stitched: FloatArray,
    estimate: FloatArray,
    down: Mapping[str, FloatArray],
    up: Mapping[str, FloatArray],
    worst: tuple[FloatArray, FloatArray],
) -> pd.DataFrame:
    """Return the table of `FunnelBounds`."""
    return numbers_table(_steps(names), stitched, Estimate(estimate, down, up), worst)


def numbers_table(
    rows: pd.DataFrame,
    stitched: FloatArray,
    found: Estimate | None,
    worst: tuple[FloatArray, FloatArray],
) -> pd.DataFrame:
    """Return the table of bounds.

    The causes move a number independently of each other: their squares add up, and each has the
    part of the width that its square has of the sum.

    Parameters
    ----------
    rows : pandas.DataFrame
        What the rows are of.
    stitched : numpy.ndarray of float
    found : Estimate, optional
        Without one the bounds are the worst.
    worst : tuple of numpy.ndarray of float
    """
    if found is None:
        inside, below, above = np.full(len(rows), np.nan), *worst
        widths = dict.fromkeys(PARTS, inside)
    else:
        inside = np.clip(found.share, *worst)
        below, widths_below = _together(inside, found.down, worst[0], sign=-1)
        above, widths_above = _together(inside, found.up, worst[1], sign=1)
        # What no completion has a number of may be anything that the data do not exclude.
        below = np.where(np.isnan(below), worst[0], below)
        above = np.where(np.isnan(above), worst[1], above)
        widths = {
            name: widths_below[cause] + widths_above[cause]
            for cause, name in zip(CAUSES, PARTS, strict=True)
        }
    return rows.assign(
        stitched=stitched,
        low=below,
        estimate=inside,
        high=above,
        worst_low=worst[0],
        worst_high=worst[1],
        **widths,
    )


def groups_table(
    labels: pd.DataFrame,
    names: list[str],
    counts: IntArray,
    found: Estimate | None,
    worst: tuple[FloatArray, FloatArray],
    level: float,
) -> pd.DataFrame:
    """Return the table of `FunnelBounds` with the rows of each label, one below the other.

    Parameters
    ----------
    labels : pandas.DataFrame
        A row per group.
    names : list of str
        Of the steps.
    counts : numpy.ndarray of int
        How many profiles of each group got to each step.
    found : Estimate, optional
        Of the shares, row by row; without one the bounds are the worst.
    worst : tuple of numpy.ndarray of float
        With a row per group.
    level : float
    """
    entered = counts[:, :1]
    share = np.divide(counts, entered, out=np.full(counts.shape, np.nan), where=entered > 0)
    # What was stitched is one way, whatever is taken as given.
    ends = np.fmin(worst[0], share).ravel(), np.fmax(worst[1], share).ravel()
    table = numbers_table(_steps(names * len(counts)), share.ravel(), found, ends)
    table["step"] = np.tile(np.arange(1, len(names) + 1), len(counts))
    few = np.repeat(entered[:, 0] < LEAST_OF_LABEL, len(names))
    if found is None:
        few[:] = True
    unknown = few & (table["step"] > 1).to_numpy(dtype=bool)
    table.loc[unknown, ["estimate", *PARTS]] = np.nan
    table.loc[few, "low"], table.loc[few, "high"] = ends[0][few], ends[1][few]
    table.loc[table["step"] == 1, "estimate"] = share[:, 0]
    chance = [wilson(one, np.full_like(one, one[0]), level) for one in counts]
    low, high = (np.concatenate([one[end] for one in chance] or [np.zeros(0)]) for end in (0, 1))
    at = table.columns.get_loc("stitched") + 1
    first = (table["step"] == 1).to_numpy(dtype=bool)
    table.insert(at, "chance_low", np.where(first, high, low))
    table.insert(at + 1, "chance_high", high)
    rows = np.repeat(np.arange(len(labels)), len(names))
    for place, name in enumerate(labels):
        table.insert(place, name, labels[name].iloc[rows].reset_index(drop=True))
    return table


def _steps(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {"step": np.arange(1, len(names) + 1), "event_name": pd.Series(names, dtype="str")}
    )


def unknown_table(
    names: list[str], stitched: FloatArray, worst: tuple[FloatArray, FloatArray]
) -> pd.DataFrame:
    """Return the table of `FunnelBounds` where nothing can be estimated."""
    table = numbers_table(_steps(names), stitched, None, worst)
    # Everybody who entered is at the first step.
    table["estimate"] = table["stitched"].where(table["step"] == 1)
    return table


def _together(
    estimate: FloatArray, moved: Mapping[str, FloatArray], worst: FloatArray, *, sign: int
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Return one end of the interval, and how much of the way there each cause has."""
    squares = {cause: moved[cause] ** 2 for cause in CAUSES}
    total = np.sum(list(squares.values()), axis=0)
    beyond = np.maximum if sign < 0 else np.minimum
    end = beyond(estimate + sign * np.sqrt(total), worst)
    part = np.abs(end - estimate) / np.where(total > 0, total, 1.0)
    return end, {cause: part * squares[cause] for cause in CAUSES}
