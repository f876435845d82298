"""Who watches an answer that takes its time, such as a notebook's status line.

What goes through parts tells how many are done, and does not know who asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Takes how many parts are done, and how many there are.
Watch = Callable[[int, int], None]

_WATCHING: ContextVar[Watch | None] = ContextVar("convergekit_watching", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Let a function be told of each part that is done meanwhile.

    Examples
    --------
    >>> with watched(lambda done, total: print(f"{done} of {total}")):
    ...     tell_parts(1, 2)
    ...     tell_parts(2, 2)
    1 of 2
    2 of 2
    >>> tell_parts(1, 2)
    """
    token = _WATCHING.set(watch)
    try:
        yield
    finally:
        _WATCHING.reset(token)


def tell_parts(done: int, total: int) -> None:
    """Tell who watches, if somebody does."""
    watch = _WATCHING.get()
    if watch is not None:
        watch(done, total)
