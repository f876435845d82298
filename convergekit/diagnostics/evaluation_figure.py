"""The figure of the accuracy of profiles: precision, recall, and the two kinds of mistakes.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from convergekit.base.wording import counted
from convergekit.diagnostics.coverage_figures import Shares, legend_room, rows_height, shares_figure
from convergekit.figures.figure import Figure
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import hover, text_width, titled
from convergekit.funnels.groups import bar_mark

if TYPE_CHECKING:
    from convergekit.diagnostics.evaluation import Evaluation

_SAID = {
    ("pairwise", "precision"): "Of all pairs of events on one profile, {} are of one person.",
    ("pairwise", "recall"): "Of all pairs of events of one person, {} are on one profile.",
    ("B-cubed", "precision"): "For the average event, {} of the events on its profile are of its "
    "person.",
    ("B-cubed", "recall"): "For the average event, {} of its person's events are on its profile.",
}

#: Pixels of the bars of mistakes.
_MISTAKES = 84
_WRONG = ("merged", "split")


def evaluation_figure(found: Evaluation, style: Style) -> Figure:
    """Return precision, recall and F1, and below them the shares of mistaken profiles and people.

    Parameters
    ----------
    found : Evaluation
    style : Style

    Returns
    -------
    Figure
    """
    measures = ["precision", "recall", "f1"]
    table = found.table.set_index("measure")
    pairs = []
    for name in ("pairwise", "B-cubed"):
        shares = [float(table.loc[name, measure]) for measure in measures]
        said = [
            _SAID.get((name, measure), f"The harmonic mean of {name} precision and recall is {{}}.")
            for measure in measures
        ]
        texts = [text.format(f"{share:.1%}") for text, share in zip(said, shares, strict=True)]
        pairs.append(Shares(name, shares, texts))
    figure = shares_figure(["precision", "recall", "F1"], pairs[0], pairs[1], style)
    _add_mistakes(figure, found, style)
    people = counted(found.people, "person", "people")
    finding = _finding(found)
    rows = rows_height(3, style)
    figure.update_layout(
        **titled(
            "How right the profiles are",
            [
                finding,
                f"{counted(found.events, 'event')} of {people} on "
                f"{counted(found.profiles, 'profile')}.",
            ],
            style=style,
            plot_height=rows + _MISTAKES + 40,
            legend=[trace.name for trace in figure.data if trace.name and trace.type != "bar"],
            legend_width=min(legend_room(style), 260),
        )
    )
    figure.update_layout(
        barmode="stack",
        # What is written at the right of the bars is longer.
        margin={"r": max(int(text_width("100.0% merged", 12)) + 30, figure.layout.margin.r)},
        yaxis={"domain": [1 - (rows - 30) / (rows + _MISTAKES), 1]},
        yaxis2={
            "domain": [0, _MISTAKES / (rows + _MISTAKES)],
            "tickvals": [0, 1],
            "ticktext": ["profiles", "people"],
            "range": [1.6, -0.6],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        xaxis={"anchor": "y2"},
    )
    return figure.says(finding, _twin(found))


def _finding(found: Evaluation) -> str:
    """Return how many profiles and people are wrong."""
    merged, split = len(found.over_merged), len(found.split)
    shares = [
        f", {count / total:.1%}" if total else ""
        for count, total in ((merged, found.profiles), (split, found.people))
    ]
    hold, are = ("holds" if merged == 1 else "hold"), ("is" if split == 1 else "are")
    return (
        f"{merged:,} of {counted(found.profiles, 'profile')} {hold} several people{shares[0]}; "
        f"{split:,} of {counted(found.people, 'person', 'people')} {are} on several profiles"
        f"{shares[1]}."
    )


def _twin(found: Evaluation) -> pd.DataFrame:
    """Return the shares that are drawn: a row per mark."""
    table = found.table.melt(id_vars="measure", var_name="what", value_name="value")
    mistakes = [
        ("profiles", "over-merged", len(found.over_merged), found.profiles),
        ("people", "split", len(found.split), found.people),
    ]
    rows = [
        {"measure": name, "what": what, "value": count / total if total else 0.0}
        for name, what, count, total in mistakes
    ]
    return pd.concat([table, pd.DataFrame(rows)], ignore_index=True)


def _add_mistakes(figure: Figure, found: Evaluation, style: Style) -> None:
    """Add a bar of profiles and one of people: those that are right, and those that are not."""
    wrong = [len(found.over_merged), len(found.split)]
    totals = [found.profiles, found.people]
    right = [total - count for total, count in zip(totals, wrong, strict=True)]
    said = {
        "right": (
            f"{counted(right[0], 'profile')} of {totals[0]:,} hold one person.",
            f"{counted(right[1], 'person', 'people')} of {totals[1]:,} are on one profile at most.",
        ),
        "mistaken": (
            f"{counted(wrong[0], 'profile')} of {totals[0]:,} hold several people.",
            f"{counted(wrong[1], 'person', 'people')} of {totals[1]:,} are on several profiles.",
        ),
    }
    marks = ({"color": style.look.quiet, "line": {"width": 0}}, bar_mark(COLOURS[5]))
    for (name, texts), counts, mark in zip(said.items(), (right, wrong), marks, strict=True):
        figure.add_bar(
            x=[count / total if total else 0 for count, total in zip(counts, totals, strict=True)],
            y=[0, 1],
            yaxis="y2",
            orientation="h",
            width=0.56,
            marker=mark,
            hovertext=[hover(text) for text in texts],
            hoverinfo="text",
            name=name,
            # The share is written beside the bar.
            showlegend=False,
        )
    for place, (count, total, what) in enumerate(zip(wrong, totals, _WRONG, strict=True)):
        share = f"{count / total:.1%} {what}" if total else ""
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=14, y=place, yref="y2", text=share,
            showarrow=False, font={"size": 12, "color": style.look.ink},
        )  # fmt: skip
