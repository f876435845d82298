"""Figures of marketing: spend against return by period, and pay-back curves.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.wording import capitalised, counted, in_period, period_name, period_word
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import NARROW, LineEnd, fitting, name_line_ends
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import hover, legend_names, plain, text_width, titled
from convergekit.funnels.groups import signs_of
from convergekit.funnels.time_figures import most_ticks, period_axis, plot_width

#: As many groups have a panel each.
_MOST_PANELS = 6
#: As many curves are drawn.
_MOST_CURVES = 6
#: Pixels of a panel, of the gap above it that holds its title, and of the axis at the bottom.
_PANEL, _GAP, _AXIS = 104, 34, 44
#: Pixels of the letters above a panel, and of the margins beside them.
_SIZE, _MARGINS = 13, 40
#: Pixels of the labels of the vertical axis.
_LABELS = 30
#: Pixels of a label of a month and a year.
_MONTH = 75
#: Pixels of the plot of curves.
_CURVES = 320
#: How wide the bar of a lone period is, on an axis of four times that.
_LONE = pd.Timedelta("1D")
_SPEND, _REVENUE = COLOURS[5], COLOURS[0]


def return_figure(
    table: pd.DataFrame,
    by: Sequence[str],
    freq: str,
    currency: str,
    groups: pd.DataFrame,
    style: Style,
) -> Figure:
    """Return spend and revenue by period, a panel per group that has spend.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Marketing.table` or `Marketing.periods`.
    by : sequence of str
        The columns of the groups; none of `periods`.
    freq : str
    currency : str
    groups : pandas.DataFrame
        `Marketing.groups`: in the order of what they cost.
    style : Style

    Returns
    -------
    Figure
        Bars are spend, lines revenue, dotted where the period is not complete; a panel's title
        says what all its complete periods returned.
    """
    word, periods = period_word(freq), table["period"].drop_duplicates().sort_values()
    panels, left_out = _panels(table, list(by), groups)
    figure, colours = Figure(), style.look
    _add_legend(figure)
    height = len(panels) * (_PANEL + _GAP) + _AXIS
    # On a narrow figure, titles of panels begin where the labels of the axis do.
    narrow = style.width is not None and style.width < NARROW
    for place, (name, rows) in enumerate(panels):
        _add_panel(figure, place, rows, currency, word, style)
        top = 1 - (place * (_PANEL + _GAP) + _GAP) / height
        axis = "yaxis" if not place else f"yaxis{place + 1}"
        figure.update_layout(
            {
                axis: {
                    "domain": [max(top - _PANEL / height, 0), top],
                    "anchor": "x",
                    "nticks": 4,
                    "tickformat": "~s",
                    "rangemode": "tozero",
                }
            }
        )
        figure.add_annotation(
            text=plain(_titled(name, rows, (style.width or NARROW) - _MARGINS)),
            x=0, xref="paper", xanchor="left", xshift=-_LABELS if narrow else 0,
            y=top, yref="paper", yanchor="bottom",
            showarrow=False, font={"size": 13, "color": colours.ink},
        )  # fmt: skip
    open_ = not table["complete"].all()
    what, finding = " and ".join(by), _return_finding(table, currency, word)
    figure.update_layout(
        **titled(
            f"Spend and the revenue it brought, by {word}" + (f" and {what}" if what else ""),
            [
                finding,
                _scale(currency, len(panels)),
                f"Dotted, and hatched: the {word} is not complete." if open_ else "",
                left_out,
            ],
            style=style,
            plot_height=height,
            legend=["spend", "revenue"],
        ),
        hovermode="closest",
        bargap=0.25,
        xaxis={
            "anchor": "y" if len(panels) < 2 else f"y{len(panels)}",
            "showgrid": False,
            "tickangle": 0,
            **_axis(periods, freq, word, style),
        },
    )
    if len(periods) == 1:
        # Plotly takes a lone bar's width from its neighbours, and draws a hair.
        around = [periods.iloc[0] - 2 * _LONE, periods.iloc[0] + 2 * _LONE]
        figure.update_xaxes(range=around)
        figure.update_traces(width=_LONE / pd.Timedelta("1ms"), selector={"type": "bar"})
    return figure.says(finding, _return_twin(panels, by))


def _axis(periods: pd.Series, freq: str, word: str, style: Style) -> dict[str, Any]:
    """Return the axis of periods; of many, with as few labels of a month and a year as fit."""
    axis = period_axis(periods, freq, word, plot_width(style))
    return axis | {"nticks": max(plot_width(style) // _MONTH, 2)} if "nticks" in axis else axis


def _return_finding(table: pd.DataFrame, currency: str, word: str) -> str:
    """Return what was spent and came in in the last complete period, and in the one before."""
    done = table[table["complete"]].groupby("period")[["spend", "revenue"]].sum().sort_index()
    if table.empty:
        return "Spend and revenue are missing: check the range of dates."
    if done.empty:
        return f"No {word} is complete: take a shorter freq, or wait for more data."
    spent, earned = done["spend"].iloc[-1], done["revenue"].iloc[-1]
    said = (
        f"In the last complete {word} ({period_name(done.index[-1], word)}), "
        f"{_money(spent, currency)} was spent and "
        f"{_money(earned, currency)} of revenue came in"
    )
    if len(done) > 1:
        before = done.iloc[-2]
        said += (
            f"; in that of {period_name(done.index[-2], word)}, "
            f"{_money(before['spend'], currency)} and {_money(before['revenue'], currency)}"
        )
    return f"{said}."


def _return_twin(panels: Sequence[tuple[str, pd.DataFrame]], by: Sequence[str]) -> pd.DataFrame:
    """Return a row per group and period."""
    columns = ["period", "spend", "revenue", "complete"]
    parts = [rows[columns].assign(group=name) for name, rows in panels]
    every = pd.concat(parts) if parts else pd.DataFrame(columns=[*columns, "group"])
    return every[["group", *columns]] if by else every[columns]


def _panels(
    table: pd.DataFrame, by: list[str], groups: pd.DataFrame
) -> tuple[list[tuple[str, pd.DataFrame]], str]:
    """Return the groups to draw, those that cost most first, and what is said of the others."""
    if not by:
        return [("all channels", table.sort_values("period"))], ""
    named, here = _joined(groups, by), _joined(table, by)
    there = set(here)
    bought = [name for name, cost in zip(named, groups["spend"], strict=True)
              if cost > 0 and name in there]  # fmt: skip
    free = [name for name in named if name in there and name not in bought]
    shown = (bought or free)[:_MOST_PANELS]
    said = []
    if len(bought) > len(shown):
        said.append(counted(len(bought) - len(shown), "group") + " with less spend")
    if bought and free:
        said.append(counted(len(free), "group") + " without spend")
    panels = [(name, _every_period(table[(here == name).to_numpy()], table)) for name in shown]
    unseen = {name for name, seen in zip(named, _seen(groups), strict=True) if not seen}
    panels = [
        (name, rows.assign(revenue=np.nan) if name in unseen else rows) for name, rows in panels
    ]
    return panels, f"Not shown: {' and '.join(said)}." if said else ""


def _seen(groups: pd.DataFrame) -> list[bool]:
    """Return which groups have a visit or an order: what the others brought is not known."""
    return ((groups["visits"] > 0) | (groups["orders"] > 0)).tolist()


def _every_period(rows: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a group with those periods in which it had nothing."""
    periods = table[["period", "complete"]].drop_duplicates("period").sort_values("period")
    own = rows[["period", "spend", "revenue"]]
    return periods.merge(own, on="period", how="left").fillna({"spend": 0.0, "revenue": 0.0})


def _scale(currency: str, panels: int) -> str:
    said = [f"in {currency}"] if currency else []
    said += ["each panel has a scale of its own"] if panels > 1 else []
    return capitalised("; ".join(said)) + "." if said else ""


def _add_legend(figure: Figure) -> None:
    """Add what the legend shows: bars and lines of complete periods, without any data."""
    nothing = {"x": [None], "y": [None]}
    figure.add_bar(**nothing, name="spend", legendgroup="spend", marker={"color": _SPEND})
    figure.add_scatter(
        **nothing,
        mode="lines+markers",
        name="revenue",
        legendgroup="revenue",
        line={"color": _REVENUE, "width": 2.5},
        marker={"color": _REVENUE, "size": 6},
    )


def _titled(name: str, rows: pd.DataFrame, room: float) -> str:
    """Return the name of a group, and what its complete periods returned."""
    done = rows[rows["complete"]]
    spend, revenue = done["spend"].sum(), done["revenue"].sum()
    told = f": {revenue / spend:.2f} for each 1 spent" if spend > 0 else ""
    if rows["revenue"].isna().all():
        told = ": no visit belongs to it"
    return fitting([name], room - text_width(told, _SIZE), _SIZE)[0] + told


def _add_panel(
    figure: Figure,
    place: int,
    rows: pd.DataFrame,
    currency: str,
    word: str,
    style: Style,
) -> None:
    """Add the bars and lines of one group."""
    axis, paper = "y" if not place else f"y{place + 1}", style.look.paper
    complete = rows["complete"].to_numpy(dtype=bool)
    texts = [
        hover(
            f"{capitalised(in_period(line.period, word))}: {_money(line.spend, currency)} spent, "
            + (
                "and no visit belongs to it."
                if np.isnan(line.revenue)
                else f"{_money(line.revenue, currency)} of revenue."
            ),
            f"{line.revenue / line.spend:.2f} for each 1 spent."
            if line.spend > 0 and not np.isnan(line.revenue)
            else "",
            "" if line.complete else f"The {word} is not complete.",
        )
        for line in rows.itertuples()
    ]
    figure.add_bar(
        x=rows["period"],
        y=rows["spend"].tolist(),
        yaxis=axis,
        name="spend",
        legendgroup="spend",
        showlegend=False,
        marker={
            "color": _SPEND,
            "line": {"width": 0},
            "pattern": {
                "shape": ["" if done else "/" for done in complete],
                "size": 6,
                "fgcolor": _SPEND,
                "bgcolor": paper,
                "fillmode": "replace",
            },
        },
        hovertext=texts,
        hoverinfo="text",
    )
    for first, last in _stretches(complete):
        # A dotted stretch begins at the mark before it, and ends at the one after it.
        open_ = not complete[first]
        part = slice(max(first - open_, 0), last + 1 + open_)
        figure.add_scatter(
            x=rows["period"].iloc[part],
            y=rows["revenue"].iloc[part].tolist(),
            yaxis=axis,
            mode="lines+markers",
            name="revenue",
            legendgroup="revenue",
            showlegend=False,
            line={"color": _REVENUE, "width": 2.5, "dash": "dot" if open_ else "solid"},
            marker={
                "color": _REVENUE,
                "symbol": ["circle" if done else "circle-open" for done in complete[part]],
                "size": 6,
            },
            hovertext=texts[part],
            hoverinfo="text",
        )


def _stretches(complete: Any) -> list[tuple[int, int]]:
    """Return the first and last place of each stretch of one kind."""
    if not len(complete):
        return []
    change = np.flatnonzero(complete[1:] != complete[:-1]) + 1
    begin = [0, *change.tolist()]
    return list(zip(begin, [*(change - 1).tolist(), len(complete) - 1], strict=True))


def payback_figure(
    table: pd.DataFrame, names: Sequence[str], freq: str, currency: str, style: Style
) -> Figure:
    """Return what share of their cost customers have paid back, by age, a line per curve.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Marketing.payback`.
    names : sequence of str
        The columns that name a curve.
    freq : str
    currency : str
    style : Style

    Returns
    -------
    Figure
        Lines are dotted where not all of their customers are observed for so long. Without a cost
        a curve has none of these shares, and is left out.
    """
    colours, word = style.look, period_word(freq)
    known = table[table["paid_back"].notna()]
    labels = _labels(known, list(names), word)
    every = list(dict.fromkeys(labels))
    # Of cohorts the latest say most about the ads of today; of groups those that cost most.
    shown = every[-_MOST_CURVES:] if "cohort" in names else every[:_MOST_CURVES]
    legend = legend_names(shown)
    figure, ends = Figure(), []
    for place, (label, name) in enumerate(zip(shown, legend, strict=True)):
        rows = known[(labels == label).to_numpy()].sort_values("days")
        _add_curve(figure, rows, label, name, COLOURS[place], currency)
        symbol = signs_of(COLOURS[place]).symbol
        ends.append(LineEnd(label, COLOURS[place], float(rows["paid_back"].iloc[-1]), symbol))
    figure.add_hline(y=1, line={"color": colours.quiet, "width": 1, "dash": "dash"})
    figure.add_annotation(
        text="paid back", x=1, xref="paper", xanchor="right", y=1, yanchor="top",
        showarrow=False, borderpad=0, yshift=-3, font={"size": 12, "color": colours.muted},
    )  # fmt: skip
    highest = float(known[labels.isin(shown).to_numpy()]["paid_back"].max()) if len(shown) else 1.0
    lowest, top = 0.0, max(1.1 * highest, 1.15)
    room = name_line_ends(figure, ends, style=style, plot_height=_CURVES, low=lowest, high=top)
    finding = _said(known, labels, shown, "cohort" if "cohort" in names else "group")
    figure.update_layout(
        **titled(
            "When customers have paid back what they cost",
            [
                finding,
                "Dotted: some customers are not observed for so long.",
                _left_out(table, every, shown, list(names)),
            ],
            style=style,
            plot_height=_CURVES,
            legend=() if room else shown,
        ),
        hovermode="closest",
        xaxis={
            "title": {"text": "days since the first order"},
            "rangemode": "tozero",
            "showgrid": False,
            "nticks": most_ticks(plot_width(style, room)) + 1,
        },
        yaxis={
            "title": {"text": "of their cost"},
            "tickformat": ".0%",
            "range": [lowest, top],
        },
    )
    if room:
        figure.update_layout(showlegend=False, margin={"r": room})
    drawn = known[labels.isin(shown).to_numpy()]
    columns = ["days", "customers", "value", "cac", "paid_back", "complete"]
    return figure.says(finding, drawn[[*names, *columns]])


def _labels(table: pd.DataFrame, names: list[str], word: str) -> pd.Series:
    if names == ["cohort"]:
        return table["cohort"].map(lambda start: period_name(start, word)).astype(str)
    return _joined(table, names)


def _joined(table: pd.DataFrame, names: list[str]) -> pd.Series:
    """Return the names of each row as one text; of no rows a column too."""
    first, *others = (table[name].astype(str) for name in names)
    return first.str.cat(others, sep=", ") if others else first


def _add_curve(
    figure: Figure, rows: pd.DataFrame, label: str, name: str, colour: str, currency: str
) -> None:
    complete = rows["complete"].to_numpy(dtype=bool)
    texts = [
        hover(
            f"{capitalised(label)}, {line.days:,} days after the first order: "
            f"{_money(line.value, currency)} a customer, {line.paid_back:.0%} of their "
            f"{_money(line.cac, currency)}.",
            ""
            if pd.isna(line.low)
            else f"Between {_money(line.low, currency)} and {_money(line.high, currency)}.",
            f"{line.customers:,.0f} customers are observed for so long.",
        )
        for line in rows.itertuples()
    ]
    done = int(complete.sum())
    for begin, end, dash in ((0, done, "solid"), (max(done - 1, 0), len(rows), "dot")):
        part = slice(begin, end)
        if end - begin < 1 or (dash == "dot" and done == len(rows)):
            continue
        figure.add_scatter(
            x=rows["days"].iloc[part].tolist(),
            y=rows["paid_back"].round(6).iloc[part].tolist(),
            mode="lines+markers",
            # Marks at the first day are whole.
            cliponaxis=False,
            name=name,
            legendgroup=name,
            showlegend=dash == "solid" or not done,
            line={"color": colour, "width": 2.5, "dash": dash},
            marker={"size": 6, "color": colour, "symbol": signs_of(colour).symbol},
            hovertext=texts[part],
            hoverinfo="text",
        )


def _said(table: pd.DataFrame, labels: pd.Series, shown: list[str], one: str) -> str:
    """Return how many of the curves have paid back, and when."""
    if not shown:
        return "No customers have both a cost and an order."
    each = table.assign(label=labels.to_numpy()).drop_duplicates("label").set_index("label")
    days = each["days_to_pay_back"].reindex(shown)
    back = int(days.notna().sum())
    if not back:
        return f"None of {counted(len(shown), one)} has paid back yet."
    median = days.dropna().sort_values().iloc[(back - 1) // 2]
    when = "with the first order" if median == 0 else f"by day {int(median):,}"
    have = "has" if back == 1 else "have"
    return f"{back} of {counted(len(shown), one)} {have} paid back, half of them {when}."


def _left_out(table: pd.DataFrame, every: list[str], shown: list[str], names: list[str]) -> str:
    said = []
    if len(every) > len(shown):
        which = "earlier cohort" if "cohort" in names else "group"
        said.append(counted(len(every) - len(shown), which))
    free = table[table["paid_back"].isna()][names].drop_duplicates()
    if len(free):
        said.append(
            f"{counted(len(free), names[0] if len(names) == 1 else 'group')} without a cost"
        )
    return f"Not shown: {' and '.join(said)}." if said else ""


def _money(amount: float, currency: str) -> str:
    return f"{amount:,.2f} {currency}".strip()
