"""The figure of an attribution: what each label is credited with, a bar per model.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from convergekit.attribution_result import NONE, Attribution
from convergekit.durations import readable_duration
from convergekit.readable import counted, shortened
from convergekit.template import (
    COLOURS,
    Template,
    hover,
    legend_name,
    look,
    plain,
    titled,
)

# As many labels as fit a figure, and as much of one as fits beside its bars.
_MOST_LABELS, _MOST_OF_LABEL = 12, 24
_BAR, _GAP = 20, 14


def attribution_figure(found: Attribution, template: Template = "light") -> go.Figure:
    """Return the labels as rows, most credited first, with a bar for each model.

    Parameters
    ----------
    found : Attribution
    template : {"light", "dark"}, default "light"

    Returns
    -------
    plotly.graph_objects.Figure
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
    shown = labels[:_MOST_LABELS]
    if NONE in labels and NONE not in shown:
        shown = [*shown[:-1], NONE]
    figure, colours = go.Figure(), look(template)
    for model, colour in zip(models, COLOURS, strict=False):
        table = found.table[found.table["model"] == model].set_index(found.by)
        lines = table.reindex(shown).fillna(0.0)
        figure.add_bar(
            x=lines[most].tolist(),
            y=list(range(len(shown))),
            orientation="h",
            name=legend_name(model),
            marker={
                "color": [colours.quiet if label == NONE else colour for label in shown],
                "line": {"width": 1, "color": colours.paper},
            },
            text=[
                f"{amount:,.2f}" if most == "value" else f"{amount:,.1f}" for amount in lines[most]
            ],
            textposition="outside",
            textfont={"size": 12},
            cliponaxis=False,
            hovertext=[
                _sentence(label, line, model, found)
                for label, line in zip(shown, lines.to_dict("records"), strict=True)
            ],
            hoverinfo="text",
        )
    greatest = float(found.table[most].max()) if len(found.table) else 0.0
    least = min(float(found.table[most].min()), 0.0) if len(found.table) else 0.0
    row = _BAR * len(models) + _GAP
    figure.update_layout(
        **titled(
            f"What each {found.by} is credited with for {found.conversion}",
            _subtitle(found, len(labels) - len(shown), len(found.models) - len(models)),
            template=template,
            plot_height=row * max(len(shown), 1),
            legend=list(models) if len(models) > 1 else (),
        ),
        bargap=_GAP / row,
        hovermode="closest",
        xaxis={"visible": False, "range": [1.3 * least, 1.3 * greatest or 1], "fixedrange": True},
        yaxis={
            "tickvals": list(range(len(shown))),
            "ticktext": [plain(shortened(label, _MOST_OF_LABEL)) for label in shown],
            "range": [max(len(shown), 1) - 0.5, -0.5],
            "showgrid": False,
            "fixedrange": True,
        },
    )
    return figure


def _sentence(label: str, line: dict[Any, Any], model: str, found: Attribution) -> str:
    credited = f"{line['conversions']:,.2f} of the conversions, {line['share']:.1%}"
    said = [f"{model} credits {label} with {credited}."]
    if found.value is not None:
        said.append(f"Their {found.value}: {line['value']:,.2f}.")
    return hover(*said)


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
