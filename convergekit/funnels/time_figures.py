"""Figures of funnels in time: conversion by period, and how long it takes to convert.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import capitalised, counted, in_period, period_name, period_word
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import NARROW, LineEnd, name_line_ends
from convergekit.figures.style import COLOURS, Look, Style
from convergekit.figures.template import hover, titled
from convergekit.funnels.figure import drawn_groups
from convergekit.funnels.findings import Ratio, goal, lowest_to_highest, said_share
from convergekit.funnels.groups import Group, bar_mark, label_of
from convergekit.funnels.labels import short_name
from convergekit.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from convergekit.funnels.result import Funnel
from convergekit.funnels.times import TimeToConvert

#: Round times, in seconds, at which the bars of a histogram begin and end.
_ROUND = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3_600 * hours for hours in (1, 2, 4, 8, 12)),
    *(86_400 * days for days in (1, 2, 4, 7, 14, 30, 60, 90, 180, 365)),
)
_MOST_BARS = 20
#: As many periods are named by us, at their beginning.
_MOST_NAMED = 12
#: As many labels at most stand below bars or periods, and so many pixels each takes.
_MOST_TICKS, _TICK = 5, 54
#: Of fewer, plotly would name halves; more are written as "100k".
_WHOLE, _IN_SHORT = 5, 100_000
#: Pixels beside a plot: its margins, the labels of its axis and the axis' title.
_BESIDE = 92
#: Of a trend: pixels, and the part of them that the lines have.
_TREND, _LINES = 330, 0.64
#: Of a histogram: the part of its height that the bars have.
_BARS = 0.94


def trend_figure(table: pd.DataFrame, funnel: Funnel, freq: str, style: Style) -> Figure:
    """Return conversion by period as lines, and below it how many entered, as bars.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Funnel.trend`.
    funnel : Funnel
    freq : str
    style : Style

    Returns
    -------
    Figure
        Lines are dashed, and their marks open, where a period is not complete; a period in which
        nobody entered is a gap.
    """
    word = period_word(freq)
    # The colours are those of the funnel's figure, which knows all groups.
    found = drawn_groups(funnel, style) if funnel.by else None
    groups = found.shown if found else [Group((), "", "conversion", COLOURS[0])]
    labels = [label_of(cells) for cells in table[funnel.by].to_numpy(dtype=object)]
    figure = Figure()
    ends, parts = [], []
    for group in groups:
        chosen = np.array([label == group.label for label in labels], dtype=bool)
        rows = table[chosen].sort_values("period")
        if len(rows):
            parts.append((group, rows))
            _add_line(figure, rows, group, funnel, freq, word)
            known = rows["conversion"].dropna()
            ends.append(LineEnd(
                group.name, group.colour, float(known.iloc[-1]) if len(known) else 0.0, group.symbol
            ))  # fmt: skip
    top = 1.08 * max((float(rows["conversion"].max()) for _, rows in parts), default=1.0) or 1.0
    room = 0
    if found:
        room = name_line_ends(
            figure, ends, style=style, plot_height=_TREND, low=0, high=top, part=_LINES
        )
    periods = table.drop_duplicates("period").sort_values("period")
    complete = int(periods["complete"].sum())
    by = " and ".join([word, *map(short_name, funnel.by)])
    open_ = len(periods) - complete
    still = f"Dotted: windows are still open in {open_:,} of {counted(len(periods), word)}."
    finding = _trend_finding(parts, funnel, word)
    figure.update_layout(
        **titled(
            f"{funnel.words}, by {by}",
            [
                finding,
                still if open_ else "",
                f"Each {word} is a funnel of its own, from the first entry in it.",
                *funnel.grouped_by,
                found.left_out if found else "",
            ],
            style=style,
            plot_height=_TREND,
            legend=[group.legend for group, _ in parts] if found and not room else [],
        ),
        barmode="stack",
        hovermode="closest",
        yaxis={"domain": [1 - _LINES, 1], "visible": bool(parts), "tickformat": ".0%",
               "range": [0, top], "title": {"text": "conversion"}},
        yaxis2={"domain": [0, 0.24], "visible": bool(parts), "rangemode": "tozero",
                **count_axis(_most_entered(parts)), "nticks": 4, "title": {"text": "entered"}},
        xaxis={"anchor": "y2", "showgrid": False, "visible": bool(parts),
               **period_axis(periods["period"], freq, word, plot_width(style, room))},
    )  # fmt: skip
    if not found or room:
        figure.update_layout(showlegend=False, margin={"r": max(room, 16)})
    columns = ["period", *funnel.by, "entered", "converted", "conversion", "complete"]
    drawn = pd.concat([rows for _, rows in parts]) if parts else table
    return figure.says(finding, drawn[columns])


def count_axis(most: float) -> dict[str, Any]:
    """Return the numbers of an axis of counts up to so many: whole ones, large ones in short."""
    return {
        "tickformat": ",d" if most < _IN_SHORT else "~s",
        **({"dtick": 1} if most < _WHOLE else {}),
    }


def _most_entered(parts: Sequence[tuple[Group, pd.DataFrame]]) -> int:
    """Return how many entered in the period with most, the groups together."""
    if not parts:
        return 0
    every = pd.concat([rows for _, rows in parts])
    return int(every.groupby("period")["entered"].sum().max())


def plot_width(style: Style, beside: int = 0) -> int:
    """Return how many pixels a plot with a vertical axis is wide, on a narrow page.

    Parameters
    ----------
    style : Style
    beside : int, default 0
        Pixels of a margin at the right, if it is not the usual one.
    """
    return max((style.width or NARROW) - _BESIDE - max(beside - 16, 0), 60)


def _trend_finding(parts: Sequence[tuple[Group, pd.DataFrame]], funnel: Funnel, word: str) -> str:
    """Return the last complete period, and beside it the one before, or the groups in it."""
    one = funnel.counted.removesuffix("s")
    if not parts:
        return f"No {one} entered with {funnel.steps[0]}: check its name and the range of dates."
    every = pd.concat([rows for _, rows in parts])
    done = every[every["complete"] & (every["entered"] > 0)]
    if done.empty:
        entered = int(every["entered"].sum())
        return (
            f"No {word} is complete: {counted(entered, one)} entered, and windows are still open."
        )
    last = done["period"].max()
    start = f"In the last complete {word} ({period_name(last, word)})"
    if len(parts) > 1 or funnel.by:
        ratios = [
            Ratio(group.name, int(line.converted), int(line.entered))
            for group, rows in parts
            for line in rows[rows["period"] == last].itertuples()
            if line.complete
        ]
        said = lowest_to_highest(ratios, "converted")
        return f"{start}: {said[0].lower()}{said[1:]}"
    now = done[done["period"] == last].iloc[0]
    said = (
        f"{start}, {now['converted']:,} of {counted(int(now['entered']), one)} converted, "
        f"{said_share(now['conversion'])}"
    )
    before = done[done["period"] < last]
    if len(before):
        was = before.loc[before["period"].idxmax()]
        said += (
            f"; in that of {period_name(was['period'], word)}, {was['converted']:,} of "
            f"{was['entered']:,}, {said_share(was['conversion'])}"
        )
    return f"{said}."


def time_figure(times: TimeToConvert, waits: pd.Series, style: Style) -> Figure:
    """Return how long it took as a histogram. See `TimeToConvert.plot`.

    Parameters
    ----------
    times : TimeToConvert
    waits : pandas.Series of Timedelta
    style : Style

    Returns
    -------
    Figure
    """
    colours = style.look
    bins = _bins(waits.dt.total_seconds().to_numpy())
    names, figure = bins.names(), Figure()
    total = int(bins.counts.sum()) + bins.beyond
    one = times.counted.removesuffix("s")
    places = list(range(len(bins.counts)))
    for counts, at, said, colour in (
        (bins.counts.tolist(), places, names, COLOURS[0]),
        ([bins.beyond], [len(places) + 0.4], [bins.beyond_name()], colours.quiet),
    ):
        if sum(counts):
            figure.add_bar(
                x=at,
                y=counts,
                width=0.94,
                marker={"color": colour, "line": {"width": 0}},
                hovertext=[
                    hover(
                        f"{counted(count, one)} took {name} from {times.steps[0]} to "
                        f"{times.steps[1]}, {count / total:.1%} of {total:,}."
                    )
                    for count, name in zip(counts, said, strict=True)
                ],
                hoverinfo="text",
                showlegend=False,
            )
    _mark_shares(figure, times, bins, colours)
    ticks, ticktext = bins.ticks(most_ticks(plot_width(style)))
    said = _time_subtitle(times, bins)
    figure.update_layout(
        **titled(
            f"Time {goal(times.steps).replace('From', 'from', 1)}",
            said,
            style=style,
            plot_height=300,
        ),
        bargap=0,
        hovermode="closest",
        xaxis={
            "tickvals": ticks,
            "ticktext": ticktext,
            "visible": bool(total),
            "ticks": "outside",
            "tickangle": 0,
            "showgrid": False,
            "range": [-0.6, len(places) + (0.7 + len(places) / 16 if bins.beyond else -0.4)],
        },
        yaxis={
            "title": {"text": times.counted},
            # Above the bars, the marks are named.
            "domain": [0, _BARS],
            "rangemode": "tozero",
            "visible": bool(total),
            **count_axis(max(bins.beyond, int(bins.counts.max()))),
        },
    )
    return figure.says(said[0], bins.table(times.counted))


def _add_line(
    figure: Figure, rows: pd.DataFrame, group: Group, funnel: Funnel, freq: str, word: str
) -> None:
    """Add one group's line, solid and then dotted, and its bars of those who entered."""
    texts = [_trend_sentence(line, group, funnel, word) for line in rows.itertuples()]
    rows = rows.assign(said=texts)
    name = group.legend
    shared = {"mode": "lines+markers", "hoverinfo": "text", "connectgaps": False,
              "cliponaxis": False, "legendgroup": name}  # fmt: skip
    solid, open_ = rows[rows["complete"]], rows[~rows["complete"]]
    joined = pd.concat([solid.tail(1), open_]) if len(open_) else open_
    for part, closed in ((solid, True), (joined, False)):
        if len(part):
            part = _with_gaps(part, freq)
            figure.add_scatter(
                x=part["period"],
                y=part["conversion"].astype(object).where(part["conversion"].notna(), None),
                hovertext=part["said"],
                line={"color": group.colour, "width": 2.5, "dash": "solid" if closed else "dot"},
                # Where the dotted line begins, the solid one has a mark already.
                marker={
                    "color": group.colour,
                    "symbol": group.symbol if closed else f"{group.symbol}-open",
                    "size": [8 if complete == closed else 0 for complete in part["complete"]],
                    # Plotly takes marks of several sizes for bubbles, and fades them.
                    "opacity": 1,
                    "line": {"width": 0 if closed else 1.5},
                },
                name=name,
                showlegend=closed or not len(solid),
                **shared,
            )
    figure.add_bar(
        x=rows["period"],
        y=rows["entered"],
        width=bar_widths(rows["period"], freq),
        yaxis="y2",
        marker=bar_mark(group.colour),
        hovertext=texts,
        hoverinfo="text",
        name=name,
        legendgroup=name,
        showlegend=False,
    )


def _with_gaps(rows: pd.DataFrame, freq: str) -> pd.DataFrame:
    """Add a row without a value after each period that another does not follow."""
    periods = rows["period"].dt.to_period(freq)
    step = periods.dt.freq.n
    before_gap = rows[(periods.astype("int64").diff().shift(-1) > step).to_numpy()]
    gaps = before_gap.assign(conversion=np.nan, said="")
    return pd.concat([rows, gaps]).sort_values("period", kind="stable")


def most_ticks(width: int) -> int:
    """Return how many labels fit below so many pixels."""
    return min(max(width // _TICK, 2), _MOST_TICKS)


def period_axis(
    periods: pd.Series, freq: str, word: str, width: int = NARROW - _BESIDE
) -> dict[str, Any]:
    """Return the axis of few periods, which names them as they are; of many, plotly's own does.

    Parameters
    ----------
    periods : pandas.Series of datetime
        Their starts, ascending.
    freq, word : str
        And what a period is called.
    width : int
        Pixels of the plot.
    """
    if len(periods) > _MOST_NAMED or periods.empty:
        return {"type": "date", "nticks": most_ticks(width) + 1}
    named = list(periods)[:: -(-len(periods) // most_ticks(width))]
    texts = []
    for place, start in enumerate(named):
        month = start.month_name()[:3]
        day = month if word in ("month", "quarter", "year") else f"{start.day} {month}"
        new_year = not place or start.year != named[place - 1].year
        below = f"{start:%H:%M}" if word == "hour" else str(start.year) if new_year else ""
        texts.append(f"{day}<br>{below}")
    room = 0.7 * _length(periods, freq)
    return {
        "type": "date",
        "tickvals": named,
        "ticktext": texts,
        "tickangle": 0,
        "range": [periods.iloc[0] - room.iloc[0], periods.iloc[-1] + room.iloc[-1]],
    }


def bar_widths(periods: pd.Series, freq: str) -> list[float]:
    """Return how wide the bars of periods are, as plotly takes it: in milliseconds."""
    widths: list[float] = (0.8 * _length(periods, freq) / pd.Timedelta("1ms")).tolist()
    return widths


def _length(periods: pd.Series, freq: str) -> pd.Series:
    """Return how long each period is."""
    return periods.dt.to_period(freq).dt.end_time - periods


def _trend_sentence(line: Any, group: Group, funnel: Funnel, word: str) -> str:
    start = capitalised(in_period(line.period, word))
    entrants = counted(line.entered, funnel.counted.removesuffix("s"))
    of_group = f" of {group.name}" if group.name else ""
    return hover(
        f"{start}, {entrants}{of_group} entered; {line.converted:,} converted, "
        f"{line.conversion:.1%}.",
        "" if line.complete else "More may follow: some windows are still open.",
    )


@dataclass(frozen=True)
class _Bins:
    """Bars of a histogram: edges in seconds, and how many waits are beyond the last."""

    edges: FloatArray
    counts: IntArray
    beyond: int
    longer: bool

    @classmethod
    def of(cls, seconds: FloatArray, edges: FloatArray, *, longer: bool) -> _Bins:
        counts, _ = np.histogram(seconds, bins=edges)
        return cls(edges, counts.astype(np.int64), int((seconds > edges[-1]).sum()), longer)

    def fullest(self) -> float:
        """Return the share of the bar with most."""
        return float(self.counts.max() / max(int(self.counts.sum()) + self.beyond, 1))

    def names(self) -> list[str]:
        ends = [readable_duration(pd.Timedelta(seconds=float(edge))) for edge in self.edges]
        pairs = itertools.pairwise(ends)
        named = [f"from {one} to less than {other}" for one, other in pairs]
        named[-1] = f"from {ends[-2]} to {ends[-1]}"
        if self.edges[0] == 0 and len(named) > 1:
            named[0] = f"less than {ends[1]}"
        return named

    def table(self, unit: str) -> pd.DataFrame:
        """Return how many waits are in each bar."""
        rows = list(zip(self.names(), self.counts.tolist(), strict=True))
        if self.beyond:
            rows.append((self.beyond_name(), self.beyond))
        return pd.DataFrame(rows, columns=["time", unit])

    def beyond_name(self) -> str:
        return f"over {readable_duration(pd.Timedelta(seconds=float(self.edges[-1])))}"

    def place(self, seconds: float) -> float | None:
        """Return where on the axis a time is; None if it is beyond the bars."""
        if seconds > self.edges[-1]:
            return None
        bar = int(np.searchsorted(self.edges[1:-1], seconds, side="right"))
        start, end = float(self.edges[bar]), float(self.edges[bar + 1])
        return round(bar - 0.5 + max(seconds - start, 0.0) / (end - start), 3)

    def ticks(self, most: int) -> tuple[list[float], list[str]]:
        step = -(-len(self.counts) // most)
        # The bar at the end says its time itself.
        last = len(self.edges) - (2 if self.beyond else 0)
        chosen = range(0, max(last, 1), step)
        places = [at - 0.5 for at in chosen]
        texts = [readable_duration(pd.Timedelta(seconds=float(self.edges[at]))) for at in chosen]
        if self.beyond:
            places.append(len(self.counts) + 0.4)
            texts.append(self.beyond_name())
        # A unit per line is narrow.
        return places, [re.sub(r" (?=\d)", "<br>", text) for text in texts]


def _bins(seconds: FloatArray) -> _Bins:
    """Return bars of one length where they show the times, and else of growing length."""
    if not len(seconds):
        return _Bins.of(seconds, np.array([0.0, 1.0]), longer=False)
    longest, usual = float(seconds.max()), float(np.quantile(seconds, 0.95))
    end = usual if longest > 2 * usual > 0 else max(longest, 1.0)
    width = next((float(step) for step in _ROUND if step * _MOST_BARS >= end), end / _MOST_BARS)
    even = _Bins.of(seconds, np.arange(0, np.ceil(end / width) + 1) * width, longer=False)
    if even.fullest() <= 0.5:
        return even
    steps = np.array([0.0, *_ROUND])
    first = int(np.searchsorted(steps, seconds.min(), side="right")) - 1
    last = min(max(int(np.searchsorted(steps, longest)), 1), len(steps) - 1)
    growing = _Bins.of(seconds, steps[min(first, last - 1) : last + 1], longer=True)
    return growing if growing.fullest() < even.fullest() else even


def _mark_shares(figure: Figure, times: TimeToConvert, bins: _Bins, colours: Look) -> None:
    """Mark by when half, and nine in ten, had converted, if that is not at one place."""
    if not times.profiles:
        return
    shares = {"half": times.median, "90%": times.percentiles[90]}
    taken: list[float] = []
    for name, time in shares.items():
        at = bins.place(time.total_seconds())
        if at is not None and all(abs(at - other) > len(bins.counts) / 8 for other in taken):
            taken.append(at)
            figure.add_shape(
                type="line", x0=at, x1=at, y0=0, y1=_BARS, yref="paper",
                line={"color": colours.ink, "width": 1.5, "dash": "dot"},
            )  # fmt: skip
            figure.add_annotation(
                x=at, y=_BARS, yref="paper", yanchor="bottom", text=name, showarrow=False,
                font={"size": 12, "color": colours.muted},
            )  # fmt: skip


def _time_subtitle(times: TimeToConvert, bins: _Bins) -> list[str]:
    if not times.profiles:
        return [f"No {times.counted.removesuffix('s')} got from {times.steps[0]} to "
                f"{times.steps[1]}: the funnel's figure shows where they are."]  # fmt: skip
    half, most = readable_duration(times.median), readable_duration(times.percentiles[90])
    units = counted(times.profiles, times.counted.removesuffix("s"))
    said = [f"Half of {units} took {half} or less, nine in ten {most} or less."]
    if bins.longer:
        said.append("Each bar stands for a longer time than the one before.")
    return said
