"""Figures of coverage: profile properties before and after filling, and the report's shares.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from convergekit.base.wording import counted
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import fitting
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import hover, legend_name, plain, text_width, titled

if TYPE_CHECKING:
    from convergekit.diagnostics.report import Report

#: Of more rows than these, those with most are drawn.
MOST_ROWS = 30
#: Pixels of a row, and of one whose name is above it, as on figures narrower than this.
_ROW, _HIGH_ROW, _NARROW = 34, 46, 440
#: Pixels of letters, and of a row's name beside it.
_SIZE, _NAME = 12, 150


@dataclass(frozen=True)
class Shares:
    """One share per row: its name in the legend, the shares, and what each says."""

    name: str
    shares: Sequence[float]
    said: Sequence[str]


def property_coverage_figure(table: pd.DataFrame, event_name: str | None, style: Style) -> Figure:
    """Return each profile property's share of events as sent, and once values are carried.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Stitched.property_coverage`.
    event_name : str or None
        The events that it is about; None for all.
    style : Style

    Returns
    -------
    Figure
    """
    shown = table.head(MOST_ROWS)
    what = f"{event_name!r} events" if event_name is not None else "events"
    sent = [
        f"{row.sent:.1%} of {row.events:,} {what} sent {row.property} themselves."
        for row in shown.itertuples()
    ]
    filled = [
        f"{row.filled:.1%} of {row.events:,} {what} have {row.property} once the values that "
        f"earlier events of the profile sent are carried to them."
        for row in shown.itertuples()
    ]
    figure = shares_figure(
        shown["property"].tolist(),
        Shares("as sent", shown["sent"].tolist(), sent),
        Shares("filled", shown["filled"].tolist(), filled),
        style,
        between=" → ",
    )
    name = f" of {event_name}" if event_name is not None else ""
    finding = _filling(table, event_name)
    figure.update_layout(
        **titled(
            f"Profile properties{name}, as sent and filled",
            [finding, *_left_out(len(table) - len(shown), "property", "properties")],
            style=style,
            plot_height=rows_height(len(shown), style),
            legend=[trace.name for trace in figure.data if trace.name],
        )
    )
    return figure.says(finding, shown[["property", "events", "sent", "filled"]])


def _filling(table: pd.DataFrame, event_name: str | None) -> str:
    """Return which property gains most by filling."""
    one = event_name if event_name is not None else "event"
    if table.empty:
        return "No event has a profile property: see docs/concepts.md for how they are named."
    gain = table["filled"] - table["sent"]
    events = int(table["events"].iloc[0])
    if not events:
        return f"Events named {one} are missing."
    of = f"of {counted(events, 'event')}" + (f" named {one}" if event_name is not None else "")
    if not (gain > 0).any():
        return f"Filling adds to none of {counted(len(table), 'property', 'properties')} {of}."
    most = table.loc[gain.idxmax()]
    return (
        f"Filling adds most to {most['property']}: {most['sent']:.1%} {of} sent it, "
        f"{most['filled']:.1%} have it."
    )


def rows_height(rows: int, style: Style) -> int:
    """Return the pixels of so many rows and of the axis below them."""
    return (_HIGH_ROW if _is_narrow(style) else _ROW) * rows + 30


def _is_narrow(style: Style) -> bool:
    return style.width is not None and style.width < _NARROW


def report_figure(report: Report, style: Style) -> Figure:
    """Return which share of the events of each name reaches a profile, and a browser session.

    Parameters
    ----------
    report : Report
    style : Style

    Returns
    -------
    Figure
    """
    table = report.coverage
    shown = table.head(MOST_ROWS)
    session = [
        f"{row.with_browser_session:.1%} of {counted(row.events, 'event')} named {row.event_name} "
        "are on a profile with a browser session."
        for row in shown.itertuples()
    ]
    profile = [
        f"{row.with_profile:.1%} of {counted(row.events, 'event')} named {row.event_name} "
        "are on a profile."
        for row in shown.itertuples()
    ]
    figure = shares_figure(
        shown["event_name"].tolist(),
        Shares("session", shown["with_browser_session"].tolist(), session),
        Shares("profile", shown["with_profile"].tolist(), profile),
        style,
    )
    several = {name: n for name, n in report.several_logins.items() if n}
    finding = _reaching(table)
    subtitle = [
        f"{counted(report.profiles, 'profile')} from "
        f"{counted(report.aliases, 'alias', 'aliases')}; a session is one of the browser.",
    ]
    subtitle += [f"{counted(n, 'profile')} with several values of {t}." for t, n in several.items()]
    figure.update_layout(
        **titled(
            "Which events reach a profile, and a browser session",
            [finding, *subtitle, *_left_out(len(table) - len(shown), "event name", "event names")],
            style=style,
            plot_height=rows_height(len(shown), style),
            legend=[trace.name for trace in figure.data if trace.name],
        )
    )
    return figure.says(
        finding, shown[["event_name", "events", "with_profile", "with_browser_session"]]
    )


def _reaching(table: pd.DataFrame) -> str:
    """Return which events reach a browser session least often, and which most often."""
    if table.empty:
        return "Events are missing: read some, and stitch them again."
    share = table["with_browser_session"]
    least, most = table.loc[share.idxmin()], table.loc[share.idxmax()]
    of_least, of_most = (
        f"{row['event_name']}, {row['with_browser_session']:.1%} of {row['events']:,}"
        for row in (least, most)
    )
    if len(table) == 1:
        return f"On a profile with a browser session: {of_least}."
    if share.min() == share.max():
        return (
            f"On a profile with a browser session: {share.iloc[0]:.1%} of the events of each of "
            f"{len(table):,} names."
        )
    return f"Least often on a profile with a browser session: {of_least}; most often: {of_most}."


def shares_figure(
    names: Sequence[str], one: Shares, other: Shares, style: Style, between: str = " · "
) -> Figure:
    """Return two shares per row as an open and a filled mark, with a line between them.

    Parameters
    ----------
    names : sequence of str
        Of the rows, from the top; as they are, not as markup.
    one, other : Shares
    style : Style
    between : str
        What stands between the two where they are written at the right.
    """
    colours, figure = style.look, Figure()
    places = list(range(len(names)))
    gaps: list[tuple[list[float | None], list[float | None]]] = [
        ([a, b, None], [place, place, None])
        for place, a, b in zip(places, one.shares, other.shares, strict=True)
    ]
    figure.add_scatter(
        x=[x for line, _ in gaps for x in line],
        y=[y for _, line in gaps for y in line],
        mode="lines",
        line={"color": COLOURS[0], "width": 4},
        opacity=0.35,
        hoverinfo="skip",
        showlegend=False,
    )
    for shares, mark in (
        (one, {"color": colours.paper, "line": {"width": 2.5, "color": COLOURS[0]}}),
        (other, {"color": COLOURS[0], "line": {"width": 2.5, "color": COLOURS[0]}}),
    ):
        figure.add_scatter(
            x=shares.shares,
            y=places,
            mode="markers",
            marker={**mark, "size": 11},
            cliponaxis=False,
            hovertext=[hover(sentence) for sentence in shares.said],
            hoverinfo="text",
            name=legend_name(shares.name),
        )
    texts = [
        f"{a:.0%}{between}{b:.0%}" if not pd.isna(a) else ""
        for a, b in zip(one.shares, other.shares, strict=True)
    ]
    for place, text in enumerate(texts):
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=14, y=place, text=text, showarrow=False,
            font={"size": _SIZE, "color": colours.ink},
        )  # fmt: skip
    narrow = _is_narrow(style)
    room = (style.width or _NARROW) - 60 if narrow else _NAME
    short = [plain(name) for name in fitting(list(names), room, _SIZE)]
    for place, name in enumerate(short if narrow else ()):
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=place, yshift=9, yanchor="bottom", text=name,
            showarrow=False, borderpad=0, font={"size": _SIZE, "color": colours.ink},
        )  # fmt: skip
    figure.update_layout(
        hovermode="closest",
        # Room for what is written there.
        margin={"r": int(max((text_width(text, _SIZE) for text in texts), default=60)) + 30},
        yaxis={
            "tickvals": places,
            "ticktext": short,
            "showticklabels": not narrow,
            "range": [len(names) - 0.5, -0.65 if narrow else -0.5],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        xaxis={
            "tickvals": [0, 0.5, 1],
            # Said here, for plotly gives the labels of places the page's colour only by their text.
            "ticktext": ["0%", "50%", "100%"],
            "tickangle": 0,
            "range": [-0.05, 1.05],
            "zeroline": False,
            "fixedrange": True,
        },
    )
    return figure


def _left_out(count: int, one: str, many: str) -> list[str]:
    return [f"Not shown: {counted(count, one, many)} with fewer."] if count else []
