"""Figures of customers: new and returning, repeat orders, retention and lifetime value.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from convergekit.base.wording import counted, percentage
from convergekit.figures.template import COLOURS, Template, hover, look, plain, titled
from convergekit.funnels.time_figures import PERIOD_WORDS, period_axis

#: Pixels of a cohort's row.
_ROW = 30
#: As many months of a cohort's row have their share written in.
_MOST_WRITTEN = 13


def new_and_returning_figure(table: pd.DataFrame, freq: str, template: Template) -> go.Figure:
    """Return customers by period as bars, those that are new below those that came back.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Customers.new_and_returning`.
    freq : str
    template : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        Bars of a period that had not ended when the data did are hatched.
    """
    colours, word = look(template), PERIOD_WORDS.get(freq.split("-")[0], "period")
    figure = go.Figure()
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
            template=template,
            plot_height=300,
            legend=["new", "returning"],
        ),
        barmode="stack",
        hovermode="closest",
        xaxis={"showgrid": False, **period_axis(table["period"], freq, word)},
        yaxis={"title": {"text": "customers"}, "tickformat": ",d", "rangemode": "tozero"},
    )
    return figure


def repeat_figure(table: pd.DataFrame, customers: int, template: Template) -> go.Figure:
    """Return by which day how many have ordered again, as lines in their confidence intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Customers.repeat_purchases`.
    customers : int
    template : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure, said = go.Figure(), []
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
            template=template,
            plot_height=300,
            legend=names,
        ),
        hovermode="closest",
        xaxis={"title": {"text": "days since the first order"}, "rangemode": "tozero"},
        yaxis={"tickformat": ".0%", "rangemode": "tozero", "title": {"text": "of customers"}},
    )
    return figure


def retention_figure(table: pd.DataFrame, template: Template) -> go.Figure:
    """Return the cohorts as rows of a heat map, a column per month since the first order.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Customers.retention`.
    template : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        Shares that may still grow are written as "≥".
    """
    colours = look(template)
    # In the month of the first order every customer is active: that hides the rest.
    later = table[table["months"] > 0]
    cohorts = list(dict.fromkeys(table["cohort"]))
    width = int(later["months"].max()) if len(later) else 0
    shares = np.full((len(cohorts), width), np.nan)
    texts = np.full(shares.shape, "", dtype=object)
    hovers = texts.copy()
    row_of = {cohort: place for place, cohort in enumerate(cohorts)}
    for line in later.itertuples():
        at = row_of[line.cohort], line.months - 1
        shares[at] = line.share
        more = "" if line.complete else "≥"
        texts[at] = f"{more}{line.share:.0%}" if width < _MOST_WRITTEN else ""
        hovers[at] = hover(
            f"Of {counted(line.customers, 'customer')} who first ordered in "
            f"{line.cohort.month_name()} {line.cohort.year}, "
            f"{line.active:,} ordered {counted(line.months, 'month')} later, {line.share:.1%}.",
            "" if line.complete else "The data end before that month does.",
        )
    sizes = table.drop_duplicates("cohort").set_index("cohort")["customers"]
    figure = go.Figure()
    if width:
        most = float(np.nanmax(shares))
        figure.add_heatmap(
            z=[[None if np.isnan(share) else float(share) for share in row] for row in shares],
            x=list(range(1, width + 1)),
            y=list(range(len(cohorts))),
            text=texts.tolist(),
            texttemplate="%{text}",
            hovertext=hovers.tolist(),
            hoverinfo="text",
            hoverongaps=False,
            zmin=0,
            zmax=most or 1,
            # Text is to be read on all of it.
            colorscale=[[0, colours.faint], [1, COLOURS[4 if template == "light" else 0]]],
            textfont={"color": colours.ink},
            showscale=False,
            xgap=2,
            ygap=2,
        )
    open_ = not later["complete"].all()
    figure.update_layout(
        **titled(
            "Customers who order in later months",
            [
                "A row is of those who first ordered in that month.",
                "≥: the data end before that month does." if open_ else "",
            ]
            if width
            else ["All first orders are in the last month of the data; nothing is later."],
            template=template,
            plot_height=46 + _ROW * len(cohorts),
        ),
        xaxis={
            "title": {"text": "months since the first order"},
            "showgrid": False,
            "dtick": 1 if width < _MOST_WRITTEN else 3,
            "visible": bool(width),
        },
        yaxis={
            "autorange": "reversed",
            "showgrid": False,
            "zeroline": False,
            "tickvals": list(range(len(cohorts))),
            "ticktext": [
                f"{cohort.month_name()[:3]} {cohort.year} · {sizes[cohort]:,}" for cohort in cohorts
            ],
            "visible": bool(width),
        },
    )
    return figure


def value_figure(table: pd.DataFrame, currency: str, template: Template) -> go.Figure:
    """Return what the tenths of customers, those worth most first, bring of all.

    Parameters
    ----------
    table : pandas.DataFrame
        With `value`, a row per customer.
    currency : str
    template : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
    """
    values = np.sort(table["value"].to_numpy(dtype=float))[::-1]
    parts = [part for part in np.array_split(values, min(10, len(values)) or 1) if len(part)]
    sums = [float(part.sum()) for part in parts]
    total = float(values.sum())
    shares = [_of(part, total) for part in sums]
    figure = go.Figure()
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
            template=template,
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
