"""How aliases and the links between them look in figures: markers by type, lines by events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convergekit.base.wording import counted
from convergekit.figures.style import COLOURS, Look
from convergekit.identity.profiles import type_priority

#: More alias types than these share one look.
MOST_TYPES = 10
BLAME = "#CF5044"
# Lines of one trace have one width: links on one event, on a few, on many.
WIDTHS = ((1, 1.2), (2, 2.6), (5, 4.5))
_TYPE_COLOURS = tuple(colour for colour in COLOURS if colour != BLAME)
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


def by_mark(urns: Sequence[str], colours: Look) -> list[tuple[str, dict[str, Any], list[str]]]:
    """Return each alias type's name, marker and aliases, rare types as one at the end."""
    of_type: dict[str, list[str]] = {}
    for alias in urns:
        of_type.setdefault(type_and_value(alias)[0], []).append(alias)
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
            (counted(count, "other type"), _marker(colours.quiet, _SYMBOLS[-1], colours), rest)
        )
    return found


def _marker(colour: str, symbol: str, colours: Look) -> dict[str, Any]:
    return {"color": colour, "symbol": symbol, "line": {"width": 1.5, "color": colours.paper}}


def link_width(events: int) -> float:
    """Return the width of a link by as many events."""
    return [width for least, width in WIDTHS if events >= least][-1]


def type_and_value(alias: str) -> tuple[str, str]:
    """Return the type and value of a URN that stands in a table."""
    _, alias_type, value = alias.split(":", 2)
    return alias_type, value
