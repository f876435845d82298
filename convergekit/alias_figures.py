"""Figures of aliases and the events that link them: one chain, or one whole profile.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from convergekit.explain import Explanation
from convergekit.profiles import LOGIN_TYPES, type_priority
from convergekit.readable import counted, shortened
from convergekit.template import COLOURS, Look, Template, hover, look, plain, titled

if TYPE_CHECKING:
    from convergekit.stitched import Stitched

#: A graph of more aliases than these shows what is blamed, and the most linked of them.
MOST_SHOWN = 200
#: A graph of more aliases than these names login values and what is blamed alone.
MOST_NAMED = 24
#: The layout that weighs every pair of aliases spreads them best, and takes long beyond.
MOST_WEIGHED = 120
#: More alias types than these share one look.
MOST_TYPES = 10

_BLAME = "#D55E00"
_TYPE_COLOURS = tuple(colour for colour in COLOURS if colour != _BLAME)
_SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "pentagon",
    "star",
    "hexagon",
    "triangle-down",
    "cross",
    "x",
)
# Lines of one trace have one width: links on one event, on a few, on many.
_WIDTHS = ((1, 1.2), (2, 2.6), (5, 4.5))
_NODE, _RING = 15, 27
_HOP_WIDTH = 190


def explanation_figure(explanation: Explanation, template: Template = "light") -> go.Figure:
    """Return the chain of aliases and events between two aliases, from left to right.

    Parameters
    ----------
    explanation : Explanation
    template : {"light", "dark"}, default "light"

    Returns
    -------
    plotly.graph_objects.Figure
        Aliases are markers named by type and value, whole in the hover text; every link is
        named by its event, source and time. Two aliases that are not linked stand apart.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> why = s.explain("urn:cookie:73eba738fc5e", "urn:email:milo.duval37@example.com")
    >>> explanation_figure(why).layout.title.text
    'From cookie to email: one profile, by 2 links'
    """
    steps = explanation.steps.to_dict("records")
    urns = [explanation.alias_a, *(step["alias_to"] for step in steps)]
    if not explanation.linked:
        urns.append(explanation.alias_b)
    figure, colours = go.Figure(), look(template)
    for at, step in enumerate(steps):
        _add_hop(figure, at, step, colours)
    for name, mark, same in _by_mark(urns, colours):
        figure.add_scatter(
            x=[urns.index(alias) for alias in same],
            y=[0] * len(same),
            mode="markers+text",
            marker={**mark, "size": 22},
            text=[_two_lines(alias) for alias in same],
            textposition="bottom center",
            hovertext=[hover(alias) for alias in same],
            hoverinfo="text",
            name=plain(name),
            cliponaxis=False,
        )
    title, subtitle = _chain_title(explanation)
    figure.update_layout(
        **titled(title, [subtitle], template=template, plot_height=230),
        showlegend=False,
        width=max(_HOP_WIDTH * len(urns), 640),
        xaxis={"visible": False, "range": [-0.5, len(urns) - 0.5]},
        yaxis={"visible": False, "range": [-1, 1]},
    )
    return figure


def profile_graph_figure(s: Stitched, alias_or_id: str, template: Template = "light") -> go.Figure:
    """Return one profile's aliases and the links between them. See `Stitched.plot_profile_graph`.

    Parameters
    ----------
    s : Stitched
    alias_or_id : str
        A URN or a profile ID.
    template : {"light", "dark"}, default "light"

    Returns
    -------
    plotly.graph_objects.Figure
    """
    number = s._profile_number(alias_or_id)
    profile_id = s._identity.profile_ids.iloc[number]
    whole = s._graph_of(s._identity.profile == number)
    suspect = s.suspects[s.suspects["profile_id"] == profile_id]
    graph = _most_linked(whole, _chain_of_blame(whole, suspect))
    blamed = [alias for cut in suspect["cut"] for alias in cut if alias in graph]
    places = _layout(graph)
    figure, colours = go.Figure(), look(template)
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
            template=template,
            plot_height=540,
        ),
        legend={"groupclick": "toggleitem"},
        hovermode="closest",
        xaxis={"visible": False, "range": [-1.25, 1.25]},
        # Names stand below their markers, so the lowest need more room.
        yaxis={"visible": False, "range": [-1.3, 1.1]},
    )
    return figure


def _add_hop(figure: go.Figure, at: int, step: dict[Any, Any], colours: Look) -> None:
    more = step["events"] - 1
    others = f" They met on {more:,} more event{'s' if more > 1 else ''}." if more else ""
    sentence = hover(
        f"{step['alias_from']} met {step['alias_to']}",
        f"on {_event(step)}{_whence(step)} at {_time(step)} UTC (row {step['row']}).{others}",
    )
    source = step["source"] if isinstance(step["source"], str) else "source unknown"
    label = (
        f"<b>{plain(shortened(_event(step), 24))}</b>"
        f"<br>{plain(shortened(source, 24))}<br>{_time(step)}"
    )
    figure.add_scatter(
        x=[at, at + 1],
        y=[0, 0],
        mode="lines",
        line={"color": colours.quiet, "width": _width(step["events"])},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[at + 0.5],
        y=[0],
        mode="markers+text",
        marker={"symbol": "triangle-right", "size": 9, "color": colours.quiet},
        text=[label],
        textposition="top center",
        textfont={"size": 12},
        hovertext=[sentence],
        hoverinfo="text",
    )


def _chain_title(explanation: Explanation) -> tuple[str, str]:
    """Return the finding in few words, and below it which aliases it is about."""
    ends = (explanation.alias_a, explanation.alias_b)
    one, other = (shortened(_type_and_value(alias)[0], 20) for alias in ends)
    count = len(explanation.steps)
    if not explanation.linked:
        title = f"From {one} to {other}: no link"
        below = (
            f"No chain of events joins {ends[0]} of profile {explanation.profile_a} to {ends[1]} "
            f"of profile {explanation.profile_b}."
        )
    elif not count:
        title, below = f"This {one} is one alias", f"{ends[0]} is on {explanation.profile_a}."
    else:
        title = f"From {one} to {other}: one profile, by {counted(count, 'link')}"
        below = (
            f"The shortest chain from {ends[0]} to {ends[1]} on profile {explanation.profile_a}; "
            "times are in UTC."
        )
    return title, below


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


def _layout(graph: nx.Graph) -> dict[str, Any]:
    """Place the nodes between -1 and 1, the same every time."""
    # A subgraph iterates in the order of a set, which is another in every process.
    ordered = nx.Graph()
    ordered.add_nodes_from(sorted(graph))
    ordered.add_edges_from(sorted(tuple(sorted(edge)) for edge in graph.edges))
    if len(ordered) <= MOST_WEIGHED:
        places = nx.kamada_kawai_layout(ordered)
    else:
        places = nx.spring_layout(ordered, seed=1, iterations=200)
    if len(ordered) <= MOST_NAMED:
        return places
    # A large graph needs all the room that there is, a small one would be bent.
    points = np.array(list(places.values()))
    low, high = points.min(axis=0), points.max(axis=0)
    return dict(zip(places, 2 * (points - low) / (high - low) - 1, strict=True))


def _add_links(figure: go.Figure, graph: nx.Graph, places: dict[str, Any], colours: Look) -> None:
    edges = sorted(graph.edges(data=True), key=lambda edge: sorted(edge[:2]))
    for _, width in _WIDTHS:
        of_width = [(one, other) for one, other, d in edges if _width(d["events"]) == width]
        if of_width:
            figure.add_scatter(
                **_lines(of_width, places),
                line={"color": colours.quiet, "width": width},
                name=_width_name(width),
                legendgroup="links",
                legendgrouptitle={"text": "links"},
            )
    middle = [(places[one] + places[other]) / 2 for one, other, _ in edges]
    figure.add_scatter(
        x=[at[0] for at in middle],
        y=[at[1] for at in middle],
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
    figure: go.Figure, s: Stitched, graph: nx.Graph, places: dict[str, Any], rows: list[int]
) -> None:
    if not rows:
        return
    linked = s._graph_of(s.events["row"].isin(rows).to_numpy())
    figure.add_scatter(
        **_lines([edge for edge in linked.edges if graph.has_edge(*edge)], places),
        line={"color": _BLAME, "width": 4, "dash": "dot"},
        name="on an event to blame",
        legendgroup="blamed",
    )


def _add_blamed_aliases(figure: go.Figure, places: dict[str, Any], blamed: list[str]) -> None:
    if not blamed:
        return
    figure.add_scatter(
        x=[places[name][0] for name in blamed],
        y=[places[name][1] for name in blamed],
        mode="markers",
        marker={
            "symbol": "circle-open",
            "size": _RING,
            "color": _BLAME,
            "line": {"width": 4, "color": _BLAME},
        },
        hoverinfo="skip",
        name="alias to blame",
        legendgroup="blamed",
    )


def _add_aliases(figure: go.Figure, graph: nx.Graph, places: dict[str, Any], colours: Look) -> None:
    for name, mark, same in _by_mark(sorted(graph), colours):
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
    figure: go.Figure,
    graph: nx.Graph,
    places: dict[str, Any],
    blamed: list[str],
    colours: Look,
) -> None:
    """Name aliases last, so that no marker covers a name."""
    few = len(graph) <= MOST_NAMED
    named = [
        alias
        for alias in sorted(graph)
        if few or alias in blamed or _type_and_value(alias)[0] in LOGIN_TYPES
    ]
    figure.add_scatter(
        x=[places[alias][0] for alias in named],
        y=[places[alias][1] for alias in named],
        mode="markers+text",
        # Not seen, but a name stands below a marker of this size.
        marker={"opacity": 0, "size": [_RING if alias in blamed else _NODE for alias in named]},
        # Of many, the marker alone says the type.
        text=[_two_lines(alias) if few else _value_line(alias) for alias in named],
        textposition="bottom center",
        # The halo keeps names readable where links pass behind them.
        textfont={"size": 11, "shadow": ", ".join([f"0 0 2px {colours.paper}"] * 4)},
        hoverinfo="skip",
        showlegend=False,
        name="names",
    )


def _by_mark(urns: Sequence[str], colours: Look) -> list[tuple[str, dict[str, Any], list[str]]]:
    """Return each alias type's name, marker and aliases, rare types as one at the end."""
    of_type: dict[str, list[str]] = {}
    for alias in urns:
        of_type.setdefault(_type_and_value(alias)[0], []).append(alias)
    priority = dict(zip(of_type, type_priority(list(of_type)).tolist(), strict=True))
    frequent = sorted(of_type, key=lambda name: (-len(of_type[name]), priority[name]))
    if len(frequent) > MOST_TYPES:
        frequent = frequent[: MOST_TYPES - 1]
    shown = sorted(frequent, key=lambda name: priority[name])
    found = [
        (name, _marker(_TYPE_COLOURS[i % len(_TYPE_COLOURS)], _SYMBOLS[i], colours), of_type[name])
        for i, name in enumerate(shown)
    ]
    rest = [alias for name in of_type if name not in shown for alias in of_type[name]]
    if rest:
        count = len(of_type) - len(shown)
        found.append(
            (f"{count:,} other types", _marker(colours.quiet, _SYMBOLS[-1], colours), rest)
        )
    return found


def _marker(colour: str, symbol: str, colours: Look) -> dict[str, Any]:
    return {"color": colour, "symbol": symbol, "line": {"width": 1.5, "color": colours.paper}}


def _lines(edges: Sequence[tuple[str, str]], places: dict[str, Any]) -> dict[str, Any]:
    """Return a trace's lines, each followed by a gap."""
    x, y = [], []
    for one, other in edges:
        x += [places[one][0], places[other][0], None]
        y += [places[one][1], places[other][1], None]
    return {"x": x, "y": y, "mode": "lines", "hoverinfo": "skip"}


def _width(events: int) -> float:
    return [width for least, width in _WIDTHS if events >= least][-1]


def _width_name(width: float) -> str:
    least = [least for least, _ in _WIDTHS]
    at = [of_width for _, of_width in _WIDTHS].index(width)
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
            f"{left_out:,} are left out."
        )
    return lines


def _event(event: dict[Any, Any]) -> str:
    return event["event_name"] if isinstance(event["event_name"], str) else "identify call"


def _whence(event: dict[Any, Any]) -> str:
    return f" from {event['source']}" if isinstance(event["source"], str) else ""


def _time(event: dict[Any, Any]) -> str:
    return f"{event['timestamp']:%Y-%m-%d %H:%M:%S}"


def _type_and_value(alias: str) -> tuple[str, str]:
    _, alias_type, value = alias.split(":", 2)
    return alias_type, value


def _two_lines(alias: str) -> str:
    alias_type, value = _type_and_value(alias)
    return f"{plain(shortened(alias_type, 20))}<br>{plain(shortened(value, 20))}"


def _value_line(alias: str) -> str:
    return plain(shortened(_type_and_value(alias)[1], 20))
