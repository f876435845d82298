"""One profile's aliases and the links between them, and what is to blame, as a figure.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import networkx as nx
import pandas as pd

from convergekit.base.wording import counted, shortened
from convergekit.diagnostics.alias_marks import (
    BLAME,
    WIDTHS,
    by_mark,
    link_width,
    two_lines,
    type_and_value,
)
from convergekit.diagnostics.suspects import find_suspects
from convergekit.figures.figure import Figure
from convergekit.figures.graph_layout import Place, layout
from convergekit.figures.style import USUAL, Look, Style
from convergekit.figures.template import hover, plain, titled
from convergekit.identity.profiles import LOGIN_TYPES

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents

#: A graph of more aliases than these shows what is blamed, and the most linked of them.
MOST_SHOWN = 200
#: A graph of more aliases than these names login values and what is blamed alone.
MOST_NAMED = 24

_NODE, _RING = 15, 27


def profile_graph_figure(s: StitchedEvents, alias_or_id: str, style: Style = USUAL) -> Figure:
    """Return one profile's aliases and the links between them. See `Stitched.plot_profile_graph`.

    Parameters
    ----------
    s : StitchedEvents
    alias_or_id : str
        A URN or a profile ID.
    style : Style, optional

    Returns
    -------
    Figure
    """
    # Events that a segment leaves out link the aliases too.
    s = s.whole
    number = s.profile_number(alias_or_id)
    profile_id = s.resolution.profile_ids.iloc[number]
    whole = s.graph_of(s.resolution.profile == number)
    suspects = find_suspects(s)
    suspect = suspects[suspects["profile_id"] == profile_id]
    graph = _most_linked(whole, _chain_of_blame(whole, suspect))
    blamed = [alias for cut in suspect["cut"] for alias in cut if alias in graph]
    places = _places(graph)
    figure, colours = Figure(), style.look
    _add_links(figure, graph, places, colours)
    if len(suspect):
        _add_blamed_events(figure, s, graph, places, suspect["cut_rows"].iloc[0])
        _add_blamed_aliases(figure, places, blamed)
    _add_aliases(figure, graph, places, colours)
    _add_names(figure, graph, places, blamed, colours)
    figure.update_layout(
        **titled(
            _graph_title(profile_id, whole, suspect),
            _graph_subtitle(whole, graph, suspect),
            style=style,
            plot_height=540,
        ),
        legend={"groupclick": "toggleitem"},
        hovermode="closest",
        xaxis={"visible": False, "range": [-1.25, 1.25]},
        # Names stand below their markers, so the lowest need more room.
        yaxis={"visible": False, "range": [-1.3, 1.1]},
    )
    return figure


def _chain_of_blame(graph: nx.Graph, suspect: pd.DataFrame) -> list[str]:
    """Return what is blamed, and a chain between the two values that it joins."""
    found = [alias for cut in suspect["cut"] for alias in cut]
    for separates in suspect["separates"]:
        if separates:
            found += nx.shortest_path(graph, *separates)
    return found


def _most_linked(graph: nx.Graph, first: Sequence[str]) -> nx.Graph:
    """Return the graph, or of a large one the aliases given first and the most linked."""
    if len(graph) <= MOST_SHOWN:
        return graph
    ranked = sorted(graph, key=lambda name: (name not in first, -graph.degree(name), name))
    return graph.subgraph(ranked[:MOST_SHOWN])


def _places(graph: nx.Graph) -> dict[str, Place]:
    """Place the nodes between -1 and 1, to three decimals."""
    found = layout(graph)
    x, y = (list(places) for places in zip(*found.values(), strict=True))
    if len(found) > MOST_NAMED:
        # A large graph needs all the room that there is, a small one would be bent.
        x, y = _stretched(x), _stretched(y)
    return {name: (round(a, 3), round(b, 3)) for name, a, b in zip(found, x, y, strict=True)}


def _stretched(places: list[float]) -> list[float]:
    low, high = min(places), max(places)
    return [2 * (at - low) / ((high - low) or 1.0) - 1 for at in places]


def _add_links(figure: Figure, graph: nx.Graph, places: dict[str, Place], colours: Look) -> None:
    edges = sorted(graph.edges(data=True), key=lambda edge: sorted(edge[:2]))
    for _, width in WIDTHS:
        of_width = [(one, other) for one, other, d in edges if link_width(d["events"]) == width]
        if of_width:
            figure.add_scatter(
                **_lines(of_width, places),
                line={"color": colours.quiet, "width": width},
                name=_width_name(width),
                legendgroup="links",
                legendgrouptitle={"text": "links"},
            )
    ends = [(places[one], places[other]) for one, other, _ in edges]
    figure.add_scatter(
        x=[round((one[0] + other[0]) / 2, 3) for one, other in ends],
        y=[round((one[1] + other[1]) / 2, 3) for one, other in ends],
        mode="markers",
        marker={"size": 10, "opacity": 0},
        hovertext=[
            hover(
                f"{one} met {other}",
                f"on {counted(data['events'], 'event')}, first at "
                f"{data['first_seen']:%Y-%m-%d %H:%M:%S} UTC (row {data['row']}).",
            )
            for one, other, data in edges
        ],
        hoverinfo="text",
        showlegend=False,
    )


def _add_blamed_events(
    figure: Figure, s: StitchedEvents, graph: nx.Graph, places: dict[str, Place], rows: list[int]
) -> None:
    if not rows:
        return
    linked = s.graph_of(s.events["row"].isin(rows).to_numpy())
    figure.add_scatter(
        **_lines([edge for edge in linked.edges if graph.has_edge(*edge)], places),
        line={"color": BLAME, "width": 4, "dash": "dot"},
        name="on an event to blame",
        legendgroup="blamed",
    )


def _add_blamed_aliases(figure: Figure, places: dict[str, Place], blamed: list[str]) -> None:
    if not blamed:
        return
    figure.add_scatter(
        x=[places[name][0] for name in blamed],
        y=[places[name][1] for name in blamed],
        mode="markers",
        marker={
            "symbol": "circle-open",
            "size": _RING,
            "color": BLAME,
            "line": {"width": 4, "color": BLAME},
        },
        hoverinfo="skip",
        name="alias to blame",
        legendgroup="blamed",
    )


def _add_aliases(figure: Figure, graph: nx.Graph, places: dict[str, Place], colours: Look) -> None:
    for name, mark, same in by_mark(sorted(graph), colours):
        figure.add_scatter(
            x=[places[alias][0] for alias in same],
            y=[places[alias][1] for alias in same],
            mode="markers",
            marker={**mark, "size": _NODE},
            hovertext=[_alias_sentence(alias, graph) for alias in same],
            hoverinfo="text",
            name=plain(name),
            legendgroup="aliases",
            legendgrouptitle={"text": "alias types"},
        )


def _add_names(
    figure: Figure,
    graph: nx.Graph,
    places: dict[str, Place],
    blamed: list[str],
    colours: Look,
) -> None:
    """Name aliases last, so that no marker covers a name."""
    few = len(graph) <= MOST_NAMED
    named = [
        alias
        for alias in sorted(graph)
        if few or alias in blamed or type_and_value(alias)[0] in LOGIN_TYPES
    ]
    figure.add_scatter(
        x=[places[alias][0] for alias in named],
        y=[places[alias][1] for alias in named],
        mode="markers+text",
        # Not seen, but a name stands below a marker of this size.
        marker={"opacity": 0, "size": [_RING if alias in blamed else _NODE for alias in named]},
        # Of many, the marker alone says the type.
        text=[two_lines(alias) if few else _value_line(alias) for alias in named],
        textposition="bottom center",
        # The halo keeps names readable where links pass behind them.
        textfont={"size": 11, "shadow": ", ".join([f"0 0 2px {colours.paper}"] * 4)},
        # A name at the side would be cut off.
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
        name="names",
    )


def _lines(edges: Sequence[tuple[str, str]], places: dict[str, Place]) -> dict[str, Any]:
    """Return a trace's lines, each followed by a gap."""
    x, y = [], []
    for one, other in edges:
        x += [places[one][0], places[other][0], None]
        y += [places[one][1], places[other][1], None]
    return {"x": x, "y": y, "mode": "lines", "hoverinfo": "skip"}


def _width_name(width: float) -> str:
    least = [least for least, _ in WIDTHS]
    at = [of_width for _, of_width in WIDTHS].index(width)
    if at + 1 == len(least):
        return f"on {least[at]} events or more"
    most = least[at + 1] - 1
    return "on 1 event" if most == 1 else f"on {least[at]} to {most} events"


def _alias_sentence(alias: str, graph: nx.Graph) -> str:
    data = graph.nodes[alias]
    return hover(
        alias,
        f"is on {counted(data['events'], 'event')} and met "
        f"{counted(graph.degree(alias), 'other alias', 'other aliases')} shown here.",
        f"It was first seen at {data['first_seen']:%Y-%m-%d %H:%M:%S} UTC, "
        f"last at {data['last_seen']:%Y-%m-%d %H:%M:%S} UTC.",
    )


def _graph_title(profile_id: str, whole: nx.Graph, suspect: pd.DataFrame) -> str:
    counts = {
        name: int(suspect[f"aliases.{name}"].iloc[0]) if len(suspect) else 0 for name in LOGIN_TYPES
    }
    several = [f"{count:,} {name}" for name, count in counts.items() if count > 1]
    if several:
        return f"{' and '.join(several)} values on profile {profile_id}"
    if len(suspect):
        return f"A token joins many browsers on profile {profile_id}"
    return f"{counted(len(whole), 'alias', 'aliases')} on profile {profile_id}"


def _graph_subtitle(whole: nx.Graph, shown: nx.Graph, suspect: pd.DataFrame) -> list[str]:
    lines = suspect["reason"].head(1).tolist()
    left_out = len(whole) - len(shown)
    if left_out:
        lines.append(
            f"{len(shown):,} aliases are shown, those with the most links among them; "
            f"{counted(left_out, 'is', 'are')} left out."
        )
    return lines


def _value_line(alias: str) -> str:
    return plain(shortened(type_and_value(alias)[1], 20))
