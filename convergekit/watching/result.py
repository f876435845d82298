"""What was compared, as a table, a sentence, a figure and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from convergekit.base.wording import counted, percentage
from convergekit.change.result import Why
from convergekit.errors import ConvergekitError
from convergekit.figures.card import Result

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template

#: As many parts of a `why` are printed.
_PARTS = 3
#: Of what is expected by how the other numbers moved, in `Watch.table`.
BY_OTHERS = "its past and the other numbers"
_SHARES = ("conversion", "linked")


@dataclass(frozen=True, eq=False, repr=False)
class Watch(Result):
    """Numbers compared with their own past.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per number and day: `number` (its name), `kind`, `day` (the last of the days that
        are compared), `days` (how many: 1 to 3, the most surprising), `observed` and `expected`
        (of these days together: a count, an amount or a share), `low` and `high` (between which
        it is not an alarm), `change` (observed by expected, less 1), `p_value` (adjusted for all
        that is compared in a week), `expected_by` (``"its past"``, or ``"its past and the other
        numbers"`` where the most surprising is what these say of it), `verdict` (``"alarm"``,
        ``"as expected"`` or ``"not compared"``) and `reason` (why it is not compared).
    series : pandas.DataFrame
        The six weeks up to then: `number`, `day`, `value`, `expected`, `low` and `high` (of a day
        alone), and `state`: ``"past"``, ``"odd"`` (of the past, but left out of it, because it does
        not fit in), ``"left out"``, ``"compared"`` or ``"alarm"``.
    notes : list of str
        What to mind.
    """

    table: pd.DataFrame
    series: pd.DataFrame
    notes: list[str]
    _why: Callable[[int], Why]

    @property
    def alarms(self) -> pd.DataFrame:
        """The rows of `table` that are alarms."""
        return self.table[self.table["verdict"] == "alarm"]

    @property
    def finding(self) -> str:
        """Which numbers are alarms, in a sentence."""
        alarms = self.alarms
        compared = self.table["verdict"] != "not compared"
        if alarms.empty:
            if not compared.any():
                return "No number could be compared with its past."
            count = self.table.loc[compared, "number"].nunique()
            said = "is" if count == 1 else "are"
            return f"{counted(count, 'number')} {said} as expected by the past."
        last = alarms.drop_duplicates("number", keep="last")
        said = "; ".join(self.said(place) for place in last.index)
        return f"{counted(len(last), 'alarm')}: {said}."

    def said(self, row: int) -> str:
        """Return what a row of `table` says, in words.

        Parameters
        ----------
        row : int
            Its label.
        """
        line = self.table.loc[row]
        observed, expected = (
            amount_text(line["kind"], line[name]) for name in ("observed", "expected")
        )
        on = f"on {line['day']:%Y-%m-%d}"
        if line["days"] > 1:
            on = f"in the {line['days']} days to {line['day']:%Y-%m-%d}"
        by = " by how the other numbers moved" if line["expected_by"] == BY_OTHERS else ""
        return f"{line['number']} {observed} {on}, expected {expected}{by} ({line['change']:+.0%})"

    def why(self, row: int) -> Why:
        """Return why the number of an alarm differs from the same weekdays before.

        Parameters
        ----------
        row : int
            The alarm's label in `table`.

        Returns
        -------
        Why
            As `Stitched.why` returns it: of conversion and revenue themselves, of all other
            numbers of the orders.

        Raises
        ------
        ConvergekitError
            The row is not an alarm, or why cannot be asked: the error says what lacks.
        """
        if row not in self.alarms.index:
            known = ", ".join(map(str, self.alarms.index)) or "there is none"
            raise ConvergekitError(f"row {row!r} of the table is not an alarm; alarms: {known}.")
        return self._why(row)

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
        """Return the latest six weeks of each number, beside what was expected.

        Parameters
        ----------
        template : str or plotly template, default "auto"
        width, height : int, optional
            In pixels.

        Returns
        -------
        Figure
        """
        from convergekit.figures.style import Style
        from convergekit.watching.figure import watched_figure

        return watched_figure(self, Style(template, width, height))

    def _line(self) -> str:
        numbers = self.table["number"].nunique()
        alarms = counted(self.alarms["number"].nunique(), "alarm")
        return f"Watch({counted(numbers, 'number')}; {alarms})"

    def _title(self) -> str:
        return self.finding

    def _body(self) -> Iterable[pd.DataFrame | str]:
        yield self._shown()
        for row in self.alarms.drop_duplicates("number", keep="last").index:
            yield f"Why: {self.said(row)}."
            try:
                why = self.why(row)
            except ConvergekitError as error:
                yield f"It cannot be said: {error}"
                continue
            yield f"{why.sides[0]} and {why.sides[1]}: {why.finding}"
            parts = why.table.head(_PARTS)
            yield pd.DataFrame(
                {
                    "kind": parts["kind"],
                    "what": parts["what"],
                    "effect": [why.signed(effect) for effect in parts["effect"]],
                    "beyond chance": parts["beyond_chance"].map({True: "yes", False: "no"}),
                }
            )
        yield from self.notes

    def _shown(self) -> pd.DataFrame:
        rows = []
        for line in self.table.to_dict("records"):
            texts = {
                name: amount_text(line["kind"], line[name])
                for name in ("observed", "expected", "low", "high")
            }
            is_compared = line["verdict"] != "not compared"
            between = f"{texts['low']} to {texts['high']}" if is_compared else ""
            rows.append(
                {
                    "number": line["number"],
                    "day": f"{line['day'].day_name()[:3]} {line['day']:%Y-%m-%d}",
                    "days": str(line["days"]) if is_compared else "",
                    "observed": texts["observed"],
                    "expected": texts["expected"],
                    "no alarm between": between,
                    "change": f"{line['change']:+.0%}" if is_compared else "",
                    "verdict": line["verdict"] + (f": {line['reason']}" if line["reason"] else ""),
                }
            )
        return pd.DataFrame(rows)


def amount_text(kind: str, amount: float) -> str:
    """Return an amount of a number in words, nothing for a missing one.

    Examples
    --------
    >>> amount_text("events", 1286), amount_text("conversion", 0.0312)
    ('1,286', '3.1%')
    """
    if pd.isna(amount):
        return ""
    return percentage(amount) if kind in _SHARES else f"{amount:,.0f}"
