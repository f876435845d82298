"""A console that shows control characters and does not obey them."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from convergekit.visible import visible_lines


class PlainConsole(Console):
    r"""A rich console whose text is as `visible_lines` returns it, whatever was printed.

    What is styled is styled still: rich writes colours and movements apart from text.

    Examples
    --------
    >>> PlainConsole(width=40).print("[bold]Paid\x1b[31m[/]")
    Paid\x1b[31m
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Return the segments of something, their text made visible."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield segment._replace(text=visible_lines(segment.text))
