"""Figures of coverage: profile properties before and after filling, and the report's shares.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from convergekit.base.wording import counted, shortened_apart
from convergekit.figures.figure import Figure
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import hover, legend_name, plain, titled

if TYPE_CHECKING:
    from convergekit.diagnostics.report import Report

#: Of more rows than these, those with most are drawn.
MOST_ROWS = 30
#: Pixels of a row.
ROW = 34
#: Pixels between the names of the rows and what is written at the right, on a narrow figure.
NARROW = 175


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
    count = int(table["events"].iloc[0]) if len(table) else 0
    name = f" of {event_name}" if event_name is not None else ""
    subtitle = [f"Share of {counted(count, 'event')} that have a value."]
    figure.update_layout(
        **titled(
            f"Profile properties{name}, as sent and filled",
            subtitle + _left_out(len(table) - len(shown), "property", "properties"),
            style=style,
            plot_height=ROW * len(shown) + 30,
            legend=[trace.name for trace in figure.data if trace.name],
            legend_width=NARROW,
        )
    )
    return figure


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
    subtitle = [
        f"{counted(report.profiles, 'profile')} from "
        f"{counted(report.aliases, 'alias', 'aliases')}; a session is one of the browser.",
    ]
    subtitle += [f"{counted(n, 'profile')} with several values of {t}." for t, n in several.items()]
    figure.update_layout(
        **titled(
            "Which events reach a profile, and a browser session",
            subtitle + _left_out(len(table) - len(shown), "event name", "event names"),
            style=style,
            plot_height=ROW * len(shown) + 30,
            legend=[trace.name for trace in figure.data if trace.name],
            legend_width=NARROW,
        )
    )
    return figure


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
    for place, a, b in zip(places, one.shares, other.shares, strict=True):
        text = f"{a:.0%}{between}{b:.0%}" if not pd.isna(a) else ""
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=14, y=place, text=text, showarrow=False,
            font={"size": 12, "color": colours.muted},
        )  # fmt: skip
    figure.update_layout(
        hovermode="closest",
        # Room for what is written there.
        margin={"r": 112},
        yaxis={
            "tickvals": places,
            "ticktext": [plain(name) for name in shortened_apart(names, 20)],
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        xaxis={
            "tickvals": [0, 0.5, 1],
            "tickangle": 0,
            "tickformat": ".0%",
            "range": [-0.05, 1.05],
            "zeroline": False,
            "fixedrange": True,
        },
    )
    return figure


def _left_out(count: int, one: str, many: str) -> list[str]:
    return [f"Not shown: {counted(count, one, many)} with fewer."] if count else []
