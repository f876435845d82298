"""Figures of funnels: the steps, and the steps of each group of a breakdown.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted
from convergekit.certainty.figure import (
    KINDS,
    LANE,
    add_intervals,
    in_twin,
    known_kinds,
    said_of_step,
)
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import fitting
from convergekit.figures.step_rows import add_step_names, room_of, write
from convergekit.figures.style import COLOURS, USUAL, Look, Style
from convergekit.figures.template import hover, plain, text_width, titled, wrapped
from convergekit.funnels.findings import Ratio, lowest_to_highest, said_share
from convergekit.funnels.groups import Groups, bar_mark, groups_to_draw, label_of
from convergekit.funnels.labels import groups_of, short_name
from convergekit.funnels.step_table import required_before

if TYPE_CHECKING:
    from convergekit.funnels.result import Funnel

# Pixels: a step's name, a bar, what is said below it, and the gap to the next step.
_NAME, _BAR, _BELOW, _GAP = 24, 26, 20, 10
#: Of letters below a bar.
_SMALL = 12
#: A further line below a bar.
_LINE = 16
#: A bar of a group.
_GROUP_BAR = 20
#: The columns of a funnel's table that are drawn.
_DRAWN = ("step", "event_name", "profiles", "conversion", "drop_off", "in_window")
#: Names stand at each bar of a group if that leaves this part of the width to a bar of 100%, and
#: else at those of the first step.
_LEAST_FOR_BARS = 0.5


def funnel_figure(funnel: Funnel, style: Style = USUAL) -> Figure:
    """Return a funnel as bars, a row per step. See `Funnel.plot`.

    Parameters
    ----------
    funnel : Funnel
    style : Style, optional

    Returns
    -------
    Figure

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> figure = funnel_figure(s.funnel(["PageView", "Placed Order"], within="7D"))
    >>> figure.layout.title.text, [trace.x for trace in figure.data if trace.name == "reached"]
    ('From PageView to Placed<br>Order within 7 days', [(60, 19)])
    """
    return _grouped_figure(funnel, style) if funnel.by else _plain_figure(funnel, style)


def drawn_groups(funnel: Funnel, style: Style) -> Groups:
    """Return the groups that figures of a funnel show; a value has one colour in all of them."""
    usual = funnel.usual_labels(len(COLOURS))
    return groups_to_draw(funnel.table, funnel.by, style, usual)


def reached(count: int, entered: int, unit: str, goal: str) -> str:
    """Return how many of those that entered reached something, and which share that is.

    Examples
    --------
    >>> reached(20, 60, "profiles", "Placed Order")
    '20 of 60 profiles reached Placed Order, 33.3%.'
    """
    share = f", {said_share(count / entered)}" if entered else ""
    return f"{count:,} of {counted(entered, unit.removesuffix('s'))} reached {goal}{share}."


@dataclass(frozen=True)
class BarPlaces:
    """Where the bars of several groups lie in a row per step.

    Attributes
    ----------
    row : int
        Pixels of a step's row.
    half : float
        How far the bars reach above and below a step's place, in rows.
    width : float
        Of a bar.
    starts : list of float
        Where each group's bar begins.
    """

    row: int
    half: float
    width: float
    starts: list[float]

    def tops(self, steps: int) -> list[float]:
        """Return where the bars of each of so many steps begin."""
        return [place - self.half for place in range(steps)]


def bar_places(bars: int) -> BarPlaces:
    """Return the places of so many bars per step."""
    row = _NAME + _GROUP_BAR * max(bars, 1) + _GAP
    one, half = _GROUP_BAR / row, _GROUP_BAR * max(bars, 1) / row / 2
    return BarPlaces(row, half, 0.86 * one, [one * (place + 0.07) - half for place in range(bars)])


def rows_layout(steps: int, row: int, half: float, first: float = 0.0) -> dict[str, Any]:
    """Return the axes of a row per step, a row being so many pixels, and the first's place."""
    top, bottom = half + _NAME / row - first, half + (row - _NAME - 2 * half * row) / row
    return {
        "yaxis": {"visible": False, "range": [steps - 1 + bottom, -top], "fixedrange": True},
        "bargap": 0,
        "hovermode": "closest",
    }


@dataclass(frozen=True)
class _Rows:
    """The rows of a funnel without a breakdown.

    Attributes
    ----------
    below : list of list of str
        The lines of text below each step's bar.
    kinds : list of str
        Of the intervals that are drawn between bar and text.
    row, lanes : int
        Pixels of a row, and of the intervals in it.
    """

    below: list[list[str]]
    kinds: list[str]
    row: int
    lanes: int

    @property
    def half(self) -> float:
        """How far a bar reaches above and below its place, in rows."""
        return _BAR / self.row / 2

    @property
    def _spared(self) -> int:
        """How many pixels the first step does not need: it has no intervals."""
        lines = max(map(len, self.below)) - len(self.below[0])
        return self.lanes + _LINE * lines if self.kinds else 0

    @property
    def height(self) -> int:
        """Pixels of all rows."""
        return self.row * len(self.below) - self._spared

    @property
    def places(self) -> list[float]:
        """Where each bar is: a row apart, but for the first."""
        return [self._spared / self.row, *map(float, range(1, len(self.below)))]

    @property
    def of_intervals(self) -> dict[str, list[float]]:
        """Where each interval is, by its kind."""
        lanes = {
            kind: self.half + LANE * (at + 0.5) / self.row for at, kind in enumerate(self.kinds)
        }
        return {kind: [place + lane for place in self.places] for kind, lane in lanes.items()}


def _rows_of(funnel: Funnel, style: Style) -> _Rows:
    bounds = funnel.known_bounds
    below = [_lines_below(line, funnel, room_of(style)) for line in funnel.table.itertuples()]
    kinds: list[str] = []
    if bounds is not None:
        of_steps = map(said_of_step, bounds.table.to_dict("records"))
        said = [wrapped(text, room_of(style), _SMALL) for text in of_steps]
        below = [lines + more for lines, more in zip(below, said, strict=True)]
        # Beside that of chance the interval of identity, or the worst bounds if it is not known.
        kinds = known_kinds(bounds.table)[:2]
    lanes = LANE * len(kinds)
    row = _NAME + _BAR + lanes + _BELOW + _LINE * (max(map(len, below)) - 1) + _GAP
    return _Rows(below, kinds, row, lanes)


def _plain_figure(funnel: Funnel, style: Style) -> Figure:
    table, colours = funnel.table, style.look
    rows = _rows_of(funnel, style)
    bounds = funnel.known_bounds
    figure = Figure()
    for name, column, mark, say in (
        ("reached", "profiles", {"color": COLOURS[0]}, _said_reached),
        ("may still get there", "in_window", _hatched(colours), _said_in_window),
        ("dropped off", "drop_off", {"color": colours.faint}, _said_dropped),
    ):
        if name == "reached" or table[column].any():
            figure.add_bar(
                x=table[column].tolist(),
                y=rows.places,
                orientation="h",
                width=2 * rows.half,
                marker={**mark, "line": {"width": 0}},
                hovertext=[say(line, funnel) for line in table.itertuples()],
                hoverinfo="text",
                name=name,
                # What the parts of a bar are is said below it.
                showlegend=False,
            )
    entered = int(table["profiles"].iloc[0])
    values = [
        f"{line.profiles:,}"
        if line.step == 1
        else f"{line.profiles:,} · {said_share(line.conversion)}"
        for line in table.itertuples()
    ]
    add_step_names(figure, funnel.steps, values, [at - rows.half for at in rows.places], style)
    for lines, place in zip(rows.below, rows.places, strict=True):
        where = {"xanchor": "left", "yanchor": "top", "yshift": -3, "align": "left"}
        small = {"size": _SMALL, "color": colours.muted}
        y = place + rows.half + rows.lanes / rows.row
        write(figure, "<br>".join(map(plain, lines)), y, x=0, font=small, **where)
    if bounds is not None:
        add_intervals(figure, bounds.table, rows.of_intervals, bounds.level, whole=entered)
    finding = _finding(funnel)
    figure.update_layout(
        **titled(
            funnel.words,
            [finding, *(bounds.in_short if bounds else ()), *_expected(funnel), *_aside(funnel)],
            style=style,
            plot_height=rows.height,
            legend=[KINDS[kind].name for kind in rows.kinds],
        ),
        **rows_layout(len(table), rows.row, rows.half, rows.places[0]),
        barmode="stack",
        xaxis={"visible": False, "range": [0, max(entered, 1)], "fixedrange": True},
    )
    shown = table[[*_DRAWN]]
    return figure.says(finding, shown if bounds is None else shown.merge(in_twin(bounds.table)))


def _grouped_figure(funnel: Funnel, style: Style) -> Figure:
    found = drawn_groups(funnel, style)
    groups = groups_of(funnel.table[funnel.by])
    tables = {label_of(label): funnel.table.iloc[at] for label, at in groups}
    places, figure = bar_places(len(found.shown)), Figure()
    shown = [tables[group.label] for group in found.shown]
    said = [[_grouped_text(line) for line in table.itertuples()] for table in shown]
    reach = [_reach(table) for table in shown]
    texts, end = with_names([group.name for group in found.shown], said, reach, style)
    for group, table, start, text in zip(found.shown, shown, places.starts, texts, strict=True):
        shared: dict[str, Any] = {
            "orientation": "h",
            "width": places.width,
            "offset": start,
            "textposition": "outside",
            "textfont": {"size": 12},
            "cliponaxis": False,
            "hoverinfo": "text",
            "name": group.legend,
            "legendgroup": group.legend,
        }
        whose = hover(f"{group.name}:")
        waits = (table["in_window"] > 0).to_numpy(dtype=bool)
        figure.add_bar(
            x=table["conversion"].tolist(),
            y=list(range(len(table))),
            marker=bar_mark(group.colour),
            text=["" if wait else plain(one) for one, wait in zip(text, waits, strict=True)],
            hovertext=[f"{whose}<br>{_said_reached(line, funnel)}" for line in table.itertuples()],
            **shared,
        )
        waiting = table[waits]
        if len(waiting):
            figure.add_bar(
                x=(waiting["in_window"] / int(table["profiles"].iloc[0])).tolist(),
                base=waiting["conversion"].tolist(),
                y=(waiting["step"] - 1).tolist(),
                marker={**_hatched(style.look, group.colour), "line": {"width": 0}},
                text=[plain(one) for one, wait in zip(text, waits, strict=True) if wait],
                hovertext=[
                    f"{whose}<br>{_said_in_window(line, funnel)}" for line in waiting.itertuples()
                ],
                showlegend=False,
                **shared,
            )
    nothing = [""] * len(funnel.steps)
    add_step_names(figure, funnel.steps, nothing, places.tops(len(nothing)), style)
    by = " and ".join(map(short_name, funnel.by))
    finding = _finding_of_groups(funnel, [group.name for group in found.shown], shown)
    bounds = funnel.known_bounds
    figure.update_layout(
        **titled(
            f"{funnel.words}, by {by}",
            [
                finding,
                *(bounds.in_short if bounds else ()),
                "Bars are shares of those of the group who entered." + _open_windows(funnel),
                *funnel.grouped_by,
                found.left_out,
                *_aside(funnel),
            ],
            style=style,
            plot_height=places.row * len(funnel.steps),
        ),
        **rows_layout(len(funnel.steps), places.row, places.half),
        showlegend=False,
        xaxis={"visible": False, "range": [0, end], "fixedrange": True},
    )
    drawn = pd.concat(shown) if shown else funnel.table
    twin = drawn[[*funnel.by, *_DRAWN]]
    return figure.says(finding, twin if bounds is None else twin.merge(in_twin(bounds.table)))


def with_names(
    names: Sequence[str],
    said: Sequence[Sequence[str]],
    reach: Sequence[Sequence[float]],
    style: Style,
) -> tuple[list[list[str]], float]:
    """Return the texts at the ends of bars, with names, and where an axis ends that fits them.

    Parameters
    ----------
    names : sequence of str
        Of each group, not yet escaped.
    said : sequence of sequence of str
        Of each group and step, what is said at the end of its bar, not yet escaped.
    reach : sequence of sequence of float
        How far that bar reaches; the longest to 1.
    style : Style

    Returns
    -------
    (list of list of str, float)
        Not yet escaped. Where there is room for it, each bar has its group's name, and else those
        of the first step.

    Examples
    --------
    >>> texts, end = with_names(["meta"], [["40", "50.0% · 20"]], [[1.0, 0.5]], USUAL)
    >>> texts, 1 < end < 2
    ([['meta: 40', 'meta: 50.0% · 20']], True)
    """
    room = room_of(style)
    short = fitting(list(names), 0.34 * room)
    for every in (True, False):
        texts = [
            [f"{name}: {text}" if every or not step else text for step, text in enumerate(one)]
            for name, one in zip(short, said, strict=True)
        ]
        scale = min(
            (
                (room - text_width(text, 12) - 10) / far
                for one, reaches in zip(texts, reach, strict=True)
                for text, far in zip(one, reaches, strict=True)
                if far > 0
            ),
            default=room,
        )
        if scale >= _LEAST_FOR_BARS * room:
            break
    return texts, round(room / min(max(scale, 0.2 * room), room), 4)


def _reach(table: pd.DataFrame) -> list[float]:
    """Return how far the bars of a group reach, with the hatched ends, as parts of the first."""
    entered = max(int(table["profiles"].iloc[0]), 1)
    return ((table["profiles"] + table["in_window"]) / entered).tolist()


def _finding(funnel: Funnel) -> str:
    entered = int(funnel.table["profiles"].iloc[0])
    if not entered:
        return _nobody(funnel)
    if len(funnel.steps) == 1:
        return f"{counted(entered, _one(funnel))} entered with {funnel.steps[0]}."
    last = int(funnel.table["profiles"].iloc[-1])
    return reached(last, entered, funnel.counted, funnel.steps[-1])


def _finding_of_groups(funnel: Funnel, names: Sequence[str], tables: Sequence[pd.DataFrame]) -> str:
    ends = [(int(table["profiles"].iloc[0]), int(table["profiles"].iloc[-1])) for table in tables]
    if not any(entered for entered, _ in ends):
        return _nobody(funnel)
    if len(funnel.steps) == 1:
        return _sizes(list(zip(names, [entered for entered, _ in ends], strict=True)), funnel)
    ratios = [Ratio(name, last, first) for name, (first, last) in zip(names, ends, strict=True)]
    return lowest_to_highest(ratios, f"reached {funnel.steps[-1]}")


def _nobody(funnel: Funnel) -> str:
    return (
        f"No {_one(funnel)} entered with {funnel.steps[0]}: check its name and the range of dates."
    )


def _sizes(sizes: Sequence[tuple[str, int]], funnel: Funnel) -> str:
    (most, many), (least, few) = sizes[0], sizes[-1]
    first = f"{counted(many, _one(funnel))} of {most}"
    rest = f" and {few:,} of {least}, the fewest," if len(sizes) > 1 else ""
    return f"{first}{rest} entered with {funnel.steps[0]}."


def _hatched(colours: Look, colour: str = COLOURS[0]) -> dict[str, Any]:
    return {
        "color": colours.paper,
        "pattern": {"shape": "/", "size": 6, "fgcolor": colour, "bgcolor": colours.paper},
    }


def _grouped_text(line: Any) -> str:
    """Return what is said at the end of a group's bar."""
    if line.step == 1:
        return f"{line.profiles:,}"
    known = line.in_window and not pd.isna(line.conversion_at_window)
    expected = f" ({said_share(line.conversion_at_window)})" if known else ""
    return f"{said_share(line.conversion)}{expected} · {line.profiles:,}"


def _open_windows(funnel: Funnel) -> str:
    """Return what the hatched ends of bars are, and the shares in brackets."""
    if not funnel.table["in_window"].any():
        return ""
    waiting = funnel.table[funnel.table["in_window"] > 0]
    hatched = " Hatched: their windows are still open"
    if waiting["conversion_at_window"].isna().all():
        return f"{hatched}."
    return f"{hatched}; in brackets the conversion expected when they have ended."


def _expected(funnel: Funnel) -> list[str]:
    """Return the sentence about the conversion when every window has ended."""
    line = funnel.table.iloc[-1]
    if not funnel.counts["in_window"] or pd.isna(line["conversion_at_window"]):
        return []
    low, high = said_share(line["at_window_low"]), said_share(line["at_window_high"])
    return [f"Expected in the end: {said_share(line['conversion_at_window'])} ({low} to {high})."]


def _lines_below(line: Any, funnel: Funnel, room: int) -> list[str]:
    """Return what is said below a bar: the step before, and those who are not here."""
    if line.step == 1:
        return []
    said = []
    before = required_before(funnel.optional, line.step)
    if line.step in funnel.optional:
        said.append("optional")
    if before > 1 or line.step in funnel.optional:
        said.append(f"{said_share(line.step_conversion)} of step {before}")
    if line.step not in funnel.optional:
        said.append(f"{line.drop_off:,} dropped off")
    if line.in_window:
        said.append(f"hatched: {line.in_window:,} may still get there")
    lines = said[:1]
    for part in said[1:]:
        joined = f"{lines[-1]} · {part}"
        lines[-1:] = [joined] if text_width(joined, _SMALL) <= room else [lines[-1], part]
    return lines


def _said_reached(line: Any, funnel: Funnel) -> str:
    count = counted(line.profiles, _one(funnel))
    if line.step == 1:
        return hover(f"{count} entered with {line.event_name}.")
    before = required_before(funnel.optional, line.step)
    shares = f"{said_share(line.conversion)} of those who entered"
    if before > 1:
        shares += f" and {said_share(line.step_conversion)} of those at {funnel.steps[before - 1]}"
    wait = ""
    if not pd.isna(line.median_time):
        median = readable_duration(line.median_time)
        wait = f"The median time from {funnel.steps[before - 1]} is {median}."
    return hover(f"{count} reached {line.event_name}, {shares}.", wait)


def _said_in_window(line: Any, funnel: Funnel) -> str:
    return hover(
        f"{counted(line.in_window, _one(funnel))} may still reach {line.event_name}: the data ends "
        f"before their {funnel.window_words} do."
    )


def _said_dropped(line: Any, funnel: Funnel) -> str:
    before = funnel.steps[required_before(funnel.optional, line.step) - 1] if line.step > 1 else ""
    return hover(
        f"{counted(line.drop_off, _one(funnel))} dropped off: {before}, but no {line.event_name} "
        f"within {funnel.window_words}."
    )


def _aside(funnel: Funnel) -> list[str]:
    """Return the sentence about those whom the bars do not show, and what else is to be known."""
    excluded = funnel.counts["excluded"]
    more = counted(excluded, f"more {_one(funnel)}")
    return [*([f"{more} left by an excluded event."] if excluded else []), *funnel.notes]


def _one(funnel: Funnel) -> str:
    return funnel.counted.removesuffix("s")
