"""Figures of a reconciliation: claims beside orders, for the whole period and over time.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from convergekit.base.wording import counted, period_word, shortened
from convergekit.figures.figure import Figure
from convergekit.figures.style import COLOURS, USUAL, Look, Style
from convergekit.figures.template import hover, legend_name, plain, titled
from convergekit.funnels.time_figures import period_axis
from convergekit.reconcile.result import Reconciliation

# Pixels of a bar, and between rows.
_BAR, _GAP = 20, 16
# As much of a name as fits beside its bars.
_MOST_OF_NAME = 24


def reconciliation_figure(found: Reconciliation, style: Style = USUAL) -> Figure:
    """Return what is claimed together, the orders that there are, and each platform's part.

    Parameters
    ----------
    found : Reconciliation
    style : Style, optional

    Returns
    -------
    Figure
        Rows from above: all claims, a colour per platform; the orders; how many of them are
        claimed, from the fewest to the most; then for each platform what it claims, and the orders
        with a click of it.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> claims = pd.DataFrame({
    ...     "date": pd.to_datetime(["2026-03-02", "2026-03-29"]),
    ...     "platform": ["google_ads", "meta"], "conversions": [21.0, 12.0],
    ... })
    >>> figure = reconciliation_figure(s.reconcile(claims, value=None))
    >>> [sum(trace.x) for trace in figure.data if trace.name == "Google Ads"]
    [21.0]
    """
    colours, figure = style.look, Figure()
    names = [found.titles[name] for name in found.platforms]
    rows = ["Claimed together", "Orders", "Orders claimed", *names]
    claimed = found.table["claimed"].tolist()
    total = sum(claimed)
    for name, amount, colour in zip(names, claimed, COLOURS * 2, strict=False):
        _bar(
            figure,
            *(0, amount, colour, name),
            said=hover(f"{name} claims {_plain(amount)} of {_plain(total)} conversions."),
            line=colours.paper,
        )
    _orders(figure, found, colours)
    low, high = found.bound("orders claimed")
    sentence = hover(
        f"At least {_plain(low)} and at most {_plain(high)} orders are claimed by one or several."
    )
    _bar(figure, 2, low, colours.muted, "", said=sentence)
    _bar(figure, 2, high - low, colours.muted, "", said=sentence, hatched=colours.paper)
    _platforms(figure, found, colours)
    _texts(figure, found, colours)
    longest = max(total, len(found.orders), *claimed, *found.table["eligible"])
    row = 2 * _BAR + _GAP
    figure.update_layout(
        **titled(
            "Who claims how many orders",
            [
                found.headline,
                "Hatched: it depends on which orders they claim. Outlined: orders with a click of "
                "that platform within its window.",
            ],
            style=style,
            plot_height=row * len(rows),
        ),
        barmode="stack",
        showlegend=False,
        hovermode="closest",
        xaxis={"visible": False, "range": [0, 1.36 * longest or 1], "fixedrange": True},
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": [plain(shortened(name, _MOST_OF_NAME)) for name in rows],
            "range": [len(rows) - 0.5, -0.5],
            "showgrid": False,
            "fixedrange": True,
        },
    )
    return figure


def by_period_figure(
    table: pd.DataFrame, freq: str, titles: Mapping[str, str], style: Style
) -> Figure:
    """Return claims by period as bars on each other, and all orders as a line.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Reconciliation.by_period`.
    freq : str
    titles : mapping of str to str
        How platforms are called.
    style : Style

    Returns
    -------
    Figure
    """
    colours, word = style.look, period_word(freq)
    figure, names = Figure(), []
    for colour, (platform, rows) in zip(
        COLOURS * 2, table.groupby("platform", sort=False), strict=False
    ):
        name = titles.get(str(platform), str(platform))
        names.append(name.removesuffix(" Advertising"))
        figure.add_bar(
            x=rows["period"],
            y=rows["claimed"].tolist(),
            # As wide as the longest name, the columns of a narrow legend would be one.
            name=legend_name(name.removesuffix(" Advertising")),
            marker={
                "color": colour,
                "line": {"width": 1, "color": colours.paper},
                "pattern": {
                    **_hatching(colour, colours.paper),
                    "shape": ["" if whole else "/" for whole in rows["complete"]],
                },
            },
            hovertext=[
                hover(
                    f"In the {word} from {line.period:%Y-%m-%d}, {name} claims "
                    f"{_plain(line.claimed)}; {counted(int(line.eligible), 'order')} had a click "
                    "of it within its window.",
                    "" if line.complete else f"The exports have a part of the {word}.",
                )
                for line in rows.itertuples()
            ],
            hoverinfo="text",
        )
    orders = table.drop_duplicates("period")
    _add_orders(figure, orders, word, colours)
    figure.update_layout(
        **titled(
            f"Claims and orders by {word}",
            [
                "Bars above the line: more is claimed than there are orders. A platform may date a "
                "claim by its click, before the order.",
                ""
                if table["complete"].all()
                else f"Hatched, and dotted: the exports have a part of the {word}.",
            ],
            style=style,
            plot_height=300,
            legend=[*names, "all orders"],
            legend_width=300,
        ),
        barmode="stack",
        hovermode="closest",
        xaxis={"showgrid": False, **period_axis(orders["period"], freq, word)},
        yaxis={"title": {"text": "orders"}, "rangemode": "tozero"},
    )
    return figure


def _add_orders(figure: Figure, orders: pd.DataFrame, word: str, colours: Look) -> None:
    """Add the line of all orders, dotted to and from periods that the exports have in part."""
    whole = orders["complete"].astype(bool)
    dotted = ~(whole & whole.shift(1, fill_value=True) & whole.shift(-1, fill_value=True))
    texts = [
        hover(
            f"In the {word} from {line.period:%Y-%m-%d}, {counted(line.orders, 'order')}.",
            "" if line.complete else f"The exports have a part of the {word}.",
        )
        for line in orders.itertuples()
    ]
    for shown, dash in ((dotted, "dot"), (whole, "solid")):
        if not shown.any():
            continue
        figure.add_scatter(
            x=orders["period"],
            y=orders["orders"].where(shown).astype(object).where(shown, None).tolist(),
            mode="lines+markers",
            name="all orders",
            legendgroup="all orders",
            showlegend=dash == "solid" or not whole.any(),
            line={"color": colours.ink, "width": 2, "dash": dash},
            marker={"symbol": ["circle" if done else "circle-open" for done in whole]},
            hovertext=texts,
            hoverinfo="text",
        )


def _orders(figure: Figure, found: Reconciliation, colours: Look) -> None:
    within = int(found.orders["in_period"].sum())
    after = len(found.orders) - within
    said = [f"There are {counted(within, 'order')} in the period."]
    if after:
        said.append(f"{after:,} more came after it, of clicks that may be in it.")
    _bar(figure, 1, within, colours.quiet, "", said=hover(*said))
    _bar(figure, 1, after, colours.quiet, "", said=hover(*said), hatched=colours.paper)


def _platforms(figure: Figure, found: Reconciliation, colours: Look) -> None:
    for place, (line, colour) in enumerate(
        zip(found.table.to_dict("records"), COLOURS * 2, strict=False), 3
    ):
        name = found.titles[line["platform"]]
        said = [f"{name} claims {_plain(line['claimed'])}."]
        said.append(f"{counted(line['eligible'], 'order')} had a click of it within its window.")
        if line["beyond_eligible"]:
            said.append(f"{_plain(line['beyond_eligible'])} claims have no such click.")
        for shift, amount, fill in (
            (-_half(), line["claimed"], colour),
            (0.0, line["eligible"], colours.paper),
        ):
            figure.add_bar(
                x=[amount],
                y=[place],
                width=_half(),
                offset=shift,
                base=0,
                orientation="h",
                marker={"color": fill, "line": {"width": 1.5 if amount else 0, "color": colour}},
                hovertext=[hover(*said)],
                hoverinfo="text",
                name="",
            )


def _texts(figure: Figure, found: Reconciliation, colours: Look) -> None:
    """Write the numbers beside the bars."""
    total = float(found.table["claimed"].sum())
    low, high = found.bound("orders claimed")
    between = _plain(low) if low == high else f"{_plain(low)} to {_plain(high)}"
    numbers = [
        (total, 0.0, _plain(total)),
        (len(found.orders), 1.0, f"{len(found.orders):,}"),
        (high, 2.0, between),
    ]
    for place, line in enumerate(found.table.to_dict("records"), 3):
        quarter = _half() / 2
        numbers.append((line["claimed"], place - quarter, f"{_plain(line['claimed'])} claimed"))
        numbers.append((line["eligible"], place + quarter, f"{line['eligible']:,} with a click"))
    figure.add_scatter(
        x=[amount for amount, _, _ in numbers],
        y=[place for _, place, _ in numbers],
        text=[f" {text}" for _, _, text in numbers],
        mode="text",
        textposition="middle right",
        textfont={"size": 12, "color": colours.ink},
        hoverinfo="skip",
        cliponaxis=False,
    )


def _bar(
    figure: Figure,
    row: int,
    amount: float,
    colour: str,
    name: str,
    *,
    said: str,
    line: str | None = None,
    hatched: str | None = None,
) -> None:
    marker = {"color": colour, "line": {"width": 1 if line else 0, "color": line or colour}}
    if hatched:
        marker["pattern"] = {"shape": "/", **_hatching(colour, hatched)}
    figure.add_bar(
        x=[amount],
        y=[row],
        width=_half(),
        orientation="h",
        marker=marker,
        hovertext=[said],
        hoverinfo="text",
        name=plain(name),
    )


def _hatching(colour: str, paper: str) -> dict[str, Any]:
    return {"size": 6, "fgcolor": colour, "bgcolor": paper, "fillmode": "replace"}


def _half() -> float:
    """How high a bar is, where a row is 1."""
    return _BAR / (2 * _BAR + _GAP)


def _plain(amount: float) -> str:
    return f"{amount:,.0f}" if amount == round(amount) else f"{amount:,.1f}"
