"""The figure of the accuracy of profiles: precision, recall, and the two kinds of mistakes.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convergekit.base.wording import counted
from convergekit.diagnostics.coverage_figures import NARROW, ROW, Shares, shares_figure
from convergekit.figures.figure import Figure
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import hover, titled

if TYPE_CHECKING:
    from convergekit.diagnostics.evaluation import Evaluation

_SAID = {
    ("pairwise", "precision"): "Of all pairs of events on one profile, {} are of one person.",
    ("pairwise", "recall"): "Of all pairs of events of one person, {} are on one profile.",
    ("B-cubed", "precision"): "For the average event, {} of the events on its profile are of its "
    "person.",
    ("B-cubed", "recall"): "For the average event, {} of its person's events are on its profile.",
}

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
    subtitle = [
        f"{counted(found.events, 'event')} of {people} on {counted(found.profiles, 'profile')}.",
        f"Over-merged: {counted(len(found.over_merged), 'profile')}. "
        f"Split: {counted(len(found.split), 'person', 'people')}.",
    ]
    figure.update_layout(
        **titled(
            "How right the profiles are",
            subtitle,
            style=style,
            plot_height=8 * ROW,
            legend=[trace.name for trace in figure.data if trace.name],
            # The names of the rows are short.
            legend_width=NARROW + 30,
        )
    )
    figure.update_layout(
        barmode="stack",
        yaxis={"domain": [0.56, 1]},
        yaxis2={
            "domain": [0, 0.36],
            "tickvals": [0, 1],
            "ticktext": ["profiles", "people"],
            "range": [1.6, -0.6],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        xaxis={"anchor": "y2"},
    )
    return figure


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
    colours = (style.look.quiet, COLOURS[5])
    for (name, texts), counts, colour in zip(said.items(), (right, wrong), colours, strict=True):
        figure.add_bar(
            x=[count / total if total else 0 for count, total in zip(counts, totals, strict=True)],
            y=[0, 1],
            yaxis="y2",
            orientation="h",
            width=0.56,
            marker={"color": colour, "line": {"width": 0}},
            hovertext=[hover(text) for text in texts],
            hoverinfo="text",
            name=name,
        )
    for place, (count, total, what) in enumerate(zip(wrong, totals, _WRONG, strict=True)):
        share = f"{count / total:.1%} {what}" if total else ""
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=14, y=place, yref="y2", text=share,
            showarrow=False, font={"size": 12, "color": style.look.muted},
        )  # fmt: skip
