"""Figures that follow the page: their texts take the colour of the page's own text.

plotly takes no colour but fixed ones. The markup of its texts may have a style, though, and a
browser knows the colour of the text around the figure: ``currentColor``. So every text that lies
on the paper is wrapped in a span of that colour; a text on a mark keeps the one that was chosen for
the mark. The paper is transparent (`convergekit.figures.style.AUTO`).
"""

from __future__ import annotations

from typing import Any

from convergekit.figures.style import AUTO, FOLLOWS, LIGHT
from convergekit.figures.template import NOTE_SIZE, plain

_INK = "<span style='color:currentColor'>"
_MUTED = "<span style='color:currentColor;fill-opacity:0.75'>"
_NOTE = f"<span style='font-size:{NOTE_SIZE}px'>"
_MUTED_NOTE = f"{_MUTED[:-2]};font-size:{NOTE_SIZE}px'>"
_END = "</span>"
_ON_PAPER = (None, AUTO.ink, AUTO.muted)
_AS_LIGHT = {
    getattr(AUTO, name): getattr(LIGHT, name) for name in ("paper", "ink", "muted", "faint")
}
_WITHOUT_AXES = ("sankey", "table", "pie")
#: Where a trace's texts lie on its marks.
_INSIDE = ("inside", "auto")


def follows(drawn: dict[str, Any]) -> bool:
    """Return whether a figure, as plotly's dictionary, follows the page."""
    template = drawn.get("layout", {}).get("template", {})
    return bool(template.get("layout", {}).get("meta") == FOLLOWS)


def following(drawn: dict[str, Any]) -> dict[str, Any]:
    """Return a figure, as plotly's dictionary, whose texts take the colour of the page's.

    Parameters
    ----------
    drawn : dict
        Is changed.

    Examples
    --------
    >>> following({"data": [], "layout": {"title": {"text": "Orders"}}})["layout"]["title"]["text"]
    "<span style='color:currentColor'>Orders</span>"
    """
    layout = drawn["layout"]
    if any(trace.get("type") not in _WITHOUT_AXES for trace in drawn["data"]):
        # Axes have labels, whether the layout says something of them or not.
        layout |= {axis: layout.get(axis, {}) for axis in ("xaxis", "yaxis")}
    _titled(layout, "")
    if "title" in layout:
        _titled(layout["title"], "subtitle", _MUTED)
    for annotation in layout.get("annotations", ()):
        if "bgcolor" not in annotation:
            _wrap(annotation, "text", annotation.get("font"))
    for name, part in layout.items():
        if name.startswith(("xaxis", "yaxis")):
            _axis(part)
        elif name.startswith("legend"):
            _titled(part, "", _MUTED)
        elif name.startswith("coloraxis"):
            _axis(part.get("colorbar", {}))
    for trace in drawn["data"]:
        _trace(trace)
    return drawn


def leading(drawn: dict[str, Any], finding: str) -> None:
    """Let the finding lead the subtitle of a figure, as plotly's dictionary: notes are smaller.

    Parameters
    ----------
    drawn : dict
        Is changed.
    finding : str
        As it is, not as markup.

    Examples
    --------
    >>> title = {"subtitle": {"text": "3 of 4<br>ordered.<br>Dotted: open."}}
    >>> drawn = {"layout": {"title": title}}
    >>> leading(drawn, "3 of 4 ordered.")
    >>> drawn["layout"]["title"]["subtitle"]["text"]
    "3 of 4<br>ordered.<br><span style='font-size:12px'>Dotted: open.</span>"
    """
    layout = drawn["layout"]
    subtitle = layout.get("title", {}).get("subtitle", {})
    lines = str(subtitle.get("text") or "").split("<br>")
    # A word that is longer than a line is cut.
    whole = plain(finding).replace(" ", "")
    ends = ["".join(lines[: at + 1]).replace(" ", "") for at in range(len(lines))]
    if not whole or whole not in ends:
        return
    many = ends.index(whole) + 1
    font = layout.get("template", {}).get("layout", {}).get("font", {})
    ink = _INK if follows(drawn) else f"<span style='color:{font['color']}'>" if font else ""
    led = [f"{ink}{line}{_END}" if ink else line for line in lines[:many]]
    muted = _MUTED_NOTE if follows(drawn) else _NOTE
    subtitle["text"] = "<br>".join([*led, *(f"{muted}{line}{_END}" for line in lines[many:])])


def still(drawn: dict[str, Any]) -> dict[str, Any]:
    """Return a figure that would follow a page as one that is light, for pictures.

    Examples
    --------
    >>> still({"data": [], "layout": {"paper_bgcolor": "rgba(0,0,0,0)"}})["layout"]
    {'paper_bgcolor': '#ffffff'}
    """
    return {name: _as_light(part) for name, part in drawn.items()}


def _as_light(part: Any) -> Any:
    if isinstance(part, str):
        return None if part == FOLLOWS else _AS_LIGHT.get(part, part)
    if isinstance(part, dict):
        return {name: _as_light(value) for name, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_as_light(value) for value in part]
    return part


def _trace(trace: dict[str, Any]) -> None:
    if trace.get("showlegend", True) and "name" in trace:
        trace["name"] = _said(trace["name"], _INK)
    for part in (trace, trace.get("marker", {})):
        _axis(part.get("colorbar", {}))
    if trace.get("type") == "sankey":
        node = trace.get("node", {})
        if "label" in node:
            node["label"] = [_said(label, _INK) for label in node["label"]]
    elif trace.get("type") == "heatmap":
        _wrap(trace, "texttemplate", trace.get("textfont"))
    elif trace.get("textposition") not in _INSIDE:
        _wrap(trace, "text", trace.get("textfont"))


def _axis(axis: dict[str, Any]) -> None:
    _titled(axis, "", _MUTED)
    if axis.get("tickfont", {}).get("color") not in _ON_PAPER:
        return
    if "ticktext" in axis:
        axis["ticktext"] = [_said(text, _INK) for text in axis["ticktext"]]
    elif axis.get("visible", True) and not str(axis.get("tickprefix", "")).startswith(_INK):
        axis["tickprefix"] = _INK + axis.get("tickprefix", "")
        axis["ticksuffix"] = axis.get("ticksuffix", "") + _END


def _titled(part: dict[str, Any], within: str, otherwise: str = _INK) -> None:
    title = part.get(within or "title")
    if isinstance(title, dict):
        font = title.get("font")
        _wrap(title, "text", font, otherwise)


def _wrap(
    part: dict[str, Any], name: str, font: dict[str, Any] | None, otherwise: str = _INK
) -> None:
    colour = (font or {}).get("color")
    if name not in part or not (isinstance(colour, str) or colour is None):
        return
    if colour not in _ON_PAPER:
        return
    span = _MUTED if colour == AUTO.muted else otherwise
    text = part[name]
    many = isinstance(text, (list, tuple))
    part[name] = [_said(one, span) for one in text] if many else _said(text, span)


def _said(text: Any, span: str) -> Any:
    if not isinstance(text, str) or not text or text.startswith((_INK, _MUTED)):
        return text
    # plotly ends a style at a line's end.
    return "<br>".join(f"{span}{line}{_END}" if line else "" for line in text.split("<br>"))
