"""The figure of journeys: flows from step to step, and what came of them.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.base.wording import counted, shortened, shortened_apart
from convergekit.errors import ConvergekitError
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import fitting
from convergekit.figures.style import COLOURS, USUAL, Style, faded
from convergekit.figures.template import hover, legend_names, plain, text_width, titled
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.journeys.result import Journeys


#: Pixels of a node's width, of the room above each node for its name, and of all flows together.
_NODE, _ABOVE, _FLOWS = 12, 22, 200
#: Pixels between names beside each other.
_APART = 5
#: Pixels of the letters of a name.
_SIZE = 12
#: Pixels from column to column: without a width no less, and with one names need as many.
_COLUMN, _NEEDED = 108, 72
#: Pixels of the names of the last column, at most, and of those above a narrow figure.
_LAST, _KEY_WIDTH = 150, 330
#: A figure without a width is laid out for so many pixels: one of many columns, and of few.
_USUAL_WIDTH, _NARROW = 640, 400
#: So many columns after the first have names that a narrow page has no room for.
_MANY = 3
#: Names need gaps as high.
_LEAST_GAP = 16
#: Beside a count, names need as many pixels, or are whole.
_LEAST_NAME = 90
_MARGINS = 32
#: As many characters of a name are in a sentence.
_MOST_OF_NAME = 24
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
    >>> figure.layout.title.text, figure.finding
    ('Journeys from PageView to Placed Order', '21 of 60 profiles reached Placed Order, 35.0%.')
    """
    if not isinstance(top, int) or not 1 <= top <= len(COLOURS):
        raise ConvergekitError(
            f"top must be a whole number from 1 to {len(COLOURS)}, the number of colours; got "
            f"{top!r}."
        )
    places, rows = _rows(journeys, top)
    flows = _flows(journeys, places, rows)
    nodes = _nodes(journeys, places, flows, style)
    step, last = _widths(nodes, style)
    # Where columns are narrow, the colours are named above.
    key = _key(nodes) if len(nodes) and step < _NEEDED else pd.DataFrame()
    most = nodes.groupby("column").size().max() if len(nodes) else 1
    finding = _finding(journeys)
    figure = Figure()
    figure.update_layout(
        **titled(
            _title(journeys),
            [finding, *_said(journeys)],
            style=style,
            plot_height=_FLOWS + _ABOVE * int(most) if len(nodes) else _ABOVE,
            legend=list(key.get("name", ())),
            legend_width=_KEY_WIDTH,
        )
    )
    if style.width is None and len(nodes) and _columns(nodes) >= _MANY:
        # On a narrower page names would lie on each other: there it scrolls.
        figure.update_layout(width=max(int(step * _columns(nodes) + last) + _MARGINS, _USUAL_WIDTH))
    if len(nodes):
        layout = figure.layout
        room = max(layout.height - layout.margin.t - layout.margin.b, 2 * _ABOVE)
        _lay_out(nodes, step, last, room)
        figure.add_sankey(**_sankey(journeys, places, nodes, flows, room))
        figure.update_layout(annotations=_labels(nodes, step, style, room))
        _add_key(figure, key)
    if not len(nodes) or len(key):
        figure.update_layout(xaxis={"visible": False}, yaxis={"visible": False})
    return figure.says(finding, _twin(journeys, places, nodes, flows))


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
    converted = _converted(journeys)
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


def _nodes(journeys: Journeys, places: _Places, flows: pd.DataFrame, style: Style) -> pd.DataFrame:
    """Return one row per node: `column`, `row`, `name`, `profiles` and `colour`; by its number."""
    into, out = (flows.groupby(side)["profiles"].sum() for side in ("target", "source"))
    size = pd.concat([into, out], axis=1).max(axis=1).astype("int64").sort_index()
    named = [*places.names, _OTHER, " or ".join(journeys.end), "further steps", "nothing more"]
    if journeys.is_backwards:
        named[places.stop] = f"no {named[places.end]}"
    colours = style.look
    ink = [*COLOURS[: len(places.names)]]
    ink += [colours.quiet] * (places.end - len(ink))
    ink += [colours.ink, colours.quiet, colours.faint]
    column, row = np.divmod(size.index.to_numpy(dtype=np.int64), places.stop + 1)
    return pd.DataFrame(
        {
            "column": column,
            "row": row,
            "name": [named[place] for place in row],
            "profiles": size.to_numpy(),
            "colour": [ink[place] for place in row],
            "is_named": (row != places.stop) | journeys.is_backwards,
        },
        index=size.index,
    )


def _widths(nodes: pd.DataFrame, style: Style) -> tuple[float, float]:
    """Return the pixels from column to column, and those of the last one's names."""
    columns = _columns(nodes)
    width = (style.width or (_USUAL_WIDTH if columns >= _MANY else _NARROW)) - _MARGINS
    last = min(width / (columns + 1), _LAST)
    step = (width - last) / max(columns, 1)
    return (step if style.width else max(step, _COLUMN)), last


def _columns(nodes: pd.DataFrame) -> int:
    """Return how many columns there are after the first."""
    return int(nodes["column"].max() - nodes["column"].min()) if len(nodes) else 0


def _lay_out(nodes: pd.DataFrame, step: float, last: float, room: int) -> None:
    """Place every node by hand: its left edge and its upper one as shares of the plot.

    Plotly scales flows as d3-sankey does: so that the fullest column fits, with one gap between
    nodes. The same is reckoned here, for names stand in the gaps.
    """
    columns = nodes.groupby("column")["profiles"]
    height = room - _ABOVE
    gap = min(_ABOVE, height / max(columns.size().max() - 1, 1))
    scale = ((height - gap * (columns.size() - 1)) / columns.sum()).min()
    before = columns.cumsum() - nodes["profiles"]
    top = _ABOVE + before * scale + gap * nodes.groupby("column").cumcount()
    nodes["top"], nodes["high"], nodes["gap"] = top, nodes["profiles"] * scale, gap
    whole = step * _columns(nodes) + last
    nodes["across"] = (nodes["column"] - nodes["column"].min()) * step
    nodes["across"] = (nodes["across"] + _NODE / 2) / whole


def _sankey(
    journeys: Journeys,
    places: _Places,
    nodes: pd.DataFrame,
    flows: pd.DataFrame,
    room: int,
) -> dict[str, Any]:
    number = {node: place for place, node in enumerate(nodes.index)}
    name, size, colour = nodes["name"], nodes["profiles"], nodes["colour"]
    height = room - _ABOVE
    links = list(flows.itertuples(index=False))
    return {
        "arrangement": "fixed",
        "valueformat": ",d",
        "domain": {"y": [0, height / room]},
        "node": {
            # Plotly writes names across the flows; here they are annotations.
            "label": [""] * len(nodes),
            # Plotly takes zero for no place at all.
            "x": nodes["across"].clip(1e-3, 1 - 1e-3).tolist(),
            "y": ((nodes["top"] + nodes["high"] / 2 - _ABOVE) / height).clip(lower=1e-3).tolist(),
            "color": colour.tolist(),
            # Plotly's own columns are then ours, and so is its scale.
            "align": "right" if journeys.is_backwards else "left",
            "pad": _ABOVE,
            "thickness": _NODE,
            "line": {"width": 0},
            "customdata": [
                _node_text(journeys, line, places) for line in nodes.itertuples(index=False)
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        "link": {
            "source": [number[link.source] for link in links],
            "target": [number[link.target] for link in links],
            "value": [int(link.profiles) for link in links],
            "color": [
                faded(
                    colour[link.source], 0.12 if nodes["row"][link.target] == places.stop else 0.35
                )
                for link in links
            ],
            "customdata": [
                hover(
                    f"{counted(link.profiles, 'profile')} went from {name[link.source]} to "
                    f"{name[link.target]}, {link.profiles / size[link.source]:.1%} of the "
                    f"{size[link.source]:,} there."
                )
                for link in links
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
    }


def _labels(nodes: pd.DataFrame, step: float, style: Style, room: int) -> list[dict[str, Any]]:
    """Return the names of nodes, and how many are there, above each; where they fit."""
    named = nodes[nodes["is_named"]]
    if nodes["gap"].iloc[0] < _LEAST_GAP:
        return []
    counts = [f"{count:,}" for count in named["profiles"]]
    if step < _NEEDED:
        texts = [f"<b>{count}</b>" if _bold(count) < step else "" for count in counts]
    else:
        names, room_of_name = named["name"].drop_duplicates().tolist(), step - _APART
        beside = room_of_name - max(map(_bold, counts)) - 4
        longest = max(text_width(name, _SIZE) for name in names)
        with_counts = beside >= min(_LEAST_NAME, longest)
        short = fitting(names, beside if with_counts else room_of_name, _SIZE)
        of_name = dict(zip(names, map(plain, short), strict=True))
        texts = [
            f"<b>{count}</b> {of_name[name]}" if with_counts else of_name[name]
            for count, name in zip(counts, named["name"], strict=True)
        ]
    return [
        {
            "text": text,
            "x": line.across,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "left",
            "borderpad": 0,
            "showarrow": False,
            "font": {"size": _SIZE, "color": style.look.ink},
            **_where(line, line.column == nodes["column"].max(), room),
        }
        for line, text in zip(named.itertuples(index=False), texts, strict=True)
        if text
    ]


def _bold(text: str) -> float:
    """Return how many pixels a bold text takes."""
    return 1.15 * text_width(text, _SIZE)


def _where(node: Any, last: bool, room: int) -> dict[str, Any]:
    """Return the place of a node's name: above it, and beside it where no flow goes on."""
    if last:
        beside = 1 - (node.top + node.high / 2) / room
        return {"y": beside, "yanchor": "middle", "xshift": _NODE / 2 + 4}
    return {"y": 1 - node.top / room, "yanchor": "bottom", "xshift": -_NODE / 2}


def _key(nodes: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of nodes that are named above the plot."""
    return nodes[nodes["is_named"]].drop_duplicates("name").sort_values("row")


def _add_key(figure: Figure, key: pd.DataFrame) -> None:
    """Name the colours in a legend; nothing without rows."""
    if key.empty:
        return
    for name, colour in zip(legend_names(key["name"].tolist()), key["colour"], strict=True):
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker={"symbol": "square", "size": 11, "color": colour},
            name=name,
        )


def _node_text(journeys: Journeys, node: Any, places: _Places) -> str:
    who = counted(node.profiles, "profile")
    if node.row == places.further:
        return hover(f"{who} had further steps.")
    if node.row == places.stop:
        return hover(f"{who}: {node.name}.")
    if node.row == places.end:
        return hover(f"{who} went on to {node.name}.")
    if journeys.is_backwards:
        before = counted(journeys.max_steps - node.column, "step")
        return hover(f"{who}: {node.name}, {before} before.")
    return hover(f"{who}: {node.name}, as step {node.column + 1}.")


def _twin(
    journeys: Journeys, places: _Places, nodes: pd.DataFrame, flows: pd.DataFrame
) -> pd.DataFrame:
    """Return a row per flow: the step that it leaves, from what to what, and how many."""
    source, target = flows["source"].to_numpy(), flows["target"].to_numpy()
    column = nodes["column"].reindex(source).to_numpy(dtype=np.int64)
    last = journeys.is_backwards
    step = "steps_before" if last else "step"
    return pd.DataFrame(
        {
            step: journeys.max_steps - column if last else column + 1,
            "from": nodes["name"].reindex(source).to_numpy(),
            "to": nodes["name"].reindex(target).to_numpy(),
            "profiles": flows["profiles"].to_numpy(),
            "share": (flows["profiles"] / nodes["profiles"].reindex(source).to_numpy()).to_numpy(),
        }
    )


def _title(journeys: Journeys) -> str:
    start, end = (shortened(" or ".join(names), 30) for names in (journeys.start, journeys.end))
    parts = ["Journeys", f"from {start}" if start else "", f"to {end}" if end else ""]
    return " ".join(filter(None, parts))


def _finding(journeys: Journeys) -> str:
    """Return how many reached the end, or without one which path most went."""
    total = counted(journeys.profiles, "profile")
    if not journeys.profiles:
        events = " or ".join(journeys.start or journeys.end)
        if events:
            return f"No profile has {events}: choose events that profiles have."
        return "No event is on a profile: the report says which aliases events lack."
    if journeys.end:
        reached = int(_converted(journeys).sum())
        end = shortened(" or ".join(journeys.end), 2 * _MOST_OF_NAME)
        return f"{reached:,} of {total} reached {end}, {reached / journeys.profiles:.1%}."
    most = journeys.paths.iloc[0]
    path = " → ".join(shortened_apart(most["path"], _MOST_OF_NAME))
    path += " → …" if most["longer"] else ""
    return f"The most common path is {path}: {most['profiles']:,} of {total}, {most['share']:.1%}."


def _converted(journeys: Journeys) -> BoolArray:
    """Return which visits reached the end."""
    return journeys._visits.end >= 0


def _said(journeys: Journeys) -> list[str]:
    if not journeys.profiles:
        return []
    which = "last" if journeys.is_backwards else "first"
    first = f"The {which} {counted(journeys.max_steps, 'step')}; repeats are one step."
    if not journeys.is_backwards:
        first += " Pale: nothing more."
    directly = int((_converted(journeys) & (journeys._lengths == 0)).sum())
    if journeys.end and directly:
        return [first, f"{directly:,} reached it with nothing before; these are not drawn."]
    return [first]
