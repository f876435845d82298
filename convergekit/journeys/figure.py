"""The figure of journeys: flows from step to step, and what came of them.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.base.wording import counted, shortened
from convergekit.errors import ConvergekitError
from convergekit.figures.figure import Figure
from convergekit.figures.style import COLOURS, USUAL, Style
from convergekit.figures.template import hover, plain, titled
from convergekit.typing import IntArray

if TYPE_CHECKING:
    from convergekit.journeys.result import Journeys


_HEIGHT, _PAD, _NODE = 380, 14, 12
#: As much of a name as fits beside its node.
_MOST_OF_NAME = 16
#: Pixels of a column, and of the names of the last.
_COLUMN, _LAST = 130, 130
_OTHER = "other"


@dataclass(frozen=True)
class _Places:
    """Where the nodes are: a column per step and one for what came of it, a row per name.

    Rows are the chosen names, then "other", the end, further steps, and nothing more.
    """

    names: list[str]
    columns: int
    other: int
    end: int
    further: int
    stop: int

    def node(self, column: IntArray, row: IntArray) -> IntArray:
        return column * (self.stop + 1) + row


def journeys_figure(journeys: Journeys, top: int = 6, style: Style = USUAL) -> Figure:
    """Return journeys as a Sankey diagram. See `Journeys.plot`.

    Parameters
    ----------
    journeys : Journeys
    top : int, default 6
    style : Style, optional

    Returns
    -------
    Figure

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> figure = journeys_figure(s.journeys(start="PageView", end="Placed Order"))
    >>> figure.layout.title.text, sum(figure.data[0].link.value[:1])
    ('Journeys from PageView to Placed Order', 46)
    """
    if not isinstance(top, int) or not 1 <= top <= len(COLOURS):
        raise ConvergekitError(
            f"top must be a whole number from 1 to {len(COLOURS)}, the number of colours; got "
            f"{top!r}."
        )
    places, rows = _rows(journeys, top)
    flows = _flows(journeys, places, rows)
    figure = Figure()
    if len(flows):
        sankey, notes = _sankey(journeys, places, flows, style)
        figure.add_sankey(**sankey)
        figure.update_layout(annotations=notes)
    figure.update_layout(
        **titled(_title(journeys), _said(journeys), style=style, plot_height=_HEIGHT),
        width=16 + _COLUMN * (places.columns - 1) + _LAST,
    )
    return figure


def _rows(journeys: Journeys, top: int) -> tuple[_Places, IntArray]:
    """Return the places of nodes, and the row of every step that is shown, -1 for none."""
    shown, names = journeys._shown, journeys._visits.names
    pairs = distinct(np.argwhere(shown >= 0)[:, 0] * len(names) + shown[shown >= 0])
    on = np.bincount(pairs % max(len(names), 1), minlength=len(names))
    found = sorted(np.flatnonzero(on).tolist(), key=lambda code: (-on[code], str(names[code])))
    chosen = found[:top]
    row_of = np.full(len(names) + 1, len(chosen), dtype=np.int64)
    row_of[chosen] = np.arange(len(chosen))
    row_of[-1] = -1
    places = _Places(
        names=[str(names[code]) for code in chosen],
        columns=journeys.max_steps + 1,
        other=len(chosen),
        end=len(chosen) + 1,
        further=len(chosen) + 2,
        stop=len(chosen) + 3,
    )
    return places, row_of[shown]


def _flows(journeys: Journeys, places: _Places, rows: IntArray) -> pd.DataFrame:
    """Return one row per flow: `source` and `target`, as nodes, and `profiles`."""
    converted = journeys._visits.end >= 0
    longer = journeys._lengths > journeys.max_steps
    result = np.where(converted, places.end, places.stop)
    if not journeys.is_backwards:
        result[longer & ~converted] = places.further
    ahead = np.column_stack([rows, np.full(len(rows), -1)])
    # What came of a journey stands in the column after its last step.
    some = (rows >= 0).any(axis=1)
    last = rows.shape[1] - 1 - np.argmax(rows[:, ::-1] >= 0, axis=1)
    ahead[np.flatnonzero(some), last[some] + 1] = result[some]
    who, column = np.nonzero((ahead[:, :-1] >= 0) & (ahead[:, 1:] >= 0))
    flows = pd.DataFrame(
        {
            "source": places.node(column, ahead[who, column]),
            "target": places.node(column + 1, ahead[who, column + 1]),
        }
    )
    return flows.groupby(["source", "target"]).size().rename("profiles").reset_index()


def _sankey(
    journeys: Journeys, places: _Places, flows: pd.DataFrame, style: Style
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the trace, and the names of the last column's nodes as annotations."""
    colours, height = style.look, places.stop + 1
    into, out = (flows.groupby(side)["profiles"].sum().to_dict() for side in ("target", "source"))
    nodes = sorted(into.keys() | out.keys())
    size = {node: max(into.get(node, 0), out.get(node, 0)) for node in nodes}
    named = [*places.names, _OTHER, " or ".join(journeys.end), "further steps", "nothing more"]
    if journeys.is_backwards:
        named[places.stop] = f"no {named[places.end]}"
    ink = [*COLOURS[: len(places.names)]]
    ink += [colours.quiet] * (places.end - len(ink))
    ink += [colours.ink, colours.quiet, colours.faint]
    centre = _centres(size, height)
    number = {node: place for place, node in enumerate(nodes)}
    rows = {node: node % height for node in nodes}
    labels = {node: plain(shortened(named[rows[node]], _MOST_OF_NAME)) for node in nodes}
    if not journeys.is_backwards:
        labels |= {node: "" for node in nodes if rows[node] == places.stop}
    notes = [
        {
            "text": labels[node],
            "x": _used(places),
            "y": 1 - centre[node],
            "xref": "paper",
            "yref": "paper",
            "xanchor": "left",
            "yanchor": "middle",
            "xshift": _NODE / 2 + 1,
            "showarrow": False,
            "font": {"size": 12},
        }
        for node in nodes
        if node // height == places.columns - 1 and labels[node]
    ]
    links = list(flows.itertuples(index=False))
    sankey = {
        "arrangement": "fixed",
        "valueformat": ",d",
        "node": {
            # Plotly writes those of the last column across the flows; they are notes.
            "label": [
                "" if node // height == places.columns - 1 else labels[node] for node in nodes
            ],
            # Plotly takes zero for no place at all.
            "x": [
                max(node // height / (places.columns - 1) * _used(places), 1e-3) for node in nodes
            ],
            "y": [centre[node] for node in nodes],
            "color": [ink[rows[node]] for node in nodes],
            # Plotly's own columns are then ours, and so is its scale.
            "align": "right" if journeys.is_backwards else "left",
            "pad": _PAD,
            "thickness": _NODE,
            "line": {"width": 0},
            "customdata": [
                _node_text(journeys, named[rows[node]], node, size[node], places) for node in nodes
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        "link": {
            "source": [number[link.source] for link in links],
            "target": [number[link.target] for link in links],
            "value": [int(link.profiles) for link in links],
            "color": [_faded(ink[rows[link.source]], rows[link.target], places) for link in links],
            "customdata": [
                hover(
                    f"{counted(link.profiles, 'profile')} went from {named[rows[link.source]]} to "
                    f"{named[rows[link.target]]}, {link.profiles / size[link.source]:.1%} of the "
                    f"{size[link.source]:,} there."
                )
                for link in links
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        "textfont": {"color": colours.ink, "size": 12, "shadow": "none"},
    }
    return sankey, notes


def _used(places: _Places) -> float:
    """Return which share of the width the columns take; the rest is the last one's names."""
    width = _COLUMN * (places.columns - 1)
    return width / (width + _LAST)


def _centres(size: dict[int, int], height: int) -> dict[int, float]:
    """Return the middle of every node, as a share of the height; columns begin at the top."""
    columns: dict[int, list[int]] = {}
    for node in size:
        columns.setdefault(node // height, []).append(node)
    # As plotly does: one scale for all columns, so that the fullest one fits.
    scale = min(
        (_HEIGHT - _PAD * (len(nodes) - 1)) / sum(size[node] for node in nodes)
        for nodes in columns.values()
    )
    centre = {}
    for nodes in columns.values():
        top = 0.0
        for node in nodes:
            centre[node] = max((top + size[node] * scale / 2) / _HEIGHT, 1e-3)
            top += size[node] * scale + _PAD
    return centre


def _node_text(journeys: Journeys, name: str, node: int, size: int, places: _Places) -> str:
    column, row = divmod(node, places.stop + 1)
    who = counted(size, "profile")
    if row == places.further:
        return hover(f"{who} had further steps.")
    if row == places.stop:
        return hover(f"{who}: {name}.")
    if row == places.end:
        return hover(f"{who} went on to {name}.")
    if journeys.is_backwards:
        return hover(f"{who}: {name}, {counted(journeys.max_steps - column, 'step')} before.")
    return hover(f"{who}: {name}, as step {column + 1}.")


def _faded(colour: str, target: int, places: _Places) -> str:
    channels = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return f"rgba({', '.join(map(str, channels))}, {0.12 if target == places.stop else 0.4})"


def _title(journeys: Journeys) -> str:
    start, end = (shortened(" or ".join(names), 30) for names in (journeys.start, journeys.end))
    parts = ["Journeys", f"from {start}" if start else "", f"to {end}" if end else ""]
    return " ".join(filter(None, parts))


def _said(journeys: Journeys) -> list[str]:
    steps, who = journeys.max_steps, counted(journeys.profiles, "profile")
    which = "last" if journeys.is_backwards else "first"
    first = f"The {which} {counted(steps, 'step')} of {who}; repeats are one step."
    if not journeys.is_backwards:
        first += " Pale: nothing more."
    if not journeys.end:
        return [first]
    visits = journeys._visits
    converted = int((visits.end >= 0).sum())
    share = f", {converted / journeys.profiles:.1%}" if journeys.profiles else ""
    said = [first, f"{converted:,} reached {' or '.join(journeys.end)}{share}."]
    directly = int(((visits.end >= 0) & (journeys._lengths == 0)).sum())
    if directly:
        said.append(f"{directly:,} of them with nothing before it; these are not drawn.")
    return said
