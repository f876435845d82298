"""Python's search for garbage, left out where objects are made by the million."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def garbage_let_be() -> Iterator[None]:
    """Do not look for garbage: rows are made by the million, and few of them are any.

    The collector would go through all of them again and again; what is done with is freed anyway.

    Examples
    --------
    >>> with garbage_let_be():
    ...     gc.isenabled()
    False
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
