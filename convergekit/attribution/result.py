"""`Attribution`: credits for conversions, summed up, compared, explained and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from convergekit.attribution.question import Question
from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted
from convergekit.certainty.asked import AskedOf
from convergekit.errors import ConvergekitError
from convergekit.figures.card import Result, TextResult

if TYPE_CHECKING:
    from convergekit.certainty.result import AnswerBounds
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template

#: What conversions without a touch in the look-back are credited to.
NONE = "(none)"


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(Result):
    """The credits of conversions to visits.

    Attributes
    ----------
    credits : pandas.DataFrame
        One row per model, conversion and touchpoint, and one for a conversion without any: `model`,
        of the converting event `row`, `event_id`, `timestamp` and `profile_id`; `touch` (its
        place, from 1) of `touches`; what gets the credit (`channel`, say) and its tags;
        `session_id`, `arrived`, `age` before the conversion; `credit`, which adds up to 1 for a
        conversion, and `value`, which adds up to the conversion's, to the cent.
    effects : pandas.DataFrame
        What data-driven models found: `model`, `label`, `effect` (the removal effect or the
        Shapley value), `share` of the effects, and `standard_error` where it was sampled.
    models : tuple of str
    by : str
        What receives credit: a column of `credits`.
    value : str or None
    lookback : pandas.Timedelta
    conversion : str
        The name of the converting event.
    unpriced : int
        How many conversions have no amount, where one is asked for: they count as worth nothing.
    """

    _shares: ClassVar[Mapping[str, str]] = {"share": "all_conversions"}

    credits: pd.DataFrame
    effects: pd.DataFrame
    models: tuple[str, ...]
    by: str
    value: str | None
    lookback: pd.Timedelta
    conversion: str
    unpriced: int = 0
    _asked: AskedOf[Question] = field(default_factory=AskedOf)

    def _described_numbers(self) -> dict[str, Any]:
        total, touched = self._counts
        return {"all_conversions": total, "with_a_touch": touched, "unpriced": self.unpriced}

    def _line(self) -> str:
        total, touched = self._counts
        return (
            f"Attribution({self.conversion}: {counted(total, 'conversion')}, {touched:,} with a "
            f"touch within {readable_duration(self.lookback)}; {', '.join(self.models)} by "
            f"{self.by})"
        )

    def _body(self) -> Iterable[pd.DataFrame | str]:
        single = len(self.models) == 1
        yield self.table.drop(columns="model") if single else self.comparison
        if self.unpriced:
            total, _ = self._counts
            yield (
                f"{self.unpriced:,} of {counted(total, 'conversion')} without an amount in "
                f"{self.value!r} counted as worth 0."
            )

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per model and label, the most credited first, those without a touchpoint last.

        Columns: `model`, what gets credit (`channel`, say), `touches`, `conversions` (the sum of
        credits), `share` of all conversions and, where a value was named, `value`.
        """
        total, _ = self._counts
        sums = {"touches": ("touch", "count"), "conversions": ("credit", "sum")}
        if self.value is not None:
            # Whole cents add up exactly; their hundredths do not.
            sums["value"] = ("cents", "sum")
        found = self.credits
        if self.value is not None:
            found = found.assign(cents=(found["value"] * 100).round().astype("int64"))
        table = found.groupby(["model", self.by], sort=False).agg(**sums).reset_index()
        table.insert(4, "share", table["conversions"] / max(total, 1))
        if self.value is not None:
            table["value"] = table["value"] / 100
        model = table["model"].map(self.models.index)
        rank = table.assign(_model=model, _none=table[self.by] == NONE)
        most = "conversions" if self.value is None else "value"
        rank = rank.sort_values(
            ["_model", "_none", most, self.by], ascending=[True, True, False, True]
        )
        return table.loc[rank.index].reset_index(drop=True)

    @cached_property
    def comparison(self) -> pd.DataFrame:
        """One row per label, a column per model: its value, or its conversions without one."""
        most = "conversions" if self.value is None else "value"
        wide = self.table.pivot_table(index=self.by, columns="model", values=most)
        wide = wide.reindex(index=self.table[self.by].unique(), columns=list(self.models))
        wide.columns.name = None
        return wide.fillna(0.0).reset_index()

    def bounds(self, level: float = 0.9) -> AnswerBounds:
        """Say how far credits can be from those of people, and estimate these.

        A visit on a device that never identified itself, and an order that no browser is known for,
        are not brought together: the credit goes to another visit, or to none. This says what that
        does to each label. [How sure is it](../how-sure.md) explains the method.

        Parameters
        ----------
        level : float, default 0.9
            How often the interval is meant to hold the true number.

        Returns
        -------
        AnswerBounds
            A row per model and label, in the order of `table`: the value where one was named,
            otherwise the conversions.

        Raises
        ------
        ConvergekitError
            The credits are of a segment, of another identity than ``"retroactive"``, or were saved
            and loaded.

        See Also
        --------
        Funnel.bounds : The same of a funnel.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store(people=1500).events)
        >>> s.attribution("Placed Order").bounds()
        AnswerBounds(conversions by model and channel: 6 numbers, intervals at 90%)
        """
        from convergekit.attribution.bounds import bounds_of_credits

        return bounds_of_credits(self._asked, self.table, level)

    def explain(self, row: int) -> CreditStory:
        """Explain how one conversion was credited, touchpoint by touchpoint.

        Parameters
        ----------
        row : int
            The converting event's `row`.

        Returns
        -------
        CreditStory
            Printed, a sentence per touch; `.credits`, its rows.

        Raises
        ------
        ConvergekitError
            No conversion is of that row.
        """
        mine = self.credits[self.credits["row"] == row].reset_index(drop=True)
        if mine.empty:
            raise ConvergekitError(
                f"row must be the row of a conversion ({self.conversion}), as in "
                f"`.credits['row']`; got {row!r}."
            )
        return CreditStory(mine, self.by, self.conversion, self.lookback)

    def plot(
        self,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Draw the credit of each label, a bar per model.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        from convergekit.attribution.figure import attribution_figure
        from convergekit.figures.style import Style

        return attribution_figure(self, Style(template, width, height))

    @property
    def _counts(self) -> tuple[int, int]:
        """How many conversions there are, and how many have a touch."""
        each = self.credits.drop_duplicates("row")
        return len(each), int((each["touches"] > 0).sum())


@dataclass(frozen=True, eq=False, repr=False)
class CreditStory(TextResult):
    """How one conversion was credited.

    Attributes
    ----------
    credits : pandas.DataFrame
        Its rows of `Attribution.credits`.
    by : str
    conversion : str
    lookback : pandas.Timedelta
    """

    _shares: ClassVar[Mapping[str, str]] = {"credit": "conversions"}
    _table_names = ("credits",)

    credits: pd.DataFrame
    by: str
    conversion: str
    lookback: pd.Timedelta

    def _described_numbers(self) -> dict[str, Any]:
        return {"conversions": 1}

    def _sentences(self) -> list[str]:
        first = self.credits.iloc[0]
        worth = ""
        if "value" in self.credits:
            of_one = self.credits[self.credits["model"] == first["model"]]
            worth = f" of {of_one['value'].sum():,.2f}"
        of = "nobody" if pd.isna(first["profile_id"]) else first["profile_id"]
        touches = counted(int(first["touches"]), "touch", "touches") if first["touches"] else "none"
        begin = (
            f"{self.conversion}{worth} at {first['timestamp']:%Y-%m-%d %H:%M} UTC "
            f"(row {first['row']}) by {of}"
        )
        if not first["touches"]:
            return [
                f"{begin}: no touch in the {readable_duration(self.lookback)} before, so it is "
                f"credited to {NONE}."
            ]
        said = [f"{begin}: {touches} in the {readable_duration(self.lookback)} before."]
        for _, touch in self.credits.groupby("touch", sort=True):
            said.append(self._sentence(touch))
        return said

    def _sentence(self, touch: pd.DataFrame) -> str:
        first = touch.iloc[0]
        tags = [first[c] for c in ("utm_source", "utm_medium", "utm_campaign") if c in first]
        tags = [tag for tag in tags if isinstance(tag, str)]
        name = f"{first[self.by]} ({' / '.join(tags)})" if tags else first[self.by]
        shares = [
            f"{line['model']} {line['credit']:.0%}"
            + (f" = {line['value']:,.2f}" if "value" in touch else "")
            for line in touch.to_dict("records")
        ]
        before = readable_duration(first["age"])
        return f"{first['arrived']:%Y-%m-%d %H:%M}, {before} before, {name}: {', '.join(shares)}"
