"""Consoles that show control characters and do not obey them, and how notes are told on one."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
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


# Rich would make a picture of what stands between colons, as in urn:cookie:7f3a.
#: Where answers are printed.
OUT = PlainConsole(emoji=False)
#: Where notes, errors and progress are printed.
ERRORS = PlainConsole(stderr=True, emoji=False)


def note(text: str) -> None:
    """Print a note beside the answers."""
    ERRORS.print(f"[bold yellow]note:[/] {escape(text)}", soft_wrap=True)


@contextlib.contextmanager
def remarks_told() -> Iterator[None]:
    """Print the warnings of the library as notes, when its work is done."""
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        yield
    for remark in remarks:
        note(str(remark.message))


@contextlib.contextmanager
def interruption_told() -> Iterator[None]:
    """Print whether anything was changed before Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt as error:
        ERRORS.print(f"interrupted: {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(130) from None
