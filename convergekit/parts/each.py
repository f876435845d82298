"""How parts are asked: a function is handed to where each part is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from convergekit.identity.tables import StitchedEvents

Kept = TypeVar("Kept")


class EachPart(Protocol):
    """Asks every part, in the order of their numbers."""

    def __call__(self, of_part: Callable[[int, StitchedEvents], Kept], /) -> Iterator[Kept]:
        """Yield what a function keeps of each part.

        Parameters
        ----------
        of_part : callable
            Takes the number of a part, and the part, stitched, with what it has to know of the
            whole. It may run in another process: it holds data alone, as does what it returns.
        """
        ...


class OnePart(Protocol):
    """Asks one part."""

    def __call__(self, number: int, of_part: Callable[[int, StitchedEvents], Kept], /) -> Kept:
        """Return what a function makes of a part, as `EachPart` does of every one."""
        ...
