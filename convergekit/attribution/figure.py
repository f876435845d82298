"""The figure of an attribution: what each label is credited with, a bar per model.

What bars by label look like is here too, for other ways to compare credits.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from convergekit.attribution.result import NONE, Attribution
from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import fitting
from convergekit.figures.style import COLOURS, USUAL, Style
from convergekit.figures.template import hover, legend_name, plain, text_width, titled
from convergekit.funnels.groups import bar_mark

# As many labels as fit a figure.
_MOST_LABELS = 12
#: Pixels of a bar, between rows, and of a label above its row.
_BAR, _GAP, _ABOVE = 20, 14, 18
#: Pixels of letters, and of a label beside its row. Figures narrower than this have labels above.
_SIZE, _LABEL, _NARROW = 12, 150, 440
#: Of amounts so large, the numbers beside bars are whole.
_IN_WHOLE = 1_000
#: A figure without a width is laid out for so many pixels.
_USUAL, _MARGINS = 400, 32
#: The longest bar has at least this part of the plot.
_LEAST_FOR_BARS = 0.35


@dataclass(frozen=True)
class Bars:
    """The bars of one colour: what each label is credited with, and what hover texts say.

    Attributes
    ----------
    name : str
    amounts : pandas.Series
        By label.
    said : callable
        Takes a label, and returns a sentence or several.
    """

    name: str
    amounts: pd.Series
    said: Callable[[str], Sequence[str]]


def attribution_figure(found: Attribution, style: Style = USUAL) -> Figure:
    """Return the labels as rows, most credited first, with a bar for each model.

    Parameters
    ----------
    found : Attribution
    style : Style, optional

    Returns
    -------
    Figure
        Twelve labels and six models at most; the figure says how many it leaves out.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> figure = attribution_figure(s.attribution("Placed Order", model=["linear", "markov"]))
    >>> [trace.name for trace in figure.data], len(figure.data[0].x)
    (['linear', 'markov'], 6)
    """
    models, counts = found.models[: len(COLOURS)], found._counts
    most = "conversions" if found.value is None else "value"
    labels = found.comparison[found.by].tolist()
    shown = shown_labels(labels)
    bars = []
    for model in models:
        lines = found.table[found.table["model"] == model].set_index(found.by)
        lines = lines.reindex(labels).fillna(0.0)
        bars.append(Bars(model, lines[most], partial(_sentences, lines, model, found)))
    return labelled_bars(
        bars,
        shown,
        f"What each {found.by} is credited with for {found.conversion}",
        [
            _finding(found, *counts),
            *_subtitle(found, *counts, len(labels) - len(shown), len(found.models) - len(models)),
        ],
        digits=1 if found.value is None else 2,
        style=style,
        columns=(found.by, "model", most if found.value is None else found.value),
        # It is the same for all models.
        quiet=(NONE,),
    )


def shown_labels(labels: list[str]) -> list[str]:
    """Return as many labels as fit a figure, and always the label without a touchpoint."""
    shown = labels[:_MOST_LABELS]
    if NONE in labels and NONE not in shown:
        shown = [*shown[:-1], NONE]
    return shown


def labelled_bars(
    bars: Sequence[Bars],
    shown: Sequence[str],
    title: str,
    subtitle: Sequence[str],
    *,
    digits: int,
    style: Style,
    columns: tuple[str, str, str],
    quiet: Collection[str] = (),
) -> Figure:
    """Return labels as rows with a bar of each colour.

    Parameters
    ----------
    bars : sequence of Bars
        At most as many as there are colours.
    shown : sequence of str
        The labels, from above.
    title : str
    subtitle : sequence of str
        First the finding.
    digits : int
        How many digits an amount has after the point.
    style : Style
    columns : tuple of str
        What labels, colours and amounts are called in the table of the figure.
    quiet : collection of str, optional
        Labels whose bars are of no colour.

    Returns
    -------
    Figure
    """
    figure, colours = Figure(), style.look
    above = style.width is not None and style.width < _NARROW
    short = fitting(list(shown), (style.width or _USUAL) - _MARGINS if above else _LABEL, _SIZE)
    beside = 0 if above else max((text_width(label, _SIZE + 1) for label in short), default=0) + 10
    room = (style.width or _USUAL) - _MARGINS - beside
    amounts = [each.amounts.reindex(shown).fillna(0.0).tolist() for each in bars]
    texts, axis, is_named = _ends([each.name for each in bars], amounts, digits, room)
    for each, amount, text, colour in zip(bars, amounts, texts, COLOURS, strict=False):
        mark = bar_mark(colour)
        if "pattern" in mark:
            mark["pattern"]["shape"] = [
                "" if label in quiet else mark["pattern"]["shape"] for label in shown
            ]
        figure.add_bar(
            x=amount,
            y=list(range(len(shown))),
            orientation="h",
            name=legend_name(each.name),
            marker={
                **mark,
                "color": [colours.quiet if label in quiet else colour for label in shown],
                "line": {"width": 1, "color": colours.paper},
            },
            text=[plain(one) for one in text],
            textposition="outside",
            textfont={"size": _SIZE, "color": colours.ink},
            cliponaxis=False,
            hovertext=[hover(*each.said(label)) for label in shown],
            hoverinfo="text",
        )
    row = _BAR * len(bars) + _GAP + (_ABOVE if above else 0)
    figure.update_layout(
        **titled(
            title,
            subtitle,
            style=style,
            plot_height=row * max(len(shown), 1),
            legend=() if is_named else [each.name for each in bars],
        ),
        bargap=1 - _BAR * len(bars) / row,
        hovermode="closest",
        xaxis={"visible": False, "range": axis, "fixedrange": True},
        yaxis={
            "tickvals": list(range(len(shown))),
            "ticktext": list(map(plain, short)),
            "showticklabels": not above,
            "range": [max(len(shown), 1) - 0.5, -0.5 - (_ABOVE / row / 2 if above else 0)],
            "showgrid": False,
            "fixedrange": True,
        },
    )
    for place, label in enumerate(short if above else ()):
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=place, yshift=_BAR * len(bars) / 2 + 1,
            yanchor="bottom", text=plain(label), showarrow=False, borderpad=0,
            font={"size": _SIZE, "color": colours.ink},
        )  # fmt: skip
    if is_named:
        figure.update_layout(showlegend=False)
    return figure.says(subtitle[0], _twin(bars, shown, amounts, columns))


def _twin(
    bars: Sequence[Bars],
    shown: Sequence[str],
    amounts: Sequence[Sequence[float]],
    columns: tuple[str, str, str],
) -> pd.DataFrame:
    """Return a row per bar."""
    label, colour, amount = columns
    twin = pd.DataFrame(
        [
            (name, each.name, one)
            for each, of_bars in zip(bars, amounts, strict=True)
            for name, one in zip(shown, of_bars, strict=True)
        ],
        columns=[label, colour or "bar", amount],
    )
    return twin if colour else twin[[label, amount]]


def _ends(
    names: Sequence[str], amounts: Sequence[Sequence[float]], digits: int, room: float
) -> tuple[list[list[str]], list[float], bool]:
    """Return the texts at the ends of bars, the ends of an axis that fits them, and more.

    The third tells whether the texts of the first row name the colours, which they do if there is
    room and there are several, or colours need no name.
    """
    most = max((abs(amount) for of_bars in amounts for amount in of_bars), default=0.0)
    # Beside thousands nobody reads cents; the table has them.
    digits = 0 if most >= _IN_WHOLE else digits
    plainly = [[f"{amount:,.{digits}f}" for amount in of_bars] for of_bars in amounts]
    named = [
        [f"{text} {name}" if not row else text for row, text in enumerate(of_bars)]
        for name, of_bars in zip(fitting(list(names), 0.4 * room, _SIZE), plainly, strict=True)
    ]
    if len(names) < 2:
        return plainly, _axis(plainly, amounts, room)[0], True
    axis, part = _axis(named, amounts, room)
    if part >= _LEAST_FOR_BARS:
        return named, axis, True
    return plainly, _axis(plainly, amounts, room)[0], False


def _axis(
    texts: Sequence[Sequence[str]], amounts: Sequence[Sequence[float]], room: float
) -> tuple[list[float], float]:
    """Return the ends of an axis with room for texts beside bars, and the bars' part of it."""
    flat = [
        (amount, text_width(text, _SIZE) + 12)
        for one, of_bars in zip(texts, amounts, strict=True)
        for text, amount in zip(one, of_bars, strict=True)
    ]
    low, high = (choose([0.0, *(amount for amount, _ in flat)]) for choose in (min, max))
    span = (high - low) or 1.0
    # Texts below zero stand at the left of their bars.
    left = max((wide for amount, wide in flat if amount < 0), default=0.0)
    scale = min(
        ((room - left - wide) / ((max(amount, 0) - low) or 1e-9 * span) for amount, wide in flat),
        default=room / span,
    )
    scale = max(min(scale, room / span), 0.2 * room / span)
    return [low - left / scale, low - left / scale + room / scale], scale * span / room


def _sentences(lines: pd.DataFrame, model: str, found: Attribution, label: str) -> list[str]:
    line = lines.loc[label]
    credited = f"{line['conversions']:,.2f} of the conversions, {line['share']:.1%}"
    said = [f"{model} credits {label} with {credited}."]
    if found.value is not None:
        said.append(f"Their {found.value}: {line['value']:,.2f}.")
    return said


def _finding(found: Attribution, total: int, touched: int) -> str:
    """Return which labels the first model credits with most and with least."""
    model, table = found.models[0], found.comparison
    table = table[table[found.by] != NONE]
    if not total:
        return f"Conversions are missing: check that events are named {found.conversion}."
    if not touched or table.empty:
        before = readable_duration(found.lookback)
        return f"None of {counted(total, 'conversion')} had a touch in the {before} before."
    digits = 1 if found.value is None else 2
    most, least = (
        table.loc[choose(table[model])] for choose in (pd.Series.idxmax, pd.Series.idxmin)
    )
    whole = found.comparison[model].sum()
    of = f"{whole:,.{digits}f} {found.value or 'conversions'}"
    said = f"Of {of}, {model} credits {most[found.by]} with {most[model]:,.{digits}f}"
    if len(table) > 1:
        said += f", the most, and {least[found.by]} with {least[model]:,.{digits}f}, the least"
    return f"{said}."


def _subtitle(found: Attribution, total: int, touched: int, labels: int, models: int) -> list[str]:
    what = "Conversions" if found.value is None else f"Sums of {found.value}"
    said = [
        f"{what}; {touched:,} of {counted(total, 'conversion')} had a touch in the "
        f"{readable_duration(found.lookback)} before."
    ]
    if len(found.models) == 1:
        said.append(f"Model: {found.models[0]}.")
    if labels:
        said.append(f"Not shown: {counted(labels, 'label')} with less.")
    if models:
        said.append(f"Not shown: {counted(models, 'model')}.")
    return said
