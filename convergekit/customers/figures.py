"""Figures of customers: new and returning, repeat orders, retention and lifetime value.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from convergekit.activity.figures import heat_figure
from convergekit.activity.wording import Words
from convergekit.base.wording import counted, percentage, period_word, shortened
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import LineEnd, name_line_ends
from convergekit.figures.style import COLOURS, Style, faded
from convergekit.figures.template import balanced, hover, plain, text_width, titled
from convergekit.funnels.findings import said_share
from convergekit.funnels.groups import bar_mark, signs_of
from convergekit.funnels.time_figures import bar_widths, count_axis, period_axis, plot_width
from convergekit.typing import FloatArray

_ORDERS = Words(
    title="Customers who order in later months",
    rows="A row is of those who first ordered in that month.",
    who="customer",
    begun="first ordered",
    did="ordered",
    since="the first order",
    nothing="All first orders are in the last month of the data; nothing is later.",
)
#: Pixels of a bar that has no pattern, with the gap beside it.
_THIN = 8
#: Pixels of a plot, and characters of its vertical axis' title.
_PLOT, _AXIS_WIDTH = 300, 36


def new_and_returning_figure(table: pd.DataFrame, freq: str, style: Style) -> Figure:
    """Return customers by period as bars, those that are new below those that came back.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Customers.new_and_returning`.
    freq : str
    style : Style

    Returns
    -------
    Figure
        Bars of a period that had not ended when the data did are hatched.
    """
    word = period_word(freq)
    figure = Figure()
    # On thin bars a pattern is not seen as one.
    wide = plot_width(style) >= _THIN * len(table)
    for name, colour in (("new", COLOURS[0]), ("returning", COLOURS[1])):
        plain_mark, hatched = {"color": colour, "line": {"width": 0}}, _hatched(colour)
        for done in (True, False):
            part = table[table["complete"] == done]
            if len(part):
                figure.add_bar(
                    x=part["period"],
                    y=part[name].tolist(),
                    width=bar_widths(part["period"], freq),
                    name=name,
                    legendgroup=name,
                    showlegend=done or not table["complete"].any(),
                    marker=(bar_mark(colour) if wide else plain_mark) if done else hatched,
                    hovertext=[_said_of_period(line, word) for line in part.itertuples()],
                    hoverinfo="text",
                )
    open_, some = not table["complete"].all(), bool(len(table))
    finding = _finding_of_periods(table, word)
    figure.update_layout(
        **titled(
            f"New and returning customers by {word}",
            [finding, f"Hatched: the data end before the {word} does." if open_ else ""],
            style=style,
            plot_height=_PLOT,
            legend=["new", "returning"] if some else [],
        ),
        barmode="stack",
        hovermode="closest",
        xaxis={
            "showgrid": False,
            "visible": some,
            **period_axis(table["period"], freq, word, plot_width(style)),
        },
        yaxis={
            "title": {"text": "customers"},
            "rangemode": "tozero",
            **count_axis(float(table[["new", "returning"]].sum(axis=1).max()) if some else 0),
            "visible": some,
        },
    )
    return figure.says(finding, table[["period", "new", "returning", "complete"]])


def repeat_figure(table: pd.DataFrame, customers: int, style: Style) -> Figure:
    """Return by which day how many have ordered again, as lines in their confidence intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Customers.repeat_purchases`.
    customers : int
    style : Style

    Returns
    -------
    Figure
    """
    figure = Figure()
    said: list[str] = []
    ends = []
    parts = [(int(number), rows) for number, rows in table.groupby("order")]
    for place, (number, rows) in enumerate(parts):
        colour, name = COLOURS[place % len(COLOURS)], f"{_ordinal(number)} order"
        known = rows.dropna(subset=["low", "high"])
        for edge in ("high", "low"):
            figure.add_scatter(
                x=known["days"].tolist(),
                y=known[edge].tolist(),
                mode="lines",
                hoverinfo="skip",
                showlegend=False,
                legendgroup=name,
                line={"width": 0, "color": colour, "shape": "hv"},
                fill="tonexty" if edge == "low" else None,
                fillcolor=faded(colour, 0.16),
            )
        dash = signs_of(colour).dash
        figure.add_scatter(
            x=rows["days"].tolist(),
            y=rows["share"].round(6).tolist(),
            mode="lines",
            name=name,
            legendgroup=name,
            line={"width": 2.5, "color": colour, "shape": "hv", "dash": dash},
            hovertext=[_said_of_day(line, name) for line in rows.itertuples()],
            hoverinfo="text",
        )
        last = rows.iloc[-1]
        ends.append(LineEnd(name, colour, float(last["share"]), dash=dash))
        said.append(
            f"{said_share(last['share'])} have a {name} by day {last['days']:,.0f}"
            f"{_interval(last['low'], last['high'])}"
        )
    top = 1.08 * max([float(at) for at in table[["share", "high"]].max() if at > 0], default=1.0)
    room = name_line_ends(figure, ends, style=style, plot_height=_PLOT, low=0, high=top)
    finding = f"Of {counted(customers, 'customer')}, {', '.join(said)}."
    if not said:
        finding = "No customer has ordered: check the name of the event and the range of dates."
    figure.update_layout(
        **titled(
            "Who orders again, and how soon",
            [finding, "Each customer counts for as long as observed." if said else ""],
            style=style,
            plot_height=_PLOT,
            legend=[end.name for end in ends] if not room else [],
        ),
        hovermode="closest",
        xaxis={
            "title": {"text": _in_lines("days since the first order", plot_width(style, room))},
            "rangemode": "tozero",
            "showgrid": False,
            "nticks": max(plot_width(style, room) // 40, 2),
            "visible": bool(said),
        },
        yaxis={"tickformat": ".0%" if top > 0.05 else ".1%", "range": [0, top],
               "title": {"text": "of customers"}, "visible": bool(said)},
    )  # fmt: skip
    if room or not ends:
        figure.update_layout(showlegend=False, margin={"r": max(room, 16)})
    return figure.says(finding, table[["order", "days", "share", "low", "high", "at_risk"]])


def retention_figure(table: pd.DataFrame, style: Style) -> Figure:
    """Return the cohorts as rows of a heat map, a column per month since the first order.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Customers.retention`.
    style : Style

    Returns
    -------
    Figure
        Shares that may still grow are hatched, and written as "≥".
    """
    names = {"months": "periods", "customers": "profiles", "active": "returned"}
    figure = heat_figure(table.rename(columns=names), _ORDERS, style)
    twin = figure.twin.rename(columns={ours: theirs for theirs, ours in names.items()})
    return figure.says(figure.finding, twin)


def value_figure(table: pd.DataFrame, currency: str, style: Style) -> Figure:
    """Return what the tenths of customers, those worth most first, bring of all.

    Parameters
    ----------
    table : pandas.DataFrame
        With `value`, a row per customer.
    currency : str
    style : Style

    Returns
    -------
    Figure
    """
    values = np.sort(table["value"].to_numpy(dtype=float))[::-1]
    parts = [part for part in np.array_split(values, min(10, len(values)) or 1) if len(part)]
    sums = [float(part.sum()) for part in parts]
    total = float(values.sum())
    shares = [_of(part, total) for part in sums]
    figure = Figure()
    # The share is the taller part of a bar's text: on a narrow figure they would touch.
    room = plot_width(style) / max(len(parts), 1)
    beside = all(text_width(share, 12) <= room for share in shares)
    figure.add_bar(
        x=list(range(1, len(parts) + 1)),
        y=sums,
        marker={"color": COLOURS[0], "line": {"width": 0}},
        text=[plain(share) if beside or not at else "" for at, share in enumerate(shares)],
        textposition="outside",
        textfont={"size": 12},
        constraintext="none",
        cliponaxis=False,
        hovertext=[
            hover(
                f"{counted(len(part), 'customer')} worth {_money(float(part[-1]), currency)} to "
                f"{_money(float(part[0]), currency)} each: {_money(value, currency)} together"
                f"{f', {share}' if share else ''}."
            )
            for part, value, share in zip(parts, sums, shares, strict=True)
        ],
        hoverinfo="text",
    )
    finding = _finding_of_worth(values, parts, shares, currency)
    axis = f"customers in {counted(len(parts), 'equal part')}, those worth most first"
    figure.update_layout(
        **titled(
            "What customers are worth, refunds taken off",
            [finding],
            style=style,
            plot_height=_PLOT,
        ),
        hovermode="closest",
        xaxis={
            "title": {"text": _in_lines(axis, plot_width(style))},
            "dtick": 1,
            "showgrid": False,
            "visible": bool(parts),
        },
        yaxis={
            "title": {"text": plain(shortened(currency or "value", _AXIS_WIDTH))},
            "tickformat": "~s",
            "visible": any(sums),
        },
    )
    twin = pd.DataFrame(
        {
            "part": range(1, len(parts) + 1),
            "customers": list(map(len, parts)),
            "least": [float(part[-1]) for part in parts],
            "most": [float(part[0]) for part in parts],
            "value": sums,
            "share": [part / total if total > 0 else np.nan for part in sums],
        }
    )
    return figure.says(finding, twin)


def _finding_of_worth(
    values: FloatArray, parts: list[FloatArray], shares: list[str], currency: str
) -> str:
    if not parts:
        return "No customer has ordered: check the name of the event and the range of dates."
    total = _money(float(values.sum()), currency)
    worth = "is" if len(values) == 1 else "are"
    said = f"{counted(len(values), 'customer')} {worth} worth {total} to date"
    if len(parts) > 1 and shares[0]:
        few = "customer" if len(parts[0]) == 1 else counted(len(parts[0]), "customer")
        group = "tenth" if len(parts) == 10 else few
        said += f"; the {group} worth most brought {shares[0]} of it"
    return f"{said}."


def _hatched(colour: str) -> dict[str, Any]:
    pattern = {"shape": "/", "size": 6, "fgcolor": colour, "bgcolor": "rgba(0,0,0,0)",
               "fillmode": "replace"}  # fmt: skip
    return {"color": colour, "line": {"width": 0}, "pattern": pattern}


def _said_of_period(line: Any, word: str) -> str:
    return hover(
        f"In the {word} from {line.period:%Y-%m-%d}, {line.new:,} new and "
        f"{line.returning:,} returning.",
        "" if line.complete else "The data end before it does.",
    )


def _finding_of_periods(table: pd.DataFrame, word: str) -> str:
    """Return the returning customers of the last full period, and of the one before."""
    done = table[table["complete"] & (table[["new", "returning"]].sum(axis=1) > 0)]
    if done.empty:
        if len(table):
            return f"No full {word} has customers: the data end before the first one does."
        return "No customer has ordered: check the name of the event and the range of dates."
    last = done.iloc[-1]
    both = last["new"] + last["returning"]
    was_or_were = "was" if 1 in (last["returning"], both) else "were"
    said = (
        f"In the last full {word}, from {last['period']:%Y-%m-%d}, {last['returning']:,} of "
        f"{counted(both, 'customer')} {was_or_were} returning, "
        f"{said_share(last['returning'] / both)}"
    )
    if len(done) > 1:
        was = done.iloc[-2]
        before = was["new"] + was["returning"]
        said += (
            f"; in that from {was['period']:%Y-%m-%d}, {was['returning']:,} of {before:,}, "
            f"{said_share(was['returning'] / before)}"
        )
    return f"{said}."


def _in_lines(text: str, pixels: float) -> str:
    return "<br>".join(map(plain, balanced(text, pixels, 13)))


def _said_of_day(line: Any, name: str) -> str:
    return hover(
        f"By day {line.days:,}, {percentage(line.share)} of customers have a {name}"
        f"{_interval(line.low, line.high)}.",
        f"{counted(line.at_risk, 'customer was', 'customers were')} observed so long without.",
    )


def _interval(low: float, high: float) -> str:
    return "" if pd.isna(low) else f" ({low:.1%} to {high:.1%})"


def _of(part: float, total: float) -> str:
    """Return which share a part is; nothing where the whole is not an amount to have a share of."""
    return f"{part / total:.0%}" if total > 0 else ""


def _money(amount: float, currency: str) -> str:
    return f"{amount:,.2f} {currency}".strip()


def _ordinal(number: int) -> str:
    teens = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
