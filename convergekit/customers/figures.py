"""Figures of customers: new and returning, repeat orders, retention and lifetime value.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from convergekit.activity.figures import heat_figure
from convergekit.activity.wording import Words
from convergekit.base.wording import counted, percentage, period_word
from convergekit.figures.figure import Figure
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import hover, plain, titled
from convergekit.funnels.time_figures import period_axis

_ORDERS = Words(
    title="Customers who order in later months",
    rows="A row is of those who first ordered in that month.",
    who="customer",
    begun="first ordered",
    did="ordered",
    since="the first order",
    nothing="All first orders are in the last month of the data; nothing is later.",
)


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
    colours, word = style.look, period_word(freq)
    figure = Figure()
    for name, colour in (("new", COLOURS[0]), ("returning", COLOURS[1])):
        figure.add_bar(
            x=table["period"],
            y=table[name].tolist(),
            name=name,
            marker={
                "color": colour,
                "line": {"width": 0},
                "pattern": {
                    "shape": ["" if done else "/" for done in table["complete"]],
                    "size": 6,
                    "fgcolor": colour,
                    "bgcolor": colours.paper,
                    "fillmode": "replace",
                },
            },
            hovertext=[
                hover(
                    f"In the {word} from {line.period:%Y-%m-%d}, {line.new:,} new and "
                    f"{line.returning:,} returning.",
                    "" if line.complete else "The data end before it does.",
                )
                for line in table.itertuples()
            ],
            hoverinfo="text",
        )
    open_ = not table["complete"].all()
    figure.update_layout(
        **titled(
            f"New and returning customers by {word}",
            [
                _said_of_periods(table, word),
                f"Hatched: the data end before the {word} does." if open_ else "",
            ],
            style=style,
            plot_height=300,
            legend=["new", "returning"],
        ),
        barmode="stack",
        hovermode="closest",
        xaxis={"showgrid": False, **period_axis(table["period"], freq, word)},
        yaxis={"title": {"text": "customers"}, "tickformat": ",d", "rangemode": "tozero"},
    )
    return figure


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
    figure, said = Figure(), []
    names = []
    for place, (number, rows) in enumerate(table.groupby("order")):
        colour, name = COLOURS[place % len(COLOURS)], f"{_ordinal(int(number))} order"
        names.append(name)
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
                fillcolor=_faint(colour),
            )
        figure.add_scatter(
            x=rows["days"].tolist(),
            y=rows["share"].round(6).tolist(),
            mode="lines",
            name=name,
            legendgroup=name,
            line={"width": 2.5, "color": colour, "shape": "hv"},
            hovertext=[_said_of_day(line, name) for line in rows.itertuples()],
            hoverinfo="text",
        )
        last = rows.iloc[-1]
        said.append(
            f"By day {last['days']:,.0f}, {percentage(last['share'])} have a {name}"
            f"{_interval(last['low'], last['high'])}."
        )
    figure.update_layout(
        **titled(
            "Who orders again, and how soon",
            [f"{counted(customers, 'customer')}, each for as long as observed.", *said],
            style=style,
            plot_height=300,
            legend=names,
        ),
        hovermode="closest",
        xaxis={"title": {"text": "days since the first order"}, "rangemode": "tozero"},
        yaxis={"tickformat": ".0%", "rangemode": "tozero", "title": {"text": "of customers"}},
    )
    return figure


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
    return heat_figure(table.rename(columns=names), _ORDERS, style)


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
    figure.add_bar(
        x=list(range(1, len(parts) + 1)),
        y=sums,
        marker={"color": COLOURS[0], "line": {"width": 0}},
        text=[plain(share) for share in shares],
        textposition="outside",
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
    said = [f"{counted(len(values), 'customer')} are worth {_money(total, currency)} to date."]
    if shares and shares[0]:
        group = "tenth" if len(parts) == 10 else counted(len(parts[0]), "customer")
        said.append(f"The {group} worth most brought {shares[0]} of it.")
    figure.update_layout(
        **titled(
            "What customers are worth, refunds taken off",
            said,
            style=style,
            plot_height=300,
        ),
        hovermode="closest",
        xaxis={
            "title": {"text": f"customers in {len(parts)} equal parts, those worth most first"},
            "dtick": 1,
            "showgrid": False,
        },
        yaxis={"title": {"text": plain(currency or "value")}, "tickformat": "~s"},
    )
    return figure


def _said_of_periods(table: pd.DataFrame, word: str) -> str:
    done = table[table["complete"] & (table[["new", "returning"]].sum(axis=1) > 0)]
    if done.empty:
        return ""
    last = done.iloc[-1]
    both = last["new"] + last["returning"]
    return (
        f"In the last full {word}, {last['returning']:,} of {counted(both, 'customer')} "
        f"{'was' if last['returning'] == 1 else 'were'} returning, "
        f"{last['returning'] / both:.1%}."
    )


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


def _faint(colour: str) -> str:
    channels = [str(int(colour[at : at + 2], 16)) for at in (1, 3, 5)]
    return f"rgba({', '.join(channels)}, 0.16)"
