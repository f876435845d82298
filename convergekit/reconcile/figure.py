"""Figures of a reconciliation: claims beside orders, for the whole period and over time.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from convergekit.base.wording import counted, period_word
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import fitting
from convergekit.figures.style import COLOURS, USUAL, Look, Style
from convergekit.figures.template import hover, legend_names, plain, text_width, titled
from convergekit.funnels.groups import bar_mark, signs_of
from convergekit.funnels.time_figures import period_axis, plot_width
from convergekit.reconcile.result import Reconciliation

#: Pixels of a bar, between rows, and of a name above its row.
_BAR, _GAP, _ABOVE = 20, 16, 14
#: Pixels of letters, and of a name beside its row. Figures narrower than this have names above.
_SIZE, _NAME, _NARROW = 12, 150, 440
#: A figure without a width is laid out for so many pixels.
_USUAL, _MARGINS = 400, 32


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
    high = _half(style)
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
            high=high,
        )
    _orders(figure, found, colours, high)
    low, most = found.bound("orders claimed")
    sentence = hover(
        f"At least {_plain(low)} and at most {_plain(most)} orders are claimed by one or several."
    )
    _bar(figure, 2, low, colours.muted, "", said=sentence, high=high)
    _bar(figure, 2, most - low, colours.muted, "", said=sentence, high=high, hatched=colours.paper)
    _platforms(figure, found, colours, high)
    numbers = _numbers(found, high)
    _texts(figure, numbers, colours)
    above = style.width is not None and style.width < _NARROW
    short = fitting(rows, (style.width or _USUAL) - _MARGINS if above else _NAME, _SIZE)
    beside = 0 if above else max(text_width(name, _SIZE + 1) for name in short) + 10
    room = (style.width or _USUAL) - _MARGINS - beside
    for place, name in enumerate(short if above else ()):
        # Bars of claims are higher than those of one row.
        high = _BAR if place > 2 else _BAR / 2
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=place, yshift=high + 1, yanchor="bottom",
            text=plain(name), showarrow=False, borderpad=0,
            font={"size": _SIZE, "color": colours.ink},
        )  # fmt: skip
    row = _row(style)
    figure.update_layout(
        **titled(
            "Who claims how many orders",
            [
                found.headline,
                "Hatched: it depends on which orders they claim. Outlined: orders with a click of "
                "that platform within its window.",
            ],
            style=style,
            plot_height=_row(style) * len(rows),
        ),
        barmode="stack",
        showlegend=False,
        hovermode="closest",
        xaxis={"visible": False, "range": [0, _axis_end(numbers, room)], "fixedrange": True},
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": list(map(plain, short)),
            "showticklabels": not above,
            "range": [len(rows) - 0.5, -0.5 - (_ABOVE / row / 2 if above else 0)],
            "showgrid": False,
            "fixedrange": True,
        },
    )
    return figure.says(found.headline, _twin(found))


def _row(style: Style) -> int:
    """Return the pixels of a row."""
    return 2 * _BAR + _GAP + (_ABOVE if style.width and style.width < _NARROW else 0)


def _axis_end(numbers: list[tuple[float, float, str]], room: float) -> float:
    """Return where an axis of so many pixels ends that fits the texts beside the bars."""
    longest = max(amount for amount, _, _ in numbers) or 1.0
    scale = min(
        (room - text_width(text, _SIZE) - 12) / max(amount, 1e-9 * longest)
        for amount, _, text in numbers
    )
    return room / max(min(scale, room / longest), 0.2 * room / longest)


def _twin(found: Reconciliation) -> pd.DataFrame:
    """Return the numbers that are drawn, a row per bar."""
    within = int(found.orders["in_period"].sum())
    low, high = found.bound("orders claimed")
    rows = [
        ("claimed together", float(found.table["claimed"].sum())),
        ("orders in the period", within),
        ("orders after it", len(found.orders) - within),
        ("orders claimed, at least", low),
        ("orders claimed, at most", high),
    ]
    for line in found.table.to_dict("records"):
        name = found.titles[line["platform"]]
        rows.append((f"{name}: claimed", line["claimed"]))
        rows.append((f"{name}: orders with a click", line["eligible"]))
    return pd.DataFrame(rows, columns=["what", "number"])


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
    figure = Figure()
    platforms = [str(platform) for platform in table["platform"].unique()]
    # As wide as the longest name, the columns of a narrow legend would be one.
    names = [titles.get(one, one).removesuffix(" Advertising") for one in platforms]
    for colour, legend, (platform, rows) in zip(
        COLOURS * 2, legend_names(names), table.groupby("platform", sort=False), strict=False
    ):
        name = titles.get(str(platform), str(platform))
        figure.add_bar(
            x=rows["period"],
            y=rows["claimed"].tolist(),
            name=legend,
            marker={
                "color": colour,
                "line": {"width": 1, "color": colours.paper},
                "pattern": _patterns(rows["complete"].tolist(), colour, colours.paper),
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
    orders = table.drop_duplicates("period").sort_values("period")
    finding = _period_finding(table, word)
    _add_orders(figure, orders, word, colours)
    figure.update_layout(
        **titled(
            f"Claims and orders by {word}",
            [
                finding,
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
        xaxis={"showgrid": False, "tickangle": 0,
               **period_axis(orders["period"], freq, word, plot_width(style))},
        yaxis={"title": {"text": "orders"}, "rangemode": "tozero"},
    )  # fmt: skip
    columns = ["period", "platform", "claimed", "orders", "complete"]
    return figure.says(finding, table[columns])


def _patterns(complete: list[bool], colour: str, paper: str) -> dict[str, Any]:
    """Return the pattern that goes with a colour, and hatching where a period is not complete."""
    own = signs_of(colour).pattern
    return {
        "shape": [own if whole else "/" for whole in complete],
        "size": 6,
        "solidity": [0.16 if whole else 0.3 for whole in complete],
        "fillmode": "replace",
        "fgcolor": ["rgba(255, 255, 255, 0.55)" if whole else colour for whole in complete],
        "bgcolor": [colour if whole else paper for whole in complete],
    }


def _period_finding(table: pd.DataFrame, word: str) -> str:
    """Return claims and orders of the last complete period, and of the one before."""
    if table.empty:
        return "Nothing is claimed in these periods: choose others."
    done = table[table["complete"].astype(bool)]
    sums = done.groupby("period").agg(claimed=("claimed", "sum"), orders=("orders", "first"))
    if sums.empty:
        return f"No {word} is complete: the exports have a part of each."
    last = sums.iloc[-1]
    said = (
        f"In the last complete {word}, from {sums.index[-1]:%Y-%m-%d}, "
        f"{_plain(last['claimed'])} conversions are claimed, and there "
        f"{'is' if last['orders'] == 1 else 'are'} {counted(int(last['orders']), 'order')}"
    )
    if len(sums) > 1:
        before = sums.iloc[-2]
        said += (
            f"; in that from {sums.index[-2]:%Y-%m-%d}, {_plain(before['claimed'])} and "
            f"{int(before['orders']):,}"
        )
    return f"{said}."


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


def _orders(figure: Figure, found: Reconciliation, colours: Look, high: float) -> None:
    within = int(found.orders["in_period"].sum())
    after = len(found.orders) - within
    said = [f"There are {counted(within, 'order')} in the period."]
    if after:
        said.append(f"{after:,} more came after it, of clicks that may be in it.")
    _bar(figure, 1, within, colours.quiet, "", said=hover(*said), high=high)
    _bar(figure, 1, after, colours.quiet, "", said=hover(*said), high=high, hatched=colours.paper)


def _platforms(figure: Figure, found: Reconciliation, colours: Look, high: float) -> None:
    for place, (line, colour) in enumerate(
        zip(found.table.to_dict("records"), COLOURS * 2, strict=False), 3
    ):
        name = found.titles[line["platform"]]
        said = [f"{name} claims {_plain(line['claimed'])}."]
        said.append(f"{counted(line['eligible'], 'order')} had a click of it within its window.")
        if line["beyond_eligible"]:
            said.append(f"{_plain(line['beyond_eligible'])} claims have no such click.")
        for shift, amount, mark in (
            (-high, line["claimed"], bar_mark(colour)),
            (0.0, line["eligible"], {"color": colours.paper}),
        ):
            figure.add_bar(
                x=[amount],
                y=[place],
                width=high,
                offset=shift,
                base=0,
                orientation="h",
                marker={**mark, "line": {"width": 1.5 if amount else 0, "color": colour}},
                hovertext=[hover(*said)],
                hoverinfo="text",
                name="",
            )


def _numbers(found: Reconciliation, high: float) -> list[tuple[float, float, str]]:
    """Return where bars end, their rows, and the text beside each."""
    total = float(found.table["claimed"].sum())
    low, most = found.bound("orders claimed")
    between = _plain(low) if low == most else f"{_plain(low)} to {_plain(most)}"
    numbers = [
        (total, 0.0, _plain(total)),
        (float(len(found.orders)), 1.0, f"{len(found.orders):,}"),
        (most, 2.0, between),
    ]
    for place, line in enumerate(found.table.to_dict("records"), 3):
        numbers.append((line["claimed"], place - high / 2, f"{_plain(line['claimed'])} claimed"))
        numbers.append((line["eligible"], place + high / 2, f"{line['eligible']:,} with a click"))
    return numbers


def _texts(figure: Figure, numbers: list[tuple[float, float, str]], colours: Look) -> None:
    """Write the numbers beside the bars."""
    figure.add_scatter(
        x=[amount for amount, _, _ in numbers],
        y=[row for _, row, _ in numbers],
        text=[f" {text}" for _, _, text in numbers],
        mode="text",
        textposition="middle right",
        textfont={"size": _SIZE, "color": colours.ink},
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
    high: float,
    line: str | None = None,
    hatched: str | None = None,
) -> None:
    marker = {**bar_mark(colour), "line": {"width": 1 if line else 0, "color": line or colour}}
    if colour not in COLOURS:
        marker.pop("pattern", None)
    if hatched:
        marker["pattern"] = {"shape": "/", **_hatching(colour, hatched)}
    figure.add_bar(
        x=[amount],
        y=[row],
        width=high,
        orientation="h",
        marker=marker,
        hovertext=[said],
        hoverinfo="text",
        name=plain(name),
    )


def _hatching(colour: str, paper: str) -> dict[str, Any]:
    return {"size": 6, "fgcolor": colour, "bgcolor": paper, "fillmode": "replace"}


def _half(style: Style) -> float:
    """Return how high a bar is, where a row is 1."""
    return _BAR / _row(style)


def _plain(amount: float) -> str:
    return f"{amount:,.0f}" if amount == round(amount) else f"{amount:,.1f}"
