"""`NextFix`: what each change of the tracking would tell, the most telling first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from convergekit.base.wording import counted, percentage
from convergekit.figures.card import Result

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template

#: So large a part of the most is as good as it.
_AS_GOOD = 0.9


@dataclass(frozen=True, eq=False, repr=False)
class NextFix(Result):
    """What each change of the tracking would tell of where orders come from.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per change, the most telling first: `change`, what to do; `short`, the same in few
        words; `alias_type`, what would be sent; `at`, the browser's event at which, "" where it is
        at all or on the order; `orders`, of how many orders the first or the last visit would be
        another one that is not known now, with `orders_low` and `orders_high`; where a value was
        asked for, `money`, `money_low` and `money_high` of these orders; `share` of all orders, or
        of their money; where a funnel was given, `width` and `width_after`, how wide its interval
        of identity is, and would be (`Funnel.bounds`, the last step; missing where it is not
        known); and `assumption`.
    event_name : str
        What the orders are called.
    value : str or None
    orders : int
        How many orders there are: the denominator.
    money : float or None
        What they are worth together.
    unknown : int
        Of how many of them no visit is known.
    level : float
        How often the intervals are meant to hold what the change would tell.
    assumptions : list of str
        Under what all of it holds, a sentence each.
    reasons : list of str
        Why the table is empty; empty if it is not.
    """

    _shares: ClassVar[Mapping[str, str]] = {"share": "all"}

    table: pd.DataFrame
    event_name: str
    value: str | None
    orders: int
    money: float | None
    unknown: int
    level: float
    assumptions: list[str]
    reasons: list[str]

    @property
    def finding(self) -> str:
        """What to change first, in a sentence, and what would tell about as much."""
        if self.reasons:
            return f"No change can be told apart: {self.reasons[0]}"
        best = self.table.iloc[0]
        if not best["orders"]:
            return (
                f"No change of the tracking would tell more of where {self.event_name} comes from."
            )
        if self.money is not None:
            what = (
                f"{self.value} of about {best['money']:,.0f} ({best['money_low']:,.0f} to "
                f"{best['money_high']:,.0f}) of {self.money:,.0f}"
            )
        else:
            what = (
                f"about {best['orders']:,.0f} ({best['orders_low']:,.0f} to "
                f"{best['orders_high']:,.0f}) of {self.orders:,} {self.event_name}"
            )
        said = f"{best['change']}: it would tell a visit that {what} came from, unknown now."
        others = self.as_good[1:]
        if not others:
            return said
        return f"{said} About as much: {'; '.join(others)}."

    @property
    def as_good(self) -> list[str]:
        """The changes that would tell the most, and those within a tenth of it, in few words.

        Which of them is the best can hardly be told apart.
        """
        by = "orders" if self.money is None else "money"
        told = self.table[by]
        if not told.max() > 0:
            return self.table["short"].head(1).tolist()
        return self.table.loc[told >= _AS_GOOD * told.max(), "short"].tolist()

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
        """Draw what each change would tell as a bar, and its interval below it.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        Figure
            A diamond is where the estimate is. Its `twin` has the numbers.
        """
        from convergekit.figures.style import Style
        from convergekit.fixes.figure import next_fix_figure

        return next_fix_figure(self, Style(template, width, height))

    def _described_numbers(self) -> dict[str, Any]:
        every = self.orders if self.money is None else self.money
        return {**super()._described_numbers(), "all": every}

    def _line(self) -> str:
        if self.reasons:
            return f"NextFix({self.event_name}: {self.reasons[0].rstrip('.')})"
        best = self.table.iloc[0]
        return (
            f"NextFix({self.event_name}: {counted(len(self.table), 'change')}; first "
            f"{best['change'][:1].lower()}{best['change'][1:]}, "
            f"{percentage(best['share'])} of {self.value or 'the orders'})"
        )

    def _title(self) -> str:
        return self.finding

    def _body(self) -> Iterable[pd.DataFrame | str]:
        if self.reasons:
            return tuple(self.reasons)
        names = ["orders"] if self.money is None else ["orders", "money"]
        shown = self.table[["change"]].copy()
        for name in names:
            shown[name] = self.table[name].map("{:,.0f}".format)
            ends = zip(self.table[f"{name}_low"], self.table[f"{name}_high"], strict=True)
            shown[f"{name}, from to"] = [f"{low:,.0f} to {high:,.0f}" for low, high in ends]
        shown["share"] = self.table["share"]
        for name in self.table.columns.intersection(["width", "width_after"]):
            shown[name] = self.table[name].map(percentage)
        said = [f"{row['change']}: {row['assumption']}" for _, row in self.table.iterrows()]
        return (shown, *self.assumptions, *said)


def table_of(rows: list[dict[str, object]], *, money: bool, widths: bool) -> pd.DataFrame:
    """Return the table of `NextFix`; its rows have all columns, or there are none."""
    amounts = ["orders", "orders_low", "orders_high"]
    if money:
        amounts += ["money", "money_low", "money_high"]
    numbers = [*amounts, "share", *(("width", "width_after") if widths else ())]
    columns = ["change", "short", "alias_type", "at", *numbers, "assumption"]
    types = {name: "float64" if name in numbers else "str" for name in columns}
    table = pd.DataFrame(rows, columns=columns).astype(types)
    by = "money" if money else "orders"
    return table.sort_values([by, "change"], ascending=[False, True], ignore_index=True)
