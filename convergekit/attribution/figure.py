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
from convergekit.base.wording import counted, shortened_apart
from convergekit.figures.figure import Figure
from convergekit.figures.style import COLOURS, USUAL, Style
from convergekit.figures.template import hover, legend_name, plain, titled

# As many labels as fit a figure, and as much of one as fits beside its bars.
_MOST_LABELS, _MOST_OF_LABEL = 12, 24
_BAR, _GAP = 20, 14


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
    models = found.models[: len(COLOURS)]
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
        _subtitle(found, len(labels) - len(shown), len(found.models) - len(models)),
        digits=1 if found.value is None else 2,
        style=style,
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
    digits : int
        How many digits an amount has after the point.
    style : Style
    quiet : collection of str, optional
        Labels whose bars are of no colour.

    Returns
    -------
    Figure
    """
    figure, colours = Figure(), style.look
    for each, colour in zip(bars, COLOURS, strict=False):
        amounts = each.amounts.reindex(shown).tolist()
        figure.add_bar(
            x=amounts,
            y=list(range(len(shown))),
            orientation="h",
            name=legend_name(each.name),
            marker={
                "color": [colours.quiet if label in quiet else colour for label in shown],
                "line": {"width": 1, "color": colours.paper},
            },
            text=[f"{amount:,.{digits}f}" for amount in amounts],
            textposition="outside",
            textfont={"size": 12},
            cliponaxis=False,
            hovertext=[hover(*each.said(label)) for label in shown],
            hoverinfo="text",
        )
    every = [amount for each in bars for amount in each.amounts]
    greatest, least = max(every, default=0.0), min([*every, 0.0])
    row = _BAR * len(bars) + _GAP
    figure.update_layout(
        **titled(
            title,
            subtitle,
            style=style,
            plot_height=row * max(len(shown), 1),
            legend=[each.name for each in bars] if len(bars) > 1 else (),
        ),
        bargap=_GAP / row,
        hovermode="closest",
        xaxis={"visible": False, "range": [1.3 * least, 1.3 * greatest or 1], "fixedrange": True},
        yaxis={
            "tickvals": list(range(len(shown))),
            "ticktext": [plain(label) for label in shortened_apart(shown, _MOST_OF_LABEL)],
            "range": [max(len(shown), 1) - 0.5, -0.5],
            "showgrid": False,
            "fixedrange": True,
        },
    )
    return figure


def _sentences(lines: pd.DataFrame, model: str, found: Attribution, label: str) -> list[str]:
    line = lines.loc[label]
    credited = f"{line['conversions']:,.2f} of the conversions, {line['share']:.1%}"
    said = [f"{model} credits {label} with {credited}."]
    if found.value is not None:
        said.append(f"Their {found.value}: {line['value']:,.2f}.")
    return said


def _subtitle(found: Attribution, labels: int, models: int) -> list[str]:
    total, touched = found._counts
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
