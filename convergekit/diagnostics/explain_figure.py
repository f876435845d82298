"""The chain of aliases and events between two aliases, as a figure.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from convergekit.base.wording import counted, shortened
from convergekit.diagnostics.alias_marks import by_mark, link_width, type_and_value
from convergekit.diagnostics.explain import Explanation
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import fitting
from convergekit.figures.style import USUAL, Look, Style
from convergekit.figures.template import hover, plain, titled

#: Pixels of the letters of names, of the plot of a chain from left to right, and of a link of one
#: from top to bottom.
_SIZE, _ACROSS, _DOWN = 12, 170, 76
#: A figure without a width is laid out for so many pixels; a narrow page has fewer.
_USUAL, _NARROW, _MARGINS = 600, 400, 32
#: From left to right, an alias needs so many pixels; from top to bottom, what is beside them has
#: all but these.
_NEEDED, _BESIDE = 160, 44


def explanation_figure(explanation: Explanation, style: Style = USUAL) -> Figure:
    """Return the chain of aliases and events between two aliases.

    It runs from left to right where there is room, and otherwise from top to bottom.

    Parameters
    ----------
    explanation : Explanation
    style : Style, optional

    Returns
    -------
    Figure
        Aliases are markers named by type and value, whole in the hover text; every link is
        named by its event, source and time. Two aliases that are not linked stand apart.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> why = s.explain("urn:cookie:73eba738fc5e", "urn:email:milo.duval37@example.com")
    >>> explanation_figure(why).finding
    'urn:cookie:73eba738fc5e and urn:email:milo.duval37@example.com are on one profile, by 2 links.'
    """
    steps = explanation.steps.to_dict("records")
    urns = [explanation.alias_a, *(step["alias_to"] for step in steps)]
    if not explanation.linked:
        urns.append(explanation.alias_b)
    figure, colours = Figure(), style.look
    width = (style.width or _USUAL) - _MARGINS
    across = width / len(urns) >= _NEEDED
    for at, step in enumerate(steps):
        _add_hop(figure, at, step, colours, 0 if across else width - _BESIDE)
    names = _names(urns, min(width / len(urns) - 8, 150) if across else width - _BESIDE)
    for name, mark, same in by_mark(urns, colours):
        places = [urns.index(alias) for alias in same]
        figure.add_scatter(
            x=places if across else [0] * len(same),
            y=[0] * len(same) if across else places,
            mode="markers+text",
            marker={**mark, "size": 22 if across else 18},
            text=[names[alias] if across else _indented(names[alias]) for alias in same],
            textposition="bottom center" if across else "middle right",
            textfont={"size": _SIZE, "color": colours.ink},
            hovertext=[hover(alias) for alias in same],
            hoverinfo="text",
            name=plain(name),
            cliponaxis=False,
        )
    title, finding, below = _chain_title(explanation)
    figure.update_layout(
        **titled(
            title,
            [below],
            style=style,
            plot_height=_ACROSS if across else _DOWN * len(urns),
        ),
        showlegend=False,
        xaxis={
            "visible": False,
            "range": [-0.5, len(urns) - 0.5] if across else [-14 / width, 1 - 14 / width],
        },
        yaxis={"visible": False, "range": [-1, 1] if across else [len(urns) - 0.5, -0.5]},
    )
    if across and style.width is None and (_NARROW - _MARGINS) / len(urns) < _NEEDED:
        # On a narrower page names would lie on each other: there it scrolls.
        figure.update_layout(width=_USUAL)
    return figure.says(finding, _twin(explanation))


def _names(urns: list[str], room: float) -> dict[str, str]:
    """Return each alias's type and value on two lines, as markup, both cut to so many pixels."""
    kinds, values = zip(*map(type_and_value, urns), strict=True)
    shown = zip(fitting(kinds, room, _SIZE), fitting(values, room, _SIZE), strict=True)
    return {
        alias: f"{plain(kind)}<br>{plain(value)}"
        for alias, (kind, value) in zip(urns, shown, strict=True)
    }


def _indented(lines: str) -> str:
    return "<br>".join(f"\u2003{line}" for line in lines.split("<br>"))


def _twin(explanation: Explanation) -> pd.DataFrame:
    """Return a row per link; without one, the aliases."""
    if len(explanation.steps):
        return explanation.steps
    ends = {
        explanation.alias_a: explanation.profile_a,
        explanation.alias_b: explanation.profile_b,
    }
    return pd.DataFrame({"alias": list(ends), "profile_id": list(ends.values())})


def _add_hop(figure: Figure, at: int, step: dict[Any, Any], colours: Look, down: float) -> None:
    """Add a link; downwards, with as many pixels beside it."""
    more = step["events"] - 1
    others = f" They met on {counted(more, 'more event')}." if more else ""
    sentence = hover(
        f"{step['alias_from']} met {step['alias_to']}",
        f"on {_event(step)}{_whence(step)} at {_time(step)} UTC (row {step['row']}).{others}",
    )
    source = step["source"] if isinstance(step["source"], str) else "source unknown"
    event, source = (fitting([text], down or 130, _SIZE)[0] for text in (_event(step), source))
    label = (
        _indented(f"<b>{plain(event)}</b><br>{_time(step)}, {plain(source)}")
        if down
        else f"<b>{plain(event)}</b><br>{plain(source)}<br>{_time(step)}"
    )
    ends, nothing = [at, at + 1], [0, 0]
    figure.add_scatter(
        x=nothing if down else ends,
        y=ends if down else nothing,
        mode="lines",
        line={"color": colours.quiet, "width": link_width(step["events"])},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[0 if down else at + 0.5],
        y=[at + 0.5 if down else 0],
        mode="markers+text",
        marker={
            "symbol": "triangle-down" if down else "triangle-right",
            "size": 9,
            "color": colours.quiet,
        },
        text=[label],
        textposition="middle right" if down else "top center",
        textfont={"size": _SIZE, "color": colours.muted},
        hovertext=[sentence],
        hoverinfo="text",
        cliponaxis=False,
    )


def _chain_title(explanation: Explanation) -> tuple[str, str, str]:
    """Return a title, the finding, and what is said below the title."""
    ends = (explanation.alias_a, explanation.alias_b)
    one, other = (shortened(type_and_value(alias)[0], 20) for alias in ends)
    count = len(explanation.steps)
    if not explanation.linked:
        finding = (
            f"No chain of events joins {ends[0]} of profile {explanation.profile_a} to {ends[1]} "
            f"of profile {explanation.profile_b}."
        )
        return f"From {one} to {other}: no link", finding, finding
    if not count:
        finding = f"{ends[0]} is on {explanation.profile_a}."
        return f"This {one} is one alias", finding, finding
    links = counted(count, "link")
    return (
        f"From {one} to {other}: one profile, by {links}",
        f"{ends[0]} and {ends[1]} are on one profile, by {links}.",
        f"The shortest chain from {ends[0]} to {ends[1]} on profile {explanation.profile_a}; "
        "times are in UTC.",
    )


def _event(event: dict[Any, Any]) -> str:
    return event["event_name"] if isinstance(event["event_name"], str) else "identify call"


def _whence(event: dict[Any, Any]) -> str:
    return f" from {event['source']}" if isinstance(event["source"], str) else ""


def _time(event: dict[Any, Any]) -> str:
    return f"{event['timestamp']:%Y-%m-%d %H:%M:%S}"
