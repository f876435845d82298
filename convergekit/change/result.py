"""What changed and why, as a table, a sentence and a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from convergekit.base.wording import counted, percentage
from convergekit.change.faults import PeriodFault
from convergekit.errors import ConvergekitError
from convergekit.figures.card import Result
from convergekit.typing import FloatArray

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template

#: A part is beyond chance below this adjusted p-value: once in 50 comparisons without a cause.
LEVEL = 0.02
#: Parts that calendars say.
_KNOWN = ("open windows", "length")


@dataclass(frozen=True, eq=False)
class WhyPart:
    """One part of a difference, before it is rounded."""

    kind: str
    what: str
    before: float
    after: float
    effect: FloatArray
    profiles: Callable[[], pd.DataFrame]
    is_fault: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class Why(Result):
    """The difference of a number between two sides, split exactly.

    Attributes
    ----------
    number : str
        Which number, such as ``"conversion"``.
    before, after : float
        What it is on both sides.
    table : pandas.DataFrame
        One row per part, ranked: `part` (from 1), `kind` (``"entrants"``, ``"mix"``, ``"rate"``,
        ``"again"``: orders of one who ordered, ``"value"``: of an order, ``"visits"``,
        ``"spend"``, ``"length"``: of the period, ``"identity"``, ``"tracking"``, ``"open
        windows"`` or ``"rest"``), `what`, `before` and `after` (what the part is about: a share, a
        rate, how many), `effect` (on the number; the column adds up to the difference), `share`
        (of the difference), `low` and `high` (the interval of chance), `p_value` (adjusted for the
        number of parts) and `beyond_chance`.
    faults : pandas.DataFrame
        What differs in the tracking: `kind`, `what` and `why`, by what behaviour it was told.
    findings : pandas.DataFrame
        The findings of the check-up of each period alone that differ: `check`, `what`, and how
        many events they concern `before`, `after`, and in both periods `together` (-1 where two
        stitchings are compared).
    sides : list of str
        The days of both periods.
    notes : list of str
        What to mind: periods that are not over, or of other lengths.
    confidence : float
        Of the intervals.
    """

    _shares: ClassVar[Mapping[str, str]] = {"share": "difference"}

    number: str
    before: float
    after: float
    table: pd.DataFrame
    faults: pd.DataFrame
    findings: pd.DataFrame
    sides: list[str]
    notes: list[str]
    confidence: float
    _profiles: Sequence[Callable[[], pd.DataFrame]]

    @property
    def difference(self) -> float:
        """After minus before."""
        return round(self.after - self.before, 9)

    @property
    def finding(self) -> str:
        """What changed, and what most of it is, in a sentence or two."""
        change = f"{self.number} went from {self.text(self.before)} to {self.text(self.after)}"
        change = change[0].upper() + change[1:]
        sure = self.table[self.table["beyond_chance"]]
        if sure.empty:
            return f"{change}: nothing beyond chance."
        first = sure.iloc[0]
        said = f"{change}. First cause: {self._said(first)}"
        return said + (f"; then {self._said(sure.iloc[1])}." if len(sure) > 1 else ".")

    def profiles(self, part: int) -> pd.DataFrame:
        """Return the profiles behind a part.

        Parameters
        ----------
        part : int
            Its number in `table`.

        Returns
        -------
        pandas.DataFrame
            `profile_id` and `side` (``"before"`` or ``"after"``): whom the part is about. Of a
            step's rate, those who could take the step; of a fault, those whose events it concerns.

        Raises
        ------
        ConvergekitError
            The number is not that of a part.
        """
        if isinstance(part, bool) or part not in range(1, len(self.table) + 1):
            raise ConvergekitError(
                f"part must be a number from 1 to {len(self.table)}; got {part!r}."
            )
        return self._profiles[part - 1]()

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
        """Return the parts as a waterfall, from before to after.

        Parameters
        ----------
        template : str or plotly template, default "auto"
        width, height : int, optional
            In pixels.

        Returns
        -------
        Figure
        """
        from convergekit.change.figure import waterfall
        from convergekit.figures.style import Style

        return waterfall(self, Style(template, width, height))

    def text(self, amount: float) -> str:
        """Return an amount of the number in words."""
        if self.number == "conversion":
            return percentage(amount)
        return f"{amount:,.0f}" if self.number == "orders" else f"{amount:,.2f}"

    def _said(self, row: pd.Series) -> str:
        return f"{row['kind']}, {row['what']} ({self.signed(row['effect'])})"

    def _described_numbers(self) -> dict[str, Any]:
        return {**super()._described_numbers(), "difference": self.difference}

    def _line(self) -> str:
        sure = int(self.table["beyond_chance"].sum())
        parts = counted(sure, "part") if sure else "nothing"
        return (
            f"Why({self.number} {self.text(self.before)} → {self.text(self.after)}; "
            f"{parts} beyond chance)"
        )

    def _title(self) -> str:
        return self.finding

    def _body(self) -> Iterable[pd.DataFrame | str]:
        shown = self.table[["kind", "what", "effect", "low", "high", "beyond_chance"]].copy()
        for name in ("effect", "low", "high"):
            shown[name] = [self.signed(one) for one in shown[name]]
        yield shown
        yield from self.faults["why"]
        yield from (f"Check-up, {row.check}: {row.what}" for row in self.findings.itertuples())
        yield from self.notes

    def signed(self, amount: float) -> str:
        """Return an effect on the number in words, a share in points."""
        sign = "+" if amount >= 0 else "−"
        if self.number == "conversion":
            return f"{sign}{abs(amount) * 100:.2f} points"
        return sign + (f"{abs(amount):,.1f}" if self.number == "orders" else f"{abs(amount):,.2f}")


def made(
    *,
    number: str,
    steps: Sequence[str],
    sides: list[str],
    values: list[float],
    parts: list[WhyPart],
    effects: list[float],
    widths: list[float],
    width: float,
    p_values: list[float],
    confidence: float,
    faults: list[PeriodFault],
    findings: pd.DataFrame,
    notes: list[str],
) -> Why:
    """Return the result, its parts ranked: those beyond chance first, then by their effect."""
    of_parts = p_values[1:]
    table = pd.DataFrame(
        {
            "kind": pd.Series([part.kind for part in parts], dtype="str"),
            "what": pd.Series([part.what for part in parts], dtype="str"),
            "before": [part.before for part in parts],
            "after": [part.after for part in parts],
            "effect": effects,
            "low": [e - w for e, w in zip(effects, widths, strict=True)],
            "high": [e + w for e, w in zip(effects, widths, strict=True)],
            "p_value": of_parts,
        }
    )
    difference = values[1] - values[0]
    share = table["effect"] / difference if difference else np.nan
    table.insert(5, "share", share)
    # These are known, not estimated: they matter where chance alone moves the number less.
    known = table["kind"].isin(_KNOWN) & (table["effect"].abs() < width)
    sure = (table["p_value"] < LEVEL) & (table["kind"] != "rest") & ~known
    table["beyond_chance"] = sure
    order = np.lexsort((table["what"], -table["effect"].abs(), ~table["beyond_chance"]))
    table = table.iloc[order].reset_index(drop=True)
    table.insert(0, "part", np.arange(1, len(table) + 1))
    return Why(
        number=number,
        before=values[0],
        after=values[1],
        table=table,
        faults=pd.DataFrame(
            [(fault.kind, fault.what, fault.why) for fault in faults],
            columns=["kind", "what", "why"],
            dtype="str",
        ),
        findings=findings,
        sides=sides,
        notes=notes,
        confidence=confidence,
        _profiles=[parts[int(at)].profiles for at in order],
    )
