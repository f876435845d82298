"""The chain of aliases and events between two aliases, as a figure.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import Any

from convergekit.base.wording import counted, shortened
from convergekit.diagnostics.alias_marks import by_mark, link_width, two_lines, type_and_value
from convergekit.diagnostics.explain import Explanation
from convergekit.figures.figure import Figure
from convergekit.figures.style import USUAL, Look, Style
from convergekit.figures.template import hover, plain, titled

_HOP_WIDTH = 190


def explanation_figure(explanation: Explanation, style: Style = USUAL) -> Figure:
    """Return the chain of aliases and events between two aliases, from left to right.

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
    >>> explanation_figure(why).layout.title.text
    'From cookie to email: one profile, by 2 links'
    """
    steps = explanation.steps.to_dict("records")
    urns = [explanation.alias_a, *(step["alias_to"] for step in steps)]
    if not explanation.linked:
        urns.append(explanation.alias_b)
    figure, colours = Figure(), style.look
    for at, step in enumerate(steps):
        _add_hop(figure, at, step, colours)
    for name, mark, same in by_mark(urns, colours):
        figure.add_scatter(
            x=[urns.index(alias) for alias in same],
            y=[0] * len(same),
            mode="markers+text",
            marker={**mark, "size": 22},
            text=[two_lines(alias) for alias in same],
            textposition="bottom center",
            hovertext=[hover(alias) for alias in same],
            hoverinfo="text",
            name=plain(name),
            cliponaxis=False,
        )
    title, subtitle = _chain_title(explanation)
    figure.update_layout(
        **titled(title, [subtitle], style=style, plot_height=230),
        showlegend=False,
        width=max(_HOP_WIDTH * len(urns), 640),
        xaxis={"visible": False, "range": [-0.5, len(urns) - 0.5]},
        yaxis={"visible": False, "range": [-1, 1]},
    )
    return figure


def _add_hop(figure: Figure, at: int, step: dict[Any, Any], colours: Look) -> None:
    more = step["events"] - 1
    others = f" They met on {counted(more, 'more event')}." if more else ""
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
        line={"color": colours.quiet, "width": link_width(step["events"])},
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
    one, other = (shortened(type_and_value(alias)[0], 20) for alias in ends)
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


def _event(event: dict[Any, Any]) -> str:
    return event["event_name"] if isinstance(event["event_name"], str) else "identify call"


def _whence(event: dict[Any, Any]) -> str:
    return f" from {event['source']}" if isinstance(event["source"], str) else ""


def _time(event: dict[Any, Any]) -> str:
    return f"{event['timestamp']:%Y-%m-%d %H:%M:%S}"
