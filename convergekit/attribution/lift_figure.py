"""The figure of attribution lift: the credit of each label, by way of counting.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from functools import partial

import pandas as pd

from convergekit.attribution.figure import Bars, labelled_bars, shown_labels
from convergekit.attribution.lift import AS_OF, AttributionLift
from convergekit.base.wording import counted
from convergekit.figures.figure import Figure
from convergekit.figures.style import COLOURS, USUAL, Style
from convergekit.funnels.lift import STITCHED


def attribution_lift_figure(found: AttributionLift, model: str, style: Style = USUAL) -> Figure:
    """Return the labels as rows, with a bar for each way of counting visitors.

    Parameters
    ----------
    found : AttributionLift
    model : str
    style : Style, optional

    Returns
    -------
    Figure
        Stitched profiles first, then those of as-of identity, then the ways without stitching
        that credit most. Ways that credit nothing have no bars: the figure says how many.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> figure = attribution_lift_figure(s.attribution_lift("Placed Order"), "last_touch")
    >>> [trace.name for trace in figure.data]
    ['stitched', 'as-of identity', 'email alone']
    """
    most = "conversions" if found.value is None else "value"
    alone = found._alone()
    ways = [STITCHED, AS_OF, *alone][: len(COLOURS)]
    table = found.table[found.table["model"] == model]
    labels = table.loc[table["counted_by"] == STITCHED, found.by].tolist()
    shown, bars = shown_labels(labels), []
    for way in ways:
        lines = table[table["counted_by"] == way].set_index(found.by)
        said = partial(_sentences, lines, way, found)
        name = "as-of identity" if way == AS_OF else way.removeprefix("alias ")
        bars.append(Bars(name, lines[most], said))
    nothing = len(found.summary) - 2 - len(alone)
    return labelled_bars(
        bars,
        shown,
        f"What stitching changes: {found.conversion} by {found.by}",
        _subtitle(found, model, nothing, 2 + len(alone) - len(ways), len(labels) - len(shown)),
        digits=2 if found.value is not None else 1,
        style=style,
        columns=(found.by, "counted_by", found.value or "conversions"),
    )


def _sentences(lines: pd.DataFrame, way: str, found: AttributionLift, label: str) -> list[str]:
    line = lines.loc[label]
    how = {STITCHED: "Stitched", AS_OF: "Under as-of identity"}.get(way, f"Counted by {way}")
    said = [f"{how}, {label} is credited with {line['conversions']:,.2f} of the conversions."]
    if found.value is not None:
        said.append(f"Their {found.value}: {line['value']:,.2f}.")
    if way != STITCHED:
        said.append(f"Stitching changes that by {line['change']:+,.2f}.")
    return said


def _subtitle(
    found: AttributionLift, model: str, nothing: int, ways: int, labels: int
) -> list[str]:
    what = "Conversions" if found.value is None else f"Sums of {found.value}"
    said = [_finding(found, model), f"{what}, {model}."]
    if nothing:
        said.append(f"{counted(nothing, 'other way', 'other ways')} of counting: no touch at all.")
    if ways:
        said.append(f"Not shown: {counted(ways, 'way')} of counting with fewer touches.")
    if labels:
        said.append(f"Not shown: {counted(labels, 'label')} with less.")
    return said


def _finding(found: AttributionLift, model: str) -> str:
    """Return which share has a touch, stitched and as of the time."""
    summary = found.summary.set_index("counted_by")["credited"]
    if not summary.notna().all():
        return f"Conversions are missing: check that events are named {found.conversion}."
    table = found.table[(found.table["model"] == model) & (found.table["counted_by"] == STITCHED)]
    if found.value is None:
        whole = counted(round(table["conversions"].sum()), "conversion")
    else:
        whole = f"{table['value'].sum():,.2f} {found.value}"
    return (
        f"Of {whole}, {summary[STITCHED]:.1%} has a touch stitched, {summary[AS_OF]:.1%} under "
        "as-of identity."
    )
