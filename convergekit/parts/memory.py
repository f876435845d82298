"""How much memory a run may take, and how many parts follow from it."""

from __future__ import annotations

import re
from typing import Any

from convergekit.errors import ConvergekitError

#: What a part may take if it is not said.
USUAL = "4GB"
#: So many times as much as its rows take, a part takes while it is stitched and asked. Measured of
#: a million rows by `benchmarks.scale` as 4.2, the interpreter and its libraries left out; the rest
#: is for events with more to carry, and for what is kept of the parts.
TIMES_ROWS = 5
#: A block of the source has at most this share of the memory.
OF_A_BLOCK = 1 / 8
#: Files are numbered by part; with more, parts are larger than the memory.
MOST_PARTS = 10_000
#: A cluster of so many rows is stitched however small the parts are.
LEAST_CLUSTER = 100_000
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]B)\s*", re.IGNORECASE)


def bytes_of(memory: Any) -> int:
    """Return how many bytes a text such as ``"6GB"`` stands for.

    Raises
    ------
    ConvergekitError

    Examples
    --------
    >>> bytes_of("1.5GB")
    1500000000
    """
    found = _SIZE.fullmatch(memory) if isinstance(memory, str) else None
    size = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if not size:
        raise ConvergekitError(f"memory must be a size such as '6GB' or '500MB'; got {memory!r}.")
    return size


def parts_for(rows_take: int, memory: int) -> int:
    """Return into how many parts rows are split that take so many bytes.

    Examples
    --------
    >>> parts_for(10 * 10**9, 5 * 10**9)
    10
    """
    return min(max(1, -(-rows_take * TIMES_ROWS // memory)), MOST_PARTS)
