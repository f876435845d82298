"""The numbers of answers, each with what it is of and the labels of its row."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

#: Columns of text that say nothing of which row it is.
_SAID = {"time_from", "why", "fix", "assumption", "next", "reason", "currency", "repair", "short"}
#: Columns of whole numbers that say which row it is.
_PLACES = {"step", "periods", "months", "days", "percentile", "order", "finding", "part"}


@dataclass(frozen=True)
class Fact:
    """A number of an answer.

    Attributes
    ----------
    value : float
    kind : str
        As a description has it.
    of : float or None
        What it is a part of.
    name : str
        Of the column, or of the number.
    of_name : str
    labels : dict of str to str
        Per column that says which row it is, the cell.
    kinds : dict of str to int
        How many different labels such a column has.
    answer : int
        The number of the answer.
    currency : str
    others : frozenset of str
        Labels of which it is not: a sentence that names one of them alone means another number.
    window : float or None
        The conversion or lookback window that was asked for, in seconds.
    """

    value: float
    kind: str
    of: float | None
    name: str
    of_name: str
    labels: Mapping[str, str]
    kinds: Mapping[str, int]
    answer: int
    currency: str
    window: float | None
    others: frozenset[str] = frozenset()


def facts_of(answers: Sequence[Mapping[str, Any]]) -> list[Fact]:
    """Return the numbers of descriptions.

    Parameters
    ----------
    answers : sequence of dict
        As `describe` returns them.
    """
    return [fact for place, one in enumerate(answers) for fact in _of_answer(place, one)]


def _of_answer(place: int, answer: Mapping[str, Any]) -> Iterator[Fact]:
    asked = answer["asked"]
    window = asked.get("within", asked.get("lookback"))
    currency = asked.get("currency") or ""
    usual = Fact(0.0, "count", None, "", "", {}, {}, place, str(currency), window)
    numbers = {one["name"]: one["value"] for one in answer["numbers"]}
    steps = asked.get("steps") or [""]
    of_last = replace(usual, labels={"event_name": steps[-1]}, others=frozenset(steps[1:-1]))
    for one in answer["numbers"]:
        of = of_last if one["name"] == "converted" and len(steps) > 1 else usual
        yield from _with_share(of, one, one["value"], numbers)
    for one in answer["left_out"]:
        yield replace(usual, value=float(one["number"]), name=f"left_out: {one['what']}")
    for table in answer["tables"]:
        yield from _of_table(usual, table, numbers)
    for name, value in asked.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield replace(usual, value=float(value), kind="seconds", name=name)


def _of_table(usual: Fact, table: Mapping[str, Any], numbers: dict[str, Any]) -> Iterator[Fact]:
    columns = table["columns"]
    says_which = [
        (one["kind"] in ("text", "time") and one["name"] not in _SAID) or one["name"] in _PLACES
        for one in columns
    ]
    kinds = {
        one["name"]: len({str(row[at]) for row in table["rows"]})
        for at, one in enumerate(columns)
        if says_which[at]
    }
    yield replace(usual, value=float(table["rows_in_all"]), name="rows")
    for row in table["rows"]:
        cells = {one["name"]: cell for one, cell in zip(columns, row, strict=True)}
        labels = {name: label_of(cells[name]) for name in kinds}
        of_row = replace(usual, labels=labels, kinds=kinds)
        for one, which in zip(columns, says_which, strict=True):
            if not which:
                yield from _with_share(of_row, one, cells[one["name"]], {**numbers, **cells})


def _with_share(
    usual: Fact, column: Mapping[str, Any], value: Any, known: Mapping[str, Any]
) -> Iterator[Fact]:
    """Yield a number; and the share, of a count that is a part of another."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    of = known.get(column["of"]) if column["of"] is not None else None
    whole = float(of) if isinstance(of, (int, float)) and not isinstance(of, bool) else None
    fact = replace(
        usual,
        value=float(value),
        kind=column["kind"],
        of=whole,
        name=column["name"],
        of_name=column["of"] or "",
    )
    yield fact
    if whole and column["kind"] == "count":
        yield replace(fact, value=value / whole, kind="share")


def label_of(cell: Any) -> str:
    """Return a cell that says which row it is; of midnight, the day."""
    if cell is None:
        return "(missing)"
    text = str(cell)
    return text[:10] if text.endswith(("T00:00:00", "T00:00:00+00:00")) else text


def spelled(label: str) -> list[str]:
    """Return how a text may write a label: a day in several ways.

    Examples
    --------
    >>> spelled("2026-03-02")[:4]
    ['2026-03-02', '2 March 2026', 'March 2, 2026', '2 Mar 2026']
    """
    try:
        day = datetime.date.fromisoformat(label)
    except ValueError:
        return [label]
    names = []
    for month in (_MONTHS[day.month - 1], _MONTHS[day.month - 1][:3]):
        names += [f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}"]
    for month in (_MONTHS[day.month - 1], _MONTHS[day.month - 1][:3]):
        names += [f"{day.day} {month}", f"{month} {day.day}"]
    if day.day == 1:
        names += [f"{_MONTHS[day.month - 1]} {day.year}", _MONTHS[day.month - 1]]
    return [label, *names]


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
