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
    type_and_value,
)
from convergekit.diagnostics.suspects import find_suspects
from convergekit.figures.figure import Figure
from convergekit.figures.graph_layout import Box, Place, layout, scaled, spread
from convergekit.figures.names_beside import fitting
from convergekit.figures.style import LIGHT, USUAL, Look, Style
from convergekit.figures.template import hover, plain, text_width, titled
from convergekit.identity.profiles import LOGIN_TYPES

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents

#: A graph of more aliases than these shows what is blamed, and the most linked of them.
MOST_SHOWN = 200
#: A graph of more aliases than these names login values and what is blamed alone.
MOST_NAMED = 24

#: Pixels of a marker, of one among many, and of the ring around what is blamed.
_NODE, _SMALL, _RING = 15, 9, 12
#: Pixels of a name's letters, of a line of it, and of the whole at most.
_LETTER, _LINE, _NAME = 11, 15, 140
#: A figure without a width is laid out for a narrow page.
_USUAL, _MARGINS = 400, 32
#: Pixels of the plot of a large graph, and of a small one at least.
_LARGE, _LEAST = 420, 240
_BLAMED = ("alias to blame", "on an event to blame")
#: A plot that the names do not fit is higher by this factor, as often as that.
_HIGHER, _OFTEN = 1.2, 10


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
    named = _names(graph, blamed, style)
    title, finding = _graph_title(profile_id, whole, suspect), _finding(whole, suspect)
    marks = by_mark(sorted(graph), style.look)
    around = titled(
        title,
        [finding, *_graph_subtitle(whole, graph, blamed, suspect)],
        style=style,
        plot_height=_LARGE,
        # The names of a small graph begin with the types.
        legend=[*_BLAMED, *(name for name, _, _ in marks)] if len(graph) > MOST_NAMED else (),
    )
    room = around["height"] - around["margin"]["t"] - around["margin"]["b"]
    found = layout(graph)
    sides = _sides(graph, found)
    boxes = {alias: _box(lines, sides[alias], alias in blamed) for alias, lines in named.items()}
    places, height = _places(found, boxes, room, style)
    figure, colours = Figure(), style.look
    _add_links(figure, graph, places, colours)
    if len(suspect):
        _add_blamed_events(figure, s, graph, places, suspect["cut_rows"].iloc[0])
        _add_blamed_aliases(figure, places, blamed)
    _add_aliases(figure, graph, places, marks)
    _add_names(figure, places, named, sides, blamed, style)
    figure.update_layout(
        **around,
        hovermode="closest",
        xaxis={"visible": False, "range": [0, _width(style)]},
        yaxis={"visible": False, "range": [0, height]},
    )
    figure.update_layout(
        height=style.height or around["height"] - _LARGE + height,
        showlegend=len(graph) > MOST_NAMED,
    )
    return figure.says(finding, _twin(graph))


def _chain_of_blame(graph: nx.Graph[str], suspect: pd.DataFrame) -> list[str]:
    """Return what is blamed, and a chain between the two values that it joins."""
    found = [alias for cut in suspect["cut"] for alias in cut]
    for separates in suspect["separates"]:
        if separates:
            found += nx.shortest_path(graph, *separates)
    return found


def _most_linked(graph: nx.Graph[str], first: Sequence[str]) -> nx.Graph[str]:
    """Return the graph, or of a large one the aliases given first and the most linked."""
    if len(graph) <= MOST_SHOWN:
        return graph
    ranked = sorted(graph, key=lambda name: (name not in first, -graph.degree(name), name))
    return graph.subgraph(ranked[:MOST_SHOWN])


def _width(style: Style) -> int:
    """Return the pixels that the plot is laid out for."""
    return max((style.width or _USUAL) - _MARGINS, 4 * _NODE)


def _names(graph: nx.Graph[str], blamed: Sequence[str], style: Style) -> dict[str, list[str]]:
    """Return the lines of the names that are written, not yet escaped."""
    few = len(graph) <= MOST_NAMED
    named = [
        alias
        for alias in sorted(graph)
        if few or alias in blamed or type_and_value(alias)[0] in LOGIN_TYPES
    ]
    most = min(_NAME, _width(style) / 2 - 8)
    kinds, values = zip(*map(type_and_value, named), strict=True) if named else ((), ())
    # Of many, the marker alone says the type.
    own = list(dict.fromkeys(kinds)) if few else []
    short = dict(zip(own, fitting(own, most, _LETTER), strict=True))
    return {
        alias: [short[type_and_value(alias)[0]], value] if few else [value]
        for alias, value in zip(named, fitting(values, most, _LETTER), strict=True)
    }


def _places(
    found: dict[str, Place], boxes: dict[str, Box], room: int, style: Style
) -> tuple[dict[str, Place], int]:
    """Place the nodes, in pixels of the plot, and return how high that is."""
    width = _width(style)
    if len(found) > MOST_NAMED:
        around = dict.fromkeys(found, Box(_RING, _RING, _RING, _RING + _LINE))
        return scaled(found, around, width, room), room
    taken = sum((box.left + box.right) * (box.up + box.down) for box in boxes.values())
    height = room if style.height else int(max(_LEAST, 1.7 * taken / width))
    for _ in range(_OFTEN):
        places, free = spread(found, boxes, width, height)
        if free or style.height:
            break
        height = int(height * _HIGHER)
    return places, height


def _sides(graph: nx.Graph[str], places: dict[str, Place]) -> dict[str, bool]:
    """Return of which nodes the name stands above: of those whose links go down."""
    return {
        alias: graph.degree(alias) > 0
        and sum(places[other][1] - places[alias][1] for other in sorted(graph[alias])) < 0
        for alias in graph
    }


def _box(lines: list[str], above: bool, is_blamed: bool) -> Box:
    half = max(text_width(line, _LETTER) for line in lines) / 2 + 2
    mark = _RING if is_blamed else _NODE / 2
    name = mark + 4 + _LINE * len(lines)
    return Box(half, half, name if above else mark, mark if above else name)


def _add_links(
    figure: Figure, graph: nx.Graph[str], places: dict[str, Place], colours: Look
) -> None:
    edges = sorted(graph.edges(data=True), key=lambda edge: sorted(edge[:2]))
    for _, width in WIDTHS:
        of_width = [(one, other) for one, other, d in edges if link_width(d["events"]) == width]
        if of_width:
            figure.add_scatter(
                **_lines(of_width, places),
                line={"color": colours.quiet, "width": width},
                name=_width_name(width),
                legendgroup="links",
                showlegend=False,
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
    figure: Figure,
    s: StitchedEvents,
    graph: nx.Graph[str],
    places: dict[str, Place],
    rows: list[int],
) -> None:
    if not rows:
        return
    linked = s.graph_of(s.events["row"].isin(rows).to_numpy())
    figure.add_scatter(
        **_lines([edge for edge in linked.edges if graph.has_edge(*edge)], places),
        line={"color": BLAME, "width": 4, "dash": "dot"},
        name=_BLAMED[1],
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
            "size": 2 * _RING,
            "color": BLAME,
            "line": {"width": 4, "color": BLAME},
        },
        hoverinfo="skip",
        name=_BLAMED[0],
        legendgroup="blamed",
    )


def _add_aliases(
    figure: Figure,
    graph: nx.Graph[str],
    places: dict[str, Place],
    marks: Sequence[tuple[str, dict[str, Any], list[str]]],
) -> None:
    for name, mark, same in marks:
        figure.add_scatter(
            x=[places[alias][0] for alias in same],
            y=[places[alias][1] for alias in same],
            mode="markers",
            marker={**mark, "size": _NODE if len(graph) <= MOST_NAMED else _SMALL},
            hovertext=[_alias_sentence(alias, graph) for alias in same],
            hoverinfo="text",
            name=plain(name),
            legendgroup="aliases",
        )


def _add_names(
    figure: Figure,
    places: dict[str, Place],
    named: dict[str, list[str]],
    sides: dict[str, bool],
    blamed: Sequence[str],
    style: Style,
) -> None:
    """Name aliases last, so that no marker covers a name."""
    if len(places) > MOST_NAMED:
        figure.update_layout(annotations=_chips(places, named, style))
        return
    paper = style.look.paper
    figure.add_scatter(
        x=[places[name][0] for name in named],
        y=[places[name][1] for name in named],
        mode="markers+text",
        # Not seen, but a name stands beside a marker of this size.
        marker={
            "opacity": 0,
            "size": [2 * _RING if name in blamed else _NODE for name in named],
        },
        text=["<br>".join(map(plain, lines)) for lines in named.values()],
        textposition=["top center" if sides[name] else "bottom center" for name in named],
        # The halo keeps names readable where links pass behind them.
        textfont={
            "size": _LETTER,
            "color": style.look.ink,
            "shadow": ", ".join([f"0 0 2px {paper}"] * 4),
        },
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
        name="names",
    )


def _chips(
    places: dict[str, Place], named: dict[str, list[str]], style: Style
) -> list[dict[str, Any]]:
    """Return names on cards of their own, for the marks of a large graph lie below them."""
    card = style.look if style.template != "auto" else LIGHT
    chips: list[dict[str, Any]] = []
    taken: list[tuple[float, float, float]] = []
    width = _width(style)
    for alias, (value,) in named.items():
        half = text_width(value, _LETTER) / 2 + 4
        x, y = places[alias]
        middle = min(max(x, half), width - half)
        if any(abs(middle - at) < half + most and abs(y - up) < 1.4 * _LINE
               for at, up, most in taken):  # fmt: skip
            continue
        taken.append((middle, y, half))
        chips.append(
            {
                "text": plain(value),
                "x": x,
                "y": y,
                "xshift": middle - x,
                "yshift": -_RING,
                "yanchor": "top",
                "showarrow": False,
                "font": {"size": _LETTER, "color": card.ink},
                "bgcolor": card.paper,
                "bordercolor": card.quiet,
                "borderpad": 1,
            }
        )
    return chips


def _twin(graph: nx.Graph[str]) -> pd.DataFrame:
    """Return a row per link, and one for an alias that is alone."""
    rows = [
        (*sorted((one, other)), data["events"], data["first_seen"])
        for one, other, data in graph.edges(data=True)
    ]
    rows += [
        (alias, None, data["events"], data["first_seen"])
        for alias, data in graph.nodes(data=True)
        if not graph.degree(alias)
    ]
    return pd.DataFrame(
        sorted(rows, key=lambda row: (-row[2], row[0], row[1] or "")),
        columns=["alias", "met", "events", "first_seen"],
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


def _alias_sentence(alias: str, graph: nx.Graph[str]) -> str:
    data = graph.nodes[alias]
    return hover(
        alias,
        f"is on {counted(data['events'], 'event')} and met "
        f"{counted(graph.degree(alias), 'other alias', 'other aliases')} shown here.",
        f"It was first seen at {data['first_seen']:%Y-%m-%d %H:%M:%S} UTC, "
        f"last at {data['last_seen']:%Y-%m-%d %H:%M:%S} UTC.",
    )


def _graph_title(profile_id: str, whole: nx.Graph[str], suspect: pd.DataFrame) -> str:
    counts = {
        name: int(suspect[f"aliases.{name}"].iloc[0]) if len(suspect) else 0 for name in LOGIN_TYPES
    }
    several = [f"{count:,} {name}" for name, count in counts.items() if count > 1]
    if several:
        return f"{' and '.join(several)} values on profile {profile_id}"
    if len(suspect):
        return f"A token joins many browsers on profile {profile_id}"
    return f"{counted(len(whole), 'alias', 'aliases')} on profile {profile_id}"


def _finding(whole: nx.Graph[str], suspect: pd.DataFrame) -> str:
    """Return what makes the profile suspect, or how its aliases are linked."""
    if len(suspect):
        return str(suspect["reason"].iloc[0])
    if len(whole) == 1:
        (data,) = (data for _, data in whole.nodes(data=True))
        return f"The profile has 1 alias, on {counted(data['events'], 'event')}."
    most = min(whole, key=lambda alias: (-whole.degree(alias), alias))
    links = counted(whole.number_of_edges(), "link")
    return (
        f"{links} {'joins' if whole.number_of_edges() == 1 else 'join'} "
        f"{counted(len(whole), 'alias', 'aliases')}; {shortened(most, 40)} has the most, "
        f"{whole.degree(most):,}."
    )


def _graph_subtitle(
    whole: nx.Graph[str], shown: nx.Graph[str], blamed: Sequence[str], suspect: pd.DataFrame
) -> list[str]:
    lines, left_out = [], len(whole) - len(shown)
    if left_out:
        lines.append(
            f"{len(shown):,} aliases are shown, those with the most links among them; "
            f"{counted(left_out, 'is', 'are')} left out."
        )
    key = ["ringed: to blame"] if blamed else []
    if len(suspect) and suspect["cut_rows"].iloc[0]:
        key.append("dotted: on an event to blame")
    widths = {link_width(data["events"]) for _, _, data in shown.edges(data=True)}
    if len(widths) > 1:
        key.append("thicker: on more events")
    said = "; ".join(key)
    return [*lines, *([f"{said[:1].upper()}{said[1:]}."] if said else [])]
